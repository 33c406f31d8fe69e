"""The audit log shows what was done to it: every tampering of the list is found, and told by its row."""

import asyncio
import contextlib
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from runtime.keys import KeyRing
from store import audit_check
from store.store import Store
from store.tables import AuditRow, AuditValuesRow
from tests.databases import TEST_KEYS, sqlite_url
from tests.store.logbook import anchored, checked, intruder, problems, renamed, written
from tests.store.records import NORDWIND, agreed, party

CHANGED = "row 3 is not as it was written: it was changed, moved or inserted"


async def test_a_log_that_nobody_touched_is_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """S44, Z95: read page by page, as a long log is."""
    monkeypatch.setattr(audit_check, "PAGE", 2)
    await written(store, 5)
    verdict = await checked(store, await anchored(store))
    assert (verdict.rows, verdict.preceding, verdict.erased, verdict.anchors) == (5, 0, 0, 1)
    assert verdict.problems == []
    assert verdict.head == (await anchored(store)).head


async def test_an_empty_log_is_whole(sqlite_store: Store) -> None:
    verdict = await checked(sqlite_store)
    assert (verdict.rows, verdict.head, verdict.problems) == (0, None, [])


async def test_a_change_of_any_column_is_found(sqlite_store: Store) -> None:
    """Tampering 1 of 6: every column is vouched for, the hour to the microsecond."""
    await written(sqlite_store, 5)
    changes: dict[str, Any] = {
        "crm_id": "8",
        "books_id": "90211",
        "connection": "globex",
        "flow": "invoices",
        "side": "crm",
        "action": "create",
        "cause": "capsule webhook party/updateD",
        "workflow_id": "",
        "fields": "organization, email",
        "mapping_version": "v2",
        "request": "PUT client 90211",
        "answer": "422",
        "values_commit": None,
        "prev_hash": bytes(32),
        "key_id": None,
    }
    for column, value in changes.items():
        async with intruder(sqlite_store) as session:
            row = await session.get_one(AuditRow, 3)
            before = getattr(row, column)
            setattr(row, column, value)
        assert CHANGED in await problems(sqlite_store), column
        async with intruder(sqlite_store) as session:
            setattr(await session.get_one(AuditRow, 3), column, before)
        assert await problems(sqlite_store) == []
    async with intruder(sqlite_store) as session:
        row = await session.get_one(AuditRow, 3)
        row.at += timedelta(microseconds=1)
    assert await problems(sqlite_store) == [CHANGED]


async def test_one_flipped_bit_is_found(store: Store) -> None:
    """Tampering 1 of 6: of the client's number, `90210` became `90200`."""
    await written(store, 5)
    async with intruder(store) as session:
        await session.execute(update(AuditRow).where(AuditRow.seq == 3).values(books_id="90200"))
    assert await problems(store) == [CHANGED]


async def test_one_flipped_bit_of_a_hash_is_found_in_its_row_and_in_the_next(sqlite_store: Store) -> None:
    await written(sqlite_store, 5)
    async with intruder(sqlite_store) as session:
        row = await session.get_one(AuditRow, 3)
        assert row.hash is not None
        row.hash = bytes([row.hash[0] ^ 1]) + row.hash[1:]
    assert await problems(sqlite_store) == [CHANGED, "row 4 does not follow row 3: what stood before it was replaced"]


async def test_a_deleted_row_is_found(store: Store) -> None:
    """Tampering 2 of 6."""
    await written(store, 5)
    async with intruder(store) as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq == 3))
    assert await problems(store) == ["row 3 is missing"]


async def test_deleted_first_rows_are_found(sqlite_store: Store) -> None:
    await written(sqlite_store, 5)
    async with intruder(sqlite_store) as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq <= 2))
    assert await problems(sqlite_store) == ["rows 1 to 2 are missing"]


async def test_a_deleted_row_whose_number_the_others_take_over_is_found(sqlite_store: Store) -> None:
    await written(sqlite_store, 5)
    async with intruder(sqlite_store) as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq == 3))
        for seq in (4, 5):
            await session.execute(update(AuditRow).where(AuditRow.seq == seq).values(seq=seq - 1))
    assert CHANGED in await problems(sqlite_store)


async def test_a_deleted_tail_is_found_by_whoever_kept_the_head(store: Store) -> None:
    """Tampering 3 of 6: without an anchor nobody could know that there was more."""
    await written(store, 5)
    letter = await anchored(store)
    async with intruder(store) as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq > 3))
        await session.execute(delete(AuditValuesRow).where(AuditValuesRow.seq > 3))
    assert await problems(store) == []
    found = await problems(store, letter)
    assert found == [
        "row 5 is gone, which the letter holds: the end of the log was cut off, or an older copy was put back"
    ]


