"""Money is exact, or it is refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.currencies import decimals
from mapping.money import Money, MoneyError
from tests.mapping.parties import patient

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF", "IQD"])
MINOR = st.integers(-(10**30), 10**30)


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
