"""The sweep: catches every change that no webhook announced, and on the first run everything that was there before."""

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.sweep_models import DeletedSince, Stream, SweepEnd, SweepPage, SweptPage
    from activities.sweeps import CursorActivities, SweepActivities
    from activities.watch_models import DeletionsPage
    from workflows.bulk import weigh_first_creates
    from workflows.models import SweepRequest, SweepResult
    from workflows.options import STORE_CALL, api_call

PARTIES = {"capsule": "capsule.parties", "zoho_crm": "zoho_crm.parties"}
"""The stream that a sweep reads, by CRM."""
SWEEP, BACKFILL = 3, 5
# A deletion while we list shifts later rows to pages that we have read already. Then we list again; after this many
# passes the cursor stays where it is, and the next sweep reads the same stretch.
MOST_PASSES = 3
# A first sweep asks for deletions too: webhooks may have linked parties long before it comes to its end. How long
# systems remember deletions is not documented.
FIRST_LOOK_BACK = timedelta(days=30)


@workflow.defn
class PartySweep:
    """List the parties that were deleted or changed, announce those that differ, and only then move the cursor."""

    @workflow.run
    async def run(self, request: SweepRequest) -> SweepResult:
        """Read the deletions, then every page of parties, again if parties were deleted meanwhile."""
        self._progress = request
        if request.started_at is None:
            await self._begin()
        if workflow.patched("announce-deletions"):
            await self._list_deletions()
        while True:
            await self._list_pages()
            if not await self._rows_shifted():
                break
            if self._progress.passes >= MOST_PASSES:
                return self._result()
            self._update(passes=self._progress.passes + 1, page=1)
        await self._end()
        return self._result()

    async def _begin(self) -> None:
        start = await workflow.execute_local_activity_method(CursorActivities.begin_sweep, self._stream(), **STORE_CALL)
        self._update(since=start.since, started_at=start.started_at)
        if start.since is None and workflow.patched("weigh-first-creates"):
            self._update(keep_creates=True)

    async def _list_deletions(self) -> None:
        """Announce the parties that were deleted; what is deleted from here on belongs to the next sweep."""
        while self._progress.deletions_page is not None:
            self._continue_if_long()
            swept = await self._sweep_deletions(self._progress.deletions_page)
            self._update(
                deletions_page=self._progress.deletions_page + 1 if swept.has_more else None,
                announced=self._progress.announced + swept.announced,
            )

    async def _sweep_deletions(self, page: int) -> SweptPage:
        since = self._progress.since or self._started_at() - FIRST_LOOK_BACK
        asked = DeletionsPage(connection=self._progress.connection, since=since, page=page, priority=SWEEP)
        summary = f"page {page} of parties deleted since {since}"
        return await workflow.execute_activity_method(
            SweepActivities.sweep_deletions, asked, **api_call(self._progress.crm, asked.connection, SWEEP, summary)
        )

    async def _list_pages(self) -> None:
        has_more = True
        while has_more:
            self._continue_if_long()
            swept = await self._sweep_page()
            has_more = swept.has_more
            now = self._progress
            self._update(page=now.page + 1, listed=now.listed + swept.listed, announced=now.announced + swept.announced)
            workflow.set_current_details(f"{self._progress.listed} parties listed, {self._progress.announced} differ")

    async def _sweep_page(self) -> SweptPage:
        now = self._progress
        rank = SWEEP if now.since else BACKFILL
        return await workflow.execute_activity_method(
            SweepActivities.sweep_parties,
            SweepPage(
                connection=now.connection, since=now.since, page=now.page, priority=rank, keep_creates=now.keep_creates
            ),
            **api_call(
                now.crm, now.connection, rank, f"page {now.page} of parties since {now.since or 'the beginning'}"
            ),
        )

    async def _rows_shifted(self) -> bool:
        """Return whether parties were deleted, since we last asked, while more than one page was listed."""
        if self._progress.page <= 2:
            return False
        deletions = await workflow.execute_activity_method(
            SweepActivities.deleted_parties,
            DeletedSince(connection=self._progress.connection, since=self._started_at()),
            **api_call(self._progress.crm, self._progress.connection, SWEEP, "parties deleted while we listed"),
        )
        known = set(self._progress.deleted)
        self._update(deleted=deletions.party_ids)
        return deletions.has_more or not known.issuperset(deletions.party_ids)

    async def _end(self) -> None:
        if self._progress.keep_creates:
            await weigh_first_creates(self._progress.connection, self._progress.crm)
        end = SweepEnd(stream=self._stream(), read_until=self._started_at())
        await workflow.execute_local_activity_method(CursorActivities.end_sweep, end, **STORE_CALL)

    def _continue_if_long(self) -> None:
        """Go on as a new run, at the next page, before the history grows too long."""
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(self._progress)

    def _started_at(self) -> datetime:
        return self._progress.started_at or workflow.now()

    def _stream(self) -> Stream:
        return Stream(connection=self._progress.connection, name=PARTIES[self._progress.crm])

    def _update(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update=changes)

    def _result(self) -> SweepResult:
        now = self._progress
        return SweepResult(listed=now.listed, announced=now.announced, passes=now.passes)