async def test_a_deleted_tail_that_grew_again_is_found_by_whoever_kept_the_head(sqlite_store: Store) -> None:
    await written(sqlite_store, 5)
    letter = await anchored(sqlite_store)
    async with intruder(sqlite_store) as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq > 3))
        await session.execute(delete(AuditValuesRow).where(AuditValuesRow.seq > 3))
    await written(sqlite_store, 3)
    assert await problems(sqlite_store, letter) == ["row 5 is not the one that the letter holds: the log was replaced"]


async def test_a_tail_that_was_cut_in_haste_leaves_its_values_and_no_later_write_fails(store: Store) -> None:
    await written(store, 5)
    async with intruder(store) as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq > 3))
    assert await problems(store) == ["row 5 is gone, but its values are here: the end of the log was cut off"]
    await written(store, 2)
    assert await problems(store) == []


async def test_two_rows_that_changed_places_are_found(store: Store) -> None:
    """Tampering 4 of 6."""
    await written(store, 5)
    async with intruder(store) as session:
        for old, new in ((3, 99), (4, 3), (99, 4)):
            await session.execute(update(AuditRow).where(AuditRow.seq == old).values(seq=new))
    assert {CHANGED, CHANGED.replace("row 3", "row 4")} <= set(await problems(store))


async def test_an_inserted_row_is_found(store: Store) -> None:
    """Tampering 5 of 6: it says that we wrote what we never wrote, with a hash that somebody made up."""
    await written(store, 2)
    async with intruder(store) as session:
        row = (await session.execute(select(AuditRow.__table__).where(AuditRow.seq == 2))).one()._asdict()
        await session.execute(insert(AuditRow), [{**row, "seq": 3, "prev_hash": row["hash"], "hash": bytes(32)}])
    assert await problems(store) == [CHANGED, "the values of row 3 are missing, and nobody asked to erase them"]


async def test_an_inserted_row_without_a_hash_is_found_and_the_chain_goes_on_around_it(store: Store) -> None:
    """It must not pass as one of the first version's, nor let the chain begin anew."""
    await written(store, 2)
    async with intruder(store) as session:
        row = (await session.execute(select(AuditRow.__table__).where(AuditRow.seq == 2))).one()._asdict()
        bare = dict.fromkeys(("hash", "prev_hash", "key_id", "values_commit"))
        await session.execute(insert(AuditRow), [{**row, **bare, "seq": 3}])
    await written(store, 2)
    assert await problems(store) == ["row 3 was inserted: it is in no chain"]


async def test_yesterdays_file_put_back_is_found_by_whoever_kept_the_head(tmp_path: Path) -> None:
    """Tampering 6 of 6."""
    today = Store(sqlite_url(tmp_path), TEST_KEYS)
    await today.database.migrate()
    await written(today, 3)
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "ledgerline.db")) as file,
        contextlib.closing(sqlite3.connect(tmp_path / "yesterday.db")) as copy,
    ):
        file.backup(copy)
    await written(today, 3)
    letter = await anchored(today)
    await today.close()
    for leftover in tmp_path.glob("ledgerline.db-*"):
        leftover.unlink()
    shutil.copy(tmp_path / "yesterday.db", tmp_path / "ledgerline.db")
    restored = Store(sqlite_url(tmp_path), TEST_KEYS)
    assert await problems(restored) == []
    assert (await problems(restored, letter))[0].startswith("row 6 is gone, which the letter holds")
    await written(restored, 4)
    assert (await problems(restored, letter))[0].startswith("row 6 is not the one that the letter holds")
    await restored.close()


async def test_values_that_are_not_those_of_their_row_are_found(store: Store) -> None:
    """Of one record, so that the seal alone would not notice."""
    await written(store, 4)
    async with intruder(store) as session:
        second = await session.scalar(select(AuditValuesRow.sealed).where(AuditValuesRow.seq == 2))
        await session.execute(update(AuditValuesRow).where(AuditValuesRow.seq == 3).values(sealed=second))
    assert await problems(store) == ["the values of row 3 are not those that it wrote"]


async def test_values_that_vanished_without_an_erasure_are_found(sqlite_store: Store) -> None:
    await written(sqlite_store, 4)
    async with intruder(sqlite_store) as session:
        await session.execute(delete(AuditValuesRow).where(AuditValuesRow.seq == 3))
    assert await problems(sqlite_store) == ["the values of row 3 are missing, and nobody asked to erase them"]


