"""The database: SQLite for one machine, PostgreSQL for more; the same code runs on both."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from runtime.errors import Stop

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30  # how long a SQLite writer waits for its turn
MIGRATION_LOCK = 4_711_202_611  # any number that nothing else locks


class StoreUnreachable(Stop):
    """The database cannot be used. The text says which and what to do."""


class Database:
    """The connections of this process: some write in transactions, the others only read."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url, for_reading=False)
        self._reading_engine = _engine(url, for_reading=True)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._readers = async_sessionmaker(self._reading_engine, expire_on_commit=False)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back on an error."""
        async with self._sessions() as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Queries that need no transaction, and so do not wait for writers."""
        async with self._readers() as session:
            yield session

    async def migrate(self) -> None:
        """Bring the tables to the newest version; safe when several processes do it at once.

        Raises StoreUnreachable.
        """
        try:
            async with self.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
                await connection.run_sync(_upgrade)
        except CommandError as error:
            raise StoreUnreachable(
                f"the database {self._address} was made by a newer version of Ledgerline; install that version"
            ) from error
        except (DBAPIError, OSError) as error:
            raise StoreUnreachable(f"the database {self._address} cannot be used: {_reason(error)}") from error

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()
        await self._reading_engine.dispose()

    @property
    def _address(self) -> str:
        """Where the database is, without the password, which libpq also takes as a parameter."""
        return self.engine.url.difference_update_query(["password"]).render_as_string(hide_password=True)


def _engine(url: str, *, for_reading: bool) -> AsyncEngine:
    """Readers are in autocommit for good: switching a connection over and back costs as much as the query."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        mode: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if for_reading else {}
        return create_async_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, **mode)
    if parsed.get_backend_name() != "sqlite":
        raise StoreUnreachable("LEDGERLINE_DATABASE_URL must begin with sqlite: or postgresql:")
    if parsed.host:
        raise StoreUnreachable("LEDGERLINE_DATABASE_URL needs three slashes: sqlite:///folder/ledgerline.db")
    if parsed.database:
        _make_folder(Path(parsed.database).parent)
    engine = create_async_engine(
        parsed.set(drivername="sqlite+aiosqlite"),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        pool_reset_on_return=None if for_reading else "rollback",
    )
    event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    if not for_reading:
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the cause quotes the address, password and all
        raise StoreUnreachable("LEDGERLINE_DATABASE_URL is not a database address") from None
    if "@" in (parsed.host or ""):  # else the rest of the password would be shown as part of the host
        raise StoreUnreachable("LEDGERLINE_DATABASE_URL: write an @ in the password as %40")
    return parsed


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnreachable(f"the database's folder {folder} cannot be made: {error.strerror}") from error


def _set_up_sqlite(connection: Any, record: object) -> None:
    del record
    cursor = connection.cursor()
    _use_write_ahead_log(cursor)
    # FULL: a power cut must not take back what was promised (a rotated token, a reservation).
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _use_write_ahead_log(cursor: Any) -> None:
    """When two processes open a new file together SQLite refuses one of them at once, whatever the timeout says."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)  # once in the life of a file: from then on it is in this mode
        else:
            return


def _begin_immediate(connection: Connection) -> None:
    """A deferred transaction that reads and then writes loses its turn, or another's update, without an error."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
