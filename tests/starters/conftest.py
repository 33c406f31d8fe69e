"""The receiver of one firm, and a firm on a real Temporal server."""

from collections.abc import AsyncIterator

import pytest

from starters.forwarding import Forwarder
from tests.sandboxes import Firm
from tests.starters.doorway import Doorway, Heard
from tests.workflows.conftest import office

__all__ = ["office"]


@pytest.fixture
def heard(firm: Firm) -> Heard:
    """Somebody who notes what is announced instead of telling Temporal."""
    return Heard(firm.store)


@pytest.fixture
async def doorway(firm: Firm, heard: Heard) -> AsyncIterator[Doorway]:
    """The receiver, reached by both sandboxes."""
    async with Doorway.open(firm, Forwarder(heard, firm.store.inbox)) as opened:
        yield opened
