"""What a bill holds: the lines of a client's hours, or what a person is asked about them. Nothing here asks anybody."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from activities.billing_models import BillLine, BillPlan, LeftOut, PlanBill
from activities.billing_rules import BillingRules
from activities.opportunity_models import Line, LineTax
from mapping.hours import BilledClient, HoursFacts, HoursInvoice, HoursLine, HoursPlan, plan_hours
from mapping.money import plain
from mapping.periods import Period
from mapping.time_entries import EXPLAINED, LeftOutEntry, TimeEntry, once_each
from mapping.values import UnmappableValue

IN_A_BILL = "a bill has it already"


@dataclass(frozen=True)
class Billable:
    """What is known of a client's hours. `taken` are entries that some bill has."""

    client: BilledClient
    facts: HoursFacts
    taken: frozenset[int]
    is_first_invoice: bool
    zone: ZoneInfo


def plan_of(asked: PlanBill, known: Billable, rules: BillingRules, fingerprint: Callable[[TimeEntry], str]) -> BillPlan:
    """Return what the next bill of a client holds, what it leaves out, and what a person has to decide first."""
    empty = BillPlan(key=asked.key, until=asked.until, version=rules.version, currency=known.client.currency)
    period = Period(asked.first, asked.until - timedelta(days=1))
    free = [each for each in known.facts.entries if each.id not in known.taken]
    facts = HoursFacts(free, known.facts.projects, known.facts.rates, known.facts.names)
    try:
        hours = plan_hours(known.client, period, facts, rules.hours(known.zone))
    except UnmappableValue as error:
        return empty.model_copy(update=_held("rejected", error.reason, {}))
    left_out = _left_out(hours.left_out, known.taken)
    if not hours.invoices:
        return empty.model_copy(update={"left_out": left_out})
    plan = empty.model_copy(update=_content(hours, known, fingerprint) | {"left_out": left_out})
    reason = _approval_reason(plan, rules)
    if reason is None or plan.digest == asked.approved:
        return plan
    approvals = rules.approvals
    timers = {"escalate_after": approvals.escalate_after, "expire_after": approvals.expire_after}
    text = f"{reason}: approve it, or reject it (it is asked again if anything changes)"
    return plan.model_copy(update=_held("approval", text, _evidence(plan)) | timers)


def _content(hours: HoursPlan, known: Billable, fingerprint: Callable[[TimeEntry], str]) -> dict[str, object]:
    """Return what the first invoice of the plan holds. The next one is planned once this one is made."""
    invoice: HoursInvoice = hours.invoices[0]
    by_id = {each.id: each for each in once_each(known.facts.entries)[0]}
    return {
        "lines": [_line(each, by_id) for each in invoice.lines],
        "entries": {number: fingerprint(by_id[number]) for number in invoice.entry_ids},
        "predicted": invoice.totals.gross.format(),
        "is_first_invoice": known.is_first_invoice,
        "digest": invoice.digest,
    }


def _line(part: HoursLine, by_id: Mapping[int, TimeEntry]) -> BillLine:
    said = part.line
    projects: defaultdict[int, int] = defaultdict(int)
    for each in part.entry_ids:
        projects[by_id[each].project_id or 0] += by_id[each].seconds or 0
    line = Line(
        name=said.name,
        description=said.description,
        quantity=plain(said.quantity),
        unit_cost=said.unit_cost.format(),
        taxes=[LineTax(name=each.name, percent=plain(each.percent)) for each in said.taxes],
    )
    return BillLine(
        line=line,
        entry_ids=list(part.entry_ids),
        seconds=part.worked,
        hours=plain(said.quantity),
        projects=dict(projects),
    )


def _left_out(found: Sequence[LeftOutEntry], taken: frozenset[int]) -> list[LeftOut]:
    by_reason: Mapping[str, list[int]] = defaultdict(list)
    for each in found:
        by_reason[EXPLAINED[each.reason]].append(each.entry_id)
    if taken:
        by_reason[IN_A_BILL].extend(sorted(taken))
    return [LeftOut(entry_ids=ids, reason=reason) for reason, ids in by_reason.items()]


def _approval_reason(plan: BillPlan, rules: BillingRules) -> str | None:
    """Return why a person has to approve the invoice; None if nobody has to."""
    limit = rules.approvals.above.get(plan.currency)
    if limit is not None and Decimal(plan.predicted) > limit:
        return f"an invoice above {limit} {plan.currency} waits for approval"
    if rules.approvals.first_invoice and plan.is_first_invoice:
        return "the first invoice of a client waits for approval"
    return None


def _evidence(plan: BillPlan) -> dict[str, object]:
    """Return what a person approves. It is sealed, for its lines may name people."""
    return {
        "action": "create",
        "total": plan.predicted,
        "currency": plan.currency,
        "client": plan.key.client_id,
        "charged": [each.line.model_dump(mode="json") for each in plan.lines],
        "entries": sorted(plan.entries),
    }


def _held(reason: str, text: str, evidence: dict[str, object]) -> dict[str, object]:
    return {"hold_reason": reason, "explanation": text, "evidence": {"explanation": text, **evidence}}
