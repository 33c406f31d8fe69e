"""The inbox: changes that arrived while Temporal could not be reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, select

from store.database import Database
from store.tables import InboxRow


@dataclass(frozen=True)
class Parked:
    """One change that waits to be handed over."""

    id: int
    connection: str
    system: str
    event: str
    record_id: str
    received_at: datetime


class Inbox:
    """A queue of hints, oldest first. Handing one over twice is harmless: the record is fetched either way."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def park(self, connection: str, system: str, event: str, record_ids: Sequence[str]) -> None:
        """Keep changes until Temporal answers again; committed when this returns."""
        now = datetime.now(UTC)
        async with self._database.writing() as session:
            session.add_all(
                InboxRow(connection=connection, system=system, event=event, record_id=record_id, received_at=now)
                for record_id in record_ids
            )

    async def oldest(self, count: int) -> Sequence[Parked]:
        """Return the changes that have waited longest."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(InboxRow).order_by(InboxRow.id).limit(count))
            return [
                Parked(row.id, row.connection, row.system, row.event, row.record_id, row.received_at) for row in rows
            ]

    async def handed_over(self, parked: Parked) -> None:
        """Forget a change that Temporal has accepted."""
        async with self._database.writing() as session:
            # SQLite gives the id of a deleted row away again: the instant tells a newer change from this one.
            await session.execute(
                delete(InboxRow).where(InboxRow.id == parked.id, InboxRow.received_at == parked.received_at)
            )

    async def size(self) -> int:
        """Return how many changes wait."""
        async with self._database.reading() as session:
            return await session.scalar(select(func.count()).select_from(InboxRow)) or 0
