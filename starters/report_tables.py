"""The tables of the billing report: what the page and the workbook both show, each value once and exact."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from workflows.billing_reports import Basis, BillingReport, By, HoursKind, LagRow, Step

Unit = Literal["text", "hours", "money", "day", "days", "count"]

PLURALS = {"time-entry": "time entries", "invoice": "invoices", "payment": "payments"}
BUCKETS = ("not-due", "1-30", "31-60", "61-90", "over-90")
KINDS = {HoursKind.BILLED: "billed", HoursKind.UNBILLED: "unbilled", HoursKind.NOT_BILLABLE: "not billable"}
STEPS = {Step.TO_INVOICE: "from time entry to invoice", Step.TO_CASH: "from invoice to cash"}
BASES = {Basis.KNOWN: "known", Basis.ESTIMATED: "estimated"}
TITLES = {By.CLIENT: "client", By.PROJECT: "project", By.SERVICE: "service", By.PERSON: "person"}


@dataclass(frozen=True)
class Cell:
    """One value: hours in seconds, money in minor units with its currency, days and counts as numbers.

    `ids` are the records that it is made of, all of one kind.
    """

    value: str | int | date | Decimal | None
    unit: Unit = "text"
    currency: str = ""
    record: str = ""
    ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class ReportTable:
    """A table of the page, and a sheet of the workbook. `total` is a last row; cells are in the order of the headings.

    `key` names the place in the page, `sheet` the sheet: at most 31 letters.
    """

    key: str
    sheet: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    remark: str = ""

    @property
    def all_rows(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows, and the total behind them; of nothing there is no total."""
        return (*self.rows, self.total) if self.rows and self.total else self.rows


def tables(report: BillingReport) -> list[ReportTable]:
    """Return all tables of a report, in the order in which they are read."""
    return [
        _summary(report),
        *(_hours_by(report, by) for by in By),
        _invoices(report),
        _payments(report),
        _ages(report),
        _lags(report),
        _hours_in_detail(report),
        _notes(report),
    ]


def duration_text(seconds: int) -> str:
    """Return hours as h:mm, with the seconds where there are any: "12:30", "0:00:15"."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:,}:{minutes % 60:02}{f':{rest:02}' if rest else ''}"


def money_number(minor: int, digits: int) -> Decimal:
    """Return minor units as an amount: 1250 is 12.50 with two digits, 1250 with none."""
    return Decimal(minor).scaleb(-digits)


def _hours(seconds: int, entry_ids: Iterable[int]) -> Cell:
    return Cell(seconds, "hours", record="time-entry", ids=tuple(entry_ids))


def _money(minor: int, currency: str, record: str, ids: Iterable[int]) -> Cell:
    return Cell(minor, "money", currency, record, tuple(ids))


def _summary(report: BillingReport) -> ReportTable:
    rows = tuple(
        (
            Cell(each.currency),
            _money(each.invoiced, each.currency, "invoice", each.invoice_ids),
            _money(each.drafts, each.currency, "invoice", each.draft_ids),
            _money(each.received, each.currency, "payment", each.payment_ids),
            _money(each.from_credit, each.currency, "payment", each.credit_payment_ids),
            _money(each.outstanding, each.currency, "invoice", each.outstanding_ids),
        )
        for each in report.sums
    )
    headings = ("currency", "invoiced", "in drafts", "received", "paid from credit", f"outstanding on {report.as_of}")
    remark = "Each currency stands for itself: nothing is converted, and no two of them are added."
    return ReportTable("money", "Money", "Money by currency", headings, rows, remark=remark)


def _hours_by(report: BillingReport, by: By) -> ReportTable:
    rows = []
    for each in report.hours_by(by):
        name = Cell(report.names.of(by, each.record_id), ids=_one(each.record_id), record=by.value)
        rows.append((name, *(_hours(each.parts[kind].seconds, each.parts[kind].entry_ids) for kind in KINDS)))
    in_all = report.hours_in_all()
    total = (Cell("total"), *(_hours(in_all.parts[kind].seconds, in_all.parts[kind].entry_ids) for kind in KINDS))
    headings = (TITLES[by], *KINDS.values(), "all")
    return ReportTable(
        f"hours-by-{by.value}",
        f"Hours by {TITLES[by]}",
        f"Hours by {TITLES[by]}",
        headings,
        tuple(_with_sum(row) for row in rows),
        _with_sum(total),
    )


def _with_sum(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return the row with the sum of its hours behind it; its records are those of the parts."""
    return (*row, Cell(sum(each.value for each in row if isinstance(each.value, int)), "hours"))


