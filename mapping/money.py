"""Money: an exact amount beside its currency. No floats, no implicit conversion, no silent rounding."""

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import total_ordering
from typing import Self

from mapping.currencies import decimals, is_currency

_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

# Sums must be exact: the ordinary context would round past 28 digits without a word.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])


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
            exact = _EXACT.plus(self.amount.quantize(Decimal(1).scaleb(-places), context=_EXACT))
        except ArithmeticError:
            raise MoneyError(f"{self.currency} has {places} decimals: round by the connection's policy first") from None
        object.__setattr__(self, "amount", exact)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Return the money for a provider's decimal text, such as "1250.5" or "-3.00". No separators, no exponents."""
        if not _PLAIN_NUMBER.fullmatch(text):
            raise MoneyError("an amount is digits with a decimal point, such as 1250.50")
        return cls(Decimal(text), currency)

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Self:
        """Return the money for a number of minor units: 1250 of EUR is 12.50 EUR, 1250 of JPY is 1250 JPY."""
        return cls(Decimal(minor).scaleb(-decimals(currency), context=_EXACT), currency)

    @property
    def minor(self) -> int:
        """The amount in minor units, cents for most currencies."""
        return int(self.amount.scaleb(decimals(self.currency), context=_EXACT))

    def format(self) -> str:
        """Return the amount as providers take it: all decimals of the currency, no separators. "12.50", "1250"."""
        return f"{self.amount:f}"

    def __str__(self) -> str:
        return f"{self.format()} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(_EXACT.add(self.amount, other.amount), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(_EXACT.subtract(self.amount, other.amount), self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same_currency(other)
        return self.amount < other.amount

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not mix: nothing here converts currencies")
