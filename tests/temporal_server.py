"""A real Temporal server, the one that `ledgerline up` embeds, for the whole test session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from runtime.codec import data_converter
from runtime.keys import KeyRing
from runtime.server import DYNAMIC_CONFIG, temporal_cli
from runtime.settings import Settings
from workflows.search_attributes import ALL

PAYLOAD_KEYS = KeyRing({"payload-tests": bytes(range(32))})
"""Seals payloads in tests, recorded histories too."""

SUGGEST_CONTINUE_AS_NEW = 120
"""Events after which a run is asked to continue as a new one; by default it is 4,096."""


@asynccontextmanager
async def embedded_server() -> AsyncIterator[WorkflowEnvironment]:
    """Run the server in memory, on a free port."""
    values = [*DYNAMIC_CONFIG, f"limit.historyCount.suggestContinueAsNew={SUGGEST_CONTINUE_AS_NEW}"]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=await temporal_cli(Settings()),
        dev_server_startup_timeout=timedelta(seconds=30),
        dev_server_extra_args=[part for value in values for part in ("--dynamic-config-value", value)],
        dev_server_log_level="error",
        search_attributes=ALL,
        data_converter=data_converter(PAYLOAD_KEYS),
    ) as environment:
        yield environment


@pytest.fixture(scope="session")
async def temporal_server() -> AsyncIterator[WorkflowEnvironment]:
    """Give the one server of this session. Nothing of it outlives the session."""
    async with embedded_server() as environment:
        yield environment


@pytest.fixture
def temporal(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client whose payloads are sealed, as in production."""
    return temporal_server.client
