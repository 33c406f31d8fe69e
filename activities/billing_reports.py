"""What a billing report reads of FreshBooks and of our own store, page by page, and the making of it.

All of it only reads. Source: https://www.freshbooks.com/api/time_entries, /api/invoices, /api/payments, /api/project
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.billing_report_books import ReportBooks
from activities.billing_report_facts import (
    BillsFound,
    BillsOf,
    ClientAsked,
    EntriesRead,
    InvoicesRead,
    NamesRead,
    PaymentsRead,
    PlaceAsked,
    ReadForReport,
    ReportEntry,
    ReportFacts,
    ReportInvoice,
    ReportPayment,
    ReportPlace,
)
from activities.billing_report_making import make_report
from activities.billing_report_models import BillingReport
from activities.errors import temporal_errors
from connectors.freshbooks.document_models import Invoice
from connectors.freshbooks.hour_models import TimeEntry
from connectors.freshbooks.payment_models import Payment
from connectors.freshbooks.time_entries import EntryFilter
from mapping.money import Money, MoneyError
from mapping.periods import local_day, midnight
from store.store import Store

MOST_BYTES = 1_900_000
"""Temporal takes no result of two megabytes."""


class BillingReportReading:
    """The requests to one FreshBooks account. `zone` is the settings' time zone, None for the business's own."""

    def __init__(self, books: ReportBooks, zone: str | None) -> None:
        self._books, self._zone = books, zone

    @activity.defn
    async def report_place(self, asked: PlaceAsked) -> ReportPlace:
        """Return the firm's time zone, and which day it is there."""
        del asked
        with temporal_errors():
            zone = self._zone or (await self._books.hours.time_zone()).key
        return ReportPlace(zone=zone, today=local_day(datetime.now(UTC), ZoneInfo(zone)))

    @activity.defn
    async def read_report_entries(self, asked: ReadForReport) -> EntriesRead:
        """Return one page of the time entries that began on these days, without deleted ones."""
        zone = ZoneInfo(asked.zone)
        end = midnight(asked.last + timedelta(days=1), zone)
        with temporal_errors():
            filters = EntryFilter(started_from=midnight(asked.first, zone), started_to=end, include_unlogged=True)
            page = await self._books.hours.time_entries_page(filters, asked.page)
        # A filter that FreshBooks ignores brings others too.
        kept = [each for each in page.items if each.active is not False and _is_of(each, asked, zone)]
        entries = [entry for entry in (_entry(each, zone) for each in kept) if entry is not None]
        return EntriesRead(entries=entries, running=len(kept) - len(entries), has_more=page.has_more)

    @activity.defn
    async def read_report_invoices(self, asked: ReadForReport) -> InvoicesRead:
        """Return one page of all invoices, without deleted ones and those that are dated after these days."""
        with temporal_errors():
            page = await self._books.invoices.list_page(page=asked.page)
        read = InvoicesRead(has_more=page.has_more)
        for each in page.items:
            invoice = _invoice(each)
            if isinstance(invoice, str):
                read.unreadable.append(invoice)
            elif invoice.day <= asked.last and each.vis_state != 1:
                read.invoices.append(invoice)
        return read

    @activity.defn
    async def read_report_payments(self, asked: ReadForReport) -> PaymentsRead:
        """Return one page of all payments, without deleted ones and those of after these days."""
        with temporal_errors():
            page = await self._books.payments.list_page(page=asked.page)
        read = PaymentsRead(has_more=page.has_more)
        for each in page.items:
            payment = _payment(each)
            if isinstance(payment, str):
                read.unreadable.append(payment)
            elif payment.day <= asked.last and each.vis_state != 1:
                read.payments.append(payment)
        return read

    @activity.defn
    async def read_report_projects(self, asked: ReadForReport) -> NamesRead:
        """Return one page of the projects' names and clients."""
        with temporal_errors():
            page = await self._books.hours.projects_page(asked.page)
        clients = {each.id: each.client_id for each in page.items if each.client_id}
        names = {each.id: each.title or "" for each in page.items}
        return NamesRead(names=names, clients=clients, has_more=page.has_more)

    @activity.defn
    async def read_report_services(self, asked: ReadForReport) -> NamesRead:
        """Return the services' names, as one page."""
        del asked
        with temporal_errors():
            return NamesRead(names={each.id: each.name or "" for each in await self._books.hours.services()})

    @activity.defn
    async def read_report_people(self, asked: ReadForReport) -> NamesRead:
        """Return the names of those who log time, as one page, by the id that time entries have."""
        del asked
        with temporal_errors():
            people = await self._books.hours.team_members()
        known = [each for each in people if each.identity_id is not None]
        return NamesRead(names={each.identity_id or 0: _words(each.first_name, each.last_name) for each in known})

    @activity.defn
    async def read_report_client(self, asked: ClientAsked) -> NamesRead:
        """Return the name of one client."""
        with temporal_errors():
            client = await self._books.clients.get_client(asked.client_id)
        return NamesRead(names={asked.client_id: client.organization or _words(client.fname, client.lname)})


