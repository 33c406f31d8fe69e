"""Money: an exact amount beside its currency. No floats, no implicit conversion, no silent rounding."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from functools import total_ordering
from typing import Self

from mapping.currencies import decimals, is_currency

_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
"""Sums must be exact: the ordinary context would round past 28 digits without a word."""


class MoneyError(ValueError):
    """An amount that is no money in its currency, or a sum of two currencies. The text holds no amount."""


@total_ordering
@dataclass(frozen=True)
class Money:
    """An amount in whole minor units of one ISO 4217 currency, such as 12.50 EUR or 1250 JPY.

    Raises MoneyError for anything finer than the minor unit: rounding is the connection's declared policy and happens
    before an amount becomes Money.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise MoneyError("an amount of money is a finite Decimal: read it from text, never from a float")
        if not is_currency(self.currency):
            raise MoneyError("money needs an ISO 4217 currency code in capitals, such as EUR")
        places = decimals(self.currency)
        try:
            # Equal money is then also written alike: 5, 5.0 and 5.00 EUR are all 5.00, and no zero has a minus.
            exact = EXACT.plus(self.amount.quantize(Decimal(1).scaleb(-places), context=EXACT))
        except ArithmeticError:
            raise MoneyError(f"{self.currency} has {places} decimals: round by the connection's policy first") from None
        object.__setattr__(self, "amount", exact)

    @classmethod
    def parse(cls, value: str | Decimal | int, currency: str) -> Self:
        """Return the money for what a provider sent: "1250.5", "-3.00", or a number of JSON that was read exactly.

        Raises MoneyError, for text with separators or exponents too.
        """
        return cls(exact_number(value), currency)

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Self:
        """Return the money for a number of minor units: 1250 of EUR is 12.50 EUR, 1250 of JPY is 1250 JPY."""
        return cls(Decimal(minor).scaleb(-decimals(currency), context=EXACT), currency)

    @property
    def minor(self) -> int:
        """The amount in minor units, cents for most currencies."""
        return int(self.amount.scaleb(decimals(self.currency), context=EXACT))

    def split(self, weights: Sequence[Decimal]) -> "list[Money]":
        """Return one part for each weight, in proportion, which together are exactly this amount.

        Each part is less than a minor unit away from its exact share. What does not divide goes to the largest
        remainders, to the first of equal ones. Raises MoneyError unless the weights are zero or more, and not all zero.
        """
        if not all(each.is_finite() and each >= 0 for each in weights) or not any(weights):
            raise MoneyError("an amount is split by weights of zero or more, of which one at least is more")
        exact = [Fraction(each) for each in weights]
        size, whole = abs(self.minor), sum(exact)
        shares = [size * each / whole for each in exact]
        parts = [int(each) for each in shares]
        largest_first = sorted(range(len(parts)), key=lambda place: parts[place] - shares[place])
        for place in largest_first[: size - sum(parts)]:
            parts[place] += 1
        return [Money.of_minor(-each if self.minor < 0 else each, self.currency) for each in parts]

    def format(self) -> str:
        """Return the amount as providers take it: all decimals of the currency, no separators. "12.50", "1250"."""
        return f"{self.amount:f}"

    def __str__(self) -> str:
        return f"{self.format()} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(EXACT.add(self.amount, other.amount), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(EXACT.subtract(self.amount, other.amount), self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same_currency(other)
        return self.amount < other.amount

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not mix: nothing here converts currencies")


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Return the sum, which for no amounts is zero of the currency. Raises MoneyError for any in another currency."""
    return sum(amounts, Money(Decimal(0), currency))


def exact_number(value: object) -> Decimal:
    """Return the number that a provider sent as text, as a whole number or as a Decimal.

    Raises MoneyError for everything else: yes/no, floats, text with separators, signs or exponents.
    """
    if isinstance(value, Decimal) and value.is_finite():
        return value
    # bool is an int to Python; a checkbox is no amount.
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _PLAIN_NUMBER.fullmatch(text):
        raise MoneyError("a number is digits with a decimal point, such as 1250.50")
    return Decimal(text)


def plain(number: Decimal) -> str:
    """Return a quantity or a percentage as FreshBooks writes it, without needless zeros: "2", "1.5", "9.975", "0"."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) if number else "0"
