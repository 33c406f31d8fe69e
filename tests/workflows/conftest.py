"""One firm, its Temporal server, and its workers."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.sandboxes import Firm
from tests.workflows.office import Office


@pytest.fixture
async def office(temporal: Client, firm: Firm) -> AsyncIterator[Office]:
    """A firm on a real Temporal server; its workers run only where a test says so."""
    opened = Office(temporal, firm)
    yield opened
    await opened.close()


@pytest.fixture
async def two_way_office(temporal: Client, two_way_firm: Firm) -> AsyncIterator[Office]:
    """The same for a firm whose changes go both ways."""
    opened = Office(temporal, two_way_firm)
    yield opened
    await opened.close()
