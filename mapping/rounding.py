"""Rounding is a declared policy of a connection, and happens in one place: before an amount becomes Money.

Source: https://www.freshbooks.com/api/invoices (which leaves open how FreshBooks rounds: hence the choices)
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from enum import StrEnum

from mapping.currencies import decimals
from mapping.money import Money, MoneyError

# Rounding is wanted here; running out of digits is not.
_WIDE = Context(prec=60, traps=[InvalidOperation])


class Rounding(StrEnum):
    """What becomes of what is finer than the last decimal. Half-up takes 0.125 to 0.13, and -0.125 to -0.13."""

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"
    DOWN = "down"


class TaxRounding(StrEnum):
    """What is rounded: each tax of each line, or the sum that each tax comes to in the whole document."""

    LINE = "line"
    DOCUMENT = "document"


class BooksDecimals(StrEnum):
    """With how many decimals the books reckon: two in every currency, or as many as ISO 4217 gives it."""

    TWO = "two"
    MINOR_UNITS = "minor-units"


_MODES = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.HALF_EVEN: ROUND_HALF_EVEN, Rounding.DOWN: ROUND_DOWN}


@dataclass(frozen=True)
class RoundingPolicy:
    """How the books of one connection round the amounts of their documents."""

    rounding: Rounding = Rounding.HALF_UP
    taxes: TaxRounding = TaxRounding.LINE
    decimals: BooksDecimals = BooksDecimals.TWO

    def places(self, currency: str) -> int:
        """Return with how many decimals the books reckon in a currency."""
        return 2 if self.decimals is BooksDecimals.TWO else decimals(currency)

    def is_too_fine(self, money: Money) -> bool:
        """Return whether the books would round this amount."""
        lost = max(0, decimals(money.currency) - self.places(money.currency))
        return bool(money.minor % 10**lost)

    def rounded(self, amount: Decimal, currency: str) -> Money:
        """Return an amount as the books round it.

        Raises MoneyError where that is no money: a yen has no hundredths, and no number has more than sixty digits.
        """
        places = self.places(currency)
        try:
            kept = amount.quantize(Decimal(1).scaleb(-places), _MODES[self.rounding], context=_WIDE)
        except InvalidOperation:
            raise MoneyError("an amount has more digits than any money") from None
        try:
            return Money(kept, currency)
        except MoneyError:
            raise MoneyError(
                f"the books would reckon {places} decimals of {currency}, which has {decimals(currency)}: avoid taxes "
                "and discounts that do not divide, or declare that the books reckon in minor units"
            ) from None


DEFAULT_POLICY = RoundingPolicy()
"""What is known of FreshBooks, and where nothing is known the likeliest."""
