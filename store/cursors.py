"""Cursors: how far each sweep has read."""

from datetime import UTC, datetime

from store.database import Database
from store.tables import CursorRow


class Cursors:
    """The cursors of all connections. A cursor moves only after the effects of what was read are durable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, connection: str, stream: str) -> datetime | None:
        """Return the instant until which a stream has been read, None if never."""
        async with self._database.reading() as session:
            row = await session.get(CursorRow, (connection, stream))
            return row.read_until if row else None

    async def advance(self, connection: str, stream: str, read_until: datetime) -> None:
        """Move a cursor forward; a cursor never goes back."""
        async with self._database.writing() as session:
            row = await session.get(CursorRow, (connection, stream), with_for_update=True)
            if row is None:
                row = CursorRow(connection=connection, stream=stream, read_until=read_until)
                session.add(row)
            row.read_until = max(row.read_until, read_until)
            row.updated_at = datetime.now(UTC)
