"""What a plan for an opportunity's documents asks a person: the reason, and what that person decides by."""

from collections.abc import Mapping
from decimal import Decimal

from activities.document_rules import Approvals
from activities.opportunity_models import DocumentPlan, DocumentSide, Kind, PlanDocuments
from mapping.merge import Merged


class Held(Exception):
    """A person has to decide: the reason, a text without values, and evidence that may have some."""

    def __init__(
        self,
        reason: str,
        text: str,
        evidence: Mapping[str, object] | None = None,
        *,
        digest: str = "",
        orphans: Kind | None = None,
    ) -> None:
        super().__init__(text)
        self.reason, self.text, self.evidence = reason, text, dict(evidence or {})
        self.digest, self.orphans = digest, orphans


def approval_reason(asked: PlanDocuments, approvals: Approvals, plan: DocumentPlan) -> str | None:
    """Return why a person has to approve what an invoice would say; None if nobody has to."""
    if not plan.predicted:  # nothing that the customer pays is new: it was made before, or only a note changes
        return None
    currency = str(asked.opportunity.values.get("currency"))
    limit = approvals.above.get(currency)
    if limit is not None and Decimal(plan.predicted) > limit:
        return f"an invoice above {limit} {currency} waits for approval"
    if approvals.first_invoice and asked.is_first_invoice and plan.action == "create":
        return "the first invoice of a client waits for approval"
    return None


def approval(asked: PlanDocuments, plan: DocumentPlan, reason: str, digest: str) -> Held:
    """Return the question whether this very invoice may be made, or changed so."""
    values = asked.opportunity.values
    evidence: dict[str, object] = {
        "action": plan.action,
        "number": plan.number,
        "total": plan.predicted,
        "net": values.get("amount"),
        "currency": values.get("currency"),
        "client": plan.client_id,
        "estimate": asked.estimate.number if asked.estimate is not None and plan.estimate_id is not None else "",
        "charged": [each.model_dump(mode="json") for each in plan.lines or ()],
    }
    return Held(
        "approval",
        f"{reason}: approve it, or reject it (it is asked again if anything changes)",
        evidence,
        digest=digest,
    )


def conflict(kind: Kind, side: DocumentSide, merged: Merged) -> Held:
    """Return the question which side is right of those fields that both have changed."""
    fields = {field: {"crm": each.crm, "books": each.books} for field, each in merged.conflicts.items()}
    text = f"the opportunity and its {kind} {side.document_id} both changed: {', '.join(sorted(fields))}"
    return Held("conflict", f"{text}; say which side is right", {"fields": fields})
