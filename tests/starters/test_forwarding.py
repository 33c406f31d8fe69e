"""While Temporal cannot be reached, changes wait in the inbox, and then go on in the order in which they came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

import starters.forwarding
from tests.sandboxes import Firm
from tests.starters.doorway import Doorway, Heard
from tests.workflows.office import until


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the forwarder look all the time."""
    monkeypatch.setattr(starters.forwarding, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(starters.forwarding, "BACK_OFF_SECONDS", 0.1)


def updated(party_id: int) -> dict[str, object]:
    return {"event": "party/updated", "payload": [{"id": party_id}]}


@asynccontextmanager
async def forwarding(doorway: Doorway) -> AsyncIterator[None]:
    """Run the forwarder, as the receiver's process does."""
    running = asyncio.create_task(doorway.forwarder.run())
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def empty(firm: Firm) -> None:
    """Wait until nothing waits in the inbox."""

    async def is_empty() -> bool:
        return await firm.store.inbox.size() == 0

    await until(is_empty)


async def test_a_delivery_is_kept_while_temporal_cannot_be_reached(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """S49."""
    heard.down = True
    answer = await doorway.capsule(updated(7))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "kept"})
    assert (await firm.store.inbox.size(), heard.parties) == (1, [])


async def test_what_was_kept_is_forwarded_in_order(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """S47."""
    heard.down = True
    for party_id in (7, 9, 8):
        await doorway.capsule(updated(party_id))
    async with forwarding(doorway):
        await asyncio.sleep(0.2)
        heard.down = False
        await empty(firm)
    assert heard.parties == [7, 9, 8]


async def test_after_a_failure_nobody_waits_for_a_dead_server(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    heard.down = True
    await doorway.capsule(updated(7))
    heard.down = False  # but nobody has noticed yet
    assert (await doorway.capsule(updated(8))).json() == {"outcome": "kept"}
    assert not doorway.forwarder.temporal_answers


async def test_deliveries_go_straight_to_temporal_again_after_an_outage(doorway: Doorway, heard: Heard) -> None:
    heard.down = True
    await doorway.capsule(updated(7))
    heard.down = False
    await asyncio.sleep(0.15)
    assert (await doorway.capsule(updated(8))).json() == {"outcome": "handed-over"}


async def test_a_signed_delivery_is_kept_too(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """S49."""
    verifier = await doorway.register()
    heard.down = True
    assert (await doorway.freshbooks(doorway.event(9), verifier)).json() == {"outcome": "kept"}
    heard.down = False
    async with forwarding(doorway):
        await empty(firm)
    assert heard.clients == ["9"]


async def test_a_handshake_is_asked_for_again_rather_than_kept(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """Its verifier is a secret and is replaced by the next one."""
    heard.down = True
    handshake = doorway.event(4711, name="callback.verify", verifier="secret")
    assert (await doorway.freshbooks(handshake)).status_code == 503
    assert await firm.store.inbox.size() == 0


async def test_ready_tells_how_much_waits(doorway: Doorway, heard: Heard) -> None:
    """S50."""
    heard.down = True
    await doorway.capsule(updated(7))
    answer = (await doorway.http.get("/ready")).json()
    assert answer == {"status": "ready", "waiting_in_inbox": 1, "temporal": False}


async def test_a_change_of_a_system_that_no_flow_knows_does_not_block_the_inbox(
    doorway: Doorway, firm: Firm, heard: Heard
) -> None:
    """F36."""
    await firm.store.inbox.park(firm.name, "capsule", "kase/updated", ["1"])
    await firm.store.inbox.park(firm.name, "capsule", "party/updated", ["7"])
    async with forwarding(doorway):
        await empty(firm)
    assert heard.parties == [7]
