"""How much time is billed: increments of whole seconds, and hours that are exact."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.durations import DurationMode, DurationOf, DurationRounding
from tests.mapping.parties import patient

UP, NEAREST, DOWN = DurationMode.UP, DurationMode.NEAREST, DurationMode.DOWN
SECONDS = st.integers(0, 10**8)
RULES = st.builds(
    DurationRounding,
    st.sampled_from([1, 36, 60, 360, 900, 1800, 3600, 7]),
    st.sampled_from(DurationMode),
    st.sampled_from(DurationOf),
    st.integers(0, 6),
)


@pytest.mark.parametrize(
    ("mode", "minutes", "billed"),
    [
        (UP, 1, 15),
        (UP, 15, 15),
        (UP, 16, 30),
        (NEAREST, 7, 0),
        (NEAREST, 8, 15),
        (NEAREST, 22, 15),
        (NEAREST, 23, 30),
        (DOWN, 14, 0),
        (DOWN, 29, 15),
        (UP, 0, 0),
    ],
)
def test_quarters_of_an_hour(mode: DurationMode, minutes: int, billed: int) -> None:
    assert DurationRounding(900, mode).entry_seconds(minutes * 60) == billed * 60


def test_exactly_half_an_increment_goes_up() -> None:
    assert DurationRounding(900, NEAREST).entry_seconds(450) == 900
    assert DurationRounding(900, NEAREST).entry_seconds(449) == 0


def test_six_minutes_are_a_tenth_of_an_hour() -> None:
    """Lawyers' hours: 31 minutes are 0.6 of an hour, begun upwards."""
    rounding = DurationRounding(360, UP, hour_digits=1)
    assert rounding.hours(rounding.entry_seconds(31 * 60)) == Decimal("0.6")


@pytest.mark.parametrize(("mode", "hours"), [(UP, "0.34"), (NEAREST, "0.33"), (DOWN, "0.33")])
def test_twenty_minutes_have_no_end_as_a_decimal_and_are_rounded_the_same_way(mode: DurationMode, hours: str) -> None:
    """F23: quantity times rate is then exact."""
    assert str(DurationRounding(mode=mode).hours(1200)) == hours


@pytest.mark.parametrize(("of", "entry", "line"), [(DurationOf.ENTRY, 900, 600), (DurationOf.LINE, 600, 900)])
def test_either_entries_or_lines_are_rounded_never_both(of: DurationOf, entry: int, line: int) -> None:
    rounding = DurationRounding(900, UP, of)
    assert (rounding.entry_seconds(600), rounding.line_seconds(600)) == (entry, line)


@pytest.mark.parametrize(("increment", "digits"), [(0, 2), (-900, 2), (900, 7), (900, -1)])
def test_an_increment_or_digits_that_make_no_sense_are_refused(increment: int, digits: int) -> None:
    with pytest.raises(ValueError, match="a second at least"):
        DurationRounding(increment, hour_digits=digits)


@patient
@given(SECONDS, RULES)
def test_what_is_billed_is_within_one_increment_of_what_was_worked_and_on_the_right_side(
    seconds: int, rounding: DurationRounding
) -> None:
    billed = rounding.line_seconds(rounding.entry_seconds(seconds))
    step = rounding.increment
    assert billed % step == 0
    bounds = {UP: (0, step - 1), DOWN: (1 - step, 0), NEAREST: (-step / 2, step / 2)}[rounding.mode]
    assert bounds[0] <= billed - seconds <= bounds[1]


@patient
@given(SECONDS, RULES)
def test_hours_have_the_stated_decimals_and_go_the_stated_way(seconds: int, rounding: DurationRounding) -> None:
    hours = rounding.hours(seconds)
    unit = Fraction(1, 10**rounding.hour_digits)
    off = Fraction(hours) - Fraction(seconds, 3600)
    assert hours.as_tuple().exponent == -rounding.hour_digits
    assert {UP: 0 <= off < unit, DOWN: -unit < off <= 0, NEAREST: abs(off) <= unit / 2}[rounding.mode]


@patient
@given(st.integers(0, 10**6), st.sampled_from(DurationMode))
def test_increments_of_36_seconds_are_hundredths_of_an_hour_exactly(steps: int, mode: DurationMode) -> None:
    assert DurationRounding(36, mode).hours(steps * 36) == Decimal(steps).scaleb(-2)