async def test_whoever_cannot_read_the_key_cannot_write_a_chain(sqlite_store: Store) -> None:
    """Another key under the same name; of many problems the first twenty are told and the others counted."""
    stranger = Store(sqlite_store.database.engine.url.render_as_string(hide_password=False), KeyRing({"k1": bytes(32)}))
    await written(stranger, 22)
    await stranger.close()
    verdict = await checked(sqlite_store)
    assert len(verdict.problems) == 20
    assert verdict.more == 24  # of each row the hash and the values


async def test_a_row_that_cannot_be_read_is_told_and_the_others_are_checked(sqlite_store: Store) -> None:
    """A flipped bit on the disk need not leave a date or a text that a program can read."""
    await written(sqlite_store, 5)
    async with intruder(sqlite_store) as session:
        await session.execute(text("UPDATE audit SET at = 'no date' WHERE seq = 2"))
        await session.execute(text("UPDATE audit SET cause = CAST(x'ff' AS TEXT) WHERE seq = 4"))
        await session.execute(text("UPDATE audit SET books_id = '1' WHERE seq = 5"))
    assert await problems(sqlite_store) == [
        "row 2 cannot be read",
        "row 4 cannot be read",
        CHANGED.replace("row 3", "row 5"),
    ]


async def test_a_new_key_carries_the_chain_on_and_the_old_one_is_still_needed(tmp_path: Path) -> None:
    """Keys are exchanged: each row names the one that vouches for it."""
    old, new = bytes(range(32)), bytes(range(1, 33))
    for ring in ({"k1": old}, {"k2": new, "k1": old}):
        store = Store(sqlite_url(tmp_path), KeyRing(ring))
        await store.database.migrate()
        await written(store, 2)
        assert await problems(store) == []
        await store.close()
    without = Store(sqlite_url(tmp_path), KeyRing({"k2": new}))
    found = await problems(without)
    await without.close()
    assert found == [
        "row 1 and perhaps others cannot be checked: the audit log was kept with the key 'k1', which is not here; "
        "put it back"
    ]


async def test_many_workers_at_once_make_one_chain_without_gaps(store: Store) -> None:
    keys = [party(number) for number in range(20)]
    await asyncio.gather(*(store.links.confirm(key, agreed(key.record_id), audit=renamed("Acme")) for key in keys))
    async with store.database.reading() as session:
        assert list(await session.scalars(select(AuditRow.seq).order_by(AuditRow.seq))) == list(range(1, 21))
    assert (await checked(store)).problems == []


async def test_a_write_that_is_taken_back_leaves_no_gap(sqlite_store: Store) -> None:
    """I10: the row is part of the transaction that it tells of."""
    await written(sqlite_store, 1)
    with pytest.raises(RuntimeError):
        async with sqlite_store.database.writing() as session:
            await sqlite_store.links._audit(session, NORDWIND, "90211", renamed("Nordwind"))
            raise RuntimeError("the worker was killed")
    await written(sqlite_store, 1)
    verdict = await checked(sqlite_store)
    assert (verdict.rows, verdict.problems) == (2, [])


async def test_the_database_itself_refuses_whatever_is_not_an_addition_at_the_end(store: Store) -> None:
    await written(store, 3)
    inserted = (
        "INSERT INTO audit SELECT 9, at, connection, flow, crm_id, books_id, action, cause, fields, mapping_version, "
        "side, workflow_id, request, answer, key_id, values_commit, prev_hash, hash FROM audit WHERE seq = 3"
    )
    changed = "UPDATE audit SET cause = 'nothing' WHERE seq = 2"
    for statement in (changed, "DELETE FROM audit WHERE seq = 3", "DELETE FROM audit", inserted):
        with pytest.raises(DBAPIError, match="the audit log is only ever added to"):
            async with store.database.writing() as session:
                await session.execute(text(statement))
    assert (await checked(store)).rows == 3


async def test_postgresql_refuses_to_empty_the_log(store: Store) -> None:
    if store.database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    await written(store, 3)
    with pytest.raises(DBAPIError, match="the audit log is only ever added to"):
        async with store.database.writing() as session:
            await session.execute(text("TRUNCATE audit"))


async def test_sqlite_refuses_to_replace_a_row(sqlite_store: Store) -> None:
    """INSERT OR REPLACE deletes the old row without asking the triggers of a delete."""
    await written(sqlite_store, 3)
    with pytest.raises(DBAPIError, match="the audit log is only ever added to"):
        async with sqlite_store.database.writing() as session:
            await session.execute(text("INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2"))
    assert (await checked(sqlite_store)).problems == []


async def test_writers_are_not_held_up_by_a_check(sqlite_store: Store) -> None:
    await written(sqlite_store, 3)
    async with asyncio.timeout(5), sqlite_store.database.writing() as session:
        await session.execute(select(func.count()).select_from(AuditRow))
        assert (await checked(sqlite_store)).rows == 3
