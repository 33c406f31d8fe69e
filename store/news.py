"""What was heard of records, and by which way first: how good webhooks are is measured, not believed.

Webhooks leave the instant at which they told of a record, sweeps the state of it that they announced. So a sweep that
lists a change again, because its stretches overlap, announces it once; and a change of which no webhook had told by the
time a sweep found it is counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import String, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from store.database import Database
from store.tables import Table

# Clocks differ: a webhook may seem to come shortly before the change that it tells of.
CLOCKS_DIFFER = timedelta(minutes=1)
# FreshBooks' lists know days only, so a change is listed for up to two of them. Whatever is older was told and done.
KEPT = timedelta(days=3)
AT_ONCE = 500

_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class NewsRow(Table):
    """The last that was heard of one record of a system."""

    __tablename__ = "news"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    system: Mapped[str] = mapped_column(String(40), primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    told_at: Mapped[datetime | None]  # by a webhook
    announced: Mapped[str | None] = mapped_column(String(64))  # by a sweep: the fingerprint of the state it saw
    updated_at: Mapped[datetime] = mapped_column(index=True)


class NewsCountRow(Table):
    """How many changes of one system's records were told by webhooks, and found by sweeps alone, on one day in UTC."""

    __tablename__ = "news_counts"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    system: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # ISO 8601
    by_webhook: Mapped[int]
    by_sweep: Mapped[int]


@dataclass(frozen=True)
class Told:
    """A webhook said that a record may have changed. `times` is how often, `at` when last."""

    connection: str
    system: str
    record_id: str
    at: datetime
    times: int = 1


@dataclass(frozen=True)
class Difference:
    """A record that a sweep found to differ: the fingerprint of what it saw, and when that had changed."""

    record_id: str
    state: str
    changed_at: datetime | None


@dataclass(frozen=True)
class WaysCount:
    """How many changes of a system's records webhooks told of, and how many sweeps found before any webhook."""

    connection: str
    system: str
    by_webhook: int
    by_sweep: int

    @property
    def missed(self) -> float:
        """The share that only sweeps found, from 0 to 1."""
        return self.by_sweep / max(1, self.by_webhook + self.by_sweep)


class News:
    """What was heard of the records of all connections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def told(self, news: Sequence[Told]) -> None:
        """Keep what webhooks told, each record once, and count it."""
        # Always in the same order: two processes that write the same rows must not wait for each other.
        ordered = sorted(news, key=lambda each: (each.connection, each.system, each.record_id))
        counts: Counter[tuple[str, str, str]] = Counter()
        for each in ordered:
            counts[each.connection, each.system, _day(each.at)] += each.times
        async with self._database.writing() as session:
            for start in range(0, len(ordered), AT_ONCE):
                rows = [_told_row(each) for each in ordered[start : start + AT_ONCE]]
                await _put(session, NewsRow, rows, "told_at", "updated_at")
            for (connection, system, day), times in sorted(counts.items()):
                await _count(session, connection, system, day, by_webhook=times)

    async def not_announced(self, connection: str, system: str, found: Sequence[Difference]) -> list[Difference]:
        """Return those that no sweep has announced yet in the state in which they are now."""
        known = await self._known(connection, system, [each.record_id for each in found])
        return [each for each in found if each.record_id not in known or known[each.record_id].announced != each.state]

    async def swept(self, connection: str, system: str, announced: Sequence[Difference]) -> int:
        """Keep what a sweep has announced; count, and return, how many of these changes no webhook had told of."""
        if not announced:
            return 0
        known = await self._known(connection, system, [each.record_id for each in announced])
        missed = sum(not _was_told(known.get(each.record_id), each) for each in announced)
        now = datetime.now(UTC)
        rows = [
            {
                "connection": connection,
                "system": system,
                "record_id": each.record_id,
                "announced": each.state,
                "updated_at": now,
            }
            for each in sorted(announced, key=lambda each: each.record_id)
        ]
        async with self._database.writing() as session:
            await _put(session, NewsRow, rows, "announced", "updated_at")
            if missed:
                await _count(session, connection, system, _day(now), by_sweep=missed)
        return missed

    async def counts(self, since: date) -> list[WaysCount]:
        """Return what was counted since a day in UTC, for each connection and system of which there is news."""
        query = (
            select(
                NewsCountRow.connection,
                NewsCountRow.system,
                func.sum(NewsCountRow.by_webhook),
                func.sum(NewsCountRow.by_sweep),
            )
            .where(NewsCountRow.day >= since.isoformat())
            .group_by(NewsCountRow.connection, NewsCountRow.system)
            .order_by(NewsCountRow.connection, NewsCountRow.system)
        )
        async with self._database.reading() as session:
            return [WaysCount(row[0], row[1], int(row[2]), int(row[3])) for row in await session.execute(query)]

    async def forget_old(self, connection: str) -> None:
        """Forget the single records of a connection of which nothing was heard lately; what was counted stays."""
        old = datetime.now(UTC) - KEPT
        async with self._database.writing() as session:
            await session.execute(delete(NewsRow).where(NewsRow.connection == connection, NewsRow.updated_at < old))

    async def _known(self, connection: str, system: str, record_ids: Sequence[str]) -> dict[str, NewsRow]:
        query = select(NewsRow).where(
            NewsRow.connection == connection, NewsRow.system == system, NewsRow.record_id.in_(record_ids)
        )
        async with self._database.reading() as session:
            return {row.record_id: row for row in await session.scalars(query)}


def _told_row(told: Told) -> dict[str, object]:
    return {
        "connection": told.connection,
        "system": told.system,
        "record_id": told.record_id,
        "told_at": told.at,
        "updated_at": told.at,
    }


def _was_told(known: NewsRow | None, found: Difference) -> bool:
    """Return whether a webhook came for this change, not only for an earlier one of the same record."""
    if known is None or known.told_at is None:
        return False
    return found.changed_at is None or known.told_at >= found.changed_at - CLOCKS_DIFFER


def _day(instant: datetime) -> str:
    return instant.astimezone(UTC).date().isoformat()


async def _put(session: AsyncSession, table: type[NewsRow], rows: Sequence[dict[str, object]], *columns: str) -> None:
    """Insert rows, or set these columns of those that are there."""
    insert = _INSERTS[session.get_bind().dialect.name](table).values(list(rows))
    keys = ["connection", "system", "record_id"]
    changed = {column: insert.excluded[column] for column in columns}
    await session.execute(insert.on_conflict_do_update(index_elements=keys, set_=changed))


async def _count(
    session: AsyncSession, connection: str, system: str, day: str, *, by_webhook: int = 0, by_sweep: int = 0
) -> None:
    first = {"connection": connection, "system": system, "day": day, "by_webhook": by_webhook, "by_sweep": by_sweep}
    insert = _INSERTS[session.get_bind().dialect.name](NewsCountRow).values(**first)
    more = {
        "by_webhook": NewsCountRow.by_webhook + insert.excluded.by_webhook,
        "by_sweep": NewsCountRow.by_sweep + insert.excluded.by_sweep,
    }
    await session.execute(insert.on_conflict_do_update(index_elements=["connection", "system", "day"], set_=more))