def _invoices(report: BillingReport) -> ReportTable:
    rows = tuple(
        (
            Cell(each.number or str(each.id), record="invoice", ids=(each.id,)),
            _client(report, each.client_id),
            Cell(each.day, "day"),
            Cell(each.due, "day"),
            Cell("draft" if each.is_draft else each.status),
            Cell(each.currency),
            Cell(each.minor, "money", each.currency),
            Cell(each.outstanding, "money", each.currency),
            Cell(len(each.entry_ids), "count", record="time-entry", ids=tuple(each.entry_ids)),
        )
        for each in report.invoices
    )
    headings = ("invoice", "client", "date", "due", "status now", "currency", "amount", "outstanding", "our entries")
    return ReportTable("invoices", "Invoices", "Invoices made", headings, rows)


def _payments(report: BillingReport) -> ReportTable:
    rows = tuple(
        (
            Cell(str(each.id), record="payment", ids=(each.id,)),
            Cell("" if each.invoice_id is None else str(each.invoice_id), record="invoice", ids=_one(each.invoice_id)),
            _client(report, each.client_id),
            Cell(each.day, "day"),
            Cell("from credit" if each.from_credit else "given back" if each.minor < 0 else "money"),
            Cell(each.currency),
            Cell(each.minor, "money", each.currency),
        )
        for each in report.payments
    )
    headings = ("payment", "invoice id", "client", "date", "kind", "currency", "amount")
    return ReportTable("payments", "Payments", "Payments received", headings, rows)


def _ages(report: BillingReport) -> ReportTable:
    rows = []
    for currency, client_id in sorted({(each.currency, each.client_id) for each in report.ages}):
        own = {each.bucket: each for each in report.ages if (each.currency, each.client_id) == (currency, client_id)}
        cells = [
            _money(own[name].minor, currency, "invoice", own[name].invoice_ids)
            if name in own
            else _money(0, currency, "invoice", ())
            for name in BUCKETS
        ]
        in_all = Cell(sum(each.minor for each in own.values()), "money", currency)
        rows.append((_client(report, client_id), Cell(currency), *cells, in_all))
    headings = ("client", "currency", "not due", "1-30 days", "31-60 days", "61-90 days", "over 90 days", "all")
    title = f"Outstanding on {report.as_of}, by how long it has been due"
    return ReportTable("ages", "Outstanding by age", title, headings, tuple(rows))


def _lags(report: BillingReport) -> ReportTable:
    headings = ("step", "how known", "month", "measured", "median days", "slowest tenth, days", "not measured")
    remark = (
        "A wait belongs to the month in which it ended. Known: our own bill says on which invoice a time entry is. "
        "Estimated: a person billed it, and it is taken to be on the client's next invoice. Not measured: time entries "
        "that were logged more than 92 days before the period."
    )
    rows = tuple(_lag(each) for each in report.lags)
    return ReportTable("lags", "Time to invoice and to cash", "Time to invoice and to cash", headings, rows, (), remark)


def _lag(row: LagRow) -> tuple[Cell, ...]:
    return (
        Cell(STEPS[row.step]),
        Cell(BASES[row.basis]),
        Cell(row.month),
        Cell(row.count, "count", record="invoice", ids=tuple(row.invoice_ids)),
        Cell(row.median, "days"),
        Cell(row.p90, "days"),
        Cell(row.unmeasured, "count"),
    )


def _hours_in_detail(report: BillingReport) -> ReportTable:
    rows = tuple(
        (
            *(_named(report, by, each.place(by)) for by in By),
            Cell(KINDS[each.kind]),
            _hours(each.seconds, each.entry_ids),
        )
        for each in report.hours
    )
    headings = (*TITLES.values(), "kind", "hours")
    return ReportTable("hours-in-detail", "Hours in detail", "Hours in detail", headings, rows)


def _notes(report: BillingReport) -> ReportTable:
    rows = tuple((Cell(each),) for each in report.notes)
    return ReportTable("notes", "Notes", "What is missing or needs a look", ("note",), rows)


def _client(report: BillingReport, client_id: int | None) -> Cell:
    return _named(report, By.CLIENT, client_id)


def _named(report: BillingReport, by: By, record_id: int | None) -> Cell:
    return Cell(report.names.of(by, record_id), record=by.value, ids=_one(record_id))


def _one(record_id: int | None) -> tuple[int, ...]:
    return () if record_id is None else (record_id,)
