"""The rows of the first version had no chain: they come along, keep their values, and are told apart."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from store.database import MIGRATIONS
from store.records import RecordKey
from store.sealed import seal
from store.store import Store
from tests.databases import TEST_KEYS
from tests.store.logbook import checked, intruder, problems, written
from tests.store.records import ACME, NOON

OLD_ROW = text(
    "INSERT INTO audit (seq, at, connection, flow, crm_id, books_id, action, cause, fields, mapping_version, "
    "sealed_values) VALUES (:seq, :at, 'acme', 'clients', '7', '90210', 'update', 'capsule sweep', 'fname', 'v1', "
    ":sealed)"
)


@pytest.fixture
async def old_store(database_url: str) -> AsyncIterator[Store]:
    """A store of the first version with three audit rows. PostgreSQL left a gap where a write was taken back."""
    store = Store(database_url, TEST_KEYS)
    await _migrate(store, "0001")
    async with store.database.writing() as session:
        for seq in (1, 2, 4):
            values = {"before": {"fname": "Nora"}, "after": {"fname": f"Nora {seq}"}}
            sealed = seal(TEST_KEYS, values, "audit", "values", "acme", "clients", "7")
            at = NOON + timedelta(minutes=seq)
            await session.execute(
                OLD_ROW, {"seq": seq, "at": at if "postgres" in database_url else f"{at:%F %T.%f}", "sealed": sealed}
            )
    await store.database.migrate()
    yield store
    await store.close()


async def test_the_values_of_old_rows_move_into_their_table_and_open_as_before(old_store: Store) -> None:
    history = await old_store.audit.history(ACME)
    newest = history[0]
    assert (newest.seq, newest.side, newest.fields) == (4, "books", ("fname",))
    assert newest.at == NOON + timedelta(minutes=4)
    values = [await old_store.audit.values(line) for line in history]
    assert [each.after["fname"] for each in values if each] == ["Nora 4", "Nora 2", "Nora 1"]


async def test_old_rows_precede_the_chain_and_are_counted(old_store: Store) -> None:
    before = await checked(old_store)
    assert (before.rows, before.preceding, before.problems) == (0, 3, [])
    await written(old_store, 2)
    after = await checked(old_store)
    assert (after.rows, after.preceding, after.problems) == (2, 3, [])
    assert [line.seq for line in await old_store.audit.latest(2)] == [6, 5]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET cause = 'nothing' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 4",
        "UPDATE audit SET seq = 3 WHERE seq = 2",
    ],
)
async def test_the_first_row_of_the_chain_vouches_for_all_that_precede_it(old_store: Store, change: str) -> None:
    await written(old_store, 2)
    async with intruder(old_store) as session:
        await session.execute(text(change))
    assert "the rows before row 5, those of the first version, were changed" in await problems(old_store)


async def test_old_rows_that_are_all_gone_are_missed(old_store: Store) -> None:
    await written(old_store, 2)
    async with intruder(old_store) as session:
        await session.execute(text("DELETE FROM audit WHERE seq < 5"))
    assert await problems(old_store) == ["rows 1 to 4 are missing"]


async def test_the_values_of_old_rows_are_erased_like_all_others(old_store: Store) -> None:
    """Z133"""
    await written(old_store, 1)
    await old_store.erasure.erase(ACME, "a person asked")
    assert [await old_store.audit.values(line) for line in await old_store.audit.history(ACME)] == [None] * 5
    assert await problems(old_store) == []


async def test_a_long_old_log_is_vouched_for_page_by_page(old_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await written(old_store, 1)
    monkeypatch.setattr("store.audit_chain.PAGE", 1)
    assert await problems(old_store) == []


async def test_going_back_gives_the_values_back(old_store: Store, tmp_path: Path) -> None:
    await _migrate(old_store, "0001", down=True)
    async with old_store.database.reading() as session:
        sealed = list(await session.scalars(text("SELECT sealed_values FROM audit ORDER BY seq")))
    assert len(sealed) == 3
    assert all(sealed)
    await old_store.database.migrate()
    assert [line.seq for line in await old_store.audit.history(RecordKey("acme", "clients", "7"))] == [4, 2, 1]


async def _migrate(store: Store, version: str, *, down: bool = False) -> None:
    def run(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, version)

    async with store.database.engine.begin() as connection:
        await connection.run_sync(run)
