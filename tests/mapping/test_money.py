"""Money is exact, or it is refused."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.currencies import decimals
from mapping.money import Money, MoneyError, exact_number, plain, total
from tests.mapping.parties import patient

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF", "IQD"])
MINOR = st.integers(-(10**30), 10**30)
WEIGHTS = st.lists(st.decimals(0, 10**9, places=3), min_size=1, max_size=8).filter(any)


@pytest.mark.parametrize(
    ("text", "currency", "minor", "written"),
    [
        ("12.5", "EUR", 1250, "12.50"),
        ("1250", "JPY", 1250, "1250"),
        ("1250.0", "JPY", 1250, "1250"),
        ("1.234", "KWD", 1234, "1.234"),
        ("-0.10", "SEK", -10, "-0.10"),
        ("-0.00", "EUR", 0, "0.00"),
        ("007", "EUR", 700, "7.00"),
    ],
)
def test_every_currency_has_its_own_decimals(text: str, currency: str, minor: int, written: str) -> None:
    """F23"""
    money = Money.parse(text, currency)
    assert (money.minor, money.format(), str(money)) == (minor, written, f"{written} {currency}")


def test_decimals_follow_iso_4217_where_locale_data_differ() -> None:
    assert [decimals(code) for code in ("IQD", "RSD", "ISK", "CLF", "EUR")] == [3, 2, 0, 4, 2]


@pytest.mark.parametrize("text", ["1,000.00", "1e3", "NaN", "Infinity", "", " 1", "1.", ".5", "€5", "٣", "+1"])
def test_an_amount_that_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text, "EUR")


@pytest.mark.parametrize(
    ("text", "currency"), [("10.005", "EUR"), ("0.5", "JPY"), ("1.0001", "KWD"), ("9" * 70, "EUR")]
)
def test_nothing_is_rounded_silently(text: str, currency: str) -> None:
    """F23"""
    with pytest.raises(MoneyError, match="round by the connection's policy first"):
        Money.parse(text, currency)


@pytest.mark.parametrize("amount", [12.5, 12, "12.50", True, None, Decimal("NaN"), Decimal("Infinity")])
def test_floats_and_their_like_are_no_money(amount: Any) -> None:
    with pytest.raises(MoneyError, match="never from a float"):
        Money(amount, "EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "XYZ", "", "€"])
def test_money_has_a_real_currency(currency: str) -> None:
    with pytest.raises(MoneyError, match="ISO 4217"):
        Money(Decimal(1), currency)


def test_two_currencies_do_not_mix() -> None:
    """F26"""
    euros, kronor = Money.parse("1", "EUR"), Money.parse("1", "SEK")
    with pytest.raises(MoneyError, match="EUR and SEK do not mix"):
        _ = euros + kronor
    with pytest.raises(MoneyError):
        _ = euros - kronor
    with pytest.raises(MoneyError):
        _ = euros < kronor
    assert euros != kronor


def test_cents_that_floats_lose_are_kept() -> None:
    assert Money.parse("0.10", "EUR") + Money.parse("0.20", "EUR") == Money.parse("0.30", "EUR")


def test_equal_amounts_are_equal_however_they_were_written() -> None:
    assert {Money(Decimal("5"), "EUR"), Money(Decimal("5.00"), "EUR"), Money(Decimal("5E0"), "EUR")} == {
        Money.of_minor(500, "EUR")
    }


def test_a_hundred_euros_in_three_parts_are_a_hundred_euros() -> None:
    """F23: the cent that does not divide goes to the first of equals."""
    parts = Money.parse("100.00", "EUR").split([Decimal(1)] * 3)
    assert [part.format() for part in parts] == ["33.34", "33.33", "33.33"]


def test_what_does_not_divide_goes_to_the_largest_remainder() -> None:
    """Of 10.00: 1.25, 2.505 and 6.245 are owed, in cents 125, 250.5 and 624.5; the credit is split alike."""
    weights = [Decimal("12.5"), Decimal("25.05"), Decimal("62.45")]
    assert [each.minor for each in Money.parse("10.00", "EUR").split(weights)] == [125, 251, 624]
    assert [each.minor for each in Money.parse("-10.00", "EUR").split(weights)] == [-125, -251, -624]


def test_yen_and_dinars_are_split_into_whole_minor_units() -> None:
    halves = [Decimal(1), Decimal(1)]
    assert [part.format() for part in Money.parse("1001", "JPY").split(halves)] == ["501", "500"]
    assert [part.format() for part in Money.parse("1.001", "KWD").split(halves)] == ["0.501", "0.500"]


@pytest.mark.parametrize("weights", [[], ["0"], ["1", "-1"], ["0", "0.0"], ["NaN", "1"], ["Infinity"]])
def test_an_amount_is_not_split_by_nothing(weights: list[str]) -> None:
    with pytest.raises(MoneyError, match="split by weights"):
        Money.parse("1.00", "EUR").split([Decimal(each) for each in weights])


def test_a_sum_has_a_currency_even_of_nothing() -> None:
    """Z104"""
    assert total([], "JPY") == Money.of_minor(0, "JPY")
    assert total([Money.parse("0.10", "EUR")] * 3, "EUR") == Money.parse("0.30", "EUR")


def test_a_sum_of_two_currencies_is_refused() -> None:
    """F26"""
    with pytest.raises(MoneyError, match="EUR and USD do not mix"):
        total([Money.parse("1.00", "USD")], "EUR")


@pytest.mark.parametrize(
    ("value", "written"),
    [(Decimal("1250.5"), "1250.50"), (Decimal("1.25E+3"), "1250.00"), (500, "500.00"), (Decimal("500.0"), "500.00")],
)
def test_numbers_of_json_are_money_if_they_were_read_exactly(value: Decimal | int, written: str) -> None:
    """S39: Capsule sends numbers, FreshBooks takes text."""
    assert Money.parse(value, "USD").format() == written


@pytest.mark.parametrize("value", [12.5, True, None, b"1", [], Decimal("NaN"), Decimal("-Infinity"), "1 250"])
def test_nothing_else_is_a_number(value: Any) -> None:
    with pytest.raises(MoneyError, match="a number is digits"):
        exact_number(value)


@pytest.mark.parametrize(
    ("number", "written"),
    [("2.00", "2"), ("1.50", "1.5"), ("9.9750", "9.975"), ("0.000", "0"), ("-0", "0"), ("1E+2", "100"), ("100", "100")],
)
def test_quantities_and_rates_are_written_as_freshbooks_shows_them(number: str, written: str) -> None:
    assert plain(Decimal(number)) == written


@patient
@given(MINOR, CURRENCIES, WEIGHTS)
def test_parts_come_to_the_whole_and_each_is_within_a_minor_unit_of_its_share(
    minor: int, currency: str, weights: list[Decimal]
) -> None:
    """F23, Z105"""
    parts = Money.of_minor(minor, currency).split(weights)
    assert total(parts, currency).minor == minor
    shares = [minor * Fraction(each) / sum(map(Fraction, weights)) for each in weights]
    assert all(abs(part.minor - share) < 1 for part, share in zip(parts, shares, strict=True))


@patient
@given(MINOR, MINOR, CURRENCIES)
def test_sums_are_exact_to_the_minor_unit(first: int, second: int, currency: str) -> None:
    one, other = Money.of_minor(first, currency), Money.of_minor(second, currency)
    assert (one + other).minor == first + second
    assert (one - other).minor == first - second
    assert one + other - other == one
    assert (one <= other) == (first <= second)


@patient
@given(MINOR, CURRENCIES)
def test_what_is_written_reads_back_as_the_same_money(minor: int, currency: str) -> None:
    money = Money.of_minor(minor, currency)
    assert money.minor == minor
    assert Money.parse(money.format(), currency) == money


@patient
@given(st.integers(-(10**20), 10**20), st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)]))
def test_text_of_a_provider_comes_back_letter_for_letter(minor: int, currency: tuple[str, int]) -> None:
    """S39: written here without Money, so that both ways of reading and writing are looked at."""
    code, places = currency
    digits = str(abs(minor)).rjust(places + 1, "0")
    text = ("-" if minor < 0 else "") + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
    assert Money.parse(text, code).format() == text
