"""Opportunities against their estimates and invoices: what a pass would do is what differs. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from activities.document_planning import Planner
from activities.document_rules import DocumentRules
from activities.opportunity_models import DocumentPlan, OpportunityPlan, PlanDocuments
from mapping.plan import FieldWrite
from mapping.values import Value
from store.reconciliation_models import Drift, Mismatch, MismatchKind, Repair

HELD: Mapping[str, MismatchKind] = {
    "duplicate-found": "duplicate",
    "money-mismatch": "amount",
    "approval": "amount",
    "rejected": "missing-right",
}
"""What a pass would ask a person, as a report calls it. What is not named here is fields that differ."""
STATUS_STEPS = frozenset({"archive", "restore", "accept", "send"})
AMOUNTS = ("amount", "paid", "outstanding")


def compare_opportunity(
    asked: PlanDocuments,
    rules: DocumentRules,
    fingerprint: Callable[[Mapping[str, Value]], str],
    shown: Mapping[str, tuple[str, str]],
) -> list[Mismatch]:
    """Return what differs between an opportunity and its documents; nothing if a pass would write nothing.

    `shown` has, for each fact of the invoice that the opportunity shows, what it says and what it must say.
    """
    plan = Planner(asked, rules, fingerprint).plan()
    if plan.hold_reason is not None:
        return [_of(asked, _held_kind(asked, plan), explanation=plan.explanation, needs_person=True)]
    found = [_of_document(asked, each) for each in plan.documents]
    if plan.needs_client:
        found.append(_of(asked, "missing-right", explanation="its party has no client yet"))
    if plan.crm_writes:
        drifts = [Drift(each.field, _text(each.before), _text(each.after)) for each in plan.crm_writes]
        found.append(_of(asked, _kind_of(drifts), drifts, explanation="its estimate was changed"))
    if plan.move_to:
        milestone, status = asked.opportunity.milestone, asked.estimate.status if asked.estimate else ""
        found.append(_of(asked, "status", [Drift("status", milestone, status)], explanation="its estimate went on"))
    wrong = [Drift(name, says, must) for name, (says, must) in sorted(shown.items()) if says != must]
    if wrong and not found:
        found.append(_of(asked, _kind_of(wrong), wrong, explanation="it shows another invoice than there is"))
    return found


def of_lost_opportunity(opportunity_id: int, documents: Sequence[str]) -> Mismatch:
    """Return what is left of an opportunity that the CRM does not list: documents (`invoice:8`) that still stand."""
    text = "its opportunity is not in the CRM any more, and the documents of it still stand"
    # A sync archives the estimate; what becomes of an invoice that has been made is for people to say.
    repair: Repair = "sync" if any(each.startswith("estimate:") for each in documents) else "person"
    return Mismatch(0, "missing-left", "unknown", repair, (str(opportunity_id),), tuple(documents), explanation=text)


def _held_kind(asked: PlanDocuments, plan: OpportunityPlan) -> MismatchKind:
    if plan.orphans is not None:
        return "orphaned-link"
    kind = HELD.get(plan.hold_reason or "", "field-drift")
    has_document = asked.estimate is not None or asked.invoice is not None
    return "missing-right" if kind == "amount" and not has_document else kind


def _of_document(asked: PlanDocuments, plan: DocumentPlan) -> Mismatch:
    """Return what differs because of which a pass would take this step."""
    drifts = [_drift(each) for each in plan.writes]
    if plan.action == "create":
        return _of(asked, "missing-right", drifts, explanation=plan.explanation)
    if plan.action == "adopt":
        text = f"{plan.kind} {plan.document_id} carries our reference, and is linked to nothing"
        return replace(_of(asked, "missing-right", explanation=text), cause="in-doubt")
    if plan.action in STATUS_STEPS:
        return _of(asked, "status", drifts, explanation=plan.explanation)
    return _of(asked, _kind_of(drifts), drifts, explanation=plan.explanation)


def _of(
    asked: PlanDocuments,
    kind: MismatchKind,
    drifts: Sequence[Drift] = (),
    *,
    explanation: str,
    needs_person: bool = False,
) -> Mismatch:
    sides = {"estimate": asked.estimate, "invoice": asked.invoice}
    return Mismatch(
        number=0,
        kind=kind,
        cause="unknown",
        repair="person" if needs_person else "sync",
        crm_ids=(str(asked.key.opportunity_id),),
        books_ids=tuple(f"{kind}:{side.document_id}" for kind, side in sides.items() if side is not None),
        name=str(asked.opportunity.values.get("name") or ""),
        drifts=tuple(drifts),
        explanation=explanation,
    )


def _kind_of(drifts: Sequence[Drift]) -> MismatchKind:
    """Return the gravest of what differs: another currency before another amount, that before the rest."""
    named = {each.name for each in drifts}
    if "currency" in named:
        return "currency"
    if not named.isdisjoint(AMOUNTS):
        return "amount"
    return "status" if "status" in named else "field-drift"


def _drift(write: FieldWrite) -> Drift:
    """Return a write to the books as what both sides say now."""
    return Drift(write.field, crm=_text(write.after), books=_text(write.before))


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
