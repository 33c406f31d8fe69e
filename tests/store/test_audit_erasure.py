"""Erasing a person: every value goes, in the database file too; the link and the proof of the log stay."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select, text

from runtime.keys import KeyRing
from store.audit import AuditEntry
from store.records import RecordKey
from store.store import Store
from store.tables import AuditRow, AuditValuesRow, HoldRow, LinkRow
from tests.store.logbook import anchored, checked, intruder, problems, written
from tests.store.records import ACME, NORDWIND, agreed, party

WORKFLOW = "client-upsert/acme/capsule-party-7"
ASKED = "a person asked"


async def test_the_values_of_a_person_go_and_the_chain_stays_whole(store: Store) -> None:
    """Z133: an anchor from before holds too."""
    await written(store, 3, ACME)
    await written(store, 2, NORDWIND, "90211")
    letter = await anchored(store)
    await store.erasure.erase(ACME, ASKED)
    verdict = await checked(store, letter)
    assert (verdict.rows, verdict.erased, verdict.problems) == (6, 3, [])
    assert [await store.audit.values(line) for line in await store.audit.history(ACME)] == [None] * 4
    assert all([await store.audit.values(line) for line in await store.audit.history(NORDWIND)])


async def test_an_erasure_is_itself_a_row_of_the_log(sqlite_store: Store) -> None:
    await written(sqlite_store, 1)
    await sqlite_store.erasure.erase(ACME, ASKED)
    newest = (await sqlite_store.audit.latest(1))[0]
    assert (newest.action, newest.cause, newest.crm_id, newest.books_id) == ("erase", ASKED, "7", "90210")


async def test_the_link_stays_without_values_so_that_nothing_is_created_anew(store: Store) -> None:
    await store.links.confirm(ACME, agreed("90210"))
    await store.erasure.erase(ACME, ASKED)
    link = await store.links.of_crm(ACME)
    assert link is not None
    assert (link.books_id, link.state) == ("90210", "active")
    assert (link.base, link.crm_seen, link.books_seen) == (None, None, None)


async def test_a_later_pass_can_agree_on_values_again(sqlite_store: Store) -> None:
    await sqlite_store.links.confirm(ACME, agreed("90210"))
    await sqlite_store.erasure.erase(ACME, ASKED)
    await written(sqlite_store, 1)
    link = await sqlite_store.links.of_crm(ACME)
    assert link is not None
    assert link.base == {"organization": "Acme Ltd"}
    assert await problems(sqlite_store) == []


async def test_the_evidence_of_holds_goes_and_an_open_hold_stays_open(store: Store) -> None:
    """Of the client too, if it was held before it had a party."""
    of_client = RecordKey("acme", "clients", "90210", "books")
    await store.links.confirm(ACME, agreed("90210"))
    await store.holds.open(WORKFLOW, ACME, "conflict", {"explanation": "Nora Quist"})
    await store.holds.open("client-upsert/acme/freshbooks-client-90210", of_client, "conflict", {"name": "Nora"})
    await store.holds.open("client-upsert/acme/capsule-party-8", NORDWIND, "conflict", {"name": "Nordwind"})
    kept = await store.erasure.erase(ACME, ASKED)
    assert kept is not None
    assert set(kept.held) == {WORKFLOW, "client-upsert/acme/freshbooks-client-90210"}
    assert await store.holds.evidence(WORKFLOW) == {}
    assert await store.holds.evidence("client-upsert/acme/freshbooks-client-90210") == {}
    assert await store.holds.evidence("client-upsert/acme/capsule-party-8") == {"name": "Nordwind"}
    assert len(await store.holds.listed()) == 3


async def test_a_person_is_erased_under_every_id_that_the_record_had(sqlite_store: Store) -> None:
    """What was written before a merge is that person's too."""
    await written(sqlite_store, 2, ACME)
    await sqlite_store.links.follow_merge(ACME, "9", AuditEntry("merge", "capsule: party 7 merged into 9", "v1"))
    await written(sqlite_store, 1, party(9))
    kept = await sqlite_store.erasure.erase(party(9), ASKED)
    assert kept is not None
    assert (kept.crm_ids, kept.books_ids, len(kept.written)) == (("9", "7"), ("90210",), 3)
    assert {line.crm_id for line in await sqlite_store.audit.latest(2)} == {"7", "9"}
    assert await problems(sqlite_store) == []


async def test_a_person_is_erased_by_the_client_as_well(sqlite_store: Store) -> None:
    await written(sqlite_store, 2, ACME)
    kept = await sqlite_store.erasure.erase(RecordKey("acme", "clients", "90210", "books"), ASKED)
    assert kept is not None
    assert kept.crm_ids == ("7",)
    assert (await checked(sqlite_store)).erased == 2


