"""The reconciliation: both sides read in full and compared; its product is the mismatch report. It writes to neither.

Our store knows the next page of each list, so a run that was killed, even one that was begun anew, goes on there.
"""

import asyncio
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.crm_hooks import CrmHookActivities
    from activities.hooks import FreshBooksHookActivities
    from activities.models import ConnectionName
    from activities.queues import FRESHBOOKS
    from activities.reconciliation_listing import ReconciledClients, ReconciledParties
    from activities.reconciliation_models import (
        BOOKS,
        CRM,
        DELETED,
        BeginReport,
        Compared,
        CompareSides,
        EndReport,
        ListPage,
        LookAgain,
        ReadAgain,
    )
    from activities.reconciliations import ReportActivities
    from activities.sweep_models import DeletedSince
    from activities.sweeps import SweepActivities
    from workflows.failures import text_of
    from workflows.hooks import CLIENT_EVENTS, PARTY_EVENTS
    from workflows.options import STORE_CALL, api_call, long_store_call
    from workflows.reconciliation_models import ReconciliationRequest, ReconciliationResult
    from workflows.reconciliation_money import MOST_PAGES, MoneyReport

CLIENTS_FLOW = "clients"
RANK = 5  # behind everything that anybody waits for
# A deletion while we list moves later rows to pages that we have read already. Then we list again; after this many
# passes the report says that it is not complete.
MOST_PASSES = 3


def reconciliation_id(connection: str, flow: str) -> str:
    """Return the id of the one workflow that may compare a connection's flow."""
    return f"reconciliation/{connection}/{flow}"


