"""Reading the lists of opportunities or payments to their ends, and comparing them: a part of the reconciliation."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.queues import FRESHBOOKS
    from activities.reconciliation_cash import ReconciledCash
    from activities.reconciliation_models import (
        LISTINGS,
        Compared,
        CompareSides,
        ListedPage,
        LookAtMoney,
        MoneyPage,
        Report,
    )
    from activities.reconciliation_money_reports import OPPORTUNITIES, MoneyReportActivities
    from activities.reconciliation_sales import ReconciledDocuments, ReconciledOpportunities
    from workflows.options import api_call, long_store_call

BEHIND_ALL = 5
# Half a million records: a list that is longer has no end.
MOST_PAGES = 5000


class MoneyReport:
    """One report of opportunities or payments. Our store knows the next page of each list."""

    def __init__(self, report: Report, crm: str) -> None:
        self._report, self._crm = report, crm

    async def list(self) -> bool:
        """Read on; return False if the history has grown long before all lists came to their end."""
        for listing in LISTINGS[self._report.flow]:
            page = self._report.pages.get(listing, 1)
            while page:
                if workflow.info().is_continue_as_new_suggested() or page > MOST_PAGES:
                    return False
                listed = await self._listed(listing, page)
                page = self._report.pages[listing] = page + 1 if listed.has_more else 0
        return True

    async def compare(self) -> Compared:
        """Compare; what differs is looked at once more before that is final."""
        asked = CompareSides(report=self._report)
        compared = await self._compared(asked)
        if compared.is_finished:
            return compared
        for record in compared.records:
            await self._look_again(record)
        return await self._compared(asked.model_copy(update={"is_final": True}))

    async def _listed(self, listing: str, page: int) -> ListedPage:
        asked = MoneyPage(report=self._report, listing=listing, page=page)
        summary = f"page {page} of all {listing}"
        if listing == OPPORTUNITIES:
            call = self._call(self._crm, summary)
            return await workflow.execute_activity_method(ReconciledOpportunities.list_opportunities, asked, **call)
        call = self._call(FRESHBOOKS, summary)
        if self._report.flow == OPPORTUNITIES:
            return await workflow.execute_activity_method(ReconciledDocuments.list_documents, asked, **call)
        return await workflow.execute_activity_method(ReconciledCash.list_cash, asked, **call)

    async def _look_again(self, record: str) -> None:
        asked = LookAtMoney(report=self._report, record=record)
        if self._report.flow != OPPORTUNITIES:
            call = self._call(FRESHBOOKS, f"{record.replace(':', ' ')} again")
            await workflow.execute_activity_method(ReconciledCash.look_at_invoice_again, asked, **call)
        elif ":" in record:
            call = self._call(FRESHBOOKS, f"{record.replace(':', ' ')} again")
            await workflow.execute_activity_method(ReconciledDocuments.look_at_document_again, asked, **call)
        else:
            call = self._call(self._crm, f"opportunity {record} again")
            await workflow.execute_activity_method(ReconciledOpportunities.look_at_opportunity_again, asked, **call)

    async def _compared(self, asked: CompareSides) -> Compared:
        call = long_store_call(f"compare {self._report.flow}")
        return await workflow.execute_activity_method(MoneyReportActivities.compare_money, asked, **call)

    def _call(self, system: str, summary: str) -> workflow.ActivityConfig:
        return api_call(system, self._report.connection, BEHIND_ALL, summary)