async def test_the_same_number_at_another_firm_is_another_person(sqlite_store: Store) -> None:
    elsewhere = RecordKey("globex", "clients", "7")
    await written(sqlite_store, 1, ACME)
    await written(sqlite_store, 1, elsewhere, "90210")
    await sqlite_store.erasure.erase(ACME, ASKED)
    (line,) = await sqlite_store.audit.history(elsewhere)
    assert await sqlite_store.audit.values(line) is not None
    link = await sqlite_store.links.of_crm(elsewhere)
    assert link is not None
    assert link.base is not None


async def test_erasing_twice_does_nothing_the_second_time(sqlite_store: Store) -> None:
    await written(sqlite_store, 1)
    await sqlite_store.holds.open(WORKFLOW, ACME, "conflict", {"explanation": "Nora Quist"})
    await sqlite_store.erasure.erase(ACME, ASKED)
    again = await sqlite_store.erasure.erase(ACME, ASKED)
    assert again is not None
    assert (again.written, again.linked, again.held) == ((), (), ())
    assert (await checked(sqlite_store)).rows == 2


async def test_a_record_that_nobody_knows_is_not_erased(sqlite_store: Store) -> None:
    assert await sqlite_store.erasure.find(ACME) is None
    assert await sqlite_store.erasure.erase(ACME, ASKED) is None
    assert await sqlite_store.audit.latest(1) == []


async def test_looking_what_is_kept_changes_nothing(sqlite_store: Store) -> None:
    await written(sqlite_store, 2)
    kept = await sqlite_store.erasure.find(ACME)
    assert kept is not None
    assert (len(kept.written), len(kept.linked), kept.workflows) == (2, 1, (WORKFLOW,))
    assert (await checked(sqlite_store)).erased == 0


async def test_values_cannot_be_made_to_vanish_by_an_older_erasure(sqlite_store: Store) -> None:
    """What was written after it is not covered by it."""
    await written(sqlite_store, 1)
    await sqlite_store.erasure.erase(ACME, ASKED)
    await written(sqlite_store, 1)
    async with intruder(sqlite_store) as session:
        await session.execute(text("DELETE FROM audit_values"))
    assert await problems(sqlite_store) == ["the values of row 3 are missing, and nobody asked to erase them"]


async def test_evidence_whose_key_is_gone_is_erased_as_well(store: Store, database_url: str) -> None:
    """A backup of the key may turn up."""
    await store.links.confirm(ACME, agreed("90210"))
    await store.holds.open(WORKFLOW, ACME, "conflict", {"explanation": "Nora Quist"})
    later = Store(database_url, KeyRing({"k2": bytes(32)}))
    await later.erasure.erase(ACME, ASKED)
    assert await later.holds.evidence(WORKFLOW) == {}
    await later.close()


async def test_nothing_of_it_is_left_in_the_file_of_the_database(sqlite_store: Store, tmp_path: Path) -> None:
    """Z133: sealed bytes that were only marked as deleted could still be opened with the key."""
    await written(sqlite_store, 3)
    await sqlite_store.holds.open(WORKFLOW, ACME, "conflict", {"explanation": "Nora Quist"})
    async with sqlite_store.database.reading() as session:
        sealed = list(await session.scalars(select(AuditValuesRow.sealed)))
        sealed += [await session.scalar(select(HoldRow.sealed_evidence)) or b""]
        sealed += [await session.scalar(select(LinkRow.sealed_base)) or b""]
    assert all(each in _files(tmp_path) for each in sealed)
    await sqlite_store.erasure.erase(ACME, ASKED)
    assert not [each for each in sealed if each in _files(tmp_path)]


async def test_an_erasure_that_fails_erases_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await written(store, 2)

    async def crash(*_: object) -> None:
        raise ConnectionError("the machine lost power")

    monkeypatch.setattr("store.erasure.append", crash)
    with pytest.raises(ConnectionError):
        await store.erasure.erase(ACME, ASKED)
    assert (await checked(store)).erased == 0
    link = await store.links.of_crm(ACME)
    assert link is not None
    assert link.base is not None


async def test_an_erasure_among_many_writes_keeps_the_chain_whole(store: Store) -> None:
    await written(store, 2, ACME)
    others = [party(number) for number in range(20, 30)]
    async with asyncio.TaskGroup() as tasks:
        for key in others:
            tasks.create_task(written(store, 1, key, key.record_id))
        tasks.create_task(_erase(store))
    verdict = await checked(store)
    assert (verdict.rows, verdict.erased, verdict.problems) == (13, 2, [])
    async with store.database.reading() as session:
        assert list(await session.scalars(select(AuditRow.seq).order_by(AuditRow.seq))) == list(range(1, 14))


async def _erase(store: Store) -> None:
    await store.erasure.erase(ACME, ASKED)


def _files(folder: Path) -> bytes:
    """Return all bytes of the database, its write-ahead log too."""
    return b"".join(each.read_bytes() for each in sorted(folder.glob("ledgerline.db*")))
