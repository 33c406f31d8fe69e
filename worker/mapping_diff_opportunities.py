"""What other settings would make of opportunities: which documents, of which lines, with which totals."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from activities.document_planning import Planner
from activities.document_rules import Approvals, DocumentRules
from activities.opportunity_crm import CrmOpportunity
from activities.opportunity_models import (
    DocumentPlan,
    DocumentStanding,
    Kind,
    Line,
    OpportunityKey,
    OpportunityPlan,
    OpportunityStanding,
    PlanDocuments,
)
from activities.opportunity_sides import opportunity_side
from mapping.money import Money, total
from mapping.values import UnmappableValue, Value
from worker.mapping_diff import no_links, without_client
from worker.mapping_inputs import Inputs
from worker.mapping_sides import Side

SOME_CLIENT = 1


@dataclass(frozen=True)
class Document:
    """An estimate or invoice that would be made. `gross` is what FreshBooks would compute; `fields` are all others."""

    kind: Kind
    gross: Money
    lines: Sequence[Line]
    fields: Mapping[str, Value]

    def differs_in(self, other: "Document") -> list[str]:
        """Return what is not the same in another one."""
        fields = sorted(name for name in self.fields.keys() | other.fields.keys() if self._of(name) != other._of(name))
        parts = {"lines": self.lines != other.lines, "total": self.gross != other.gross}
        return [*(name for name, differs in parts.items() if differs), *fields]

    def _of(self, name: str) -> Value:
        return self.fields.get(name)


@dataclass(frozen=True)
class Outcome:
    """What settings make of one opportunity: documents by kind, or why there are none, without a value."""

    documents: Mapping[Kind, Document] = field(default_factory=dict)
    is_left_out: bool = False
    why: str = ""


@dataclass(frozen=True)
class Change:
    """One opportunity that differs."""

    opportunity_id: int
    old: Outcome
    new: Outcome


@dataclass(frozen=True)
class Totals:
    """What all documents of a kind come to in one currency, under either settings."""

    kind: Kind
    old: Money
    new: Money
    old_count: int
    new_count: int

    @property
    def difference(self) -> Money:
        """By how much the new ones are more."""
        return self.new - self.old


@dataclass(frozen=True)
class OpportunitiesDifference:
    """What differs, opportunity by opportunity, and in sum."""

    compared: int
    changes: Sequence[Change]
    totals: Sequence[Totals]

    @property
    def fields(self) -> Counter[str]:
        """In how many documents of either kind something differs: "estimate lines"."""
        return Counter(name for each in self.changes for name in _differences(each))


def compare_opportunities(old: Side, new: Side, inputs: Inputs) -> OpportunitiesDifference | None:
    """Return what differs between the documents that would be made anew; None if neither side syncs opportunities."""
    if old.opportunities is None and new.opportunities is None:
        return None
    before, after = list(_outcomes(old, inputs)), list(_outcomes(new, inputs))
    pairs = zip(inputs.opportunities, before, after, strict=True)
    changes = [Change(each.id, one, other) for each, one, other in pairs if one != other]
    return OpportunitiesDifference(len(inputs.opportunities), changes, _totals(before, after))


def _outcomes(side: Side, inputs: Inputs) -> Iterator[Outcome]:
    alone = without_client(side, inputs)
    for each in inputs.opportunities:
        has_client = any(party_id not in alone for party_id in each.party_ids)
        yield _outcome(side, each, inputs, has_client=has_client)


def _outcome(side: Side, opportunity: CrmOpportunity, inputs: Inputs, *, has_client: bool) -> Outcome:
    if side.opportunities is None:
        return Outcome(is_left_out=True)
    reading, rules = side.opportunities
    seen = opportunity_side(opportunity, inputs.head.milestones, reading, no_links())
    if seen.is_left_out:
        return Outcome(is_left_out=True)
    none = DocumentStanding()
    asked = PlanDocuments(
        key=OpportunityKey(connection=inputs.head.connection, opportunity_id=opportunity.id),
        standing=OpportunityStanding(version=rules.version, estimate=none, invoice=none),
        opportunity=seen,
        client_id=SOME_CLIENT if has_client else None,
    )
    try:
        plan, waits = _planned(asked, rules)
    except UnmappableValue as error:
        return Outcome(why=f"opportunity {opportunity.id}: {error}")
    if plan.needs_client:
        return Outcome(why="waits for a client of its party")
    if plan.hold_reason:
        return Outcome(why=plan.explanation)
    documents = [_document(each, str(seen.values["currency"]), waits=waits) for each in plan.documents]
    return Outcome({each.kind: each for each in documents})


def _planned(asked: PlanDocuments, rules: DocumentRules) -> tuple[OpportunityPlan, bool]:
    """Return the plan, and whether a person would have to approve it before it is carried out."""
    plan = Planner(asked, rules, lambda _: "none").plan()
    if plan.hold_reason != "approval":
        return plan, False
    return Planner(asked, replace(rules, approvals=Approvals()), lambda _: "none").plan(), True


def _document(plan: DocumentPlan, currency: str, *, waits: bool) -> Document:
    fields: dict[str, Value] = {each.field: each.after for each in plan.writes if each.field != "amount"}
    own: dict[str, Value] = {"number": plan.number, "then": ", ".join(plan.then), "waits for approval": waits}
    gross = Money(Decimal(plan.predicted), currency)
    return Document(kind=plan.kind, gross=gross, lines=plan.lines or (), fields={**fields, **own})


def _differences(change: Change) -> list[str]:
    """Return what differs in one opportunity's documents, each with the kind of document."""
    found = []
    for kind in sorted(change.old.documents.keys() | change.new.documents.keys()):
        old, new = change.old.documents.get(kind), change.new.documents.get(kind)
        if old is None or new is None:
            found.append(f"{kind} {'newly made' if old is None else 'no longer made'}")
        else:
            found += [f"{kind} {name}" for name in old.differs_in(new)]
    return found


def _totals(before: Sequence[Outcome], after: Sequence[Outcome]) -> list[Totals]:
    """Return the sums by kind and currency, exact to the minor unit."""
    old, new = _amounts(before), _amounts(after)
    return [
        Totals(
            kind=kind,
            old=total(old.get((kind, currency), ()), currency),
            new=total(new.get((kind, currency), ()), currency),
            old_count=len(old.get((kind, currency), ())),
            new_count=len(new.get((kind, currency), ())),
        )
        for kind, currency in sorted(old.keys() | new.keys())
    ]


def _amounts(outcomes: Sequence[Outcome]) -> dict[tuple[Kind, str], list[Money]]:
    found: dict[tuple[Kind, str], list[Money]] = {}
    for outcome in outcomes:
        for kind, document in outcome.documents.items():
            found.setdefault((kind, document.gross.currency), []).append(document.gross)
    return found
