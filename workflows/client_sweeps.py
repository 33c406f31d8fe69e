"""The sweep of the books: catches every change of a client that no webhook announced, and on the first run all of them.

FreshBooks' filter knows whole days only, so the sweep lists the last day or two each time and compares fingerprints.
"""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.client_sweeps import ClientSweepActivities
    from activities.queues import FRESHBOOKS
    from activities.sweep_models import Stream, SweepEnd
    from activities.sweeps import CursorActivities
    from activities.watch_models import ClientPage, SweptClients
    from workflows.bulk import weigh_first_creates
    from workflows.models import ClientSweepRequest, SweepResult
    from workflows.options import STORE_CALL, api_call
    from workflows.sweeps import BACKFILL, MOST_PASSES, SWEEP

CLIENTS = "freshbooks.clients"
# Half a million clients. A list that is longer has no end, which is FreshBooks' fault and not ours to follow.
MOST_PAGES = 5000


@workflow.defn
class ClientSweep:
    """List the clients that changed or were deleted, announce those that differ, and only then move the cursor."""

    @workflow.run
    async def run(self, request: ClientSweepRequest) -> SweepResult:
        """Read both lists to their ends, again if clients were deleted meanwhile."""
        self._progress = request
        if request.started_at is None:
            await self._begin()
        while True:
            await self._list_pages()
            if not self._progress.in_deleted:
                self._update(in_deleted=True, pages=self._progress.page - 1, page=1)
            elif not self._rows_shifted():
                break
            elif self._progress.passes >= MOST_PASSES:
                return self._result()
            else:
                self._list_again()
        await self._end()
        return self._result()

    async def _begin(self) -> None:
        start = await workflow.execute_local_activity_method(CursorActivities.begin_sweep, self._stream(), **STORE_CALL)
        self._update(since=start.since, started_at=start.started_at, began=start.started_at)

    async def _list_pages(self) -> None:
        has_more = True
        while has_more:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._progress)
            swept = await self._sweep_page()
            has_more = swept.has_more
            self._add(swept)
            workflow.set_current_details(f"{self._progress.listed} clients listed, {self._progress.announced} differ")

    async def _sweep_page(self) -> SweptClients:
        now = self._progress
        if now.page > MOST_PAGES:
            text = f"FreshBooks lists more than {MOST_PAGES} pages of clients of {now.connection}: is the list endless?"
            raise ApplicationError(f"{text} The cursor stays where it is", type="EndlessList", non_retryable=True)
        rank = SWEEP if now.since else BACKFILL
        which = "deleted clients" if now.in_deleted else "clients"
        return await workflow.execute_activity_method(
            ClientSweepActivities.sweep_clients,
            ClientPage(
                connection=now.connection,
                since=now.since,
                deleted=now.in_deleted,
                page=now.page,
                priority=rank,
                began=now.began or self._started_at(),
            ),
            **api_call(
                FRESHBOOKS, now.connection, rank, f"page {now.page} of {which} since {now.since or 'the beginning'}"
            ),
        )

    def _add(self, swept: SweptClients) -> None:
        now = self._progress
        self._update(
            page=now.page + 1,
            listed=now.listed + swept.listed,
            announced=now.announced + swept.announced,
            deleted=[*now.deleted, *swept.deleted_lately],
        )

    def _rows_shifted(self) -> bool:
        """Return whether clients left the first list, for that of the deleted, while it had more than one page.

        Rows behind them have then moved to a page that was read already.
        """
        return self._progress.pages > 1 and not set(self._progress.known_deleted).issuperset(self._progress.deleted)

    def _list_again(self) -> None:
        self._update(
            passes=self._progress.passes + 1,
            in_deleted=False,
            page=1,
            began=workflow.now(),
            known_deleted=self._progress.deleted,
            deleted=[],
        )

    async def _end(self) -> None:
        if self._progress.since is None:
            await weigh_first_creates(self._progress.connection, self._progress.crm)
        end = SweepEnd(stream=self._stream(), read_until=self._started_at())
        await workflow.execute_local_activity_method(CursorActivities.end_sweep, end, **STORE_CALL)

    def _started_at(self) -> datetime:
        return self._progress.started_at or workflow.now()

    def _stream(self) -> Stream:
        return Stream(connection=self._progress.connection, name=CLIENTS)

    def _update(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update=changes)

    def _result(self) -> SweepResult:
        now = self._progress
        return SweepResult(listed=now.listed, announced=now.announced, passes=now.passes)
