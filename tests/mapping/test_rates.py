"""What an hour costs: the first rate in the stated order, and never a guess."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from mapping.money import Money
from mapping.rates import DEFAULT_ORDER, FoundRate, RatePlace, Rates, Work, find_rates, hourly_rate
from mapping.values import UnmappableValue


def euros(text: str) -> Money:
    return Money.parse(text, "EUR")


WORK = Work(client_id=7, project_id=61, service_id=41, person_id=701)
RATES = Rates(
    services={41: euros("95.00")},
    projects={61: euros("80.00")},
    staff={701: euros("70.00")},
    clients={7: euros("60.00")},
    business=euros("50.00"),
)
OWN = {
    RatePlace.SERVICE: euros("95.00"),
    RatePlace.PROJECT: euros("80.00"),
    RatePlace.STAFF: euros("70.00"),
    RatePlace.CLIENT: euros("60.00"),
    RatePlace.BUSINESS: euros("50.00"),
}


def test_rates_are_looked_for_in_the_stated_order() -> None:
    for order in permutations(OWN):
        assert find_rates(WORK, RATES, order) == [FoundRate(OWN[place], place) for place in order]


def test_a_place_that_is_not_stated_gives_no_rate() -> None:
    assert find_rates(WORK, RATES, [RatePlace.STAFF]) == [FoundRate(euros("70.00"), RatePlace.STAFF)]
    assert RatePlace.BUSINESS not in DEFAULT_ORDER


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("business_rate", RatePlace.BUSINESS),
        ("project_rate", RatePlace.PROJECT),
        ("service_rate", RatePlace.SERVICE),
        ("team_member_rate", RatePlace.STAFF),
        (None, RatePlace.SERVICE),
        ("something_new", RatePlace.SERVICE),
    ],
)
def test_the_rate_that_the_project_itself_names_comes_first(method: str | None, place: RatePlace) -> None:
    """S3: whoever says "bill this project by team member" means it."""
    work = Work(7, 61, 41, 701, billing_method=method)
    assert find_rates(work, RATES)[0].place is place


def test_a_project_that_names_a_place_without_a_rate_takes_the_next_one() -> None:
    work = Work(7, 61, 41, 999, billing_method="team_member_rate")
    assert [each.place for each in find_rates(work, RATES)] == [RatePlace.SERVICE, RatePlace.PROJECT, RatePlace.CLIENT]


def test_what_an_entry_does_not_say_has_no_rate() -> None:
    bare = Work(client_id=8)
    assert find_rates(bare, RATES, list(OWN)) == [FoundRate(euros("50.00"), RatePlace.BUSINESS)]
    assert find_rates(bare, RATES) == []


@pytest.mark.parametrize(
    ("said", "currency", "rate"),
    [
        ("110.00", "EUR", "110.00"),
        ("1234.5", "EUR", "1234.50"),
        (Decimal("9000"), "JPY", "9000"),
        ("10.125", "KWD", "10.125"),
        (95, "USD", "95.00"),
    ],
)
def test_a_rate_of_freshbooks_is_read_exactly(said: Any, currency: str, rate: str) -> None:
    """S40"""
    found = hourly_rate(said, currency)
    assert found is not None
    assert (found.format(), found.currency) == (rate, currency)


@pytest.mark.parametrize("said", [None, "", "0", "0.00", Decimal(0)])
def test_no_rate_and_nothing_are_no_rate(said: Any) -> None:
    """F29: an hour for 0.00 would be billed for nothing without a word."""
    assert hourly_rate(said, "EUR") is None


@pytest.mark.parametrize(
    ("said", "currency"), [("110.50", "JPY"), ("110.005", "EUR"), (95.0, "EUR"), ("1,234.50", "EUR"), ("-5", "EUR")]
)
def test_a_rate_that_is_no_amount_of_its_currency_is_refused(said: Any, currency: str) -> None:
    """F26"""
    with pytest.raises(UnmappableValue, match=r"^rate: "):
        hourly_rate(said, currency)
