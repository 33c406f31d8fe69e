"""What a billing report reads of FreshBooks: days of the firm, nothing deleted, nothing that cannot be counted."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import billing_reports
from activities.billing_report_books import ReportBooks
from activities.billing_report_facts import (
    BillsOf,
    ClientAsked,
    EntriesRead,
    InvoicesRead,
    PaymentsRead,
    PlaceAsked,
    ReadForReport,
    ReportFacts,
)
from activities.billing_reports import BillingReportActivities, BillingReportReading, fitting_report
from connectors.answers import Page
from connectors.freshbooks.document_models import TeamMember
from connectors.freshbooks.documents import FreshBooksDocuments
from connectors.freshbooks.hour_models import Project, Service, TimeEntry
from connectors.freshbooks.payments import PaymentApi
from connectors.freshbooks.time_entries import EntryFilter
from store.store import Store
from tests.billing_reports import MADE_AT, day, entry
from tests.connectors.answering import freshbooks

MARCH = ReadForReport(connection="acme", first=date(2026, 3, 1), last=date(2026, 3, 31), zone="Europe/Berlin")


class Hours:
    """One page of time entries, projects, services and people."""

    def __init__(self, entries: Sequence[TimeEntry] = ()) -> None:
        self._entries = list(entries)
        self.asked: list[tuple[datetime | None, datetime | None]] = []

    async def time_zone(self) -> ZoneInfo:
        return ZoneInfo("Pacific/Kiritimati")

    async def time_entries_page(self, filters: EntryFilter, page: int) -> Page[TimeEntry]:
        self.asked.append((filters.started_from, filters.started_to))
        return Page(self._entries, has_more=page == 1)

    async def projects_page(self, page: int) -> Page[Project]:
        return Page([Project(id=61, title="Website", client_id=7), Project(id=62, title="In-house")], has_more=False)

    async def services(self) -> list[Service]:
        return [Service(id=41, name="Design")]

    async def team_members(self) -> list[TeamMember]:
        left = TeamMember(uuid="u2", first_name="Bo")
        return [TeamMember(uuid="u1", first_name="Anna", last_name="Ek", identity_id=7001), left]


def reading_of(*answers: httpx.Response, hours: Hours | None = None, zone: str | None = None) -> BillingReportReading:
    """Return the reading of an account whose invoices, payments and clients the real connectors read."""
    api, _ = freshbooks(*answers)
    invoices, payments = FreshBooksDocuments(api.account).invoices, PaymentApi(api.account)
    return BillingReportReading(ReportBooks(api, invoices, payments, hours or Hours()), zone)


def listed(key: str, *rows: dict[str, Any]) -> httpx.Response:
    """Return the only page of a list, as FreshBooks sends it."""
    result = {key: list(rows), "page": 1, "pages": 1, "per_page": 100, "total": len(rows)}
    return httpx.Response(200, json={"response": {"result": result}})


def logged(number: int, began: str, seconds: int | None = 3600, **values: Any) -> TimeEntry:
    began_at = datetime.fromisoformat(began).replace(tzinfo=UTC)
    return TimeEntry(id=number, started_at=began_at, duration=seconds, **values)


def made_out(number: int, **values: Any) -> dict[str, Any]:
    known = {"invoice_number": f"H-{number}", "customerid": 7, "create_date": "2026-03-05", "v3_status": "sent"}
    return {"id": number, "amount": {"amount": "80.00", "code": "EUR"}, "vis_state": 0, **known, **values}


def paid(
    number: int, amount: str = "80.00", code: str = "EUR", on: str = "2026-03-09", **values: Any
) -> dict[str, Any]:
    return {"id": number, "amount": {"amount": amount, "code": code}, "date": on, "vis_state": 0, **values}


async def entries_of(*rows: TimeEntry) -> EntriesRead:
    return await ActivityEnvironment().run(reading_of(hours=Hours(rows)).read_report_entries, MARCH)


async def invoices_of(*rows: dict[str, Any]) -> InvoicesRead:
    return await ActivityEnvironment().run(reading_of(listed("invoices", *rows)).read_report_invoices, MARCH)


async def payments_of(*rows: dict[str, Any]) -> PaymentsRead:
    return await ActivityEnvironment().run(reading_of(listed("payments", *rows)).read_report_payments, MARCH)


async def test_an_evening_s_work_belongs_to_the_day_of_the_clock_on_the_wall() -> None:
    """F32: 23:30 UTC on 28 February is 1 March in Berlin, and 22:30 UTC on 31 March is April there."""
    read = await entries_of(logged(1, "2026-02-28T23:30"), logged(2, "2026-03-31T22:30"))
    assert [(each.id, each.day) for each in read.entries] == [(1, date(2026, 3, 1))]


async def test_freshbooks_is_asked_for_whole_days_of_the_firm() -> None:
    """Berlin's March begins at 23:00 UTC the day before, and ends in summer time."""
    hours = Hours()
    await ActivityEnvironment().run(reading_of(hours=hours).read_report_entries, MARCH)
    assert hours.asked == [(datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC))]


async def test_deleted_time_is_left_out_and_running_timers_are_counted() -> None:
    deleted = logged(1, "2026-03-02T09:00", active=False)
    running = [logged(2, "2026-03-02T09:00", None), logged(3, "2026-03-02T09:00", 60, is_logged=False)]
    read = await entries_of(deleted, *running, logged(4, "2026-03-02T09:00", billable=True, billed=True))
    assert [(each.id, each.is_billable, each.is_billed) for each in read.entries] == [(4, True, True)]
    assert (read.running, read.has_more) == (2, True)


