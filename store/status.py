"""How every record stands: in step, excluded, held, in doubt or waiting; counted, listed, and one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from store.database import Database
from store.reconciliation_tables import MismatchRow, ReconciliationRow
from store.tables import OPEN_STATES, AliasRow, HoldRow, IntentRow, LinkRow, WaitingCreateRow

State = Literal["in-step", "gone", "excluded", "held", "in-doubt", "waiting"]
STATES: Sequence[State] = ("in-step", "gone", "excluded", "held", "in-doubt", "waiting")
"""`gone`: one of the two was archived or deleted, and that was accepted. `waiting`: it is about to be created, or waits
for a person to allow that many creates."""
EXCLUDED = ("excluded", "skipped-by-rule")


@dataclass(frozen=True)
class Standing:
    """How many records of a flow stand in one way, for one reason, and since when the oldest does.

    The reason of `held` is that of the hold, of `excluded` whether a rule or a person left it out.
    """

    connection: str
    flow: str
    state: State
    reason: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class RecordLine:
    """One record and how it stands. Ids, states and instants: no values. `workflow_id` is that of its hold."""

    connection: str
    flow: str
    side: str
    record_id: str
    partner_id: str | None
    state: State
    reason: str
    since: datetime
    workflow_id: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which records to list; None is all. A `record_id` finds it on either side, and under the ids it had before."""

    connection: str | None = None
    flow: str | None = None
    state: str | None = None
    record_id: str | None = None


