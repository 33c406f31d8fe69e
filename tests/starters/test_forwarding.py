"""While Temporal cannot be reached, changes wait in the inbox, and then go on in the order in which they came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from temporalio.service import RPCError, RPCStatusCode

import starters.forwarding
from starters.forwarding import Forwarder
from store import inbox as inbox_module
from store.records import RecordKey
from tests.sandboxes import Firm
from tests.starters.doorway import Doorway, Heard, link
from tests.workflows.office import until
from workflows.models import ListedParty


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the forwarder look all the time."""
    monkeypatch.setattr(starters.forwarding, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(starters.forwarding, "BACK_OFF_SECONDS", 0.1)


class Refusing(Heard):
    """Notes what it is told, except of one party, which Temporal refuses."""

    def __init__(self, firm: Firm, party_id: int, status: RPCStatusCode) -> None:
        super().__init__(firm.store)
        self.party_id, self.status, self.tries = party_id, status, 0

    async def party_changed(
        self, connection: str, party_id: int, cause: str, priority: int, side: ListedParty | None = None
    ) -> None:
        if party_id == self.party_id:
            self.tries += 1
            raise RPCError("no", self.status, b"")
        await super().party_changed(connection, party_id, cause, priority, side)


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


async def has_size(firm: Firm, size: int) -> bool:
    return await firm.store.inbox.size() == size


async def empty(firm: Firm) -> None:
    """Wait until nothing waits in the inbox."""

    async def is_empty() -> bool:
        return await firm.store.inbox.size() == 0

    await until(is_empty)


async def is_there(heard: list[int]) -> bool:
    return bool(heard)


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


async def test_after_a_failure_nobody_waits_for_a_dead_server(
    doorway: Doorway, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starters.forwarding, "BACK_OFF_SECONDS", 60.0)
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


async def test_word_of_our_own_create_tells_nothing_new(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """F6: neither of a client that we made, nor a second time of a party that has its client."""
    await link(firm, 7, 90210)
    verifier = await doorway.register()
    await doorway.freshbooks(doorway.event(90210, name="client.create"), verifier)
    await doorway.capsule({"event": "party/created", "payload": [{"id": 7}]})
    assert (heard.parties, heard.clients) == ([], [])
    await doorway.freshbooks(doorway.event(90210, name="client.update"), verifier)
    await doorway.capsule(updated(7))
    assert (heard.parties, heard.clients) == ([7], ["90210"])


async def test_a_record_that_was_created_by_people_is_told_of(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    verifier = await doorway.register()
    await doorway.freshbooks(doorway.event(90210, name="client.create"), verifier)
    await doorway.capsule({"event": "party/created", "payload": [{"id": 7}]})
    assert (heard.parties, heard.clients) == ([7], ["90210"])


async def test_a_record_that_comes_back_is_told_of(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """Its link is not what it was, whatever the system calls the event."""
    await link(firm, 7, 90210)
    await firm.store.links.set_state(RecordKey(firm.name, "clients", "7"), "tombstoned")
    await doorway.capsule({"event": "party/created", "payload": [{"id": 7}]})
    assert heard.parties == [7]


async def test_a_handshake_is_asked_for_again_rather_than_kept(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """Its verifier is a secret and is replaced by the next one."""
    heard.down = True
    handshake = doorway.event(4711, name="callback.verify", verifier="secret")
    assert (await doorway.freshbooks(handshake)).status_code == 503
    assert await firm.store.inbox.size() == 0


async def test_ready_tells_how_much_waits(doorway: Doorway, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    """S50."""
    monkeypatch.setattr("starters.forwarding.BACK_OFF_SECONDS", 60.0)
    heard.down = True
    await doorway.capsule(updated(7))
    answer = (await doorway.http.get("/ready")).json()
    assert answer == {"status": "ready", "waiting_in_inbox": 1, "temporal": False}


async def test_a_change_that_is_refused_does_not_stop_those_behind_it(firm: Firm) -> None:
    """F36."""
    refusing = Refusing(firm, 7, RPCStatusCode.INVALID_ARGUMENT)
    await firm.store.inbox.park(firm.name, "capsule", "party/updated", ["no-number", "7", "8"])
    async with Doorway.open(firm, Forwarder(refusing, firm.store)) as doorway, forwarding(doorway):
        await until(lambda: has_size(firm, 2))  # nothing is lost
        assert doorway.forwarder.temporal_answers
    assert refusing.parties == [8]


async def test_a_change_that_is_always_refused_is_set_aside_for_a_person(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F35, S46."""
    monkeypatch.setattr(inbox_module, "LONGEST_PAUSE", timedelta(0))
    refusing = Refusing(firm, 7, RPCStatusCode.INVALID_ARGUMENT)
    await firm.store.inbox.park(firm.name, "capsule", "party/updated", ["7"])
    async with Doorway.open(firm, Forwarder(refusing, firm.store)) as doorway, forwarding(doorway):
        await empty(firm)
    (aside,) = await firm.store.inbox.set_aside()
    assert (aside.record_id, aside.problem, refusing.tries) == ("7", "INVALID_ARGUMENT", inbox_module.MOST_ATTEMPTS)


async def test_a_restart_tries_once_more_what_was_set_aside(
    doorway: Doorway, firm: Firm, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S49: whoever mended the cause has to do nothing else."""
    await firm.store.inbox.park(firm.name, "capsule", "party/updated", ["7"])
    monkeypatch.setattr(inbox_module, "LONGEST_PAUSE", timedelta(0))
    for _ in range(inbox_module.MOST_ATTEMPTS):
        (change,) = await firm.store.inbox.oldest(1)
        await firm.store.inbox.failed(change, "INVALID_ARGUMENT")
    async with forwarding(doorway):
        await until(lambda: is_there(heard.parties))
    assert heard.parties == [7]


async def test_one_busy_workflow_does_not_stop_the_changes_of_others(firm: Firm) -> None:
    """F36."""
    refusing = Refusing(firm, 7, RPCStatusCode.RESOURCE_EXHAUSTED)
    await firm.store.inbox.park(firm.name, "capsule", "party/updated", ["7", "8"])
    async with Doorway.open(firm, Forwarder(refusing, firm.store)) as doorway, forwarding(doorway):
        await until(lambda: is_there(refusing.parties))
        refusing.party_id = 0
        await empty(firm)
    assert refusing.parties == [8, 7]


async def test_an_outage_is_no_reason_to_set_anything_aside(doorway: Doorway, firm: Firm, heard: Heard) -> None:
    """S49: however long it lasts."""
    heard.down = True
    await firm.store.inbox.park(firm.name, "capsule", "party/updated", ["7"])
    async with forwarding(doorway):
        await asyncio.sleep(0.3)
    (change,) = await firm.store.inbox.oldest(1)
    assert change.attempts == 0


async def test_a_delivery_that_temporal_refuses_is_kept_and_says_nothing_about_temporal(firm: Firm) -> None:
    """S49: deliveries about others still go straight through."""
    refusing = Refusing(firm, 7, RPCStatusCode.INVALID_ARGUMENT)
    async with Doorway.open(firm, Forwarder(refusing, firm.store)) as doorway:
        assert (await doorway.capsule(updated(7))).json() == {"outcome": "kept"}
        assert (await doorway.capsule(updated(8))).json() == {"outcome": "handed-over"}
    assert await firm.store.inbox.size() == 1


async def test_a_change_of_a_system_that_no_flow_knows_does_not_block_the_inbox(
    doorway: Doorway, firm: Firm, heard: Heard
) -> None:
    """F36."""
    await firm.store.inbox.park(firm.name, "capsule", "kase/updated", ["1"])
    await firm.store.inbox.park(firm.name, "capsule", "party/updated", ["7"])
    async with forwarding(doorway):
        await empty(firm)
    assert heard.parties == [7]
