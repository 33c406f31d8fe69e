"""The audit log: every write, what caused it, and by which rules. Rows are only ever added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.keys import KeyRing
from store.database import Database
from store.records import RecordKey
from store.sealed import unseal
from store.tables import AliasRow, AuditRow, AuditValuesRow

# Built once: every write asks this, and building it costs as much as asking.
_SIDES_WRITTEN = (
    select(AuditRow.side)
    .where(
        AuditRow.crm_id == bindparam("crm_id"),
        AuditRow.connection == bindparam("connection"),
        AuditRow.flow == bindparam("flow"),
        AuditRow.at >= bindparam("since"),
        AuditRow.action.in_(("create", "update")),
    )
    .order_by(AuditRow.seq)
)


@dataclass(frozen=True)
class AuditEntry:
    """One write as the activity that made it tells it.

    `before`, `after` and `rules` are by field, sealed apart from the row, and can be erased. The rest is shown
    to whoever may see the log, and kept for ever: ids and reasons, no personal data. `cause` names the events, `side`
    the system that was written, `request` and `answer` what was asked of it and what it said ("PUT client 90210",
    "200"), `rules` how each value was made ("from emailAddresses: choose, take, trim; owner crm"). `times` are when
    both records were created and last changed as far as their systems said it then; they are sealed with the values.
    """

    action: str
    cause: str
    mapping_version: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    workflow_id: str = ""
    side: Literal["crm", "books"] = "books"
    request: str = ""
    answer: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditLine:
    """One row as people may see it anywhere: no values."""

    seq: int
    at: datetime
    connection: str
    flow: str
    crm_id: str
    books_id: str
    action: str
    cause: str
    fields: tuple[str, ...]
    side: str = "books"
    workflow_id: str = ""
    mapping_version: str = ""
    request: str = ""
    answer: str = ""


@dataclass(frozen=True)
class AuditValues:
    """What one row wrote, by field: personal data. `times` are those of the records, in UTC, as far as they are kept:
    `crm_created`, `crm_changed`, `books_created`, `books_changed`.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    rules: Mapping[str, str]
    times: Mapping[str, datetime] = field(default_factory=dict)


class Audit:
    """Reads the audit log."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    async def latest(self, count: int) -> Sequence[AuditLine]:
        """Return the newest rows, newest first."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(count))
            return [_line(row) for row in rows]

    async def counts(self) -> dict[tuple[str, str], int]:
        """Return how many rows there are for each connection and action."""
        query = select(AuditRow.connection, AuditRow.action, func.count()).group_by(
            AuditRow.connection, AuditRow.action
        )
        async with self._database.reading() as session:
            return {(connection, action): count for connection, action, count in await session.execute(query)}

    async def written_since(self, moment: datetime) -> int:
        """Return how many writes there were since then: each would have been somebody's work."""
        query = select(func.count()).where(AuditRow.at >= moment, AuditRow.request != "")
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def sides_written(self, connection: str, flow: str, crm_id: str, since: datetime) -> Sequence[str]:
        """Return on which side each create and update of a record since an instant was, oldest first."""
        asked = {"connection": connection, "flow": flow, "crm_id": crm_id, "since": since}
        async with self._database.reading() as session:
            return list(await session.scalars(_SIDES_WRITTEN, asked))

    async def history(self, key: RecordKey) -> Sequence[AuditLine]:
        """Return the rows of one record, newest first: of a CRM record also those of all that were merged into it."""
        async with self._database.reading() as session:
            query = select(AuditRow).where(*await rows_of(session, key)).order_by(AuditRow.seq.desc())
            return [_line(row) for row in await session.scalars(query)]

    async def connections(self, side: Literal["crm", "books"], record_id: str, flows: Sequence[str]) -> Sequence[str]:
        """Return the connections whose log knows a record of this id in one of these flows."""
        column = AuditRow.crm_id if side == "crm" else AuditRow.books_id
        known = select(AuditRow.connection).where(column == record_id, AuditRow.flow.in_(flows))
        query = known.distinct().order_by(AuditRow.connection)
        async with self._database.reading() as session:
            return list(await session.scalars(query))

    async def values(self, line: AuditLine) -> AuditValues | None:
        """Return what a row wrote; None if it wrote no values, or they were erased. Raises KeyProblem if altered."""
        async with self._database.reading() as session:
            row = await session.get(AuditValuesRow, line.seq)
        if row is None:
            return None
        content = unseal(self._keys, row.sealed, *values_place(line.connection, line.flow, line.crm_id))
        times = {name: datetime.fromisoformat(said) for name, said in content.get("times", {}).items()}
        return AuditValues(content["before"], content["after"], content.get("rules", {}), times)


async def rows_of(session: AsyncSession, key: RecordKey) -> Sequence[ColumnElement[bool]]:
    """Return the conditions that the audit rows of one record meet."""
    place = (AuditRow.connection == key.connection, AuditRow.flow == key.flow)
    if key.side == "books":
        return (*place, AuditRow.books_id == key.record_id)
    return (*place, AuditRow.crm_id.in_(await all_ids(session, key)))


async def all_ids(session: AsyncSession, key: RecordKey) -> Sequence[str]:
    """Return the ids under which a CRM record has been known: its own, and those of all that were merged into it."""
    known, found = [key.record_id], [key.record_id]
    while found:
        older = select(AliasRow.crm_id).where(
            AliasRow.connection == key.connection, AliasRow.flow == key.flow, AliasRow.now_crm_id.in_(found)
        )
        found = [each for each in await session.scalars(older) if each not in known]
        known += found
    return known


def values_place(connection: str, flow: str, crm_id: str) -> tuple[str, ...]:
    """Return where the sealed values of an audit row belong: they open for no other record."""
    return ("audit", "values", connection, flow, crm_id)


def _line(row: AuditRow) -> AuditLine:
    return AuditLine(
        seq=row.seq,
        at=row.at,
        connection=row.connection,
        flow=row.flow,
        crm_id=row.crm_id,
        books_id=row.books_id,
        action=row.action,
        cause=row.cause,
        fields=tuple(row.fields.split(", ")) if row.fields else (),
        side=row.side,
        workflow_id=row.workflow_id,
        mapping_version=row.mapping_version,
        request=row.request,
        answer=row.answer,
    )