class Statuses:
    """How the records of all connections stand.

    Each record of a flow has one state: a hold goes before what else is known of it, and a create that is open before
    the link. The holds of opportunities are a flow of their own beside those of their documents.
    What rules exclude leaves no row of its own, so `excluded` is what the last full comparison found.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standings(self, connection: str | None = None) -> list[Standing]:
        """Return the counts, by connection, flow, state and reason; of one connection if it is given."""
        rows = _rows(Wanted(connection=connection)).subquery()
        place = (rows.c.connection, rows.c.flow, rows.c.state, rows.c.reason)
        query = select(*place, func.count(), func.min(rows.c.since)).group_by(*place).order_by(*place)
        async with self._database.reading() as session:
            found = [Standing(*row) for row in await session.execute(query)]
            left_out = [Standing(*row) for row in await session.execute(_excluded(connection))]
        return sorted([*found, *left_out], key=lambda each: (each.connection, each.flow, STATES.index(each.state)))

    async def records(self, wanted: Wanted, *, offset: int = 0, limit: int = 50) -> list[RecordLine]:
        """Return records that are linked, held, in doubt or waiting: the oldest of each state first."""
        async with self._database.reading() as session:
            ids = await _ids(session, wanted.record_id) if wanted.record_id is not None else ()
            rows = _rows(wanted, ids).subquery()
            order = (rows.c.state, rows.c.since, rows.c.connection, rows.c.flow, rows.c.record_id)
            query = select(rows).order_by(*order).offset(offset).limit(limit)
            return [RecordLine(*row) for row in await session.execute(query)]


async def _ids(session: AsyncSession, record_id: str) -> Sequence[str]:
    """Return the id, and those of the records into which it was merged."""
    found, new = [record_id], [record_id]
    while new:
        later = select(AliasRow.now_crm_id).where(AliasRow.crm_id.in_(new))
        new = [each for each in await session.scalars(later) if each not in found]
        found += new
    return found


def _rows(wanted: Wanted, ids: Sequence[str] = ()) -> Select[Any]:
    """Return the query of all records as they stand, with the columns of a RecordLine."""
    parts = (_linked(), _held(), _intended(), _waiting())
    rows = union_all(*parts).subquery()
    query = select(rows)
    for column, value in ((rows.c.connection, wanted.connection), (rows.c.flow, wanted.flow)):
        query = query.where(column == value) if value else query
    if ids:
        query = query.where(or_(rows.c.record_id.in_(ids), rows.c.partner_id.in_(ids)))
    return query.where(rows.c.state == wanted.state) if wanted.state else query


def _linked() -> Select[Any]:
    state = case({"active": "in-step", "pending": "waiting"}, value=LinkRow.state, else_="gone")
    reason = case((LinkRow.state == "active", ""), else_=LinkRow.state)
    return select(
        LinkRow.connection,
        LinkRow.flow,
        literal("crm").label("side"),
        LinkRow.crm_id.label("record_id"),
        LinkRow.books_id.label("partner_id"),
        state.label("state"),
        reason.label("reason"),
        LinkRow.updated_at.label("since"),
        literal("").label("workflow_id"),
    ).where(~_is_held(LinkRow, "crm", LinkRow.crm_id), ~_is_open(LinkRow, "crm", LinkRow.crm_id))


def _is_held(row: Any, side: Any, record_id: Any) -> ColumnElement[bool]:
    place = _same(row, HoldRow, record_id, HoldRow.record_id)
    return exists().where(place, HoldRow.side == side, HoldRow.closed_at.is_(None))


def _is_open(row: Any, side: Any, record_id: Any) -> ColumnElement[bool]:
    place = _same(row, IntentRow, record_id, IntentRow.record_id)
    return exists().where(place, IntentRow.side == side, IntentRow.state.in_(OPEN_STATES))


def _same(row: Any, other: Any, record_id: Any, other_id: Any) -> ColumnElement[bool]:
    """Tell whether two rows are about the same record of the same flow."""
    return and_(row.connection == other.connection, row.flow == other.flow, record_id == other_id)


def _held() -> Select[Any]:
    row = HoldRow
    link = _same(row, LinkRow, row.record_id, LinkRow.crm_id) & (row.side == "crm")
    columns = _columns(row, literal("held"), row.reason, row.opened_at, row.workflow_id, partner=LinkRow.books_id)
    return columns.select_from(row).outerjoin(LinkRow, link).where(row.closed_at.is_(None))


def _intended() -> Select[Any]:
    row = IntentRow
    state = case((row.state == "in-doubt", "in-doubt"), else_="waiting")
    reason = case((row.state == "in-doubt", "answer lost"), else_="being created")
    query = _columns(row, state, reason, row.updated_at, literal(""))
    return query.where(row.state.in_(OPEN_STATES), ~_is_held(row, row.side, row.record_id))


def _waiting() -> Select[Any]:
    row = WaitingCreateRow
    query = _columns(row, literal("waiting"), literal("bulk-limit"), row.since, literal(""))
    return query.where(~_is_held(row, row.side, row.record_id), ~_is_open(row, row.side, row.record_id))


def _columns(row: Any, state: Any, reason: Any, since: Any, workflow_id: Any, *, partner: Any = None) -> Select[Any]:
    return select(
        row.connection,
        row.flow,
        row.side,
        row.record_id,
        (cast(null(), String) if partner is None else partner).label("partner_id"),
        state.label("state"),
        reason.label("reason"),
        since.label("since"),
        workflow_id.label("workflow_id"),
    )


def _excluded(connection: str | None) -> Select[*tuple[Any, ...]]:
    """Count what the last comparison of each flow that came to its end found to be left out, and say when that was."""
    last = (
        select(func.max(ReconciliationRow.started_at))
        .where(ReconciliationRow.state == "done")
        .group_by(ReconciliationRow.connection, ReconciliationRow.flow)
        .add_columns(ReconciliationRow.connection, ReconciliationRow.flow)
        .subquery()
    )
    report = ReconciliationRow
    is_last = and_(report.started_at == last.c[0], report.connection == last.c.connection, report.flow == last.c.flow)
    query = (
        select(report.connection, report.flow, literal("excluded"), MismatchRow.cause, func.count(), report.ended_at)
        .join(last, is_last)
        .join(MismatchRow, MismatchRow.report_id == report.id)
        .where(report.state == "done", MismatchRow.cause.in_(EXCLUDED))
        .group_by(report.connection, report.flow, MismatchRow.cause, report.ended_at)
    )
    return query.where(report.connection == connection) if connection else query
