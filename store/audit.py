"""The audit log: every write, what caused it, and by which rules. Rows are only ever added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from runtime.keys import KeyRing
from store.database import Database
from store.records import RecordKey
from store.sealed import seal
from store.tables import AuditRow


@dataclass(frozen=True)
class AuditEntry:
    """One write as the activity that made it tells it. `before` and `after` are sealed; field names are not."""

    action: str
    cause: str
    mapping_version: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


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


class Audit:
    """Reads the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

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


def audit_row(keys: KeyRing, key: RecordKey, books_id: str, entry: AuditEntry) -> AuditRow:
    """Return the row for one write; it is added in the transaction that confirms the write."""
    values = {"before": dict(entry.before), "after": dict(entry.after)}
    return AuditRow(
        at=datetime.now(UTC),
        connection=key.connection,
        flow=key.flow,
        crm_id=key.record_id,
        books_id=books_id,
        action=entry.action,
        cause=entry.cause,
        fields=", ".join(sorted(entry.after)),
        mapping_version=entry.mapping_version,
        sealed_values=seal(keys, values, "audit", "values", key.connection, key.flow, key.record_id),
    )


def _line(row: AuditRow) -> AuditLine:
    fields = tuple(row.fields.split(", ")) if row.fields else ()
    return AuditLine(row.seq, row.at, row.connection, row.flow, row.crm_id, row.books_id, row.action, row.cause, fields)
