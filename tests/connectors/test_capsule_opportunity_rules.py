"""What follows from an opportunity: open, won or lost, and what it is worth in all."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.capsule.opportunity_models import Milestone, Opportunity
from connectors.capsule.opportunity_rules import on_the_wire, status_of, total_of
from connectors.errors import Refused

TABLE = {
    each.id: each
    for each in (
        Milestone(id=13, name="Proposal", complete=False, probability=50),
        Milestone(id=14, name="Won", complete=True, probability=100),
        Milestone(id=15, name="Lost", complete=True, probability=0),
        Milestone(id=16, name="Half won", complete=True, probability=50),
        Milestone(id=17, name="As good as won", complete=False, probability=100),
    )
}


def worth(**values: Any) -> Opportunity:
    return Opportunity.model_validate({"id": 701, **values})


@pytest.mark.parametrize(("milestone_id", "status"), [(13, "open"), (14, "won"), (15, "lost"), (17, "open")])
def test_the_milestone_decides_whether_an_opportunity_is_open_won_or_lost(milestone_id: int, status: str) -> None:
    """S12: whatever the opportunity's own probability is."""
    assert status_of(worth(milestone={"id": milestone_id}, probability=70), TABLE) == status


def test_a_milestone_that_closes_half_is_not_guessed() -> None:
    """F7: an invoice hangs on it."""
    with pytest.raises(Refused, match=r"milestone 16 of opportunity 701.*100 percent"):
        status_of(worth(milestone={"id": 16}), TABLE)


def test_a_milestone_of_an_archived_pipeline_counts_as_it_is_embedded() -> None:
    embedded = {"id": 99, "name": "Agreed", "complete": True, "probability": 100}
    assert status_of(worth(milestone=embedded), TABLE) == "won"
    for silent in ({"id": 99, "name": "Agreed"}, None):
        with pytest.raises(Refused, match="opportunity 701"):
            status_of(worth(milestone=silent), TABLE)


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ({"durationBasis": "FIXED"}, "1250.50"),
        ({}, "1250.50"),
        ({"durationBasis": "MONTH", "duration": 12}, "15006.00"),
        ({"durationBasis": "HOUR", "duration": 1}, "1250.50"),
        ({"durationBasis": "FIXED", "duration": 12}, "1250.50"),  # a leftover that means nothing
    ],
)
def test_an_amount_per_unit_counts_as_often_as_there_are_units(values: dict[str, Any], total: str) -> None:
    """S39: twelve months at 1,250.50 are 15,006.00."""
    value = total_of(worth(value={"amount": Decimal("1250.50"), "currency": "USD"}, **values))
    assert (str(value.amount), value.currency) == (total, "USD")


def test_without_an_amount_there_is_no_total() -> None:
    """F25: none is derived."""
    assert total_of(worth(value={"amount": None, "currency": "USD"}, durationBasis="MONTH")).amount is None
    assert total_of(worth()).amount is None


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"value": {"amount": 5, "currency": "USD"}, "durationBasis": "MONTH"}, r"opportunity 701.*no duration"),
        ({"value": {"amount": 5}}, "opportunity 701 has no currency"),
    ],
)
def test_a_total_that_cannot_be_known_is_asked_for(values: dict[str, Any], text: str) -> None:
    """F26, F29: nothing is left out or filled in silently."""
    with pytest.raises(Refused, match=text):
        total_of(worth(**values))


@given(st.decimals(min_value=0, max_value=10**11, places=3), st.integers(1, 10**6))
def test_the_product_is_exact(amount: Decimal, duration: int) -> None:
    """F23."""
    value = {"amount": amount, "currency": "KWD"}
    total = total_of(worth(value=value, durationBasis="DAY", duration=duration)).amount
    assert total is not None
    assert int(total * 1000) == int(amount * 1000) * duration


@given(st.decimals(min_value=0, max_value=10**11, places=3))
def test_an_amount_leaves_as_a_number_that_reads_as_the_same_amount(amount: Decimal) -> None:
    """S39."""
    assert Decimal(repr(on_the_wire({"amount": [amount]})["amount"][0])) == amount


@pytest.mark.parametrize("amount", ["0.1234567890123456789", "NaN", "Infinity", "1E+400"])
def test_an_amount_that_no_number_holds_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="round it"):
        on_the_wire(Decimal(amount))


def test_what_is_no_amount_stays_as_it_is() -> None:
    said = {"name": "A", "team": None, "fields": [{"definition": {"id": 7}, "value": True}], "tags": ()}
    assert on_the_wire(said) == {**said, "tags": []}
