"""The sweep of opportunities and their documents: catches every change that no webhook announced."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.documents import DocumentActivities
    from activities.opportunities import OpportunityActivities
    from activities.opportunity_models import DocumentsPage, Kind
    from activities.queues import FRESHBOOKS
    from activities.sweep_models import Stream, SweepEnd, SweepPage, SweptPage
    from activities.sweeps import CursorActivities
    from activities.watch_models import DeletionsPage
    from workflows.models import SweepResult
    from workflows.opportunity_models import OpportunitySweepRequest
    from workflows.options import STORE_CALL, api_call
    from workflows.sweeps import BACKFILL, FIRST_LOOK_BACK, MOST_PASSES, SWEEP

PARTS = ("deleted", "listed", "estimate", "invoice")


@workflow.defn
class OpportunitySweep:
    """List what was deleted, then opportunities, estimates and invoices that changed, and only then move the cursor."""

    @workflow.run
    async def run(self, request: OpportunitySweepRequest) -> SweepResult:
        """Read every list to its end; that of opportunities again if some were deleted meanwhile."""
        self._now = request
        if request.started_at is None:
            start = await workflow.execute_local_activity_method(
                CursorActivities.begin_sweep, self._stream(), **STORE_CALL
            )
            self._update(since=start.since, started_at=start.started_at)
        while self._now.part < len(PARTS):
            await self._read_list()
            if PARTS[self._now.part] == "listed" and await self._rows_shifted():
                if self._now.passes >= MOST_PASSES:  # the cursor stays: the next sweep reads the same stretch
                    return self._result()
                self._update(passes=self._now.passes + 1, page=1)
            else:
                self._update(part=self._now.part + 1, page=1)
        end = SweepEnd(stream=self._stream(), read_until=self._now.started_at or workflow.now())
        await workflow.execute_local_activity_method(CursorActivities.end_sweep, end, **STORE_CALL)
        return self._result()

    async def _read_list(self) -> None:
        has_more = True
        while has_more:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._now)
            swept = await self._read_page()
            has_more, now = swept.has_more, self._now
            self._update(page=now.page + 1, listed=now.listed + swept.listed, announced=now.announced + swept.announced)
            workflow.set_current_details(f"{self._now.listed} records listed, {self._now.announced} differ")

    async def _read_page(self) -> SweptPage:
        match PARTS[self._now.part]:
            case "deleted":
                return await self._deleted()
            case "estimate":
                return await self._documents("estimate")
            case "invoice":
                return await self._documents("invoice")
            case _:
                return await self._opportunities()

    async def _deleted(self) -> SweptPage:
        since = self._now.since or (self._now.started_at or workflow.now()) - FIRST_LOOK_BACK
        page = DeletionsPage(connection=self._now.connection, since=since, page=self._now.page, priority=SWEEP)
        call = api_call(self._now.crm, page.connection, SWEEP, f"page {page.page} of deleted opportunities")
        return await workflow.execute_activity_method(OpportunityActivities.sweep_gone_opportunities, page, **call)

    async def _opportunities(self) -> SweptPage:
        now, rank = self._now, SWEEP if self._now.since else BACKFILL
        page = SweepPage(connection=now.connection, since=now.since, page=now.page, priority=rank)
        call = api_call(now.crm, now.connection, rank, f"page {now.page} of opportunities")
        return await workflow.execute_activity_method(OpportunityActivities.sweep_opportunities, page, **call)

    async def _documents(self, kind: Kind) -> SweptPage:
        now = self._now
        page = DocumentsPage(connection=now.connection, kind=kind, since=now.since, page=now.page, priority=SWEEP)
        call = api_call(FRESHBOOKS, now.connection, SWEEP, f"page {now.page} of {kind}s")
        return await workflow.execute_activity_method(DocumentActivities.sweep_documents, page, **call)

    async def _rows_shifted(self) -> bool:
        """Return whether opportunities were deleted while more than one page was listed: rows moved to read pages."""
        if self._now.page <= 2:
            return False
        since = (self._now.started_at or workflow.now()) - timedelta(seconds=1)
        page = DeletionsPage(connection=self._now.connection, since=since, page=1, priority=SWEEP)
        call = api_call(self._now.crm, page.connection, SWEEP, "opportunities deleted while we listed")
        swept = await workflow.execute_activity_method(OpportunityActivities.sweep_gone_opportunities, page, **call)
        known, self._now = self._now.deleted, self._now.model_copy(update={"deleted": swept.listed})
        return swept.has_more or swept.listed > known

    def _stream(self) -> Stream:
        return Stream(connection=self._now.connection, name=f"{self._now.crm}.opportunities")

    def _update(self, **changes: object) -> None:
        self._now = self._now.model_copy(update=changes)

    def _result(self) -> SweepResult:
        return SweepResult(listed=self._now.listed, announced=self._now.announced, passes=self._now.passes)
