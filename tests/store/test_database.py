"""The database: nothing is lost when many write at once, and what goes wrong is said in words."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from runtime.ports import free_ports
from store.database import Database, StoreUnreachable
from store.store import Store
from store.tables import CursorRow
from tests.databases import TEST_KEYS, sqlite_url
from tests.store.records import ACME, NOON, agreed, created

PASSWORD = "pa55word"
WRITERS, ROUNDS = 8, 25


async def test_eight_workers_that_count_at_once_lose_no_count(store: Store, database_url: str) -> None:
    """S49: with SQLite's own way of beginning, three of four counts vanish without an error."""
    other = Store(database_url, TEST_KEYS)  # a second process's connections
    await store.cursors.advance("acme", "count", NOON)

    async def count(worker: int) -> None:
        for _ in range(ROUNDS):
            async with (store, other)[worker % 2].database.writing() as session:
                row = await session.get_one(CursorRow, ("acme", "count"), with_for_update=True)
                row.read_until += timedelta(seconds=1)

    await asyncio.gather(*(count(worker) for worker in range(WRITERS)))
    await other.close()
    assert await store.cursors.read("acme", "count") == NOON + timedelta(seconds=WRITERS * ROUNDS)


async def test_changes_that_arrive_at_once_are_all_kept(store: Store) -> None:
    """S49"""
    await asyncio.gather(*(store.inbox.park("acme", "capsule", "party/updated", [str(each)]) for each in range(40)))
    kept = await store.inbox.oldest(100)
    assert sorted(int(each.record_id) for each in kept) == list(range(40))


async def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.database.writing() as session:
            session.add(CursorRow(connection="acme", stream="half", read_until=NOON, updated_at=NOON))
            await session.flush()
            raise RuntimeError("the worker was killed")
    assert await store.cursors.read("acme", "half") is None


async def test_who_only_reads_does_not_wait_for_a_writer_and_does_not_see_half_of_its_work(store: Store) -> None:
    async with store.database.writing() as session:
        session.add(CursorRow(connection="acme", stream="half", read_until=NOON, updated_at=NOON))
        await session.flush()
        assert await asyncio.wait_for(store.cursors.read("acme", "half"), timeout=5) is None
    assert await store.cursors.read("acme", "half") == NOON


async def test_sqlite_writes_to_disk_before_it_says_so(sqlite_store: Store) -> None:
    """F9: a rotated token that a power cut takes back locks us out."""
    async with sqlite_store.database.reading() as session:
        assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await session.scalar(text("PRAGMA synchronous")) == 2  # FULL


async def test_no_personal_data_can_be_read_in_the_files_of_the_database(sqlite_store: Store, tmp_path: Path) -> None:
    email = "planted.nora@quist.test"
    await sqlite_store.links.confirm(ACME, agreed("90210", name=email), audit=created(email))
    await sqlite_store.holds.open("client-upsert/acme/capsule-party-7", ACME, "conflict", {"email": email})
    await sqlite_store.callbacks.offer("acme", "501", "planted-verifier")
    await sqlite_store.callbacks.trust("acme", "501", "planted-verifier")
    files = list(tmp_path.glob("ledgerline.db*"))
    content = b"".join(each.read_bytes() for each in files)
    assert {each.name for each in files} >= {"ledgerline.db", "ledgerline.db-wal"}
    assert b"client-upsert/acme/capsule-party-7" in content  # ids are in clear: we do read the right files
    assert b"planted" not in content
    assert b"quist" not in content


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ledger:{password}@127.0.0.1:{port}/books",
        "postgresql://ledger@127.0.0.1:{port}/books?password={password}",
    ],
)
async def test_a_database_that_does_not_answer_is_named_without_its_password(address: str) -> None:
    database = Database(address.format(password=PASSWORD, port=free_ports(1)[0]))
    with pytest.raises(
        StoreUnreachable, match=r"the database postgresql.*ledger.*127\.0\.0\.1.* cannot be used: "
    ) as said:
        await database.migrate()
    await database.close()
    assert PASSWORD not in str(said.value)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("nonsense", "is not a database address"),
        ("", "is not a database address"),
        (f"postgresql://ledger:{PASSWORD}@db:port/books", "is not a database address"),
        (f"mysql://ledger:{PASSWORD}@db/books", "must begin with sqlite: or postgresql:"),
        (f"postgresql://ledger:a@{PASSWORD}@db/books", "write an @ in the password as %40"),
        ("sqlite://ledgerline.db", "needs three slashes"),
        ("sqlite:////dev/null/data/ledgerline.db", "the database's folder /dev/null/data cannot be made: Not a dir"),
    ],
)
def test_a_nonsense_address_is_refused_with_advice_and_without_its_password(address: str, advice: str) -> None:
    with pytest.raises(StoreUnreachable, match=advice) as said:
        Database(address)
    assert PASSWORD not in str(said.value)


async def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "ledgerline.db").write_text("a bookkeeper's notes, by mistake saved here. " * 100)
    database = Database(sqlite_url(tmp_path))
    with pytest.raises(StoreUnreachable, match=r"ledgerline\.db cannot be used: file is not a database"):
        await database.migrate()
    await database.close()


async def test_a_folder_in_the_place_of_the_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledgerline.db").mkdir()
    database = Database(sqlite_url(tmp_path))
    with pytest.raises(StoreUnreachable, match=r"ledgerline\.db cannot be used: unable to open"):
        await database.migrate()
    await database.close()


async def test_the_folder_of_the_database_is_made_if_it_is_missing(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "data" / "store"))
    await database.migrate()
    await database.close()
    assert (tmp_path / "data" / "store" / "ledgerline.db").exists()
