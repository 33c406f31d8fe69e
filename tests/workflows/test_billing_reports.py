"""A billing report is gathered page by page, through the account's queue, and only ever reads."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

import workflows.billing_reports
from activities.billing_report_facts import (
    BillsFound,
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
from activities.billing_reports import fitting_report
from activities.queues import FRESHBOOKS, account_queue
from tests.billing_reports import day, entry, invoice, payment
from worker.main import sandboxed_runner
from workflows.billing_reports import LOOK_BACK, BillingReport, BillingReportRequest, MakeBillingReport

PLACE = ReportPlace(zone="Europe/Berlin", today=day("2026-04-02"))
NOVEMBER = (day("2025-11-01"), day("2025-11-30"))


class Account:
    """Stands in for the reading of one FreshBooks account: entries on two pages, the rest on one."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.days: set[tuple[date, date]] = set()

    @activity.defn
    async def report_place(self, asked: PlaceAsked) -> ReportPlace:
        return PLACE

    @activity.defn
    async def read_report_entries(self, asked: ReadForReport) -> EntriesRead:
        self._note("entries", asked)
        if asked.page == 1:
            entries = [entry(901, "2025-10-20", "2:00", is_billed=True), entry(902, "2025-11-03", "1:00", client_id=8)]
            return EntriesRead(entries=entries, running=1, has_more=True)
        # A row that shifted while the list was read: it comes again.
        return EntriesRead(entries=[entry(902, "2025-11-03", "1:00", client_id=8)])

    @activity.defn
    async def read_report_invoices(self, asked: ReadForReport) -> InvoicesRead:
        self._note("invoices", asked)
        made = invoice(71, "2025-11-03", "200.00", client_name="Acme GmbH")
        return InvoicesRead(invoices=[made], unreadable=["invoice 5 is not counted: it lacks a date"])

    @activity.defn
    async def read_report_payments(self, asked: ReadForReport) -> PaymentsRead:
        self._note("payments", asked)
        return PaymentsRead(payments=[payment(81, "2025-11-20", "200.00", 71)])

    @activity.defn
    async def read_report_projects(self, asked: ReadForReport) -> NamesRead:
        return NamesRead(names={61: "Website"}, clients={61: 7})

    @activity.defn
    async def read_report_services(self, asked: ReadForReport) -> NamesRead:
        return NamesRead(names={41: "Design"})

    @activity.defn
    async def read_report_people(self, asked: ReadForReport) -> NamesRead:
        return NamesRead(names={7001: "Anna Ek"})

    @activity.defn
    async def read_report_client(self, asked: ClientAsked) -> NamesRead:
        self.asked.append(("client", asked.client_id))
        return NamesRead(names={asked.client_id: "Borg AB"})

    @activity.defn
    async def bills_of(self, asked: BillsOf) -> BillsFound:
        self.asked += [("bill", each) for each in asked.invoice_ids]
        return BillsFound(entries={71: [901]})

    @activity.defn
    async def make_billing_report(self, facts: ReportFacts) -> BillingReport:
        return fitting_report(facts)

    def _note(self, what: str, asked: ReadForReport) -> None:
        self.asked.append((what, asked.page))
        self.days.add((asked.first, asked.last))


@asynccontextmanager
async def serving(temporal: Client, account: Account, connection: str, queue: str) -> AsyncIterator[None]:
    """Run the workflow's worker, and one that stands in for the account."""
    reads = [getattr(account, each) for each in dir(account) if each.startswith(("read_", "report_"))]
    async with (
        Worker(
            temporal,
            task_queue=queue,
            workflows=[MakeBillingReport],
            activities=[account.bills_of, account.make_billing_report],
            workflow_runner=sandboxed_runner(),
        ),
        Worker(temporal, task_queue=account_queue(FRESHBOOKS, connection), activities=reads),
    ):
        yield


async def made(temporal: Client, account: Account, days: tuple[date | None, date | None]) -> BillingReport:
    """Return what the workflow makes of an account, under a name that no other test has."""
    name = f"acme-{uuid.uuid4().hex[:8]}"
    async with serving(temporal, account, name, f"reports-{name}"):
        return await temporal.execute_workflow(
            MakeBillingReport.run,
            BillingReportRequest(connection=name, first=days[0], last=days[1]),
            id=f"billing-report/{name}",
            task_queue=f"reports-{name}",
            execution_timeout=timedelta(seconds=60),
        )


async def test_a_report_reads_every_page_and_what_our_own_bills_say(temporal: Client) -> None:
    """S8, Z96: logged in October, invoiced by us in November, paid 17 days later; what came twice counts once."""
    account = Account()
    report = await made(temporal, account, NOVEMBER)
    assert account.asked == [
        ("entries", 1),
        ("entries", 2),
        ("invoices", 1),
        ("payments", 1),
        ("client", 8),
        ("bill", 71),
    ]
    assert report.hours_in_all().seconds == 3_600
    assert [(each.step.value, each.basis.value, each.median, each.month) for each in report.lags] == [
        ("entry-to-invoice", "known", Decimal(14), "2025-11"),
        ("invoice-to-cash", "known", Decimal(17), "2025-11"),
    ]
    assert report.invoices[0].entry_ids == [901]
    assert report.made_at > datetime(2026, 1, 1, tzinfo=UTC)


async def test_entries_of_the_months_before_are_read_too_for_their_invoices(temporal: Client) -> None:
    account = Account()
    await made(temporal, account, NOVEMBER)
    assert account.days == {(NOVEMBER[0] - LOOK_BACK, NOVEMBER[1]), NOVEMBER}


async def test_every_record_has_the_name_that_people_know(temporal: Client) -> None:
    """A client with invoices is named by them, one without is read."""
    report = await made(temporal, Account(), NOVEMBER)
    assert [report.names.of(By.CLIENT, each) for each in (7, 8, 9)] == ["Acme GmbH", "Borg AB", "client 9"]
    assert report.names.of(By.PERSON, 7001) == "Anna Ek"


async def test_what_could_not_be_counted_is_told(temporal: Client) -> None:
    report = await made(temporal, Account(), NOVEMBER)
    assert report.notes == [
        "timers that still run: 1; their time counts once they have been stopped",
        "invoice 5 is not counted: it lacks a date",
    ]


async def test_without_days_the_report_is_of_the_last_whole_month(temporal: Client) -> None:
    """On 2 April that is March."""
    report = await made(temporal, Account(), (None, None))
    assert (report.first, report.last, report.is_over) == (day("2026-03-01"), day("2026-03-31"), True)


async def test_a_period_that_ends_before_it_begins_is_refused(temporal: Client) -> None:
    with pytest.raises(WorkflowFailureError) as caught:
        await made(temporal, Account(), (NOVEMBER[1], NOVEMBER[0]))
    assert "before it begins" in str(caught.value.cause)


async def test_more_than_one_report_can_read_is_said_before_the_server_ends_it(
    temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflows.billing_reports, "MOST_HISTORY", 1)
    with pytest.raises(WorkflowFailureError) as caught:
        await made(temporal, Account(), NOVEMBER)
    assert "ask for fewer days" in str(caught.value.cause)
