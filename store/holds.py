"""Holds: syncs that wait for a person, listed where every tool can find them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from runtime.keys import KeyRing
from store.alerts import hold_closed, hold_opened
from store.database import Database
from store.records import RecordKey
from store.sealed import seal, unseal
from store.tables import HoldRow


@dataclass(frozen=True)
class OpenHold:
    """One hold as it may be shown anywhere: the evidence stays sealed."""

    workflow_id: str
    connection: str
    flow: str
    side: str
    record_id: str
    reason: str
    opened_at: datetime


class Holds:
    """The holds of all connections. A workflow has at most one open hold."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    async def open(self, workflow_id: str, key: RecordKey, reason: str, evidence: Mapping[str, Any]) -> None:
        """Record that a workflow waits for a person; repeating it changes nothing but the evidence.

        People are to be told of a hold that is new, or held for another reason: that is one transaction with it.
        """
        now, sealed = datetime.now(UTC), seal(self._keys, dict(evidence), "holds", "evidence", workflow_id)
        async with self._database.writing() as session:
            row = await session.get(HoldRow, workflow_id, with_for_update=True)
            if row is None:
                row = HoldRow(
                    workflow_id=workflow_id,
                    connection=key.connection,
                    flow=key.flow,
                    side=key.side,
                    record_id=key.record_id,
                )
                session.add(row)
            is_new = row.opened_at is None or row.closed_at is not None
            is_other = row.reason != reason
            row.reason, row.sealed_evidence = reason, sealed
            if is_new:
                row.opened_at, row.closed_at = now, None
            if is_new or is_other:
                await hold_opened(session, workflow_id, key.connection, reason, now)

    async def close(self, workflow_id: str) -> None:
        """Record that the wait is over; closing a closed or unknown hold does nothing."""
        async with self._database.writing() as session:
            row = await session.get(HoldRow, workflow_id, with_for_update=True)
            if row is not None and row.closed_at is None:
                row.closed_at = datetime.now(UTC)
                await hold_closed(session, workflow_id, row.closed_at)

    async def evidence(self, workflow_id: str) -> dict[str, Any]:
        """Return what a person decides by; it may quote personal data. Empty for an unknown hold."""
        async with self._database.reading() as session:
            row = await session.get(HoldRow, workflow_id)
        return dict(unseal(self._keys, row.sealed_evidence, "holds", "evidence", workflow_id)) if row else {}

    async def listed(self) -> Sequence[OpenHold]:
        """Return the open holds, oldest first."""
        query = select(HoldRow).where(HoldRow.closed_at.is_(None)).order_by(HoldRow.opened_at)
        async with self._database.reading() as session:
            rows = await session.scalars(query)
            return [
                OpenHold(row.workflow_id, row.connection, row.flow, row.side, row.record_id, row.reason, row.opened_at)
                for row in rows
            ]
