"""Records whose partner is not created yet, because a person has to agree to creating that many."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, func, select

from store.database import Database
from store.records import RecordKey
from store.tables import HoldRow, IntentRow, WaitingCreateRow

AT_WORK = ("reserved", "sending")
"""Of an intent. One that is in doubt waits for a clock, and keeps nobody busy."""


class Waiting:
    """The waiting records of all connections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, keys: Sequence[RecordKey]) -> None:
        """Let records wait; one that waits already keeps its place."""
        now = datetime.now(UTC)
        async with self._database.writing() as session:
            for key in keys:
                place = (key.connection, key.flow, key.side, key.record_id)
                if await session.get(WaitingCreateRow, place) is None:
                    session.add(
                        WaitingCreateRow(
                            connection=key.connection,
                            flow=key.flow,
                            side=key.side,
                            record_id=key.record_id,
                            since=now,
                        )
                    )

    async def count(self, connection: str, flow: str) -> int:
        """Return how many records of a flow wait."""
        query = select(func.count()).where(WaitingCreateRow.connection == connection, WaitingCreateRow.flow == flow)
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def oldest(self, connection: str, flow: str, count: int) -> Sequence[RecordKey]:
        """Return those that have waited longest."""
        query = (
            select(WaitingCreateRow)
            .where(WaitingCreateRow.connection == connection, WaitingCreateRow.flow == flow)
            .order_by(WaitingCreateRow.since, WaitingCreateRow.record_id)
            .limit(count)
        )
        async with self._database.reading() as session:
            return [
                RecordKey(row.connection, row.flow, row.record_id, "books" if row.side == "books" else "crm")
                for row in await session.scalars(query)
            ]

    async def among(self, keys: Sequence[RecordKey]) -> set[RecordKey]:
        """Return those of the keys that wait."""
        async with self._database.reading() as session:
            return {
                key
                for key in keys
                if await session.get(WaitingCreateRow, (key.connection, key.flow, key.side, key.record_id))
            }

    async def forget(self, keys: Sequence[RecordKey]) -> None:
        """Take records off the list."""
        async with self._database.writing() as session:
            for key in keys:
                await session.execute(
                    delete(WaitingCreateRow).where(
                        WaitingCreateRow.connection == key.connection,
                        WaitingCreateRow.flow == key.flow,
                        WaitingCreateRow.side == key.side,
                        WaitingCreateRow.record_id == key.record_id,
                    )
                )

    async def at_work(self, keys: Sequence[RecordKey]) -> set[RecordKey]:
        """Return those of the keys, all of one connection and flow, for which something is about to be created.

        Those for which a person is waited for are not among them.
        """
        if not keys:
            return set()
        connection, flow = keys[0].connection, keys[0].flow
        ids = [each.record_id for each in keys]
        async with self._database.reading() as session:
            open_ones = select(IntentRow.side, IntentRow.record_id).where(
                IntentRow.connection == connection,
                IntentRow.flow == flow,
                IntentRow.record_id.in_(ids),
                IntentRow.state.in_(AT_WORK),
            )
            held = select(HoldRow.side, HoldRow.record_id).where(
                HoldRow.connection == connection,
                HoldRow.flow == flow,
                HoldRow.record_id.in_(ids),
                HoldRow.closed_at.is_(None),
            )
            busy = {tuple(each) for each in await session.execute(open_ones)}
            busy -= {tuple(each) for each in await session.execute(held)}
        return {each for each in keys if (each.side, each.record_id) in busy}
