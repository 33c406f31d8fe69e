"""Estimates and invoices whose create was not answered, and what may have happened to them before they are found."""

from activities.document_rules import DocumentRules
from activities.opportunity_models import DocumentStanding, Line
from tests.activities.test_document_planning import INTENT, document, linked, opportunity, planned, rules, steps

__all__ = ["rules"]  # a fixture
LOST = DocumentStanding(create=INTENT.model_copy(update={"in_doubt": True}))


def test_an_estimate_that_was_accepted_before_it_was_found_still_wins(rules: DocumentRules) -> None:
    """F1: it was made as a draft, so its acceptance is news."""
    accepted = document(status="accepted")
    (adopted,) = planned(rules, found={"estimate": [accepted]}).documents
    assert (adopted.action, adopted.next_base["status"]) == ("adopt", "draft")
    standing = linked(accepted, status="draft")
    assert planned(rules, estimate=accepted, estimate_standing=standing).move_to == "Won"


def test_the_estimate_of_what_was_lost_before_it_was_found_is_linked_to_be_archived(rules: DocumentRules) -> None:
    """F1, F7: nobody else would ever take it away."""
    lost = opportunity(state="lost", milestone="Lost", is_due=False)
    asked = planned(rules, opportunity=lost, estimate_standing=LOST, found={"estimate": [document()]})
    assert steps(asked) == [("estimate", "adopt")]
    assert steps(planned(rules, opportunity=lost, estimate=document())) == [("estimate", "archive")]


def test_the_invoice_of_what_is_won_no_more_is_linked_to_be_void(rules: DocumentRules) -> None:
    """F1."""
    invoice = document(number="I-701-1")
    plan = planned(rules, estimate=document(), invoice_standing=LOST, found={"invoice": [invoice]})
    assert steps(plan) == [("invoice", "adopt")]


def test_somebody_elses_document_is_left_alone_where_none_is_due(rules: DocumentRules) -> None:
    lost = opportunity(state="lost", milestone="Lost", is_due=False)
    strange = document(reference="somebody's own")
    assert steps(planned(rules, opportunity=lost, estimate_standing=LOST, found={"estimate": [strange]})) == []


def test_the_invoice_waits_until_the_estimate_is_found(rules: DocumentRules) -> None:
    """Z12: made at once, it would not name the estimate, and the estimate would never be accepted."""
    won = opportunity(state="won", milestone="Won")
    plan = planned(rules, opportunity=won, estimate_standing=LOST, found={"estimate": [document()]})
    assert steps(plan) == [("estimate", "adopt")]


def test_a_value_that_changed_on_the_day_of_winning_is_in_both_documents(rules: DocumentRules) -> None:
    """S20, S39: nobody has seen the estimate of 1250.50, so nobody has to be asked."""
    estimate = document()
    plan = planned(rules, opportunity=opportunity("1400.00", state="won", milestone="Won"), estimate=estimate)
    assert steps(plan) == [("estimate", "update"), ("invoice", "create")]
    for each in plan.documents:
        assert [line.unit_cost for line in each.lines or ()] == ["1400.00"]


def test_what_is_lost_and_then_won_is_invoiced_from_the_estimate_that_returns(rules: DocumentRules) -> None:
    """F7."""
    estimate = document(visible=False)
    standing = linked(estimate, "tombstoned")
    won = opportunity(state="won", milestone="Won")
    plan = planned(rules, opportunity=won, estimate=estimate, estimate_standing=standing)
    assert steps(plan) == [("estimate", "restore"), ("invoice", "create")]
    assert plan.documents[1].estimate_id == estimate.document_id


def test_a_line_that_the_template_names_renames_nothing(rules: DocumentRules) -> None:
    """The line is called Consulting, the opportunity Website rebuild: that is how both were made."""
    made = [Line(name="Consulting", unit_cost="1250.50")]
    said = opportunity()
    estimate = document(lines=made, values={**said.values, "name": "Consulting"})
    for base in ("Consulting", "Website rebuild"):  # adopted, and created by an earlier version
        plan = planned(
            rules,
            opportunity=said.model_copy(update={"lines": made}),
            estimate=estimate,
            estimate_standing=linked(estimate, name=base),
        )
        assert (plan.documents, plan.crm_writes) == ([], [])
