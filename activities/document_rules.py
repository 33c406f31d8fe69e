"""How one connection's opportunities become estimates and invoices: the settings, as a plan needs them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from activities.opportunity_models import Kind, Line
from mapping.rules import Direction, FieldRule, Owner

CRM_ONLY = FieldRule(owner=Owner.CRM, direction=Direction.TO_BOOKS)
FLOWS: Mapping[Kind, str] = {"estimate": "estimates", "invoice": "invoices"}
SOURCES: Mapping[str, str] = {
    "name": "the opportunity's name",
    "amount": "the opportunity's value",
    "currency": "the opportunity's currency",
    "notes": "the notes in the settings",
    "owner": "the opportunity's owner, by email address",
}
"""Where each field of a document comes from, as the audit log says it."""


@dataclass(frozen=True)
class Approvals:
    """Which invoices a person approves before they are made: from an amount on, by currency, or a client's first."""

    above: Mapping[str, Decimal] = field(default_factory=dict)
    first_invoice: bool = False
    escalate_after: timedelta = timedelta(days=1)
    expire_after: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class Predicted:
    """What lines come to before and after tax, as decimal text."""

    net: str
    gross: str


@dataclass(frozen=True)
class DocumentRules:
    """One connection's rules. `moves` says to which milestone an opportunity goes when its estimate gets a status;
    `accepts` are the milestones at which the estimate is accepted. `both_changed` says who is right about name and
    amount where both sides changed them. `version` changes with any of it.
    """

    version: str
    two_way: bool
    moves: Mapping[str, str]
    accepts: frozenset[str]
    invoice: Literal["none", "draft", "final"]
    number_prefix: Mapping[Kind, str]
    approvals: Approvals
    predict: Callable[[Sequence[Line], str], Predicted]
    both_changed: Owner = Owner.CRM

    def number(self, kind: Kind, opportunity_id: int) -> str:
        """Return the number of an opportunity's document: always the same, so that it can be found again.

        FreshBooks counts on from the latest number, whoever chose it: behind I-701-1 comes I-701-2, which is nobody's.
        """
        return f"{self.number_prefix[kind]}{opportunity_id}-1"

    def fields(self, kind: Kind, *, one_line: bool) -> Mapping[str, FieldRule]:
        """Return how the fields of a document follow the opportunity.

        Name and amount go both ways where the document has the one line that we made of them. What a person changed in
        an invoice stays in it: only estimates lead back.
        """
        way = Direction.BOTH if kind == "estimate" else Direction.TO_BOOKS
        shared = FieldRule(owner=self.both_changed, direction=way) if self.two_way and one_line else CRM_ONLY
        owner = {"owner": CRM_ONLY} if kind == "estimate" else {}
        return {"name": shared, "amount": shared, "currency": CRM_ONLY, "notes": CRM_ONLY, **owner}


def in_words(kind: Kind, rules: Mapping[str, FieldRule]) -> dict[str, str]:
    """Return how each field of a document is made, as a person would say it."""
    return {
        field: f"from {SOURCES.get(field, 'the opportunity')}; owner {rule.owner}, {rule.direction} ({kind})"
        for field, rule in rules.items()
    }
