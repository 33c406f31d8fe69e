"""What people are told: once, together, and only while it still needs them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, select, text

from store.alerts import AlertRow, Group, Incident, Rhythm, TellingRow
from store.channels import LONGEST_PAUSE
from store.database import MIGRATIONS
from store.records import RecordKey
from store.signs import Backlog
from store.store import Store
from tests.store.records import party

MINUTE = timedelta(minutes=1)
RHYTHM = Rhythm(group_for=MINUTE, quiet_for=15 * MINUTE)
FIRST, SECOND = 1, 2
SILENCE = Incident("silence/acme/capsule.parties", "acme", "silence", datetime(2026, 3, 2, 11, tzinfo=UTC))


def workflow(number: int) -> str:
    return f"client-upsert/acme/capsule-party-{number}"


async def hold(store: Store, number: int, reason: str = "conflict") -> None:
    """Let a sync wait for a person."""
    await store.holds.open(workflow(number), party(number), reason, {"email": ["a@b.test", "c@d.test"]})


def later(minutes: float) -> time_machine.travel:
    """Let so many minutes pass."""
    return time_machine.travel(datetime.now(UTC) + minutes * MINUTE)


async def due(store: Store, channel: int = FIRST) -> list[Group]:
    return await store.alerts.due(channel, RHYTHM)


async def told(store: Store, channel: int = FIRST) -> list[Group]:
    """Send what is due, as the watch does."""
    groups = await due(store, channel)
    for group in groups:
        await store.alerts.told(channel, group)
    return groups


async def test_a_hold_is_told_after_the_time_in_which_it_may_still_be_cured(store: Store) -> None:
    """S48, Z112."""
    await hold(store, 7)
    assert await due(store) == []
    with later(1):
        groups = await due(store)
    assert [(group.connection, group.reason, group.open) for group in groups] == [("acme", "conflict", 1)]
    assert [alert.key for alert in groups[0].alerts] == [workflow(7)]


async def test_a_hold_that_is_resolved_within_that_time_is_told_to_nobody(store: Store) -> None:
    """S29: no alert for what has cured itself."""
    await hold(store, 7)
    await store.holds.close(workflow(7))
    with later(1):
        assert await due(store) == []
    assert await store.alerts.listed() == []


async def test_what_closed_meanwhile_is_left_out_of_the_message(sqlite_store: Store) -> None:
    """S29."""
    for number in range(3):
        await hold(sqlite_store, number)
    await sqlite_store.holds.close(workflow(1))
    with later(1):
        (group,) = await due(sqlite_store)
    assert [alert.key for alert in group.alerts] == [workflow(0), workflow(2)]
    assert group.open == 2


async def test_nine_hundred_holds_are_one_message(store: Store) -> None:
    """S29, I5."""
    keys = [(workflow(number), party(number)) for number in range(900)]
    async with store.database.writing() as session:
        now = datetime.now(UTC)
        session.add_all(
            AlertRow(
                key=key, source="hold", connection="acme", reason="conflict", since=now, opened_at=now, ended_at=None
            )
            for key, _ in keys
        )
    with later(1):
        (group,) = await told(store)
        assert (len(group.alerts), group.open) == (900, 900)
        assert await due(store) == []


async def test_connections_and_reasons_are_told_apart(sqlite_store: Store) -> None:
    await hold(sqlite_store, 7)
    await hold(sqlite_store, 8, "rejected")
    await sqlite_store.holds.open("client-upsert/globex/x", RecordKey("globex", "clients", "7"), "conflict", {})
    with later(1):
        groups = await due(sqlite_store)
    assert {(group.connection, group.reason) for group in groups} == {
        ("acme", "conflict"),
        ("acme", "rejected"),
        ("globex", "conflict"),
    }


async def test_further_holds_are_gathered_into_the_next_message(store: Store) -> None:
    await hold(store, 7)
    with later(1):
        await told(store)
        await hold(store, 8)
        await hold(store, 9)
    with later(14):
        assert await due(store) == []
    with later(16.5):
        (group,) = await due(store)
    assert [alert.key for alert in group.alerts] == [workflow(8), workflow(9)]
    assert group.open == 3


async def test_a_hold_that_is_opened_again_and_again_is_told_once(sqlite_store: Store) -> None:
    """S29."""
    await hold(sqlite_store, 7)
    with later(1):
        await told(sqlite_store)
        await hold(sqlite_store, 7)
    with later(30):
        await hold(sqlite_store, 7)
        assert await due(sqlite_store) == []


async def test_a_hold_for_another_reason_is_told_anew(sqlite_store: Store) -> None:
    await hold(sqlite_store, 7, "conflict")
    with later(1):
        await told(sqlite_store)
        await hold(sqlite_store, 7, "rejected")
    with later(3):
        (group,) = await due(sqlite_store)
    assert (group.reason, group.open) == ("rejected", 1)


async def test_a_record_that_is_held_again_after_it_was_resolved_is_told_again(sqlite_store: Store) -> None:
    await hold(sqlite_store, 7)
    with later(1):
        await told(sqlite_store)
        await sqlite_store.holds.close(workflow(7))
        await hold(sqlite_store, 7)
    with later(17):
        assert [group.open for group in await due(sqlite_store)] == [1]


async def test_a_hold_and_its_alert_are_one_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """S48: neither a hold that nobody is told of, nor an alert about nothing."""

    async def dies(*_: object) -> None:
        raise ConnectionError("the process died")

    with monkeypatch.context() as patch:
        patch.setattr("store.holds.hold_opened", dies)
        with pytest.raises(ConnectionError):
            await hold(store, 7)
    assert await store.holds.listed() == []
    await hold(store, 7)
    with monkeypatch.context() as patch:
        patch.setattr("store.holds.hold_closed", dies)
        with pytest.raises(ConnectionError):
            await store.holds.close(workflow(7))
    assert len(await store.holds.listed()) == len(await store.alerts.listed()) == 1


async def test_every_channel_is_told_also_one_that_is_added_later(store: Store) -> None:
    await hold(store, 7)
    with later(1):
        await told(store, FIRST)
        assert await due(store, FIRST) == []
        assert [group.open for group in await told(store, SECOND)] == [1]
        ((_, channels),) = await store.alerts.listed()
    assert set(channels) == {FIRST, SECOND}


async def test_taking_note_twice_that_a_channel_was_told_changes_nothing(sqlite_store: Store) -> None:
    """A sender that was taken for dead may still come to its end."""
    await hold(sqlite_store, 7)
    with later(1):
        (group,) = await told(sqlite_store)
        await sqlite_store.alerts.told(FIRST, group)
    assert await count(sqlite_store, TellingRow) == 1


async def test_an_incident_is_told_once_and_its_end_once(store: Store) -> None:
    """F35."""
    await store.alerts.observe([SILENCE])
    with later(1):
        assert [(group.reason, group.over) for group in await told(store)] == [("silence", False)]
        await store.alerts.observe([SILENCE])
    with later(60):
        await store.alerts.observe([SILENCE])
        assert await due(store) == []
        await store.alerts.observe([])
        assert [(group.reason, group.over) for group in await told(store)] == [("silence", True)]
        assert await due(store) == []


async def test_the_end_of_what_nobody_was_told_is_told_to_nobody(sqlite_store: Store) -> None:
    """S29."""
    await sqlite_store.alerts.observe([SILENCE])
    await sqlite_store.alerts.observe([])
    with later(1):
        assert await due(sqlite_store) == []


async def test_the_end_is_not_told_while_the_same_goes_wrong_again(sqlite_store: Store) -> None:
    await sqlite_store.alerts.observe([SILENCE])
    with later(1):
        await told(sqlite_store)
        await sqlite_store.alerts.observe([])
        await sqlite_store.alerts.observe([SILENCE])
        assert await due(sqlite_store) == []
        await sqlite_store.alerts.observe([])
        assert [group.over for group in await due(sqlite_store)] == [True]


async def test_what_is_no_news_is_not_told_but_keeps_alive_what_was(sqlite_store: Store) -> None:
    known = Incident(SILENCE.key, SILENCE.connection, SILENCE.reason, SILENCE.since, is_news=False)
    await sqlite_store.alerts.observe([known])
    assert await sqlite_store.alerts.listed() == []
    await sqlite_store.alerts.observe([SILENCE])
    await sqlite_store.alerts.observe([known])
    assert len(await sqlite_store.alerts.listed()) == 1


async def test_two_watches_that_see_the_same_at_once_open_one_alert(store: Store) -> None:
    await asyncio.gather(*(store.alerts.observe([SILENCE]) for _ in range(8)))
    assert len(await store.alerts.listed()) == 1


async def test_a_hold_is_not_ended_by_the_watch(sqlite_store: Store) -> None:
    await hold(sqlite_store, 7)
    await sqlite_store.alerts.observe([])
    assert len(await sqlite_store.alerts.listed()) == 1


async def test_only_one_of_two_senders_gets_a_channel(store: Store) -> None:
    """F20: an alert arrives once."""
    claims = await asyncio.gather(*(store.channels.claim(FIRST, MINUTE) for _ in range(8)))
    assert sum(claim is not None for claim in claims) == 1
    assert await store.channels.claim(SECOND, MINUTE) is not None


async def test_a_channel_whose_sender_died_is_free_again_when_the_claim_has_run_out(store: Store) -> None:
    assert await store.channels.claim(FIRST, MINUTE)
    assert await store.channels.claim(FIRST, MINUTE) is None
    with later(1.1):
        assert await store.channels.claim(FIRST, MINUTE)


async def test_a_sender_whose_claim_has_run_out_does_not_free_the_channel_of_the_next(sqlite_store: Store) -> None:
    old = await sqlite_store.channels.claim(FIRST, MINUTE)
    assert old is not None
    with later(1.1):
        await sqlite_store.channels.claim(FIRST, MINUTE)
        await sqlite_store.channels.release(FIRST, old, "too late")
        assert await sqlite_store.channels.claim(FIRST, MINUTE) is None
        assert await sqlite_store.channels.failing() == []


async def test_a_channel_that_fails_is_given_longer_and_longer_pauses_up_to_two_minutes(sqlite_store: Store) -> None:
    """F20, I5: two minutes after it answers again people are told."""
    pauses = []
    for number in range(6):
        with later(10 * number):
            claim = await sqlite_store.channels.claim(FIRST, MINUTE)
            assert claim is not None
            await sqlite_store.channels.release(FIRST, claim, "HTTP 503")
            (failing,) = await sqlite_store.channels.failing()
            pauses.append(round((failing.next_try_at - datetime.now(UTC)).total_seconds()))
            assert await sqlite_store.channels.claim(FIRST, MINUTE) is None
    assert pauses == [10, 20, 40, 80, 120, 120]
    assert pauses[-1] == LONGEST_PAUSE.total_seconds()


async def test_a_channel_that_answers_again_is_forgiven(sqlite_store: Store) -> None:
    claim = await sqlite_store.channels.claim(FIRST, MINUTE)
    assert claim is not None
    await sqlite_store.channels.release(FIRST, claim, "HTTP 503")
    with later(1):
        again = await sqlite_store.channels.claim(FIRST, MINUTE)
        assert again is not None
        await sqlite_store.channels.release(FIRST, again, None)
        assert await sqlite_store.channels.failing() == []


async def test_after_a_night_in_which_nothing_ran_the_watch_begins_anew(sqlite_store: Store) -> None:
    began = await sqlite_store.alerts.looked()
    with later(4):
        assert await sqlite_store.alerts.looked() == began
    with later(500):
        assert await sqlite_store.alerts.looked() - began > timedelta(hours=8)


async def test_what_has_long_been_over_is_forgotten_and_what_is_open_never(store: Store) -> None:
    await hold(store, 7)
    await hold(store, 8)
    with later(1):
        await told(store)
        await store.holds.close(workflow(8))
        await store.alerts.forget_old()
        assert await count(store, AlertRow) == 2
    with later(91 * 24 * 60):
        await store.alerts.forget_old()
    assert (await count(store, AlertRow), await count(store, TellingRow)) == (1, 1)


async def test_holds_from_before_there_were_alerts_are_told_too(store: Store) -> None:
    """S48: an update must not leave people ignorant of what waits."""
    await hold(store, 7)
    await hold(store, 8)
    await store.holds.close(workflow(8))
    await alembic(store, "0001")
    await store.database.migrate()
    with later(1):
        assert [[alert.key for alert in group.alerts] for group in await due(store)] == [[workflow(7)]]


async def test_no_alert_row_holds_anything_of_the_record(sqlite_store: Store) -> None:
    """Z132: only its id."""
    await hold(sqlite_store, 7)
    async with sqlite_store.database.reading() as session:
        rows = [tuple(row) for row in await session.execute(text("SELECT * FROM alerts"))]
    assert "test" not in repr(rows)
    assert workflow(7) in repr(rows)


async def test_a_connection_lacks_consent_until_the_last_of_its_accounts_has_it_back(store: Store) -> None:
    for system in ("capsule", "freshbooks"):
        key = RecordKey("acme", "connection", system)
        await store.holds.open(f"consent/acme/{system}", key, "needs-consent", {})
    await store.holds.close("consent/acme/capsule")
    assert await store.signs.consent() == {"acme": None}
    await store.holds.close("consent/acme/freshbooks")
    regained = (await store.signs.consent())["acme"]
    assert regained is not None
    assert datetime.now(UTC) - regained < MINUTE


async def test_the_inbox_says_since_when_its_oldest_change_waits(store: Store) -> None:
    assert await store.signs.inbox() == Backlog(0, None)
    await store.inbox.park("acme", "capsule", "party/updated", ["9", "3"])
    waiting = await store.signs.inbox()
    assert waiting.count == 2
    assert waiting.since is not None
    assert datetime.now(UTC) - waiting.since < MINUTE


async def count(store: Store, table: type[AlertRow] | type[TellingRow]) -> int:
    async with store.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def alembic(store: Store, version: str) -> None:
    """Take the tables down to an older version."""

    def run(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.downgrade(config, version)

    async with store.database.engine.begin() as connection:
        await connection.run_sync(run)
