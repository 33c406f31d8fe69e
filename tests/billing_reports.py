"""A firm's books of some months, as a billing report reads them: examples that tests share."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from activities.billing_report_facts import Names, ReportEntry, ReportFacts, ReportInvoice, ReportPayment
from activities.billing_report_making import make_report
from activities.billing_report_models import BillingReport
from mapping.money import Money

MADE_AT = datetime(2026, 4, 2, 8, tzinfo=UTC)
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
ANNA, BO = 7001, 7002
NAMES = Names(
    client={7: "Ångström Mühle GmbH", 8: "Kōbe Design"},
    project={61: "Website", 62: "Audit"},
    service={41: "Design", 42: "Advice"},
    person={ANNA: "Anna Ek", BO: "Bo Lind"},
)


def day(text: str) -> date:
    return date.fromisoformat(text)


def entry(number: int, on: str, time: str, **values: Any) -> ReportEntry:
    """Return Anna's design of client 7's website; `time` is h:mm."""
    hours, minutes = time.split(":")
    known = {"client_id": 7, "project_id": 61, "service_id": 41, "person_id": ANNA}
    return ReportEntry(id=number, day=day(on), seconds=int(hours) * 3600 + int(minutes) * 60, **(known | values))


def invoice(number: int, on: str, amount: str, currency: str = "EUR", **values: Any) -> ReportInvoice:
    minor = Money.parse(amount, currency).minor
    known = {"number": f"H-{number}-1", "client_id": 7, "status": "sent"}
    return ReportInvoice(id=number, day=day(on), currency=currency, minor=minor, **(known | values))


def payment(number: int, on: str, amount: str, of: int | None, currency: str = "EUR", **values: Any) -> ReportPayment:
    minor = Money.parse(amount, currency).minor
    return ReportPayment(id=number, day=day(on), currency=currency, minor=minor, invoice_id=of, **values)


def report(
    entries: Sequence[ReportEntry] = (),
    invoices: Sequence[ReportInvoice] = (),
    payments: Sequence[ReportPayment] = (),
    days: tuple[date, date] = MARCH,
    **values: Any,
) -> BillingReport:
    """Return the report of March 2026, made on 2 April, unless said otherwise."""
    known = {"connection": "acme", "zone": "Europe/Berlin", "made_at": MADE_AT, "today": day("2026-04-02")}
    facts = ReportFacts(
        first=days[0],
        last=days[1],
        entries_from=day("2025-01-01"),
        entries=list(entries),
        invoices=list(invoices),
        payments=list(payments),
        **({"names": NAMES, **known} | values),
    )
    return make_report(facts)


def busy_march() -> BillingReport:
    """Return a month with three currencies, an invoice paid in two parts, and time of every kind."""
    entries = [
        entry(901, "2026-03-02", "1:30", is_billed=True),
        entry(902, "2026-03-03", "2:15", is_billed=True, person_id=BO, service_id=42),
        entry(903, "2026-03-30", "0:20"),
        entry(904, "2026-03-31", "0:50", client_id=8, project_id=62, is_billable=False),
        entry(905, "2026-02-27", "4:00", is_billed=True),
    ]
    invoices = [
        invoice(71, "2026-03-05", "1234.50", due=day("2026-03-20"), status="partial"),
        invoice(72, "2026-03-10", "125000", "JPY", client_id=8, due=day("2026-04-09")),
        invoice(73, "2025-11-30", "99.125", "KWD", due=day("2025-12-30")),
        invoice(74, "2026-03-31", "10.00", is_draft=True, status="draft"),
    ]
    payments = [payment(81, "2026-03-12", "1000.00", 71), payment(82, "2026-03-14", "34.50", 71, from_credit=True)]
    return report(entries, invoices, payments, bills={71: [901, 902, 905]})
