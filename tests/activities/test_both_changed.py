"""Sales and finance have both changed an amount: who is right is a setting, and `ask` or a tie asks a person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.document_rules import DocumentRules
from activities.opportunity_models import DocumentStanding, OpportunityPlan
from mapping.rules import Owner
from tests.activities.test_document_planning import (
    WON,
    document,
    linked,
    opportunity,
    planned,
    rules,
    rules_with,
    steps,
)

__all__ = ["rules"]

BOTH_CHANGED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def both_changed(
    rules: DocumentRules, owner: Owner, crm: datetime = BOTH_CHANGED, books: datetime = BOTH_CHANGED, **asked: Any
) -> OpportunityPlan:
    """An estimate of 1250.50 became 1400 in the CRM and 1300 in FreshBooks, each at its time."""
    estimate = document("1300.00", changed_at=books)
    said = opportunity("1400.00", changed_at=crm)
    agreed = linked(estimate, amount="1250.50")
    rules = rules_with(rules, both_changed=owner)
    return planned(rules, opportunity=said, estimate=estimate, estimate_standing=agreed, **asked)


@pytest.mark.parametrize(("owner", "books", "crm"), [(Owner.CRM, ["amount"], []), (Owner.BOOKS, [], ["amount"])])
def test_who_is_right_where_both_changed_the_amount_is_a_setting(
    rules: DocumentRules, owner: Owner, books: list[str], crm: list[str]
) -> None:
    """S43, F18."""
    plan = both_changed(rules, owner)
    assert [each.field for document in plan.documents for each in document.writes] == books
    assert [each.field for each in plan.crm_writes] == crm


def test_the_newest_change_of_an_amount_can_be_right(rules: DocumentRules) -> None:
    """S43: FreshBooks was changed a minute later, then a minute earlier."""
    later, earlier = BOTH_CHANGED + timedelta(minutes=1), BOTH_CHANGED - timedelta(minutes=1)
    back = both_changed(rules, Owner.NEWEST, books=later)
    assert [(each.field, each.after) for each in back.crm_writes] == [("amount", "1300.00")]
    assert steps(both_changed(rules, Owner.NEWEST, books=earlier)) == [("estimate", "update")]


def test_two_changes_within_the_same_seconds_are_a_question(rules: DocumentRules) -> None:
    """S43, S48: two systems' clocks differ."""
    plan = both_changed(rules, Owner.NEWEST, books=BOTH_CHANGED + timedelta(seconds=2))
    assert (plan.hold_reason, plan.documents, plan.crm_writes) == ("conflict", [], [])
    assert "1300" not in plan.explanation
    assert plan.evidence["fields"] == {"amount": {"crm": "1400.00", "books": "1300.00"}}


def test_a_person_who_is_asked_settles_it_for_one_side(rules: DocumentRules) -> None:
    """S48."""
    assert both_changed(rules, Owner.ASK).hold_reason == "conflict"
    assert steps(both_changed(rules, Owner.ASK, take="crm")) == [("estimate", "update")]
    assert [each.field for each in both_changed(rules, Owner.ASK, take="books").crm_writes] == ["amount"]


def test_an_invoice_that_finance_is_right_about_stays_and_is_not_asked_about_again(rules: DocumentRules) -> None:
    """Only estimates lead back. What was decided holds until sales change the amount once more."""
    invoice, won = document("1300.00"), opportunity("1400.00", **WON)
    asked = rules_with(rules, both_changed=Owner.ASK)
    agreed = linked(invoice, amount="1250.50")
    question = planned(asked, opportunity=won, invoice=invoice, invoice_standing=agreed)
    assert question.hold_reason == "conflict"
    settled = planned(asked, opportunity=won, invoice=invoice, invoice_standing=agreed, take="books")
    assert (settled.documents, settled.crm_writes, settled.hold_reason) == ([], [], None)
    again = DocumentStanding(document_id=invoice.document_id, base=settled.settled["invoice"])
    assert planned(asked, opportunity=won, invoice=invoice, invoice_standing=again).hold_reason is None


def test_the_log_is_told_how_each_value_is_made(rules: DocumentRules) -> None:
    """S44."""
    (created,) = planned(rules).documents
    assert created.rules["owner"] == "from the opportunity's owner, by email address; owner crm, to-books (estimate)"
    assert {each.field for each in created.writes} <= created.rules.keys()