@workflow.defn
class Reconciliation:
    """List both sides to their ends, compare them, keep what differs, and hand it over if that is asked for."""

    @workflow.run
    async def run(self, request: ReconciliationRequest) -> ReconciliationResult:
        """Make one report. A person who cancels gives it up; what was listed is forgotten then."""
        self._progress = request
        await self._begin()
        try:
            compared = await (self._clients() if request.flow == CLIENTS_FLOW else self._money())
            repaired = await self._repair() if request.repair else 0
        except (FailureError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) or is_cancelled_exception(error):
                await self._end("given-up", "stopped by a person")
                raise
            await self._end("failed", text_of(error))
            raise ApplicationError(f"not compared: {text_of(error)}", type="NotCompared", non_retryable=True) from error
        workflow.set_current_details(f"{compared.mismatches} mismatches, {compared.new_mismatches} of them new")
        return ReconciliationResult(
            outcome="done",
            report_id=self._report.report_id,
            mismatches=compared.mismatches,
            new_mismatches=compared.new_mismatches,
            repaired=repaired,
        )

    async def _begin(self) -> None:
        now, info = self._progress, workflow.info()
        if not now.report_id:
            made = f"{now.connection}-{now.flow}-{workflow.now():%Y%m%d-%H%M%S}-{info.run_id[-8:]}"
            self._update(report_id=made, pass_began=workflow.now())
        asked = BeginReport(report_id=self._progress.report_id, connection=now.connection, flow=now.flow)
        self._report = await workflow.execute_local_activity_method(ReportActivities.begin_report, asked, **STORE_CALL)
        if self._report.report_id != self._progress.report_id:  # an earlier run was killed: we cannot know its pages
            began, many = self._report.started_at, 2
            self._update(report_id=self._report.report_id, pass_began=began, crm_pages=many, books_pages=many)

    async def _clients(self) -> Compared:
        is_complete = await self._list()
        missing_hooks = await self._missing_hooks() if self._report.webhooks else []
        asked = CompareSides(report=self._report, is_complete=is_complete, missing_hooks=missing_hooks)
        return await self._compare(asked)

    async def _money(self) -> Compared:
        """Read and compare opportunities or payments; our store knows how far a run has come that continues."""
        money = MoneyReport(self._report, self._progress.crm)
        if not await money.list():
            for page in self._report.pages.values():
                _counted(page)
            workflow.continue_as_new(self._progress)
        return await money.compare()

    async def _list(self) -> bool:
        """Read all lists, again if rows moved meanwhile, and return whether they are complete."""
        while True:
            await asyncio.gather(self._list_parties(), self._list_clients())
            self._continue_if_long()
            gone = await self._parties_gone()
            shifted = self._shifted(gone)
            if not shifted:
                return True
            if self._progress.passes >= MOST_PASSES:
                return False
            await self._list_again(shifted, gone)

    async def _list_parties(self) -> None:
        while self._report.crm_page and not _is_long():
            page = _counted(self._report.crm_page)
            listed = await workflow.execute_activity_method(
                ReconciledParties.list_parties, self._page(page), **self._call(CRM, f"page {page} of all parties")
            )
            self._report.crm_page = page + 1 if listed.has_more else 0
            self._update(crm_pages=page)

    async def _list_clients(self) -> None:
        while self._report.books_page and not _is_long():
            page = self._report.books_page
            self._report.books_page = await self._list_clients_page(page, deleted=False)
            self._update(books_pages=page)
        while self._report.deleted_page and not _is_long():
            self._report.deleted_page = await self._list_clients_page(self._report.deleted_page, deleted=True)

    async def _list_clients_page(self, page: int, *, deleted: bool) -> int:
        """Return the next page; 0 if there is none."""
        summary = f"page {_counted(page)} of {'deleted' if deleted else 'all'} clients"
        listed = await workflow.execute_activity_method(
            ReconciledClients.list_clients, self._page(page, deleted=deleted), **self._call(BOOKS, summary)
        )
        self._update(deleted=[*self._progress.deleted, *listed.deleted_lately])
        return page + 1 if listed.has_more else 0

    async def _parties_gone(self) -> list[int] | None:
        """Return the parties that were deleted while more than one page was listed; None if there are too many."""
        if self._progress.crm_pages < 2:
            return []
        asked = DeletedSince(connection=self._report.connection, since=self._began())
        deletions = await workflow.execute_activity_method(
            SweepActivities.deleted_parties, asked, **self._call(CRM, "parties deleted while we listed")
        )
        return None if deletions.has_more else deletions.party_ids

    def _shifted(self, gone: list[int] | None) -> list[str]:
        """Return the lists in which rows moved to a page that was read already."""
        now, lists = self._progress, []
        if gone is None or not set(now.known_gone).issuperset(gone):
            lists.append(CRM)
        if now.books_pages > 1 and not set(now.known_deleted).issuperset(now.deleted):
            lists += [BOOKS, DELETED]
        return lists

    async def _list_again(self, lists: list[str], gone: list[int] | None) -> None:
        again = ReadAgain(report=self._report, listings=lists, gone_parties=gone or [])
        await workflow.execute_local_activity_method(ReportActivities.list_again, again, **STORE_CALL)
        now = self._progress
        self._update(
            passes=now.passes + 1,
            pass_began=workflow.now(),
            known_gone=[*now.known_gone, *(gone or [])],
            known_deleted=[*now.known_deleted, *now.deleted],
            deleted=[],
        )
        if CRM in lists:
            self._report.crm_page = 1
        if BOOKS in lists:
            self._report.books_page = self._report.deleted_page = 1

    async def _missing_hooks(self) -> list[str]:
        """Return the webhooks of clients that should be there and are not. A system may not allow us any."""
        asked, missing = ConnectionName(connection=self._report.connection), []
        crm = await workflow.execute_activity_method(
            CrmHookActivities.list_rest_hooks, asked, **self._call(CRM, "our hooks")
        )
        books = await workflow.execute_activity_method(
            FreshBooksHookActivities.list_callbacks, asked, **self._call(BOOKS, "our callbacks")
        )
        if crm.allowed:
            wanted = PARTY_EVENTS[self._progress.crm]
            missing += [f"{self._progress.crm} {each}" for each in wanted if each not in crm.events]
        if books.allowed:
            missing += [f"{FRESHBOOKS} {each}" for each in CLIENT_EVENTS if each not in books.events]
            missing += [f"{FRESHBOOKS} callback {each}, which waits for its handshake" for each in books.unverified]
        return missing

    async def _compare(self, asked: CompareSides) -> Compared:
        """Compare; what changed while the lists were read is looked at once more before that is final."""
        compared = await self._compared(asked)
        if compared.is_finished:
            return compared
        for party_id in compared.parties:
            again = LookAgain(report=self._report, record_id=party_id)
            await workflow.execute_activity_method(
                ReconciledParties.look_at_party_again, again, **self._call(CRM, f"party {party_id} again")
            )
        for client_id in compared.clients:
            again = LookAgain(report=self._report, record_id=client_id)
            await workflow.execute_activity_method(
                ReconciledClients.look_at_client_again, again, **self._call(BOOKS, f"client {client_id} again")
            )
        return await self._compared(asked.model_copy(update={"is_final": True}))

    async def _compared(self, asked: CompareSides) -> Compared:
        return await workflow.execute_activity_method(
            ReportActivities.compare_sides, asked, **long_store_call("compare both sides")
        )

    async def _repair(self) -> int:
        """Hand over what a sync mends, a hundred records at a time: their workflows look, and write."""
        repaired = 0
        while True:
            announced = await workflow.execute_activity_method(
                ReportActivities.announce_repairs, self._report, **long_store_call("hand over what a sync mends")
            )
            if not announced.count:
                return repaired
            repaired += announced.count

    async def _end(self, state: str, text: str) -> None:
        workflow.set_current_details(f"not compared: {text}")
        ended = EndReport(report=self._report, state=state, text=text)
        call = long_store_call("forget what was listed")
        await workflow.execute_activity_method(ReportActivities.end_report, ended, **call)

    def _page(self, page: int, *, deleted: bool = False) -> ListPage:
        return ListPage(report=self._report, page=page, deleted=deleted, began=self._began())

    def _call(self, side: str, summary: str) -> workflow.ActivityConfig:
        system = self._progress.crm if side == CRM else FRESHBOOKS
        return api_call(system, self._report.connection, RANK, summary)

    def _began(self) -> datetime:
        return self._progress.pass_began or self._report.started_at

    def _continue_if_long(self) -> None:
        """Go on as a new run, at the next pages, before the history grows too long."""
        left = self._report.crm_page or self._report.books_page or self._report.deleted_page
        if left and _is_long():
            workflow.continue_as_new(self._progress)

    def _update(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update=changes)


def _is_long() -> bool:
    return workflow.info().is_continue_as_new_suggested()


def _counted(page: int) -> int:
    if page > MOST_PAGES:
        text = f"a list has more than {MOST_PAGES} pages: is it endless? Nothing is compared"
        raise ApplicationError(text, type="EndlessList", non_retryable=True)
    return page
