"""What a pass would do with an opportunity's estimate and invoice. Pure: the same inputs give the same plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from activities.document_questions import Held, approval, approval_reason, conflict
from activities.document_rules import CRM_ONLY, DocumentRules, in_words
from activities.opportunity_models import (
    Action,
    DocumentPlan,
    DocumentSide,
    DocumentStanding,
    Kind,
    Line,
    OpportunityPlan,
    PlanDocuments,
)
from mapping.merge import Merged, merge
from mapping.plan import field_writes
from mapping.rules import FieldRule
from mapping.values import Value, tidy

NOT_YET_SENT = frozenset({"draft"})
ENDED = frozenset({"accepted", "invoiced"})
IN_LINES = frozenset({"name", "amount", "currency"})


class NeedsClient(Exception):
    """A document is to be made, and the opportunity's party has no client yet."""


@dataclass(frozen=True)
class Planner:
    """One plan. `fingerprint` makes the digest that an approval is bound to."""

    asked: PlanDocuments
    rules: DocumentRules
    fingerprint: Callable[[Mapping[str, Value]], str]

    def plan(self) -> OpportunityPlan:
        """Return what becomes of both documents and of the opportunity."""
        try:
            return self._documents()
        except NeedsClient:
            return self._empty(needs_client=True)
        except Held as held:
            explained = {"explanation": held.text, "opportunity": self.asked.opportunity.known_as, **held.evidence}
            plan = self._empty(hold_reason=held.reason, explanation=held.text, evidence=explained)
            approvals = self.rules.approvals
            timers = {"escalate_after": approvals.escalate_after, "expire_after": approvals.expire_after}
            return plan.model_copy(update={"digest": held.digest, "orphans": held.orphans, **timers})

    def _empty(self, **values: object) -> OpportunityPlan:
        return OpportunityPlan.model_validate({"version": self.rules.version, **values})

    def _documents(self) -> OpportunityPlan:
        opportunity = self.asked.opportunity
        if opportunity.is_left_out:
            return self._empty(explanation=opportunity.left_out or "left out by the settings")
        estimate, merged = self._estimate()
        # What an answer was lost of is linked first. The next attempt compares it, and then makes the invoice of it.
        invoice = None if estimate is not None and estimate.action == "adopt" else self._invoice(estimate)
        plans = [each for each in (estimate, invoice) if each is not None and each.action != "none"]
        back = [] if merged is None else field_writes(opportunity.values, merged.crm_writes)
        move = self._move_to() if estimate is not None else ""
        parts = [each.explanation for each in plans]
        parts += [f"write to the opportunity: {', '.join(each.field for each in back)}"] if back else []
        parts += ["move the opportunity, as its estimate was"] if move else []
        return self._empty(
            documents=plans,
            settled=self._settled(estimate, invoice),
            move_to=move,
            crm_writes=back,
            final_base=self._final_base(merged),
            explanation="; ".join(parts) or "in step",
        )

    def _final_base(self, merged: Merged | None) -> dict[str, Value]:
        """Return what the estimate and the opportunity agree on once the opportunity has been written too."""
        side = self.asked.estimate
        return {} if merged is None or side is None else {**merged.next_base(), "status": side.status}

    def _settled(self, *plans: DocumentPlan | None) -> dict[Kind, dict[str, Value]]:
        """Return what the linked documents agree on with the opportunity that need no step of their own."""
        settled: dict[Kind, dict[str, Value]] = {}
        sides: dict[Kind, DocumentSide | None] = {"estimate": self.asked.estimate, "invoice": self.asked.invoice}
        for kind, side in sides.items():
            standing, plan = self._standing(kind), next((each for each in plans if each and each.kind == kind), None)
            if standing.document_id is not None and side is not None and (plan is None or plan.action == "none"):
                base = standing.base or {}
                agreed = plan.next_base if plan is not None else {**base, "status": self._agreed_status(kind, side)}
                settled[kind] = {**agreed, **{key: base[key] for key in ("told",) if key in base}}
        return settled

    # The estimate

    def _estimate(self) -> tuple[DocumentPlan | None, Merged | None]:
        standing, side, opportunity = self.asked.standing.estimate, self.asked.estimate, self.asked.opportunity
        if not opportunity.exists or opportunity.state == "lost":
            return self._withdrawn("estimate", standing, side) or self._left_over("estimate"), None
        if side is None or standing.document_id is None:
            is_due = opportunity.state == "open" and opportunity.is_due
            return (self._made("estimate", None) if is_due else self._left_over("estimate")), None
        if not side.exists or (not side.visible and standing.state == "active"):
            return self._deleted_by_a_person("estimate", side), None
        if side.status == "invoiced":
            return None, None
        return self._kept("estimate", standing, side)

    def _move_to(self) -> str:
        """Return the milestone that the estimate's new status asks for, "" if it asks for none."""
        side, opportunity, base = self.asked.estimate, self.asked.opportunity, self.asked.standing.estimate.base
        if side is None or not side.visible or opportunity.state != "open" or not self.rules.two_way:
            return ""
        if base is None or base.get("status") == side.status:
            return ""
        wanted = self.rules.moves.get(side.status, "")
        return "" if wanted == opportunity.milestone else wanted

    def _agreed_status(self, kind: Kind, side: DocumentSide) -> Value:
        """Return the status that the opportunity has taken over: a new one that moves it is only agreed on then."""
        moves = kind == "estimate" and self._move_to() != ""
        return (self.asked.standing.estimate.base or {}).get("status") if moves else side.status

    # The invoice

    def _invoice(self, estimate: DocumentPlan | None) -> DocumentPlan | None:
        standing, side, opportunity = self.asked.standing.invoice, self.asked.invoice, self.asked.opportunity
        if not opportunity.exists:
            return self._left_over("invoice")
        if opportunity.state != "won":
            return self._withdrawn("invoice", standing, side) or self._left_over("invoice")
        if side is None or standing.document_id is None:
            return self._approved(self._made("invoice", estimate)) if self.rules.invoice != "none" else None
        if not side.exists or (not side.visible and standing.state == "active"):
            return self._deleted_by_a_person("invoice", side)
        return self._still_due(side, self._kept("invoice", standing, side)[0])

    def _still_due(self, side: DocumentSide, kept: DocumentPlan) -> DocumentPlan:
        """Return the plan of an invoice that is there. Raises Held for one that people were sent already."""
        if kept.writes and side.status not in NOT_YET_SENT:
            text = (
                f"invoice {side.document_id} has left the house, and its opportunity changed afterwards "
                f"({', '.join(each.field for each in kept.writes)}): correct it in FreshBooks, or put the opportunity "
                "back, then retry; or skip"
            )
            raise Held("conflict", text)
        return self._approved(kept) if kept.writes else kept

    def _approved(self, plan: DocumentPlan) -> DocumentPlan:
        """Return the plan, unless a person has yet to approve this very payload."""
        reason = approval_reason(self.asked, self.rules.approvals, plan)
        digest = self._digest(plan)
        if reason is None or digest == self.asked.approved:
            return plan
        raise approval(self.asked, plan, reason, digest)

    def _digest(self, plan: DocumentPlan) -> str:
        payload: dict[str, Value] = {
            "number": plan.number,
            "client": plan.client_id,
            "total": plan.predicted,
            "lines": "\n".join(line.model_dump_json() for line in plan.lines or ()),
            **{field: value for field, value in self.asked.opportunity.values.items() if field in plan.next_base},
        }
        return self.fingerprint(payload)

    # What both have in common

    def _ours(self, kind: Kind) -> DocumentSide | None:
        """Return the document that carries our reference, if the search found one. Raises Held for two."""
        create = self._standing(kind).create
        reference = create.reference if create else ""
        ours = [each for each in self.asked.found.get(kind, []) if reference and each.reference == reference]
        if len(ours) > 1:
            ids = ", ".join(str(each.document_id) for each in ours)
            text = f"{kind}s {ids} both carry the reference of this opportunity: delete one, then retry"
            raise Held("duplicate-found", text)
        return ours[0] if ours else None

    def _left_over(self, kind: Kind) -> DocumentPlan | None:
        """Return the plan that links what a lost create has left although it is not due any more: left alone it would
        stand in the books for good. The next attempt takes it back.
        """
        ours = self._ours(kind) if self._standing(kind).document_id is None else None
        return None if ours is None else self._adopted(kind, ours)

    def _made(self, kind: Kind, estimate: DocumentPlan | None) -> DocumentPlan:
        """Return the plan of a document that is not linked yet: adopt ours if it is there, else create it."""
        asked, opportunity = self.asked, self.asked.opportunity
        number = self.rules.number(kind, asked.key.opportunity_id)
        found, ours = asked.found.get(kind, []), self._ours(kind)
        if ours is not None:
            return self._adopted(kind, ours)
        if found:
            text = f"number {number} is taken by {kind} {found[0].document_id}: renumber it in FreshBooks, then retry"
            raise Held("duplicate-found", text)
        if opportunity.problem:
            raise Held("rejected", opportunity.problem)
        if asked.client_id is None:
            raise NeedsClient
        lines = self._lines(kind, estimate)
        return DocumentPlan(
            kind=kind,
            action="create",
            explanation=f"create {kind} {number}",
            writes=field_writes({}, self._values(kind)),
            next_base={**self._values(kind), "status": "draft"},
            lines=lines,
            predicted=self._predicted(kind, lines),
            client_id=asked.client_id,
            number=number,
            estimate_id=self._estimate_id(estimate) if kind == "invoice" else None,
            then=self._afterwards(kind, "draft"),
            rules=in_words(kind, self.rules.fields(kind, one_line=len(lines) == 1)),
        )

    def _adopted(self, kind: Kind, side: DocumentSide) -> DocumentPlan:
        """Return the plan of a document that an answer was lost of: link it; the next attempt compares.

        It was made as a draft. If its customer has accepted it since, that is news, as it is of any other.
        """
        base: dict[str, Value] = {**side.values, "status": "draft"}
        return DocumentPlan(
            kind=kind,
            action="adopt",
            document_id=side.document_id,
            explanation=f"adopt {kind} {side.document_id}",
            next_base=base,
        )

    def _kept(self, kind: Kind, standing: DocumentStanding, side: DocumentSide) -> tuple[DocumentPlan, Merged]:
        """Return what brings a linked document up to date, and what the merge wants of the opportunity."""
        opportunity = self.asked.opportunity
        if opportunity.problem:
            raise Held("rejected", opportunity.problem)
        rules = self._rules_of(kind, side)
        base = {field: value for field, value in (standing.base or {}).items() if field in rules}
        merged = merge(
            base,
            self._values(kind),
            side.values,
            rules,
            crm_changed_at=opportunity.changed_at,
            books_changed_at=side.changed_at,
        )
        if self.asked.take is not None:
            merged = merged.resolve(self.asked.take)
        if merged.conflicts:
            raise conflict(kind, side, merged)
        writes = field_writes(side.values, merged.books_writes)
        then = self._afterwards(kind, side.status)
        action: Action = "update" if writes else then[0] if then else "none"
        if not side.visible:
            action, then = "restore", (["update", *then] if writes else then)
        named = ", ".join(each.field for each in writes)
        relined = not IN_LINES.isdisjoint(each.field for each in writes)
        plan = DocumentPlan(
            kind=kind,
            action=action,
            document_id=side.document_id,
            explanation=f"{action} {kind} {side.document_id}{f': {named}' if named else ''}",
            writes=writes,
            next_base={**merged.next_base(crm_written=False), "status": self._agreed_status(kind, side)},
            lines=opportunity.lines if relined else None,
            predicted=self._predicted(kind, opportunity.lines) if relined else "",
            number=side.number,
            client_id=side.client_id,
            then=[each for each in then if each != action],
            rules=in_words(kind, rules),
        )
        return plan, merged

    def _rules_of(self, kind: Kind, side: DocumentSide) -> Mapping[str, FieldRule]:
        """Return how the fields of a linked document follow. A line that the template names leads no name back."""
        lines, named = self.asked.opportunity.lines, self.asked.opportunity.values.get("name")
        rules = self.rules.fields(kind, one_line=len(side.lines) == 1 and len(lines) == 1)
        return rules if lines and tidy(lines[0].name) == named else {**rules, "name": CRM_ONLY}

    def _lines(self, kind: Kind, estimate: DocumentPlan | None) -> list[Line]:
        """Return the lines of a new document: an invoice has those of the estimate that the customer has seen.

        One that nobody has seen follows the opportunity in this very pass, and the invoice with it.
        """
        side = self.asked.estimate
        if kind == "estimate" or side is None or self._estimate_id(estimate) is None:
            return self.asked.opportunity.lines
        follows = estimate is not None and side.status in NOT_YET_SENT
        return (estimate.lines if estimate and follows else None) or side.lines

    def _predicted(self, kind: Kind, lines: list[Line]) -> str:
        """Return the total that FreshBooks will compute. Raises Held if the lines come to another amount than the CRM
        says.
        """
        values = self.asked.opportunity.values
        totals = self.rules.predict(lines, str(values["currency"]))
        if Decimal(totals.net) != Decimal(str(values["amount"])):
            text = f"the lines of the {kind} come to another amount than the opportunity: correct either, then retry"
            raise Held("money-mismatch", text, {"lines": totals.net})
        return totals.gross

    def _afterwards(self, kind: Kind, status: str) -> list[Action]:
        """Return what is to be done with a document once it says what it should."""
        opportunity = self.asked.opportunity
        if kind == "estimate":
            accepted = opportunity.milestone in self.rules.accepts
            return ["accept"] if accepted and status not in ENDED else []
        return ["send"] if self.rules.invoice == "final" and status in NOT_YET_SENT else []

    def _withdrawn(self, kind: Kind, standing: DocumentStanding, side: DocumentSide | None) -> DocumentPlan | None:
        """Return the plan that takes a document back, if there is one that can be: it is archived, never deleted."""
        if side is None or standing.document_id is None or not side.exists or not side.visible:
            return None
        if kind == "invoice" and side.status not in NOT_YET_SENT:
            text = (
                f"invoice {side.document_id} has left the house, and its opportunity is not won any more: void it in "
                "FreshBooks, or move the opportunity back, then retry; or skip to leave both"
            )
            raise Held("conflict", text)
        if side.status == "invoiced":
            return None
        return DocumentPlan(
            kind=kind,
            action="archive",
            document_id=side.document_id,
            explanation=f"archive {kind} {side.document_id}: the opportunity is {self.asked.opportunity.state}",
            next_base={**(standing.base or {}), "status": side.status},
        )

    def _deleted_by_a_person(self, kind: Kind, side: DocumentSide) -> DocumentPlan | None:
        if self._standing(kind).state == "orphaned" and not self.asked.by_person:
            return None
        text = f"{kind} {side.document_id} was deleted in FreshBooks; restore it there and retry, or skip to leave it"
        raise Held("conflict", text, orphans=kind)

    def _values(self, kind: Kind) -> dict[str, Value]:
        """Return what a document should say. Its name is that of its first line, which a template may have named."""
        fields, opportunity = self.rules.fields(kind, one_line=True), self.asked.opportunity
        named = {"name": tidy(opportunity.lines[0].name)} if opportunity.lines else {}
        return {field: value for field, value in {**opportunity.values, **named}.items() if field in fields}

    def _standing(self, kind: Kind) -> DocumentStanding:
        return self.asked.standing.of(kind)

    def _estimate_id(self, estimate: DocumentPlan | None) -> int | None:
        """Return the estimate that stands in the books once this pass is through with it."""
        side, returns = self.asked.estimate, estimate is not None and estimate.action == "restore"
        return side.document_id if side is not None and side.exists and (side.visible or returns) else None
