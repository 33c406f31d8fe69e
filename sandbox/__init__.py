"""Stand-ins of the systems, for trying things out and for tests."""
