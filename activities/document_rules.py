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
    `accepts` are the milestones at which the estimate is accepted. `version` changes with any of it.
    """

    version: str
    two_way: bool
    moves: Mapping[str, str]
    accepts: frozenset[str]
    invoice: Literal["none", "draft", "final"]
    number_prefix: Mapping[Kind, str]
    approvals: Approvals
    predict: Callable[[Sequence[Line], str], Predicted]

    def number(self, kind: Kind, opportunity_id: int) -> str:
        """Return the number of an opportunity's document: always the same, so that it can be found again.

        FreshBooks counts on from the latest number, whoever chose it: behind I-701-1 comes I-701-2, which is nobody's.
        """
        return f"{self.number_prefix[kind]}{opportunity_id}-1"

    def fields(self, kind: Kind, *, one_line: bool) -> Mapping[str, FieldRule]:
        """Return how the fields of a document follow the opportunity.

        Name and amount go both ways where the document has the one line that we made of them.
        """
        shared = FieldRule(owner=Owner.CRM, direction=Direction.BOTH) if self.two_way and one_line else CRM_ONLY
        owner = {"owner": CRM_ONLY} if kind == "estimate" else {}
        return {"name": shared, "amount": shared, "currency": CRM_ONLY, "notes": CRM_ONLY, **owner}
