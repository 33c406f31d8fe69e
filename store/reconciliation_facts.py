"""What a reconciliation asks of the rest of the store: who is at work on what, and bare links. Only reads."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, exists, select

from store.database import Database
from store.plan_tables import PlanStagedRow
from store.tables import HoldRow, IntentRow, LinkRow, WaitingCreateRow

RecordsBySide = Mapping[str, frozenset[str]]
"""Ids of records, by the side they are on: crm or books."""


@dataclass(frozen=True)
class BareLink:
    """A link that says that both its records live."""

    id: int
    crm_id: str
    books_id: str
    updated_at: datetime


class ReconciliationFacts:
    """Asked once for a report, not for each record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held(self, connection: str, flow: str) -> RecordsBySide:
        """Return the records that wait for a person: in a hold, or because too many creates came at once."""
        holds = select(HoldRow.side, HoldRow.record_id).where(
            HoldRow.connection == connection, HoldRow.flow == flow, HoldRow.closed_at.is_(None)
        )
        waiting = select(WaitingCreateRow.side, WaitingCreateRow.record_id).where(
            WaitingCreateRow.connection == connection, WaitingCreateRow.flow == flow
        )
        async with self._database.reading() as session:
            return _by_side([*await session.execute(holds), *await session.execute(waiting)])

    async def in_doubt(self, connection: str, flow: str) -> RecordsBySide:
        """Return the records of which nobody knows yet whether their partner was created."""
        query = select(IntentRow.side, IntentRow.record_id).where(
            IntentRow.connection == connection, IntentRow.flow == flow, IntentRow.state.in_(("sending", "in-doubt"))
        )
        async with self._database.reading() as session:
            return _by_side(await session.execute(query))

    async def links_without_records(
        self, report_id: str, connection: str, flow: str, after: int, count: int
    ) -> Sequence[BareLink]:
        """Return active links of which neither record was staged, by id, from behind `after` on."""

        query = select(LinkRow).where(
            LinkRow.connection == connection, LinkRow.flow == flow, LinkRow.state == "active", LinkRow.id > after
        )
        query = query.where(LinkRow.books_id.is_not(None), ~_staged(report_id, "crm"), ~_staged(report_id, "books"))
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(LinkRow.id).limit(count))
            return [BareLink(row.id, row.crm_id, row.books_id, row.updated_at) for row in rows if row.books_id]


def _staged(report_id: str, side: str) -> ColumnElement[bool]:
    """Say that the link's record of this side was staged."""
    mine = LinkRow.crm_id if side == "crm" else LinkRow.books_id
    here = (PlanStagedRow.plan_id == report_id, PlanStagedRow.side == side, PlanStagedRow.record_id == mine)
    return exists().where(*here)


def _by_side(rows: Iterable[Row[str, str]]) -> RecordsBySide:
    found: dict[str, set[str]] = defaultdict(set)
    for side, record_id in rows:
        found[side].add(record_id)
    return {side: frozenset(ids) for side, ids in found.items()}
