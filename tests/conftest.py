"""Fixtures that every folder of tests shares."""

pytest_plugins = ["tests.databases", "tests.temporal_server", "tests.sandboxes", "tests.zoho_firms", "tests.pipelines"]