class BillingReportActivities:
    """The steps that ask no system: local activities, shared by all connections."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn
    async def bills_of(self, asked: BillsOf) -> BillsFound:
        """Return which of these invoices we made of time entries, and of which. Only reads."""
        found = BillsFound()
        for invoice_id in asked.invoice_ids:
            bill = await self._store.bills.of_invoice(asked.connection, invoice_id)
            if bill is not None:
                found.entries[invoice_id] = [each.entry_id for each in bill.entries]
        return found

    @activity.defn
    async def make_billing_report(self, facts: ReportFacts) -> BillingReport:
        """Compute the report. Raises ApplicationError for one that is too large to be handed over."""
        return await asyncio.to_thread(fitting_report, facts)


def fitting_report(facts: ReportFacts) -> BillingReport:
    """Return the report of these facts. Raises ApplicationError, not to be repeated, if it is too large."""
    report = make_report(facts)
    size = len(report.model_dump_json())
    if size > MOST_BYTES:
        text = (
            f"the billing report of {facts.first} to {facts.last} has {size:,} bytes, and at most {MOST_BYTES:,} can "
            "be handed over: ask for fewer days at once"
        )
        raise ApplicationError(text, type="ReportTooLarge", non_retryable=True)
    return report


def _is_of(row: TimeEntry, asked: ReadForReport, zone: ZoneInfo) -> bool:
    return row.started_at is not None and asked.first <= local_day(row.started_at, zone) <= asked.last


def _entry(row: TimeEntry, zone: ZoneInfo) -> ReportEntry | None:
    """Return a logged entry, None while its timer runs."""
    if row.duration is None or row.started_at is None or row.is_logged is False:
        return None
    return ReportEntry(
        id=row.id,
        day=local_day(row.started_at, zone),
        seconds=row.duration,
        is_billable=bool(row.billable),
        is_billed=bool(row.billed),
        client_id=row.client_id or None,
        project_id=row.project_id or None,
        service_id=row.service_id or None,
        person_id=row.identity_id or None,
    )


def _invoice(row: Invoice) -> ReportInvoice | str:
    """Return an invoice, or why it cannot be counted."""
    if row.amount is None or row.create_date is None or not row.customerid:
        return f"invoice {row.id} is not counted: it lacks {_lacking(row)}; look at it in FreshBooks"
    try:
        amount = Money.parse(row.amount.amount, row.amount.code)
    except MoneyError as error:
        return f"invoice {row.id} is not counted: {error}"
    return ReportInvoice(
        id=row.id,
        number=row.number,
        client_id=row.customerid,
        day=row.create_date,
        due=row.due_date,
        currency=amount.currency,
        minor=amount.minor,
        status=row.state,
        is_draft=row.state == "draft",
        client_name=row.current_organization or row.organization or _words(row.fname, row.lname),
    )


def _lacking(row: Invoice) -> str:
    parts = {"an amount": row.amount, "a date": row.create_date, "a client": row.customerid}
    return " and ".join(name for name, value in parts.items() if not value)


def _payment(row: Payment) -> ReportPayment | str:
    """Return a payment, or why it cannot be counted."""
    if row.amount is None or row.date is None:
        return f"payment {row.id} is not counted: it lacks its amount or its date; look at it in FreshBooks"
    try:
        amount = Money.parse(row.amount.amount, row.amount.code)
    except MoneyError as error:
        return f"payment {row.id} is not counted: {error}"
    return ReportPayment(
        id=row.id,
        day=row.date,
        currency=amount.currency,
        minor=amount.minor,
        invoice_id=row.invoiceid,
        client_id=row.clientid,
        from_credit=bool(row.from_credit or row.creditid),
    )


def _words(*parts: str | None) -> str:
    found: Iterable[str] = (each.strip() for each in parts if each)
    return " ".join(each for each in found if each)
