"""The sweep: catches every change that no webhook announced, and on the first run everything that was there before."""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.models import DeletedSince, Stream, SweepEnd, SweepPage, SweptPage
    from activities.queues import CAPSULE
    from activities.sweeps import CursorActivities, SweepActivities
    from workflows.models import SweepRequest, SweepResult
    from workflows.options import STORE_CALL, api_call

PARTIES = "capsule.parties"
SWEEP, BACKFILL = 3, 5
# A deletion while we list shifts later rows to pages that we have read already. Then we list again; after this many
# passes the cursor stays where it is, and the next sweep reads the same stretch.
MOST_PASSES = 3


@workflow.defn
class PartySweep:
    """List the parties that changed, announce those that differ, and only then move the cursor."""

    @workflow.run
    async def run(self, request: SweepRequest) -> SweepResult:
        """Read every page, again if parties were deleted meanwhile."""
        self._progress = request
        if request.started_at is None:
            await self._begin()
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

    async def _list_pages(self) -> None:
        has_more = True
        while has_more:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._progress)
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
            SweepPage(connection=now.connection, since=now.since, page=now.page, priority=rank),
            **api_call(
                CAPSULE, now.connection, rank, f"page {now.page} of parties since {now.since or 'the beginning'}"
            ),
        )

    async def _rows_shifted(self) -> bool:
        """Return whether parties were deleted, since we last asked, while more than one page was listed."""
        if self._progress.page <= 2:
            return False
        deletions = await workflow.execute_activity_method(
            SweepActivities.deleted_parties,
            DeletedSince(connection=self._progress.connection, since=self._started_at()),
            **api_call(CAPSULE, self._progress.connection, SWEEP, "parties deleted while we listed"),
        )
        known = set(self._progress.deleted)
        self._update(deleted=deletions.party_ids)
        return deletions.has_more or not known.issuperset(deletions.party_ids)

    async def _end(self) -> None:
        end = SweepEnd(stream=self._stream(), read_until=self._started_at())
        await workflow.execute_local_activity_method(CursorActivities.end_sweep, end, **STORE_CALL)

    def _started_at(self) -> datetime:
        return self._progress.started_at or workflow.now()

    def _stream(self) -> Stream:
        return Stream(connection=self._progress.connection, name=PARTIES)

    def _update(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update=changes)

    def _result(self) -> SweepResult:
        now = self._progress
        return SweepResult(listed=now.listed, announced=now.announced, passes=now.passes)
