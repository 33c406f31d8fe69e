"""How long searches lag behind creations: measured, because no provider says it, and what it means for waiting."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from store.database import Database
from store.tables import LagRow

LATEST = 1000
ENOUGH = 20
SAFETY = 3  # the settle time is this many times the lag that only one search in a thousand exceeds


@dataclass(frozen=True)
class Spread:
    """What half, and 95 of 100, of the latest measurements do not exceed, and how many there are."""

    p50: timedelta
    p95: timedelta
    count: int


class Lags:
    """The search lags of all connections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, connection: str, system: str, lag: timedelta) -> None:
        """Keep one measurement."""
        row = LagRow(connection=connection, system=system, seconds=lag.total_seconds(), at=datetime.now(UTC))
        async with self._database.writing() as session:
            session.add(row)

    async def count(self, connection: str, system: str) -> int:
        """Return how many measurements there are."""
        query = select(func.count()).where(LagRow.connection == connection, LagRow.system == system)
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def settle_time(self, connection: str, system: str, least: timedelta) -> timedelta:
        """Return how long after a lost create to look for what it left: three times the measured p99.9, never less than
        `least`, which alone counts until there are twenty measurements.
        """
        query = select(LagRow.seconds).where(LagRow.connection == connection, LagRow.system == system)
        async with self._database.reading() as session:
            found = sorted(await session.scalars(query.order_by(LagRow.id.desc()).limit(LATEST)))
        if len(found) < ENOUGH:
            return least
        worst = found[math.ceil(0.999 * len(found)) - 1]
        return max(least, SAFETY * timedelta(seconds=worst))

    async def spread(self, connection: str, system: str) -> Spread | None:
        """Return how late the latest searches were, None if nothing was measured."""
        query = select(LagRow.seconds).where(LagRow.connection == connection, LagRow.system == system)
        async with self._database.reading() as session:
            found = sorted(await session.scalars(query.order_by(LagRow.id.desc()).limit(LATEST)))
        if not found:
            return None
        half, most = (timedelta(seconds=found[math.ceil(part * len(found)) - 1]) for part in (0.5, 0.95))
        return Spread(half, most, len(found))
