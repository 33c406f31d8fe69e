"""What may be said about billing hours: a mistake is told in words, and what is left out has a safe default."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from mapping.durations import DurationMode, DurationOf
from mapping.line_words import WORDS as LINE_WORDS
from mapping.line_words import GroupBy as Grouping
from mapping.rates import DEFAULT_ORDER
from mapping.rates import RatePlace as Place
from runtime.billing import WORDS, BillingFlow, DurationRules, GroupBy, PeriodRules, RatePlace


def billing(**said: Any) -> BillingFlow:
    return BillingFlow.model_validate({"rates_currency": "EUR", **said})


def mistake(**said: Any) -> str:
    with pytest.raises(ValidationError) as wrong:
        billing(**said)
    return str(wrong.value)


def test_the_currency_of_the_rates_has_to_be_said() -> None:
    """F26: FreshBooks' rates name none, and a guess would bill 110 yen for 110 euros."""
    with pytest.raises(ValidationError, match="rates_currency"):
        BillingFlow.model_validate({})


def test_what_is_not_said_is_safe() -> None:
    """F22: drafts, nothing of the past, every month, and not a second more than was worked."""
    said = billing()
    assert (said.invoice, said.late_from, said.periods.every) == ("draft", None, "month")
    assert (said.durations.increment, said.most_lines, said.time_zone) == (timedelta(seconds=1), None, None)


def test_the_words_are_those_that_billing_knows() -> None:
    assert set(get_args(GroupBy)) == set(Grouping)
    assert set(get_args(RatePlace)) == set(Place)
    assert billing().rate_order == DEFAULT_ORDER
    assert set(WORDS) == LINE_WORDS
    durations = DurationRules.model_fields
    assert set(get_args(durations["mode"].annotation)) == set(DurationMode)
    assert set(get_args(durations["of"].annotation)) == set(DurationOf)


def test_everything_can_be_said_as_a_file_says_it() -> None:
    said = billing(
        time_zone="Australia/Sydney",
        periods={"every": "weeks", "weeks": 2, "anchor": "2026-01-05"},
        late_from="2026-02-01",
        group_by=["person", "day"],
        durations={"increment": "15m", "mode": "up", "of": "line", "hour_digits": 3},
        rate_order=["staff", "business"],
        client_rates={"330101": "1000.00"},
        business_rate={"JPY": "9000", "KWD": "10.125"},
        line_name="{service} by {person}",
        taxes=[{"name": "VAT", "percent": "15"}],
    )
    assert said.periods.anchor == date(2026, 1, 5)
    assert said.durations.increment == timedelta(minutes=15)
    assert said.client_rates == {330101: Decimal("1000.00")}
    assert said.business_rate["KWD"] == Decimal("10.125")


@pytest.mark.parametrize(
    ("periods", "text"),
    [
        ({"every": "weeks", "weeks": 2}, "give both `weeks` and `anchor`"),
        ({"every": "weeks", "anchor": "2026-01-05"}, "give both `weeks` and `anchor`"),
        ({"every": "month", "weeks": 2}, "give both `weeks` and `anchor` with `every: weeks`, and neither without"),
        ({"every": "month", "anchor": "2026-01-05"}, "and neither without"),
        ({"every": "closing-day"}, "give `closing_days`"),
        ({"every": "month", "closing_days": ["2026-03-25"]}, "and none without"),
        ({"every": "closing-day", "closing_days": ["2026-03-25", "2026-03-25"]}, "each of the `closing_days` once"),
        ({"every": "weeks", "weeks": 0, "anchor": "2026-01-05"}, "greater than or equal to 1"),
        ({"every": "week", "week_starts": "someday"}, "'monday', 'tuesday'"),
        ({"every": "closing-day", "closing_days": ["2026-02-30"]}, "date"),
    ],
)
def test_periods_that_are_half_said_are_refused(periods: dict[str, Any], text: str) -> None:
    """F32"""
    assert text in mistake(periods=periods)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"durations": {"increment": "500ms"}}, "whole number of seconds"),
        ({"durations": {"increment": "1.5s"}}, "whole number of seconds"),
        ({"durations": {"hour_digits": 7}}, "less than or equal to 6"),
        ({"group_by": []}, "at least 1 item"),
        ({"group_by": ["day", "day"]}, "once"),
        ({"rate_order": ["staff", "staff"]}, "once"),
        ({"rate_order": ["luck"]}, "'billing-method', 'service'"),
        ({"client_rates": {"330101": "0"}}, "greater than 0"),
        ({"business_rate": {"euro": "90"}}, "should match pattern"),
        ({"line_name": "{client}"}, "there is no {client}: use {group}, {project}"),
        ({"line_description": "{notes.__class__}"}, "there is no {notes.__class__}"),
        ({"time_zone": "Berlin"}, "write an IANA time zone such as Europe/Berlin"),
        ({"rates_currency": "eur"}, "should match pattern"),
        ({"taxes": [{"name": name, "percent": "5"} for name in ("GST", "PST", "Eco")]}, "at most 2 items"),
        ({"most_lines": 0}, "greater than or equal to 1"),
        ({"mark": True}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_refused_in_words(said: dict[str, Any], text: str) -> None:
    assert text in mistake(**said)


def test_closing_days_are_read_as_days() -> None:
    periods = PeriodRules.model_validate({"every": "closing-day", "closing_days": ["2026-03-25", "2026-06-25"]})
    assert periods.closing_days == (date(2026, 3, 25), date(2026, 6, 25))
