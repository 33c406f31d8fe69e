"""The billing report: gather what FreshBooks has, page by page, and compute it. Nothing is written anywhere."""

from collections.abc import Callable, Coroutine
from datetime import date, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.billing_report_facts import (
        BillsOf,
        By,
        ClientAsked,
        EntriesRead,
        InvoicesRead,
        NamesRead,
        PaymentsRead,
        PlaceAsked,
        ReadForReport,
        ReportFacts,
        ReportPlace,
    )
    from activities.billing_report_models import Basis, BillingReport, HoursKind, LagRow, Step
    from activities.billing_reports import BillingReportActivities as Store
    from activities.billing_reports import BillingReportReading as Books
    from activities.queues import FRESHBOOKS
    from workflows.options import STORE_CALL, api_call

__all__ = ["Basis", "BillingReport", "BillingReportRequest", "By", "HoursKind", "LagRow", "MakeBillingReport", "Step"]

PERSON = 1
LOOK_BACK = timedelta(days=92)
"""So long before the period entries are read too, because their invoices may be of the period."""
BILLS_AT_ONCE = 100
MOST_HISTORY = 40_000_000
"""Bytes of a run's history, which holds what was read; at 50 MiB the server ends it. A record takes some 150."""
MOST_CLIENTS_READ = 100
"""Names come with invoices; of clients that have none, so many are read one by one. The rest is shown by id."""

Read = TypeVar("Read", EntriesRead, InvoicesRead, PaymentsRead, NamesRead)
_Reader = Callable[[Any, ReadForReport], Coroutine[Any, Any, Read]]


class BillingReportRequest(BaseModel):
    """The days of a report, both included; None: the last whole month."""

    connection: str
    first: date | None = None
    last: date | None = None


@workflow.defn
class MakeBillingReport:
    """Say what was worked, billed, invoiced and paid in a period, and how long each took."""

    @workflow.run
    async def run(self, request: BillingReportRequest) -> BillingReport:
        """Read everything once, and compute the report."""
        facts = await self._place(request)
        asked = ReadForReport(connection=facts.connection, first=facts.first, last=facts.last, zone=facts.zone)
        await self._entries(asked, facts)
        for invoices in await self._pages(Books.read_report_invoices, asked, "invoices"):
            facts.invoices += invoices.invoices
            facts.unreadable += invoices.unreadable
        for payments in await self._pages(Books.read_report_payments, asked, "payments"):
            facts.payments += payments.payments
            facts.unreadable += payments.unreadable
        await self._names(asked, facts)
        await self._bills(facts)
        workflow.set_current_details(f"computing {facts.first} to {facts.last}")
        return await workflow.execute_local_activity_method(Store.make_billing_report, facts, **STORE_CALL)

    async def _place(self, request: BillingReportRequest) -> ReportFacts:
        asked = PlaceAsked(connection=request.connection)
        call = api_call(FRESHBOOKS, request.connection, PERSON, "which day it is at the firm")
        place: ReportPlace = await workflow.execute_activity_method(Books.report_place, asked, **call)
        first, last = _days(request, place.today)
        return ReportFacts(
            connection=request.connection,
            first=first,
            last=last,
            zone=place.zone,
            made_at=workflow.now(),
            today=place.today,
            entries_from=first - LOOK_BACK,
        )

    async def _entries(self, asked: ReadForReport, facts: ReportFacts) -> None:
        from_then_on = asked.model_copy(update={"first": facts.entries_from})
        pages = await self._pages(Books.read_report_entries, from_then_on, "time entries")
        facts.entries = [entry for page in pages for entry in page.entries]
        running = sum(page.running for page in pages)
        if running:
            facts.unreadable.append(f"timers that still run: {running}; their time counts once they have been stopped")

    async def _names(self, asked: ReadForReport, facts: ReportFacts) -> None:
        for projects in await self._pages(Books.read_report_projects, asked, "projects"):
            facts.names.project |= projects.names
            facts.project_clients |= projects.clients
        for services in await self._pages(Books.read_report_services, asked, "services"):
            facts.names.service |= services.names
        for people in await self._pages(Books.read_report_people, asked, "people"):
            facts.names.person |= people.names
        facts.names.client = {each.client_id: each.client_name for each in facts.invoices}
        owners = {facts.owner_of(each) for each in facts.entries if each.day >= facts.first} - {None}
        lacking = sorted(each for each in owners if each is not None and not facts.names.client.get(each))
        for client_id in lacking[:MOST_CLIENTS_READ]:
            call = api_call(FRESHBOOKS, facts.connection, PERSON, f"name of client {client_id}")
            named = ClientAsked(connection=facts.connection, client_id=client_id)
            read = await workflow.execute_activity_method(Books.read_report_client, named, **call)
            facts.names.client |= read.names

    async def _bills(self, facts: ReportFacts) -> None:
        """Ask our own store which invoices are ours. Those of before the entries that were read tell nothing."""
        ids = [each.id for each in facts.invoices if each.day >= facts.entries_from]
        for start in range(0, len(ids), BILLS_AT_ONCE):
            part = BillsOf(connection=facts.connection, invoice_ids=ids[start : start + BILLS_AT_ONCE])
            found = await workflow.execute_local_activity_method(Store.bills_of, part, **STORE_CALL)
            facts.bills |= found.entries

    async def _pages(self, reader: "_Reader[Read]", asked: ReadForReport, what: str) -> list[Read]:
        """Read a list to its end."""
        pages: list[Read] = []
        while not pages or pages[-1].has_more:
            if workflow.info().get_current_history_size() > MOST_HISTORY:
                text = f"there is too much to read for one report ({what}, page {len(pages)}): ask for fewer days"
                raise ApplicationError(text, non_retryable=True)
            page = asked.model_copy(update={"page": len(pages) + 1})
            call = api_call(FRESHBOOKS, asked.connection, PERSON, f"page {page.page} of {what}")
            pages.append(await workflow.execute_activity_method(reader, page, **call))
        return pages


def _days(request: BillingReportRequest, today: date) -> tuple[date, date]:
    """Return the days asked for, or the last whole month. Raises ApplicationError if they end before they begin."""
    if request.first is None or request.last is None:
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    if request.last < request.first:
        raise ApplicationError(f"the period ends on {request.last}, before it begins", non_retryable=True)
    return request.first, request.last
