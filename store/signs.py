"""Signs of life: what the alert watch and the metrics read about how the installation is doing. Only reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from store.database import Database
from store.tables import AuditRow, CursorRow, HoldRow, InboxRow

NEEDS_CONSENT = "needs-consent"


@dataclass(frozen=True)
class Backlog:
    """How many changes wait in the inbox, and since when the oldest does."""

    count: int
    since: datetime | None


class Signs:
    """What can be seen of the whole installation in its store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sweeps(self) -> Mapping[tuple[str, str], datetime]:
        """Return when a sweep last ended, by connection and stream. Streams never read to their end are missing."""
        query = select(CursorRow.connection, CursorRow.stream, CursorRow.updated_at)
        async with self._database.reading() as session:
            return {(connection, stream): at for connection, stream, at in await session.execute(query)}

    async def last_write(self, connection: str) -> datetime | None:
        """Return when something was last written for a connection, None if never."""
        async with self._database.reading() as session:
            return await session.scalar(select(func.max(AuditRow.at)).where(AuditRow.connection == connection))

    async def inbox(self) -> Backlog:
        """Return what waits in the inbox."""
        async with self._database.reading() as session:
            query = select(func.count(), func.min(InboxRow.received_at))
            count, since = (await session.execute(query)).one()
            return Backlog(count, since)

    async def consent(self) -> Mapping[str, datetime | None]:
        """Return when each connection that ever lacked consent got it back; None while it lacks it."""
        query = select(HoldRow.connection, HoldRow.closed_at).where(HoldRow.reason == NEEDS_CONSENT)
        found: dict[str, datetime | None] = {}
        async with self._database.reading() as session:
            for connection, closed_at in await session.execute(query):
                earlier = found.get(connection, closed_at)
                found[connection] = max(closed_at, earlier) if closed_at and earlier else None
        return found

    async def open_holds(self) -> Mapping[tuple[str, str], int]:
        """Return how many holds are open, by connection and reason."""
        query = (
            select(HoldRow.connection, HoldRow.reason, func.count())
            .where(HoldRow.closed_at.is_(None))
            .group_by(HoldRow.connection, HoldRow.reason)
        )
        async with self._database.reading() as session:
            return {(connection, reason): count for connection, reason, count in await session.execute(query)}
