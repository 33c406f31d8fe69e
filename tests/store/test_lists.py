"""Cursors, inbox, callbacks, holds and the audit log."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import StatementError

from runtime.keys import KeyProblem
from store.records import RecordKey
from store.sealed import unseal
from store.store import Store
from store.tables import AuditValuesRow, CallbackRow, HoldRow
from tests.databases import TEST_KEYS
from tests.store.records import ACME, NOON, NORDWIND, agreed, created

STREAM = "capsule.parties"
WORKFLOW = "client-upsert/acme/capsule-party-7"


async def test_a_sweep_continues_where_the_last_one_ended(sqlite_store: Store) -> None:
    """F15"""
    assert await sqlite_store.cursors.read("acme", STREAM) is None
    await sqlite_store.cursors.advance("acme", STREAM, NOON)
    assert await sqlite_store.cursors.read("acme", STREAM) == NOON


async def test_a_cursor_never_goes_back(store: Store) -> None:
    """A slow sweep that ends after a newer one must not have its changes read again, nor hide those in between."""
    await store.cursors.advance("acme", STREAM, NOON)
    await store.cursors.advance("acme", STREAM, NOON - timedelta(hours=1))
    assert await store.cursors.read("acme", STREAM) == NOON


async def test_cursors_of_other_firms_and_streams_stand_still(sqlite_store: Store) -> None:
    await sqlite_store.cursors.advance("acme", STREAM, NOON)
    assert await sqlite_store.cursors.read("globex", STREAM) is None
    assert await sqlite_store.cursors.read("acme", "freshbooks.clients") is None


async def test_a_cursor_keeps_the_instant_whatever_zone_it_was_written_in(store: Store) -> None:
    """F32"""
    eastern = NOON.astimezone(timezone(timedelta(hours=-5)))
    await store.cursors.advance("acme", STREAM, eastern)
    read = await store.cursors.read("acme", STREAM)
    assert read == NOON
    assert read is not None
    assert read.utcoffset() == timedelta(0)


async def test_an_instant_without_a_time_zone_is_refused(sqlite_store: Store) -> None:
    """F32: it would mean another time on another machine."""
    with pytest.raises(StatementError, match="time zone"):
        await sqlite_store.cursors.advance("acme", STREAM, datetime(2026, 3, 2, 12))  # noqa: DTZ001


async def test_changes_leave_the_inbox_in_the_order_in_which_they_came(store: Store) -> None:
    """S47"""
    await store.inbox.park("acme", "capsule", "party/updated", ["9", "3"])
    await store.inbox.park("acme", "freshbooks", "client.update", ["90210"])
    assert [each.record_id for each in await store.inbox.oldest(10)] == ["9", "3", "90210"]
    assert [each.record_id for each in await store.inbox.oldest(2)] == ["9", "3"]


async def test_a_change_that_was_handed_over_leaves_and_the_others_wait_on(sqlite_store: Store) -> None:
    """S49"""
    await sqlite_store.inbox.park("acme", "capsule", "party/updated", ["9", "3"])
    first = (await sqlite_store.inbox.oldest(1))[0]
    await sqlite_store.inbox.handed_over(first)
    await sqlite_store.inbox.handed_over(first)
    assert [each.record_id for each in await sqlite_store.inbox.oldest(10)] == ["3"]
    assert await sqlite_store.inbox.size() == 1


async def test_a_change_that_comes_while_another_process_hands_over_the_last_one_is_not_lost(store: Store) -> None:
    """S49: SQLite gives the id of a deleted row to the next one."""
    await store.inbox.park("acme", "capsule", "party/updated", ["9"])
    held_by_both = (await store.inbox.oldest(1))[0]
    await store.inbox.handed_over(held_by_both)
    await store.inbox.park("acme", "capsule", "party/updated", ["3"])
    await store.inbox.handed_over(held_by_both)
    assert [each.record_id for each in await store.inbox.oldest(10)] == ["3"]


async def test_a_callbacks_verifier_is_trusted_only_once_freshbooks_has_accepted_it(store: Store) -> None:
    """Z28: anybody can send a handshake."""
    await store.callbacks.offer("acme", "501", "pear")
    assert await store.callbacks.offered("acme", "501") == "pear"
    assert await store.callbacks.trusted("acme") == []
    await store.callbacks.trust("acme", "501", "pear")
    assert await store.callbacks.trusted("acme") == ["pear"]
    assert await store.callbacks.offered("acme", "501") is None


async def test_a_strangers_handshake_does_not_displace_the_trusted_verifier(sqlite_store: Store) -> None:
    await sqlite_store.callbacks.offer("acme", "501", "pear")
    await sqlite_store.callbacks.trust("acme", "501", "pear")
    await sqlite_store.callbacks.offer("acme", "501", "forged")
    assert await sqlite_store.callbacks.trusted("acme") == ["pear"]
    assert await sqlite_store.callbacks.offered("acme", "501") == "forged"


async def test_a_callback_that_nobody_offered_is_not_trusted(sqlite_store: Store) -> None:
    await sqlite_store.callbacks.trust("acme", "501", "pear")
    assert await sqlite_store.callbacks.trusted("acme") == []


async def test_a_renewed_verifier_replaces_the_old_one(sqlite_store: Store) -> None:
    for verifier in ("pear", "plum"):
        await sqlite_store.callbacks.offer("acme", "501", verifier)
        await sqlite_store.callbacks.trust("acme", "501", verifier)
    assert await sqlite_store.callbacks.trusted("acme") == ["plum"]


async def test_each_firm_has_its_own_callbacks(sqlite_store: Store) -> None:
    for connection, callback, verifier in (("acme", "501", "a"), ("acme", "502", "b"), ("globex", "501", "c")):
        await sqlite_store.callbacks.offer(connection, callback, verifier)
        await sqlite_store.callbacks.trust(connection, callback, verifier)
    assert sorted(await sqlite_store.callbacks.trusted("acme")) == ["a", "b"]
    assert await sqlite_store.callbacks.trusted("globex") == ["c"]


async def test_one_firms_verifier_cannot_be_moved_to_another_firm(sqlite_store: Store) -> None:
    for connection in ("acme", "globex"):
        await sqlite_store.callbacks.offer(connection, "501", connection)
        await sqlite_store.callbacks.trust(connection, "501", connection)
    async with sqlite_store.database.writing() as session:
        moved = await session.scalar(select(CallbackRow.sealed_verifier).where(CallbackRow.connection == "acme"))
        await session.execute(
            update(CallbackRow).where(CallbackRow.connection == "globex").values(sealed_verifier=moved)
        )
    with pytest.raises(KeyProblem):
        await sqlite_store.callbacks.trusted("globex")


async def test_a_hold_is_listed_once_however_often_it_is_opened(store: Store) -> None:
    """S46, S29"""
    await store.holds.open(WORKFLOW, ACME, "conflict", {"email": ["a", "b"]})
    first = (await store.holds.listed())[0]
    await store.holds.open(WORKFLOW, ACME, "conflict", {"email": ["a", "c"]})
    assert await store.holds.listed() == [first]
    assert (first.workflow_id, first.connection, first.record_id, first.reason) == (WORKFLOW, "acme", "7", "conflict")


async def test_repeating_a_hold_keeps_its_newest_evidence_sealed(sqlite_store: Store) -> None:
    await sqlite_store.holds.open(WORKFLOW, ACME, "conflict", {"email": "old"})
    await sqlite_store.holds.open(WORKFLOW, ACME, "conflict", {"email": "new"})
    async with sqlite_store.database.reading() as session:
        sealed = await session.scalar(select(HoldRow.sealed_evidence))
    assert sealed is not None
    assert b"new" not in sealed
    assert unseal(TEST_KEYS, sealed, "holds", "evidence", WORKFLOW) == {"email": "new"}


async def test_a_resolved_hold_leaves_the_list_and_may_be_closed_again(sqlite_store: Store) -> None:
    await sqlite_store.holds.open(WORKFLOW, ACME, "conflict", {})
    await sqlite_store.holds.close(WORKFLOW)
    await sqlite_store.holds.close(WORKFLOW)
    assert await sqlite_store.holds.listed() == []


async def test_closing_a_hold_that_never_was_does_nothing(sqlite_store: Store) -> None:
    await sqlite_store.holds.close(WORKFLOW)
    assert await sqlite_store.holds.listed() == []


async def test_a_record_held_again_waits_since_now_and_for_the_new_reason(store: Store) -> None:
    await store.holds.open(WORKFLOW, ACME, "conflict", {})
    first = (await store.holds.listed())[0]
    await store.holds.close(WORKFLOW)
    await store.holds.open(WORKFLOW, ACME, "rejected", {})
    again = (await store.holds.listed())[0]
    assert again.reason == "rejected"
    assert again.opened_at > first.opened_at


async def test_the_oldest_hold_is_listed_first(sqlite_store: Store) -> None:
    for number, key in (("8", NORDWIND), ("7", ACME)):
        await sqlite_store.holds.open(f"client-upsert/acme/capsule-party-{number}", key, "conflict", {})
    assert [hold.record_id for hold in await sqlite_store.holds.listed()] == ["8", "7"]


async def test_the_audit_log_says_what_was_written_to_which_record_and_why_but_not_the_values(store: Store) -> None:
    """S44, Z41"""
    await store.links.confirm(ACME, agreed("90210"), audit=created())
    line = (await store.audit.latest(1))[0]
    assert (line.connection, line.flow, line.crm_id, line.books_id) == ("acme", "clients", "7", "90210")
    assert (line.action, line.cause) == ("create", "capsule webhook party/created")
    assert line.fields == ("email", "fname")
    assert line.at.utcoffset() == timedelta(0)
    assert datetime.now(UTC) - line.at < timedelta(minutes=1)


async def test_the_values_of_an_audit_row_are_kept_sealed_for_that_record(sqlite_store: Store) -> None:
    """S44"""
    await sqlite_store.links.confirm(ACME, agreed("90210"), audit=created())
    async with sqlite_store.database.reading() as session:
        sealed = await session.scalar(select(AuditValuesRow.sealed))
    assert sealed is not None
    values = unseal(TEST_KEYS, sealed, "audit", "values", "acme", "clients", "7")
    assert values == {"before": {}, "after": {"email": "nora@quist.test", "fname": "Nora"}, "rules": {}}
    with pytest.raises(KeyProblem):
        unseal(TEST_KEYS, sealed, "audit", "values", "acme", "clients", "8")


async def test_the_newest_audit_rows_come_first_and_each_is_counted(store: Store) -> None:
    await store.links.confirm(ACME, agreed("90210"), audit=created())
    await store.links.confirm(NORDWIND, agreed("90211"), audit=created())
    await store.links.confirm(RecordKey("globex", "clients", "7"), agreed("1"), audit=created())
    newest = await store.audit.latest(2)
    assert [(line.connection, line.crm_id) for line in newest] == [("globex", "7"), ("acme", "8")]
    assert await store.audit.counts() == {("acme", "create"): 2, ("globex", "create"): 1}


async def test_a_write_of_very_many_fields_can_be_recorded(store: Store) -> None:
    """A record that was created but cannot be confirmed would wait for ever."""
    entry = created()
    many = {f"custom field number {number} of the firm": "x" for number in range(80)}
    await store.links.confirm(ACME, agreed("90210"), audit=type(entry)(entry.action, entry.cause, "v1", after=many))
    assert len((await store.audit.latest(1))[0].fields) > 0


async def test_an_agreement_without_a_write_leaves_no_audit_row(sqlite_store: Store) -> None:
    await sqlite_store.links.confirm(ACME, agreed("90210"))
    assert await sqlite_store.audit.latest(1) == []
