"""What a mismatch report says of opportunities and their documents, by examples that sales can check."""

from typing import Any

import pytest

from activities.reconciliation_documents import compare_opportunity, of_lost_opportunity
from store.reconciliation_models import Drift, Mismatch
from tests.activities.test_document_planning import (
    TEST_FINGERPRINT,
    asked_about,
    document,
    linked,
    opportunity,
    rules,
    values,
)

__all__ = ["rules"]
NOTHING_SHOWN: dict[str, tuple[str, str]] = {}


def compared(rules: Any, shown: dict[str, tuple[str, str]] = NOTHING_SHOWN, **said: Any) -> list[Mismatch]:
    return compare_opportunity(asked_about(**said), rules, TEST_FINGERPRINT, shown)


def kinds(found: list[Mismatch]) -> list[str]:
    return [each.kind for each in found]


def test_an_opportunity_whose_estimate_says_the_same_is_in_step(rules: Any) -> None:
    """S33: nothing is invented."""
    assert compared(rules, estimate=document()) == []


def test_an_opportunity_without_the_estimate_that_is_due_misses_it(rules: Any) -> None:
    """S33."""
    [found] = compared(rules)
    assert (found.kind, found.repair, found.crm_ids, found.books_ids) == ("missing-right", "sync", ("701",), ())


def test_a_new_value_that_never_reached_the_estimate_is_shown_with_both_amounts(rules: Any) -> None:
    """S31, S39."""
    [found] = compared(rules, opportunity=opportunity("1300.00"), estimate=document())
    assert (found.kind, found.repair) == ("amount", "sync")
    assert found.drifts == (Drift("amount", "1300.00", "1250.50"),)
    assert found.name == "Website rebuild"


def test_another_currency_counts_for_more_than_another_amount(rules: Any) -> None:
    """S40."""
    euros = {**values("1300.00"), "currency": "EUR"}
    [found] = compared(rules, opportunity=opportunity("1300.00", values=euros), estimate=document())
    assert (found.kind, {each.name for each in found.drifts}) == ("currency", {"amount", "currency"})


def test_a_lost_opportunity_whose_estimate_is_still_open_differs_in_status(rules: Any) -> None:
    """S12."""
    [found] = compared(rules, opportunity=opportunity(state="lost", milestone="Lost"), estimate=document())
    assert (found.kind, found.books_ids) == ("status", ("estimate:70001",))


def test_an_accepted_estimate_of_which_sales_do_not_know_differs_in_status(rules: Any) -> None:
    """S19."""
    accepted = document(status="accepted")
    standing = linked(accepted, status="sent")
    found = compared(rules, estimate=accepted, estimate_standing=standing)
    assert kinds(found) == ["status"]
    assert found[0].drifts == (Drift("status", "Proposal", "accepted"),)


def test_an_estimate_that_a_person_deleted_is_an_orphaned_link(rules: Any) -> None:
    """F16."""
    gone = document(visible=False)
    [found] = compared(rules, estimate=gone, estimate_standing=linked(gone))
    assert (found.kind, found.repair) == ("orphaned-link", "person")


def test_two_estimates_with_our_reference_are_a_duplicate(rules: Any) -> None:
    """F1."""
    found = compared(rules, found={"estimate": [document(), document(document_id=70_002)]})
    assert kinds(found) == ["duplicate"]


def test_what_a_lost_answer_left_is_in_doubt_and_not_missing(rules: Any) -> None:
    """F1."""
    [found] = compared(rules, found={"estimate": [document()]})
    assert (found.kind, found.cause) == ("missing-right", "in-doubt")


@pytest.mark.parametrize(
    ("fact", "kind"),
    [("paid", "amount"), ("outstanding", "amount"), ("currency", "currency"), ("number", "field-drift")],
)
def test_an_opportunity_that_shows_another_invoice_than_there_is_differs(rules: Any, fact: str, kind: str) -> None:
    """S38."""
    found = compared(rules, {fact: ("old", "new"), "link": ("same", "same")}, estimate=document())
    assert kinds(found) == [kind]
    assert found[0].drifts == (Drift(fact, "old", "new"),)


def test_documents_of_an_opportunity_that_is_gone_are_missing_on_the_left() -> None:
    """F16."""
    found = of_lost_opportunity(701, ["estimate:70001"])
    assert (found.kind, found.crm_ids, found.books_ids) == ("missing-left", ("701",), ("estimate:70001",))
