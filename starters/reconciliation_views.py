"""A mismatch report as a person reads it in the terminal: numbers and ids; names and values are in the files."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from starters.plan_views import duration
from starters.reconciliation_page import next_steps
from starters.reconciliation_report import MismatchReport
from starters.reconciliation_tables import summary_tables
from starters.reconciliation_texts import (
    CAUSES,
    KINDS,
    STATES,
    completeness,
    counted,
    differing,
    verdict,
)
from starters.report_pages import words
from starters.report_tables import ReportTable
from store.reconciliation_models import ReportHead
from store.reconciliation_pieces import ListProgress
from workflows.currencies import decimals

MOST_SHOWN = 20


def shown(report: MismatchReport) -> RenderableType:
    """Return a report to be printed, with the ids of its first mismatches."""
    head = report.head
    took = f", took {duration(round(head.took.total_seconds()))}" if head.took else ""
    parts: list[RenderableType] = [
        Text(f"report {head.id}: {head.flow} of {head.connection}, begun {head.started_at:%Y-%m-%d %H:%M} UTC{took}"),
        Text(verdict(head), style="bold"),
        Text(completeness(head)),
    ]
    parts += [_table(each) for each in summary_tables(report) if each.rows and each.key in {"kinds", "causes", "sums"}]
    if report.mismatches:
        parts.append(_mismatches(report))
    if report.is_forgotten:
        parts.append(Text("the records of these differences are not kept any more; the numbers are"))
    parts += [Text(f"- {step}") for step in next_steps(report)]
    return Group(*parts)


def listed(heads: Sequence[ReportHead]) -> Table:
    """Return reports to be printed, newest first, each with how many more it found than the one before."""
    table = Table()
    for heading in ("report", "connection", "flow", "began (UTC)", "state"):
        table.add_column(heading)
    for heading in ("differences", "since the last", "new", "not as you chose", "in step"):
        table.add_column(heading, justify="right")
    for place, head in enumerate(heads):
        state = STATES[head.state] if head.state != "done" else "complete" if head.is_complete else "not complete"
        numbers = (head.mismatches, head.new_mismatches, differing(head), head.in_step)
        found, new, left, in_step = (f"{each:,}" for each in numbers)
        began = f"{head.started_at:%Y-%m-%d %H:%M}"
        trend = _trend(head, heads[place + 1 :])
        table.add_row(head.id, head.connection, head.flow, began, state, found, trend, new, left, in_step)
    return table


def pages_read(head: ReportHead, progress: Mapping[str, ListProgress]) -> str:
    """Return how far a comparison has come: pages of each list, and which lists are read to their ends."""
    lists = [
        f"{name}: {counted(each.pages, 'page')}, {each.records:,} records{'' if each.next_page else ', all read'}"
        for name, each in progress.items()
    ]
    return f"report {head.id}: {'; '.join(lists) or 'beginning'}"


def _trend(head: ReportHead, older: Sequence[ReportHead]) -> str:
    """Return the change since the comparison before; one that did not end says nothing."""
    same = (each for each in older if (each.connection, each.flow, each.state) == (head.connection, head.flow, "done"))
    before = next(same, None)
    if before is None or head.state != "done":
        return ""
    change = head.mismatches - before.mismatches
    return f"{change:+,}" if change else "the same"


def _table(table: ReportTable) -> Table:
    made = Table(title=table.title, title_justify="left")
    for place, heading in enumerate(table.headings):
        made.add_column(heading, justify="left" if table.rows[0][place].unit == "text" else "right")
    for row in table.all_rows:
        digits = {cell.currency: decimals(cell.currency) for cell in row if cell.currency}
        made.add_row(*(Text(words(cell, digits)) for cell in row))
    return made


def _mismatches(report: MismatchReport) -> Table:
    mismatches = report.mismatches
    more = f", the first {MOST_SHOWN} of {len(mismatches):,}" if len(mismatches) > MOST_SHOWN else ""
    table = Table(title=f"Differences{more}", title_justify="left")
    table.add_column("no.", justify="right")
    for heading in ("kind", "in the CRM", "in the books", "fields", "cause", "what is to be done"):
        table.add_column(heading)
    for each in mismatches[:MOST_SHOWN]:
        cells = (
            KINDS[each.kind][0],
            ", ".join(each.crm_ids),
            ", ".join(each.books_ids),
            ", ".join(drift.name for drift in each.drifts),
            CAUSES[each.cause],
            report.to_do(each),
        )
        table.add_row(str(each.number), *(Text(cell) for cell in cells))
    return table
