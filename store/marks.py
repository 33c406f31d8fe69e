"""Marks of ours as they were last seen on the records of both systems: one mark on two records is an incident."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, func, select, update

from store.database import Database
from store.tables import MarkRow


class Marks:
    """The marks of all connections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, connection: str, system: str, marks: Sequence[tuple[str, str]]) -> None:
        """Note that these marks stand on these records: (mark, record id)."""
        now = datetime.now(UTC)
        async with self._database.writing() as session:
            for reference, record_id in marks:
                row = await session.get(MarkRow, (connection, system, reference, record_id))
                if row is None:
                    row = MarkRow(
                        connection=connection, system=system, reference=reference, record_id=record_id, accepted=False
                    )
                    session.add(row)
                row.seen_at = now

    async def twice(self, connection: str, since: datetime) -> Mapping[tuple[str, str], Sequence[str]]:
        """Return, by system and mark, the records that carry a mark together; what was not seen since is forgotten.

        A mark whose records a person has accepted comes again only when yet another record carries it.
        """
        ours = MarkRow.connection == connection
        several = select(MarkRow.system, MarkRow.reference).where(ours).group_by(MarkRow.system, MarkRow.reference)
        async with self._database.writing() as session:
            await session.execute(delete(MarkRow).where(ours, MarkRow.seen_at < since))
            doubled = (await session.execute(several.having(func.count() > 1))).all()
            found: dict[tuple[str, str], list[MarkRow]] = defaultdict(list)
            for system, reference in doubled:
                rows = await session.scalars(
                    select(MarkRow).where(ours, MarkRow.system == system, MarkRow.reference == reference)
                )
                found[system, reference].extend(rows)
        return {
            place: sorted(row.record_id for row in rows)
            for place, rows in found.items()
            if not all(row.accepted for row in rows)
        }

    async def accept(self, connection: str, system: str, reference: str) -> None:
        """A person knows that these records carry one mark."""
        async with self._database.writing() as session:
            await session.execute(
                update(MarkRow)
                .where(MarkRow.connection == connection, MarkRow.system == system, MarkRow.reference == reference)
                .values(accepted=True)
            )
