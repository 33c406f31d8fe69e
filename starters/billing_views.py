"""What would be billed, for a person to read before it is."""

from rich.console import Console
from rich.table import Table

from workflows.billing_models import PlannedBill, Preview

NAMED_AT_ONCE = 12


def print_preview(shown: Preview, console: Console) -> int:
    """Print a preview. Returns 0, or 1 if it has something that a person has to decide or to mend."""
    if shown.until is None:
        console.print("no period has ended yet; to look further, name the last day: --until 2026-03-31")
        return 0
    if not shown.plans:
        console.print("nothing to bill: every billable hour is on an invoice", highlight=False)
    for plan in shown.plans:
        console.print(_table(plan))
        if plan.hold_reason is not None:
            console.print(f"  would wait for a person ({plan.hold_reason}): {plan.explanation}", soft_wrap=True)
    return 1 if any(plan.hold_reason for plan in shown.plans) else 0


def _table(plan: PlannedBill) -> Table:
    title = f"client {plan.key.client_id}: {len(plan.entries)} entries, {plan.predicted} {plan.currency} with tax"
    table = Table(title=title, title_justify="left")
    for heading in ("line", "hours", "rate", "entries"):
        table.add_column(heading, justify="left" if heading in {"line", "entries"} else "right")
    for each in plan.lines:
        table.add_row(each.line.name, each.hours, each.line.unit_cost, _ids(each.entry_ids))
    for left in plan.left_out:
        table.add_row(f"[dim]not billed: {left.reason}[/dim]", "", "", _ids(left.entry_ids))
    return table


def _ids(entry_ids: list[int]) -> str:
    more = f" and {len(entry_ids) - NAMED_AT_ONCE} more" if len(entry_ids) > NAMED_AT_ONCE else ""
    return ", ".join(str(each) for each in entry_ids[:NAMED_AT_ONCE]) + more
