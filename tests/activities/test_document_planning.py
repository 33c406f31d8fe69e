"""What becomes of an opportunity's estimate and invoice, decided from both sides."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from activities.document_planning import Planner
from activities.document_rules import Approvals, DocumentRules, Predicted
from activities.models import OpenCreate
from activities.opportunity_models import (
    DocumentSide,
    DocumentStanding,
    Line,
    OpportunityKey,
    OpportunityPlan,
    OpportunitySide,
    OpportunityStanding,
    PlanDocuments,
)
from mapping.values import Value
from tests.databases import TEST_KEYS

INTENT = OpenCreate(intent_id=1, reference="ref-701", fence=0)
CLIENT = 330_101


def predict(lines: Sequence[Line], currency: str) -> Predicted:
    """No taxes: gross is net."""
    del currency
    total = sum((Decimal(line.quantity) * Decimal(line.unit_cost) for line in lines), Decimal(0))
    return Predicted(net=f"{total:f}", gross=f"{total:f}")


@pytest.fixture
def rules() -> DocumentRules:
    """Both ways; an estimate that is accepted wins; what is won becomes a draft."""
    return DocumentRules(
        version="v1",
        two_way=True,
        moves={"accepted": "Won", "sent": "Proposal"},
        accepts=frozenset({"Won"}),
        invoice="draft",
        number_prefix={"estimate": "E-", "invoice": "I-"},
        approvals=Approvals(),
        predict=predict,
    )


def values(amount: str = "1250.50", name: str = "Website rebuild") -> dict[str, Value]:
    return {"name": name, "amount": amount, "currency": "USD", "notes": None, "owner": "ann@agency.test"}


def opportunity(amount: str = "1250.50", **more: Any) -> OpportunitySide:
    """An opportunity at its proposal, as the CRM says."""
    said = {"state": "open", "milestone": "Proposal", "pipeline": "Sales", "is_due": True, "party_ids": [11], **more}
    lines = [Line(name=str(said.get("values", values(amount))["name"]), unit_cost=amount)]
    return OpportunitySide.model_validate(
        {"exists": True, "values": values(amount), "lines": lines, "fingerprint": f"crm {amount}", **said}
    )


def document(amount: str = "1250.50", status: str = "draft", **more: Any) -> DocumentSide:
    """An estimate or an invoice that we made of it."""
    said: dict[str, Any] = {
        "document_id": 70_001,
        "client_id": CLIENT,
        "number": "E-701-1",
        "reference": "ref-701",
        "status": status,
        "values": values(amount),
        "lines": [Line(name="Website rebuild", unit_cost=amount)],
        "total": amount,
        "currency": "USD",
        "fingerprint": f"books {amount}",
    }
    return DocumentSide.model_validate({**said, **more})


def linked(side: DocumentSide, state: str = "active", **base: Value) -> DocumentStanding:
    """A link on which both sides last agreed on what the document says now, unless `base` says otherwise."""
    agreed: dict[str, Value] = {**side.values, "status": side.status, **base}
    return DocumentStanding(document_id=side.document_id, base=agreed, state=state)


def planned(rules: DocumentRules, **said: Any) -> OpportunityPlan:
    """Return the plan. An estimate or invoice that is given is linked, as last agreed on."""
    return Planner(asked_about(**said), rules, TEST_FINGERPRINT).plan()


def asked_about(**asked: Any) -> PlanDocuments:
    """Return what a plan is made of. An estimate or invoice that is given is linked, as last agreed on."""
    sides = {kind: asked.get(kind) for kind in ("estimate", "invoice")}
    standing = OpportunityStanding(
        version="v1",
        estimate=asked.pop("estimate_standing", None)
        or (linked(sides["estimate"]) if sides["estimate"] else DocumentStanding(create=INTENT)),
        invoice=asked.pop("invoice_standing", None)
        or (linked(sides["invoice"]) if sides["invoice"] else DocumentStanding(create=INTENT)),
    )
    given = {"opportunity": opportunity(), "client_id": CLIENT, **asked}
    key = OpportunityKey(connection="acme", opportunity_id=701)
    return PlanDocuments.model_validate({"key": key, "standing": standing, **given})


def TEST_FINGERPRINT(said: Any) -> str:  # noqa: N802 - stands in for a method of the store's keys
    return TEST_KEYS.fingerprint(repr(sorted(said.items())).encode())


def steps(plan: OpportunityPlan) -> list[tuple[str, str]]:
    return [(each.kind, each.action) for each in plan.documents]


def test_an_opportunity_at_its_proposal_gets_an_estimate(rules: DocumentRules) -> None:
    """S19, S41."""
    plan = planned(rules)
    (estimate,) = plan.documents
    assert (estimate.action, estimate.number, estimate.client_id) == ("create", "E-701-1", CLIENT)
    assert (estimate.predicted, [line.unit_cost for line in estimate.lines or ()]) == ("1250.50", ["1250.50"])


def test_one_that_has_not_come_so_far_gets_none(rules: DocumentRules) -> None:
    plan = planned(rules, opportunity=opportunity(is_due=False, milestone="New"))
    assert (plan.documents, plan.hold_reason, plan.explanation) == ([], None, "in step")


def test_without_a_client_the_client_comes_first(rules: DocumentRules) -> None:
    """F38."""
    plan = planned(rules, client_id=None)
    assert (plan.needs_client, plan.documents) == (True, [])


def test_without_a_value_a_person_is_asked(rules: DocumentRules) -> None:
    """Z36."""
    problem = "opportunity 701 has no value: enter it in the CRM, then retry"
    plan = planned(rules, opportunity=opportunity(problem=problem))
    assert (plan.hold_reason, plan.explanation) == ("rejected", problem)


def test_a_changed_value_changes_the_lines(rules: DocumentRules) -> None:
    """S20: 1250.50 became 1400."""
    plan = planned(rules, opportunity=opportunity("1400.00"), estimate=document())
    (estimate,) = plan.documents
    assert (estimate.action, [each.field for each in estimate.writes]) == ("update", ["amount"])
    assert (estimate.predicted, [line.unit_cost for line in estimate.lines or ()]) == ("1400.00", ["1400.00"])


def test_what_is_in_step_plans_nothing(rules: DocumentRules) -> None:
    """Z140."""
    plan = planned(rules, estimate=document())
    assert (plan.documents, plan.crm_writes, plan.move_to) == ([], [], "")
    assert plan.settled["estimate"]["status"] == "draft"


def test_an_amount_that_was_changed_in_freshbooks_goes_back(rules: DocumentRules) -> None:
    """S19: both ways."""
    estimate = document("1300.00")
    standing = linked(estimate, amount="1250.50")
    plan = planned(rules, estimate=estimate, estimate_standing=standing)
    assert [(each.field, each.after) for each in plan.crm_writes] == [("amount", "1300.00")]
    assert plan.settled["estimate"].get("amount") == "1250.50", "agreed on only once the CRM has taken it over"
    assert plan.final_base["amount"] == "1300.00"


def test_an_estimate_that_a_person_gave_more_lines_keeps_them(rules: DocumentRules) -> None:
    """Their sum is not the value of the opportunity in so many words, so nobody is overruled."""
    lines = [Line(name="Design", unit_cost="1000.00"), Line(name="Build", unit_cost="300.00")]
    estimate = document("1300.00", lines=lines)
    plan = planned(rules, estimate=estimate, estimate_standing=linked(estimate, amount="1250.50"))
    assert (plan.documents, plan.crm_writes) == ([], [])


def test_an_estimate_that_was_accepted_moves_the_opportunity(rules: DocumentRules) -> None:
    """S19."""
    estimate = document(status="accepted")
    plan = planned(rules, estimate=estimate, estimate_standing=linked(estimate, status="sent"))
    assert plan.move_to == "Won"
    assert plan.settled["estimate"]["status"] == "sent", "agreed on only once the opportunity has moved"


def test_a_status_that_moved_it_once_does_not_move_it_again(rules: DocumentRules) -> None:
    """Somebody moved it back on purpose."""
    estimate = document(status="accepted")
    plan = planned(rules, estimate=estimate, opportunity=opportunity(milestone="Negotiation"))
    assert plan.move_to == ""


def test_a_lost_opportunity_archives_its_estimate(rules: DocumentRules) -> None:
    plan = planned(rules, opportunity=opportunity(state="lost", milestone="Lost"), estimate=document())
    assert steps(plan) == [("estimate", "archive")]


def test_one_that_is_lost_for_long_is_left_alone(rules: DocumentRules) -> None:
    estimate = document(visible=False)
    lost = opportunity(state="lost", milestone="Lost")
    plan = planned(rules, opportunity=lost, estimate=estimate, estimate_standing=linked(estimate, "tombstoned"))
    assert steps(plan) == []


def test_a_reopened_opportunity_gets_its_own_estimate_back(rules: DocumentRules) -> None:
    """F7: never a second one."""
    estimate = document(visible=False)
    standing = linked(estimate, "tombstoned")
    plan = planned(rules, opportunity=opportunity("1400.00"), estimate=estimate, estimate_standing=standing)
    (restored,) = plan.documents
    assert (restored.action, restored.then, restored.document_id) == ("restore", ["update"], 70_001)


def test_an_estimate_that_a_person_deleted_is_not_made_again_unasked(rules: DocumentRules) -> None:
    """F16."""
    estimate = document(visible=False)
    plan = planned(rules, estimate=estimate)
    assert (plan.hold_reason, plan.orphans, plan.documents) == ("conflict", "estimate", [])


def test_a_won_opportunity_is_invoiced_from_its_estimate(rules: DocumentRules) -> None:
    """S38, Z12, Z141, Z142."""
    lines = [Line(name="Design", unit_cost="1000.00"), Line(name="Build", unit_cost="250.50")]
    estimate = document(lines=lines)
    plan = planned(rules, opportunity=opportunity(state="won", milestone="Won"), estimate=estimate)
    assert steps(plan) == [("estimate", "accept"), ("invoice", "create")]
    invoice = plan.documents[1]
    assert (invoice.number, invoice.estimate_id, invoice.then) == ("I-701-1", 70_001, [])
    assert invoice.lines == lines


def test_a_won_opportunity_without_an_estimate_is_invoiced_all_the_same(rules: DocumentRules) -> None:
    plan = planned(rules, opportunity=opportunity(state="won", milestone="Won"))
    assert steps(plan) == [("invoice", "create")]
    assert plan.documents[0].estimate_id is None


def test_an_estimate_of_another_amount_is_not_invoiced_unasked(rules: DocumentRules) -> None:
    """S39: the lines come to 1300, the opportunity says 1250.50, and the customer has seen the estimate."""
    lines = [Line(name="Design", unit_cost="1000.00"), Line(name="Build", unit_cost="300.00")]
    estimate = document("1300.00", status="sent", lines=lines)
    plan = planned(
        rules,
        opportunity=opportunity(state="won", milestone="Won"),
        estimate=estimate,
        estimate_standing=linked(estimate),
    )
    assert plan.hold_reason == "money-mismatch"
    assert plan.evidence["lines"] == "1300.00"
    assert "1300" not in plan.explanation


def test_a_final_invoice_is_marked_as_sent_after_it_was_made(rules: DocumentRules) -> None:
    """Z142."""
    final = rules_with(rules, invoice="final")
    plan = planned(final, opportunity=opportunity(state="won", milestone="Won"))
    assert (plan.documents[0].action, plan.documents[0].then) == ("create", ["send"])


def test_a_draft_follows_the_opportunity_and_a_sent_invoice_is_a_question(rules: DocumentRules) -> None:
    """F30."""
    won = opportunity("1400.00", state="won", milestone="Won")
    assert steps(planned(rules, opportunity=won, invoice=document())) == [("invoice", "update")]
    assert planned(rules, opportunity=won, invoice=document(status="sent")).hold_reason == "conflict"


def test_a_draft_of_an_opportunity_that_is_open_again_is_archived_and_comes_back(rules: DocumentRules) -> None:
    """F7."""
    assert steps(planned(rules, invoice=document(), estimate=document())) == [("invoice", "archive")]
    archived = document(visible=False)
    won = opportunity(state="won", milestone="Won")
    plan = planned(rules, opportunity=won, invoice=archived, invoice_standing=linked(archived, "tombstoned"))
    assert steps(plan) == [("invoice", "restore")]


def test_an_invoice_that_was_sent_is_not_taken_back_by_a_machine(rules: DocumentRules) -> None:
    plan = planned(rules, invoice=document(status="sent"), estimate=document())
    assert (plan.hold_reason, plan.documents) == ("conflict", [])


def test_our_own_document_is_found_by_number_and_reference(rules: DocumentRules) -> None:
    """S47, F1: the answer to its create was lost."""
    plan = planned(rules, found={"estimate": [document()]})
    assert [(each.action, each.document_id) for each in plan.documents] == [("adopt", 70_001)]


def test_a_number_that_is_taken_is_a_question(rules: DocumentRules) -> None:
    plan = planned(rules, found={"estimate": [document(reference="")]})
    assert plan.hold_reason == "duplicate-found"
    assert "E-701-1" in plan.explanation


def rules_with(rules: DocumentRules, **changes: Any) -> DocumentRules:
    return DocumentRules(**{**vars(rules), **changes})


ABOVE = Approvals(above={"USD": Decimal(1000)})
WON = {"state": "won", "milestone": "Won"}


def test_an_invoice_above_the_limit_waits_for_approval(rules: DocumentRules) -> None:
    """S59."""
    asked = rules_with(rules, approvals=ABOVE)
    plan = planned(asked, opportunity=opportunity(**WON))
    assert (plan.hold_reason, plan.documents) == ("approval", [])
    approved = planned(asked, opportunity=opportunity(**WON), approved=plan.digest)
    assert steps(approved) == [("invoice", "create")]


def test_an_approval_is_for_this_amount_and_no_other(rules: DocumentRules) -> None:
    """S59: approved at 1250.50, then changed to 1400."""
    asked = rules_with(rules, approvals=ABOVE)
    digest = planned(asked, opportunity=opportunity(**WON)).digest
    changed = planned(asked, opportunity=opportunity("1400.00", **WON), approved=digest)
    assert (changed.hold_reason, changed.documents) == ("approval", [])
    assert changed.digest != digest


def test_what_is_below_the_limit_or_in_another_currency_does_not_wait(rules: DocumentRules) -> None:
    asked = rules_with(rules, approvals=Approvals(above={"USD": Decimal("1250.50"), "EUR": Decimal(1)}))
    assert steps(planned(asked, opportunity=opportunity(**WON))) == [("invoice", "create")]


def test_the_first_invoice_of_a_client_can_wait_for_approval(rules: DocumentRules) -> None:
    """S59."""
    asked = rules_with(rules, approvals=Approvals(first_invoice=True))
    assert planned(asked, opportunity=opportunity(**WON), is_first_invoice=True).hold_reason == "approval"
    assert steps(planned(asked, opportunity=opportunity(**WON))) == [("invoice", "create")]


def test_what_was_approved_and_made_is_not_asked_about_again(rules: DocumentRules) -> None:
    """The answer to the create of an approved invoice was lost."""
    asked = rules_with(rules, approvals=ABOVE)
    plan = planned(asked, opportunity=opportunity(**WON), found={"invoice": [document()]})
    assert steps(plan) == [("invoice", "adopt")]


def test_what_the_settings_leave_out_is_left_alone(rules: DocumentRules) -> None:
    """S56."""
    plan = planned(rules, opportunity=opportunity("1400.00", is_left_out=True), estimate=document())
    assert (plan.documents, plan.explanation) == ([], "left out by the settings")


def test_a_deleted_opportunity_archives_its_estimate_and_leaves_its_invoice(rules: DocumentRules) -> None:
    gone = OpportunitySide(exists=False)
    plan = planned(rules, opportunity=gone, estimate=document(), invoice=document(status="paid"))
    assert steps(plan) == [("estimate", "archive")]


def test_an_invoiced_estimate_is_left_alone(rules: DocumentRules) -> None:
    won = opportunity("1400.00", **WON)
    plan = planned(rules, opportunity=won, estimate=document(status="invoiced"), invoice=document("1400.00"))
    assert steps(plan) == []
