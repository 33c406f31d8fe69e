"""The inbox: changes that arrived while Temporal could not be reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update

from store.database import Database
from store.tables import InboxRow

# One change that Temporal refuses is tried again ever later, twelve times in half an hour; then somebody has to look.
MOST_ATTEMPTS = 12
LONGEST_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True)
class Parked:
    """One change that waits to be handed over. `problem` names what went wrong last, without personal data."""

    id: int
    connection: str
    system: str
    event: str
    record_id: str
    received_at: datetime
    attempts: int = 0
    problem: str = ""


class Inbox:
    """A queue of hints, oldest first. Handing one over twice is harmless: the record is fetched either way.

    A change that failed too often is set aside: it is kept, and the others no longer wait for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def park(self, connection: str, system: str, event: str, record_ids: Sequence[str]) -> None:
        """Keep changes until Temporal answers again; committed when this returns."""
        now = datetime.now(UTC)
        async with self._database.writing() as session:
            session.add_all(
                InboxRow(
                    connection=connection,
                    system=system,
                    event=event,
                    record_id=record_id,
                    received_at=now,
                    attempts=0,
                    problem="",
                )
                for record_id in record_ids
            )

    async def oldest(self, count: int) -> Sequence[Parked]:
        """Return the changes that have waited longest, without those that have just failed and those set aside."""
        now = datetime.now(UTC)
        due = InboxRow.due_at.is_(None) | (InboxRow.due_at <= now)
        return await self._rows(InboxRow.attempts < MOST_ATTEMPTS, due, count=count)

    async def handed_over(self, parked: Parked) -> None:
        """Forget a change that Temporal has accepted."""
        async with self._database.writing() as session:
            # SQLite gives the id of a deleted row away again: the instant tells a newer change from this one.
            await session.execute(
                delete(InboxRow).where(InboxRow.id == parked.id, InboxRow.received_at == parked.received_at)
            )

    async def failed(self, parked: Parked, problem: str) -> bool:
        """Let a change that was refused wait before its next attempt. True if that was the last: it is set aside."""
        attempts = parked.attempts + 1
        pause = min(LONGEST_PAUSE, timedelta(seconds=2**attempts))
        change = (
            update(InboxRow)
            .where(InboxRow.id == parked.id, InboxRow.received_at == parked.received_at)
            .values(attempts=attempts, due_at=datetime.now(UTC) + pause, problem=problem)
        )
        async with self._database.writing() as session:
            await session.execute(change)
        return attempts >= MOST_ATTEMPTS

    async def size(self) -> int:
        """Return how many changes wait."""
        query = select(func.count()).where(InboxRow.attempts < MOST_ATTEMPTS)
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def set_aside(self) -> Sequence[Parked]:
        """Return the changes that failed too often, oldest first."""
        return await self._rows(InboxRow.attempts >= MOST_ATTEMPTS)

    async def try_again(self) -> None:
        """Let the changes that were set aside wait like all others."""
        again = update(InboxRow).where(InboxRow.attempts >= MOST_ATTEMPTS).values(attempts=0, due_at=None)
        async with self._database.writing() as session:
            await session.execute(again)

    async def _rows(self, *wanted: ColumnElement[bool], count: int | None = None) -> Sequence[Parked]:
        query = select(InboxRow).where(*wanted).order_by(InboxRow.id).limit(count)
        async with self._database.reading() as session:
            return [_parked(row) for row in await session.scalars(query)]


def _parked(row: InboxRow) -> Parked:
    return Parked(
        row.id, row.connection, row.system, row.event, row.record_id, row.received_at, row.attempts, row.problem
    )