async def test_invoices_of_later_days_and_deleted_ones_are_left_out() -> None:
    read = await invoices_of(made_out(1), made_out(2, create_date="2026-04-01"), made_out(3, vis_state=1))
    assert [(each.id, each.minor, each.status) for each in read.invoices] == [(1, 8_000, "sent")]
    assert read.unreadable == []


async def test_an_invoice_that_cannot_be_counted_is_told_by_its_id_without_its_amount() -> None:
    odd = [made_out(1, create_date=None, amount=None), made_out(2, amount={"amount": "80.005", "code": "EUR"})]
    read = await invoices_of(*odd)
    assert read.invoices == []
    assert [each.split(":")[0] for each in read.unreadable] == ["invoice 1 is not counted", "invoice 2 is not counted"]
    assert "an amount and a date" in read.unreadable[0]
    assert "80.005" not in read.unreadable[1]


async def test_an_invoice_names_its_client_as_the_client_is_called_now() -> None:
    read = await invoices_of(
        made_out(1, organization="Old AB", current_organization="New AB"), made_out(2, fname="Ada", lname="Byron")
    )
    assert [each.client_name for each in read.invoices] == ["New AB", "Ada Byron"]


async def test_payments_keep_their_exact_amounts() -> None:
    """JPY has no minor unit, KWD a thousand."""
    read = await payments_of(paid(1, "1250", "JPY", invoiceid=71), paid(2, "9.125", "KWD", invoiceid=0), paid(3, on=""))
    assert [(each.id, each.minor, each.invoice_id) for each in read.payments] == [(1, 1_250, 71), (2, 9_125, None)]
    assert read.unreadable == ["payment 3 is not counted: it lacks its amount or its date; look at it in FreshBooks"]


async def test_payments_of_later_days_and_deleted_ones_are_left_out() -> None:
    read = await payments_of(paid(1, on="2026-04-01"), paid(2, vis_state=1), paid(3))
    assert [each.id for each in read.payments] == [3]


async def test_what_a_credit_note_pays_is_no_new_money() -> None:
    """F28: FreshBooks says so, or names the credit note."""
    read = await payments_of(paid(1), paid(2, from_credit=True), paid(3, creditid=5))
    assert [each.from_credit for each in read.payments] == [False, True, True]


async def test_names_are_read_by_the_ids_that_time_entries_have() -> None:
    run, reading = ActivityEnvironment().run, reading_of()
    projects = await run(reading.read_report_projects, MARCH)
    assert (projects.names, projects.clients) == ({61: "Website", 62: "In-house"}, {61: 7})
    assert (await run(reading.read_report_services, MARCH)).names == {41: "Design"}
    assert (await run(reading.read_report_people, MARCH)).names == {7001: "Anna Ek"}


async def test_a_client_that_cannot_be_read_is_for_a_person_and_not_tried_for_ever() -> None:
    missing = {"errno": 1012, "field": "userid", "message": "User not found.", "object": "user", "value": "7"}
    reading = reading_of(httpx.Response(404, json={"response": {"errors": [missing]}}))
    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(reading.read_report_client, ClientAsked(connection="acme", client_id=7))
    assert caught.value.non_retryable


async def test_a_client_without_invoices_is_read_by_its_own_name() -> None:
    client = {"id": 7, "organization": "", "fname": "Ada", "lname": "Byron"}
    reading = reading_of(httpx.Response(200, json={"response": {"result": {"client": client}}}))
    read = await ActivityEnvironment().run(reading.read_report_client, ClientAsked(connection="acme", client_id=7))
    assert read.names == {7: "Ada Byron"}


@pytest.mark.parametrize(("said", "expected"), [(None, "Pacific/Kiritimati"), ("Europe/Berlin", "Europe/Berlin")])
async def test_the_time_zone_of_the_settings_overrules_that_of_the_business(said: str | None, expected: str) -> None:
    reading = reading_of(zone=said)
    place = await ActivityEnvironment().run(reading.report_place, PlaceAsked(connection="acme"))
    assert place.zone == expected


async def test_the_store_says_which_invoices_are_ours_and_of_which_entries(store: Store) -> None:
    """Z96: that is how a wait is known and not estimated."""
    bill = await store.bills.claim("acme", 7, {}, {901: "a" * 64, 902: "b" * 64})
    await store.bills.invoiced(bill.id, 71)
    asked = BillsOf(connection="acme", invoice_ids=[70, 71])
    found = await ActivityEnvironment().run(BillingReportActivities(store).bills_of, asked)
    assert found.entries == {71: [901, 902]}


def facts() -> ReportFacts:
    first, last, today = day("2026-03-01"), day("2026-03-31"), day("2026-04-02")
    known = {"connection": "acme", "zone": "UTC", "made_at": MADE_AT, "entries_from": first}
    return ReportFacts(first=first, last=last, today=today, entries=[entry(1, "2026-03-02", "1:00")], **known)


def test_a_report_that_is_too_large_to_be_handed_over_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(billing_reports, "MOST_BYTES", 100)
    with pytest.raises(ApplicationError, match="ask for fewer days") as caught:
        fitting_report(facts())
    assert caught.value.non_retryable


def test_ten_thousand_entries_are_a_fifth_of_the_largest_report_at_most() -> None:
    """Twenty people who each log ten entries a day log fifty thousand in a year, of 3,000 projects in this example."""
    many = [entry(10_000_000 + each, "2026-03-02", "0:30", project_id=each % 600) for each in range(10_000)]
    made = fitting_report(facts().model_copy(update={"entries": many}))
    assert made.hours_in_all().seconds == 10_000 * 1_800
    assert len(made.model_dump_json()) < billing_reports.MOST_BYTES / 5
