"""How an opportunity looks to the activities that compare it with its documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from activities.opportunity_crm import CrmOpportunity, Milestone
from activities.opportunity_models import Line, OpportunitySide
from mapping.money import Money, MoneyError
from mapping.values import UnmappableValue, Value, tidy
from store.links import Links

MakeLines = Callable[[CrmOpportunity, Money], Sequence[Line]]
"""Returns the lines of an opportunity's documents. Raises UnmappableValue with everything that is wrong."""


@dataclass(frozen=True)
class OpportunityRules:
    """How one connection reads its opportunities. From the milestones `estimate_from` on there is an estimate."""

    version: str
    estimate_from: Sequence[str]
    make_lines: MakeLines
    notes: str = ""
    default_currency: str | None = None
    invoice_fields: Mapping[str, str] = field(default_factory=dict)
    writes_note: bool = True
    left_out: Callable[[CrmOpportunity], str] = lambda _: ""
    """Says why an opportunity is not synced, "" if it is. It raises UnmappableValue."""


def opportunity_side(
    opportunity: CrmOpportunity, milestones: Sequence[Milestone], rules: OpportunityRules, links: Links
) -> OpportunitySide:
    """Return an opportunity as plans compare it. What is missing in it is named as its problem."""
    currency = opportunity.currency or rules.default_currency
    lines, amount, problem = _lines(opportunity, currency, rules)
    values: dict[str, Value] = {
        "name": tidy(opportunity.name),
        "amount": amount,
        "currency": currency,
        "notes": _notes(opportunity, rules.notes),
        "owner": opportunity.owner_email.strip().casefold() or None,
    }
    is_due = _is_due(opportunity.milestone, milestones, rules.estimate_from)
    left_out, problem = _left_out(opportunity, rules, problem)
    milestone = opportunity.milestone
    seen: dict[str, Value] = {
        **values,
        "milestone": milestone.name,
        "state": milestone.state,
        "left out": left_out != "",
    }
    seen["lines"] = "\n".join(line.model_dump_json() for line in lines)
    return OpportunitySide(
        exists=True,
        state=milestone.state,
        milestone=milestone.name,
        pipeline=milestone.pipeline,
        party_ids=list(opportunity.party_ids),
        values=values,
        lines=lines,
        problem=problem,
        is_due=is_due,
        is_left_out=left_out != "",
        left_out=left_out,
        fingerprint=links.fingerprint(seen),
        created_at=opportunity.created_at,
        changed_at=opportunity.changed_at,
    )


def _lines(
    opportunity: CrmOpportunity, currency: str | None, rules: OpportunityRules
) -> tuple[list[Line], str | None, str]:
    """Return the lines, their sum as decimal text, and what is wrong if there can be none."""
    where = f"opportunity {opportunity.id}"
    if opportunity.problem:
        return [], None, opportunity.problem
    if opportunity.amount is None or currency is None:
        missing = "value" if opportunity.amount is None else "currency"
        return [], None, f"{where} has no {missing}: enter it in the CRM, then retry"
    try:
        money = Money(opportunity.amount, currency)
        return list(rules.make_lines(opportunity, money)), money.format(), ""
    except MoneyError as error:
        return [], None, f"the value of {where} is no amount of money: {error}"
    except UnmappableValue as error:
        return [], None, f"{where}: {error}"


def _left_out(opportunity: CrmOpportunity, rules: OpportunityRules, problem: str) -> tuple[str, str]:
    """Return why it is not synced, "" if it is, and what is wrong with it: a condition may not be worked out for it."""
    try:
        return rules.left_out(opportunity), problem
    except UnmappableValue as error:
        return "", problem or f"opportunity {opportunity.id}: {error}"


def _notes(opportunity: CrmOpportunity, template: str) -> str | None:
    close = opportunity.expected_close
    said = template.replace("{milestone}", opportunity.milestone.name)
    return tidy(said.replace("{expected_close}", close.isoformat() if close else "open"))


def _is_due(now: Milestone, milestones: Sequence[Milestone], estimate_from: Sequence[str]) -> bool:
    """Return whether it has come as far as the milestone of its pipeline from which on there is an estimate."""
    if any(now.is_named(name) for name in estimate_from):
        return True
    first = [
        each.rank
        for each in milestones
        if each.pipeline == now.pipeline and any(each.is_named(name) for name in estimate_from)
    ]
    return now.state == "open" and bool(first) and now.rank > min(first)
