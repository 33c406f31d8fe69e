"""The tables of a mismatch report: what the page and the workbook both show, each value once and exact."""

from collections import Counter

from starters.reconciliation_report import MismatchReport
from starters.reconciliation_texts import (
    CAUSES,
    KINDS,
    REPAIRS,
    SIDES,
    STATES,
    completeness,
    differing,
    kinds_of,
    system,
    verdict,
)
from starters.report_tables import Cell, ReportTable
from store.reconciliation_models import AmountSum, Drift, Mismatch, ReportHead
from workflows.currencies import decimals

MOST_ROWS = 1_000_000
"""A sheet has at most 1,048,576 rows, and what is beyond them would be lost without a word."""
NOTHING = Drift("", None, None)


def summary_tables(report: MismatchReport) -> list[ReportTable]:
    """Return the tables of counts and sums, in the order in which they are read."""
    return [_sides(report.head), _causes(report), _kinds(report), _sums(report.head), _history(report)]


def workbook_tables(report: MismatchReport) -> list[ReportTable]:
    """Return all sheets of the workbook: what it is, the mismatches in one sheet that can be filtered, counts, sums."""
    return [_about(report), _mismatches(report), *summary_tables(report)]


def digits(report: MismatchReport) -> dict[str, int]:
    """Return how many decimals each currency of the report has."""
    return {each.currency: decimals(each.currency) for each in report.head.sums}


def _about(report: MismatchReport) -> ReportTable:
    head = report.head
    rows_in_all = sum(max(1, len(each.drifts)) for each in report.mismatches)
    left_out = f"the first {MOST_ROWS:,} rows are shown; the JSON file has all" if rows_in_all > MOST_ROWS else ""
    rows = (
        ("report", head.id),
        ("connection", head.connection),
        ("flow", head.flow),
        ("began (UTC)", f"{head.started_at:%Y-%m-%d %H:%M:%S}"),
        ("ended (UTC)", f"{head.ended_at:%Y-%m-%d %H:%M:%S}" if head.ended_at else ""),
        ("outcome", verdict(head)),
        ("completeness", completeness(head)),
        ("details", "their details are not kept any more" if report.is_forgotten else left_out),
        ("content hash", head.content_hash),
    )
    counts = (
        ("in step", head.in_step),
        ("differences", head.mismatches),
        ("of these new", head.new_mismatches),
        ("of these not as you chose", differing(head)),
        ("handed to the syncs", head.repaired),
    )
    cells = [(Cell(name), Cell(text)) for name, text in rows]
    cells += [(Cell(name), Cell(number, "count")) for name, number in counts]
    return ReportTable("about", "Report", "Report", ("what", "value"), tuple(cells))


def _sides(head: ReportHead) -> ReportTable:
    rows = tuple(
        (
            Cell(SIDES[each.side]),
            Cell(system(each.system)),
            Cell(each.records, "count"),
            Cell(each.pages, "count"),
            Cell("yes" if each.is_complete else "no"),
        )
        for each in head.sides
    )
    headings = ("side", "system", "records", "pages", "read to the end")
    return ReportTable("sides", "Sides", "What was read", headings, rows)


def _kinds(report: MismatchReport) -> ReportTable:
    new = Counter(each.kind for each in report.mismatches if each.is_new)
    ways = Counter((each.kind, each.repair) for each in report.mismatches)
    rows = tuple(
        (
            Cell(KINDS[kind][0]),
            Cell(report.head.counts[kind], "count"),
            *(Cell(ways[kind, way], "count") for way in REPAIRS),
            Cell(new[kind], "count"),
        )
        for kind in kinds_of(report.head)
    )
    numbers = (report.head.mismatches, *(report.repairs()[way] for way in REPAIRS), new.total())
    total = (Cell("total"), *(Cell(each, "count") for each in numbers))
    headings = ("kind", "differences", *REPAIRS.values(), "new")
    return ReportTable("kinds", "Kinds", "Differences by kind", headings, rows, total)


def _causes(report: MismatchReport) -> ReportTable:
    causes = report.head.causes
    rows = tuple((Cell(words), Cell(causes[each], "count")) for each, words in CAUSES.items() if causes.get(each))
    total = (Cell("total"), Cell(sum(causes.values()), "count"))
    return ReportTable("causes", "Causes", "Differences by cause", ("cause", "differences"), rows, total)


def _sums(head: ReportHead) -> ReportTable:
    found = {(str(each.side), each.currency, each.status): each for each in head.sums}
    told = {str(each.side) for each in head.sums}
    rows = []
    for currency, status in sorted({(each.currency, each.status) for each in head.sums}):
        crm, books = (_sum(found.get((side, currency, status)), told=side in told) for side in SIDES)
        apart = None if crm is None or books is None else crm[1] - books[1]
        rows.append(
            (
                Cell(currency),
                Cell(status),
                *_amount(crm, currency),
                *_amount(books, currency),
                Cell(apart, "money", currency),
            )
        )
    headings = ("currency", "status", "CRM, records", "CRM, sum", "books, records", "books, sum", "CRM less books")
    remark = "Each currency stands for itself: nothing is converted, and no two of them are added."
    return ReportTable("sums", "Sums", "Sums by currency and status", headings, tuple(rows), remark=remark)


def _sum(found: AmountSum | None, *, told: bool) -> tuple[int, int] | None:
    """Return a count and a sum; none of a side that has sums is zero, of a side that has none it is not known."""
    if found is not None:
        return found.count, found.minor
    return (0, 0) if told else None


def _amount(found: tuple[int, int] | None, currency: str) -> tuple[Cell, Cell]:
    count, minor = found or (None, None)
    return Cell(count, "count"), Cell(minor, "money", currency)


def _mismatches(report: MismatchReport) -> ReportTable:
    rows: list[tuple[Cell, ...]] = []
    for each in report.mismatches:
        rows += (_row(each, drift, report.to_do(each)) for drift in each.drifts or (NOTHING,))
    headings = (
        "number",
        "kind",
        "name",
        "in the CRM",
        "in the books",
        "field",
        "CRM says",
        "books say",
        "cause",
        "what is to be done",
        "explanation",
        "new",
    )
    return ReportTable("mismatches", "Differences", "Differences", headings, tuple(rows[:MOST_ROWS]))


def _row(mismatch: Mismatch, drift: Drift, to_do: str) -> tuple[Cell, ...]:
    return (
        Cell(mismatch.number, "count"),
        Cell(KINDS[mismatch.kind][0]),
        Cell(mismatch.name),
        Cell(", ".join(mismatch.crm_ids)),
        Cell(", ".join(mismatch.books_ids)),
        Cell(drift.name),
        Cell(drift.crm),
        Cell(drift.books),
        Cell(CAUSES[mismatch.cause]),
        Cell(to_do),
        Cell(mismatch.explanation),
        Cell("yes" if mismatch.is_new else "no"),
    )


def _history(report: MismatchReport) -> ReportTable:
    rows = tuple(
        (
            Cell(f"{each.started_at:%Y-%m-%d %H:%M}"),
            Cell(each.id),
            Cell(each.in_step, "count"),
            Cell(each.mismatches, "count"),
            Cell(differing(each), "count"),
            Cell(each.new_mismatches, "count"),
            Cell(each.repaired, "count"),
            Cell(STATES[each.state] if each.state != "done" else "yes" if each.is_complete else "no"),
        )
        for each in (report.head, *report.earlier)
    )
    headings = ("began (UTC)", "report", "in step", "differences", "not as you chose", "new", "repaired", "complete")
    return ReportTable("history", "Trend", "Trend", headings, rows)
