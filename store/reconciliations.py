"""Reconciliations: the reports of comparing both sides, what each found, and how far one that runs has come."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.keys import KeyRing
from store.alerts import report_alert
from store.database import Database
from store.plan_staging import DELETED_AT_ONCE, PlanStaging, Side
from store.plan_tables import PlanStagedRow
from store.reconciliation_facts import ReconciliationFacts
from store.reconciliation_models import Mismatch, ReportHead, ReportState
from store.reconciliation_pieces import (
    ListProgress,
    NewReport,
    Outcome,
    head_of,
    mismatch_of,
    mismatch_row,
    outcome_text,
    progress_of,
    progress_text,
)
from store.reconciliation_tables import MismatchRow, ReconciliationRow

UNFINISHED: tuple[ReportState, ...] = ("running", "paused")
# People look at the last few reports; what these say of records is personal data, and is kept no longer than needed.
DETAILS_KEPT = timedelta(days=30)


class Reconciliations:
    """The reports of all connections. Listed records are staged as those of plans are, under the report's id."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys
        self.staging = PlanStaging(database, keys)
        self.facts = ReconciliationFacts(database)

    async def heads(self, connection: str | None, flow: str | None, limit: int) -> list[ReportHead]:
        """Return reports without their mismatches, newest first; of one connection or flow if it is given."""
        query = select(ReconciliationRow).order_by(ReconciliationRow.started_at.desc(), ReconciliationRow.id.desc())
        if connection is not None:
            query = query.where(ReconciliationRow.connection == connection)
        if flow is not None:
            query = query.where(ReconciliationRow.flow == flow)
        async with self._database.reading() as session:
            return [head_of(row) for row in await session.scalars(query.limit(limit))]

    async def head(self, report_id: str) -> ReportHead | None:
        """Return a report without its mismatches, None if there is none of this id."""
        async with self._database.reading() as session:
            row = await session.get(ReconciliationRow, report_id)
        return head_of(row) if row else None

    async def mismatches(
        self, report_id: str, *, offset: int = 0, limit: int = 100, kind: str | None = None
    ) -> list[Mismatch]:
        """Return mismatches by number, of one kind if it is given. Those of a forgotten report have no values."""
        query = select(MismatchRow).where(MismatchRow.report_id == report_id)
        if kind is not None:
            query = query.where(MismatchRow.kind == kind)
        async with self._database.reading() as session:
            rows = (await session.scalars(query.order_by(MismatchRow.number).offset(offset).limit(limit))).all()
        return [mismatch_of(self._keys, row) for row in rows]

    async def begin(self, report: NewReport, resumed_since: datetime) -> ReportHead:
        """Note that a comparison begins, and return its head.

        One that was left unfinished since `resumed_since`, under the same mapping, is gone on with, under its own id;
        older ones are given up. Repeating it changes nothing.
        """
        async with self._database.writing() as session:
            known = await session.get(ReconciliationRow, report.id)
            if known is not None:
                return head_of(known)
            left = await _unfinished(session, report)
            row = next((each for each in left if _can_go_on(each, report, resumed_since)), None)
            old = [each for each in left if each is not row]
            for each in old:
                each.state, each.ended_at = "given-up", datetime.now(UTC)
                each.explanation = "another one was begun before it came to its end"
            if row is None:
                row = _new_row(report)
                session.add(row)
            row.state = "running"
            head = head_of(row)
        for each in old:
            await self.staging.clear(each.id)
        return head

    async def progress(self, report_id: str) -> dict[str, ListProgress]:
        """Return how far each list of a running report has been read."""
        async with self._database.reading() as session:
            row = await session.get(ReconciliationRow, report_id)
        return progress_of(row.progress) if row else {}

    async def advance(self, report_id: str, listing: str, page: int, records: int, *, has_more: bool) -> None:
        """Note that a page of a list was staged. A page that was noted before is not counted twice."""
        async with self._database.writing() as session:
            row = await session.get(ReconciliationRow, report_id, with_for_update=True)
            known = progress_of(row.progress) if row else {}
            now = known.get(listing, ListProgress())
            if row is not None and page == now.next_page:
                after = ListProgress(page + 1 if has_more else 0, now.pages + 1, now.records + records)
                row.progress = progress_text({**known, listing: after})

    async def read_again(self, report_id: str, listings: Sequence[str]) -> None:
        """Let these lists be read again from their first page: rows may have moved while they were read."""
        async with self._database.writing() as session:
            row = await session.get(ReconciliationRow, report_id, with_for_update=True)
            if row is not None:
                known = progress_of(row.progress)
                row.progress = progress_text({**known, **dict.fromkeys(listings, ListProgress())})

    async def unstage(self, report_id: str, side: Side, record_ids: Sequence[str]) -> None:
        """Forget records that are gone since they were staged."""
        here = (PlanStagedRow.plan_id == report_id, PlanStagedRow.side == side)
        async with self._database.writing() as session:
            await session.execute(delete(PlanStagedRow).where(*here, PlanStagedRow.record_id.in_(record_ids)))

    async def known(self, connection: str, flow: str) -> set[str]:
        """Return by what the mismatches of the last report that came to its end are known, save those being mended."""
        last = (
            select(ReconciliationRow.id)
            .where(ReconciliationRow.connection == connection, ReconciliationRow.flow == flow)
            .where(ReconciliationRow.state == "done")
            .order_by(ReconciliationRow.started_at.desc())
            .limit(1)
        )
        query = select(MismatchRow.fingerprint).where(
            MismatchRow.report_id == last.scalar_subquery(), MismatchRow.cause == "unknown"
        )
        async with self._database.reading() as session:
            return set(await session.scalars(query))

    def row(self, report_id: str, found: Mismatch, fingerprint: str) -> dict[str, Any]:
        """Return a mismatch ready to be added. Touches no database, so a thread may do it."""
        return mismatch_row(self._keys, report_id, found, fingerprint)

    async def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add mismatches that `row` made."""
        if rows:
            async with self._database.writing() as session:
                await session.execute(insert(MismatchRow), [{"announced_at": None, **each} for each in rows])

    async def clear_mismatches(self, report_id: str) -> None:
        """Forget what an earlier attempt found, a little at a time: a long delete lets every other writer wait."""
        first = select(func.min(MismatchRow.number)).where(MismatchRow.report_id == report_id)
        while True:
            async with self._database.writing() as session:
                number = await session.scalar(first)
                if number is None:
                    return
                part = MismatchRow.number < number + DELETED_AT_ONCE
                await session.execute(delete(MismatchRow).where(MismatchRow.report_id == report_id, part))

    async def finish(self, report_id: str, outcome: Outcome, content_hash: str) -> bool:
        """Note what a running report came to, and let people be told if it found anything new. Safe to repeat.

        False if it does not run any more.
        """
        async with self._database.writing() as session:
            row = await session.get(ReconciliationRow, report_id, with_for_update=True)
            if row is None or row.state not in UNFINISHED:
                return False
            row.state, row.ended_at = "done", datetime.now(UTC)
            row.summary, row.content_hash = outcome_text(outcome), content_hash
            place = f"{row.connection}/{row.flow}"
            await report_alert(session, place, report_id, row.connection, row.ended_at, new=outcome.new_mismatches > 0)
            return True

    async def end(self, report_id: str, state: ReportState, explanation: str) -> None:
        """Note that a report will not be finished, or waits, and why. One that has ended stays as it is."""
        ended_at = None if state in UNFINISHED else datetime.now(UTC)
        change = update(ReconciliationRow).where(
            ReconciliationRow.id == report_id, ReconciliationRow.state.in_(UNFINISHED)
        )
        async with self._database.writing() as session:
            await session.execute(change.values(state=state, ended_at=ended_at, explanation=explanation))

    async def to_repair(self, report_id: str, count: int) -> list[Mismatch]:
        """Return the next mismatches that a sync mends and that were not announced yet, by number."""
        query = select(MismatchRow).where(
            MismatchRow.report_id == report_id, MismatchRow.repair == "sync", MismatchRow.announced_at.is_(None)
        )
        async with self._database.reading() as session:
            rows = (await session.scalars(query.order_by(MismatchRow.number).limit(count))).all()
        return [mismatch_of(self._keys, row) for row in rows]

    async def announced(self, report_id: str, numbers: Sequence[int]) -> None:
        """Note that these were handed to the workflows of their records, and how many that makes."""
        here = MismatchRow.report_id == report_id
        change = update(MismatchRow).where(here, MismatchRow.number.in_(numbers)).values(announced_at=datetime.now(UTC))
        count = select(func.count()).where(here, MismatchRow.announced_at.is_not(None))
        async with self._database.writing() as session:
            row = await session.get(ReconciliationRow, report_id, with_for_update=True)
            await session.execute(change)
            if row is not None:
                told = await session.scalar(count) or 0
                row.summary = json.dumps({**json.loads(row.summary), "repaired": told}, sort_keys=True)

    async def forget_old(self, connection: str) -> None:
        """Forget what reports of more than 30 days ago say of records. Their numbers stay, to be compared."""
        before = datetime.now(UTC) - DETAILS_KEPT
        await self._forget([each for each in await self._kept(connection) if each.started_at < before])

    async def erase_values(self, connection: str) -> None:
        """Erase all that a connection's reports say of people. A report that is being made is given up."""
        kept = await self._kept(connection)
        for head in kept:
            await self.end(head.id, "given-up", "values were erased while it was being made; make another one")
            await self.staging.clear(head.id)
        await self._forget(kept)

    async def _kept(self, connection: str) -> list[ReportHead]:
        """Return the reports that still say anything of records."""
        query = select(ReconciliationRow).where(ReconciliationRow.connection == connection)
        says = select(MismatchRow.report_id).where(MismatchRow.sealed_detail != b"").distinct()
        query = query.where(ReconciliationRow.id.in_(says) | ReconciliationRow.state.in_(UNFINISHED))
        async with self._database.reading() as session:
            return [head_of(row) for row in await session.scalars(query)]

    async def _forget(self, heads: Sequence[ReportHead]) -> None:
        for head in heads:
            last = select(func.max(MismatchRow.number)).where(MismatchRow.report_id == head.id)
            async with self._database.reading() as session:
                count = await session.scalar(last) or 0
            for start in range(1, count + 1, DELETED_AT_ONCE):
                part = MismatchRow.number.between(start, start + DELETED_AT_ONCE - 1)
                change = update(MismatchRow).where(MismatchRow.report_id == head.id, part)
                async with self._database.writing() as session:
                    await session.execute(change.values(sealed_detail=b""))


async def _unfinished(session: AsyncSession, report: NewReport) -> Sequence[ReconciliationRow]:
    query = select(ReconciliationRow).where(
        ReconciliationRow.connection == report.connection,
        ReconciliationRow.flow == report.flow,
        ReconciliationRow.state.in_(UNFINISHED),
    )
    return (await session.scalars(query.order_by(ReconciliationRow.started_at.desc()))).all()


def _can_go_on(row: ReconciliationRow, report: NewReport, since: datetime) -> bool:
    """What was listed under another mapping cannot be compared with what is listed now."""
    return row.started_at >= since and row.mapping_version == report.mapping_version


def _new_row(report: NewReport) -> ReconciliationRow:
    return ReconciliationRow(
        id=report.id,
        connection=report.connection,
        flow=report.flow,
        state="running",
        mapping_version=report.mapping_version,
        started_at=datetime.now(UTC),
        ended_at=None,
        progress="{}",
        summary="{}",
        content_hash="",
        explanation="",
    )
