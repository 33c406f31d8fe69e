"""The audit log tells what was written to a record, by which rule, and because of what."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from runtime.keys import KeyProblem
from store.audit import AuditEntry
from store.records import RecordKey
from store.store import Store
from tests.store.logbook import RULE, intruder, renamed, written
from tests.store.records import ACME, NORDWIND, agreed, created, party

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def test_a_row_tells_the_whole_story_of_one_write(store: Store) -> None:
    """S44, Z95: before and after, what caused it, by which rule, what was asked and what was answered."""
    await store.links.confirm(ACME, agreed("90210"), audit=renamed("Acme Ltd"))
    (line,) = await store.audit.history(ACME)
    assert (line.seq, line.side, line.action, line.fields) == (1, "books", "update", ("organization",))
    assert (line.cause, line.workflow_id) == ("capsule webhook party/updated", "client-upsert/acme/capsule-party-7")
    assert (line.request, line.answer, line.mapping_version) == ("PUT client 90210", "200", "v1")
    values = await store.audit.values(line)
    assert values is not None
    assert (values.before, values.after) == ({"organization": "Acme"}, {"organization": "Acme Ltd"})
    assert values.rules == {"organization": RULE}


async def test_what_was_written_to_the_crm_is_told_apart(sqlite_store: Store) -> None:
    """S34"""
    entry = AuditEntry("update", "freshbooks webhook client.update", "v1", after={"phone": "1"}, side="crm")
    await sqlite_store.links.confirm(ACME, agreed("90210"), audit=entry)
    assert [line.side for line in await sqlite_store.audit.history(ACME)] == ["crm"]


async def test_a_link_without_a_write_has_a_row_and_no_values(sqlite_store: Store) -> None:
    await sqlite_store.links.confirm(ACME, agreed("90210"), audit=AuditEntry("adopt", "capsule sweep", "v1"))
    (line,) = await sqlite_store.audit.history(ACME)
    assert (line.action, line.fields) == ("adopt", ())
    assert await sqlite_store.audit.values(line) is None


async def test_the_history_of_a_record_is_its_own_newest_first_by_either_of_its_ids(sqlite_store: Store) -> None:
    await written(sqlite_store, 2, ACME, "90210")
    await written(sqlite_store, 1, NORDWIND, "90211")
    await written(sqlite_store, 1, ACME, "90210")
    assert [line.seq for line in await sqlite_store.audit.history(ACME)] == [4, 2, 1]
    by_client = RecordKey("acme", "clients", "90210", "books")
    assert [line.seq for line in await sqlite_store.audit.history(by_client)] == [4, 2, 1]


async def test_the_history_of_a_merged_party_goes_on_under_the_one_that_is_left(store: Store) -> None:
    await written(store, 2, ACME)
    await store.links.follow_merge(ACME, "9", AuditEntry("merge", "capsule: party 7 merged into 9", "v1"))
    await store.links.follow_merge(party(9), "12", AuditEntry("merge", "capsule: party 9 merged into 12", "v1"))
    assert [(line.seq, line.crm_id) for line in await store.audit.history(party(12))] == [
        (4, "12"),
        (3, "9"),
        (2, "7"),
        (1, "7"),
    ]


async def test_a_record_that_two_firms_know_is_found_in_both(sqlite_store: Store) -> None:
    await written(sqlite_store, 1, ACME)
    elsewhere = RecordKey("globex", "clients", "7")
    await written(sqlite_store, 1, elsewhere, "1")
    assert await sqlite_store.audit.connections("crm", "7", ["clients"]) == ["acme", "globex"]
    assert await sqlite_store.audit.connections("books", "90210", ["clients"]) == ["acme"]
    assert await sqlite_store.audit.connections("crm", "8", ["clients"]) == []
    assert await sqlite_store.audit.connections("crm", "7", ["estimates"]) == []


async def test_writes_since_an_instant_are_counted_for_one_record(store: Store) -> None:
    """F20: a record that is written again and again is noticed by this count; an adoption is no write."""
    await written(store, 3, ACME)
    await written(store, 1, NORDWIND, "90211")
    await store.links.confirm(ACME, agreed("90210"), audit=AuditEntry("adopt", "capsule sweep", "v1"))
    await store.links.confirm(party(9), agreed("90212"), audit=created())
    assert len(await store.audit.sides_written("acme", "clients", "7", LONG_AGO)) == 3
    assert len(await store.audit.sides_written("acme", "clients", "9", LONG_AGO)) == 1
    assert len(await store.audit.sides_written("globex", "clients", "7", LONG_AGO)) == 0
    assert len(await store.audit.sides_written("acme", "clients", "7", datetime.now(UTC) + timedelta(seconds=1))) == 0


async def test_only_writes_since_the_instant_count(sqlite_store: Store) -> None:
    await written(sqlite_store, 2)
    between = datetime.now(UTC)
    await written(sqlite_store, 1)
    assert len(await sqlite_store.audit.sides_written("acme", "clients", "7", between)) == 1


async def test_counting_writes_reads_an_index_and_not_the_log(sqlite_store: Store) -> None:
    """Every write asks for this count: it must not become slower with every write."""
    query = (
        "EXPLAIN QUERY PLAN SELECT count(*) FROM audit WHERE crm_id = '7' AND connection = 'acme' "
        "AND flow = 'clients' AND at >= '2026-03-02' AND action IN ('create', 'update')"
    )
    async with sqlite_store.database.reading() as session:
        plan = (await session.execute(text(query))).one().detail
    assert "USING INDEX ix_audit_crm_id_connection_flow_at (crm_id=? AND connection=? AND flow=? AND at>?)" in plan


async def test_the_values_of_one_record_open_for_no_other(sqlite_store: Store) -> None:
    await written(sqlite_store, 1, ACME)
    async with intruder(sqlite_store) as session:
        await session.execute(text("UPDATE audit SET crm_id = '8' WHERE seq = 1"))
    (line,) = await sqlite_store.audit.history(NORDWIND)
    with pytest.raises(KeyProblem, match="altered"):
        await sqlite_store.audit.values(line)
