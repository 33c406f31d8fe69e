"""What lines come to. Tax is reckoned on each line after its share of the discount.

Source: https://www.freshbooks.com/api/invoices
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from sandbox.ledger import Record
from sandbox.settings import FreshBooksSettings

ROUNDINGS = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN}
OTHER_PLACES = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of the minor unit, where ISO 4217 has not two."""


@dataclass(frozen=True)
class Reckoner:
    """How amounts of one currency are rounded and written."""

    code: str
    places: int
    rounding: str
    by_line: bool
    """Whether each tax of each line is rounded, and not each tax of the whole document."""

    def rounded(self, amount: Decimal) -> Decimal:
        """Return an amount as fine as the currency is."""
        return amount.quantize(Decimal(1).scaleb(-self.places), ROUNDINGS[self.rounding])

    def money(self, amount: Decimal) -> Record:
        """Return an amount as it is answered."""
        found = self.rounded(amount)
        return {"amount": str(found if found else abs(found)), "code": self.code}  # never "-0.00"


def reckoner(settings: FreshBooksSettings, code: str) -> Reckoner:
    """Return how the account reckons in a currency."""
    places = OTHER_PLACES.get(code, 2) if settings.decimals == "minor_units" else 2
    return Reckoner(code, places, settings.rounding, settings.tax_rounding == "line")


def totals(reckon: Reckoner, lines: Sequence[Record], discount: str) -> tuple[Decimal, Decimal]:
    """Return the discount, which is negative, and the total of lines as they are stored. `discount` is in percent."""
    subtotal = sum((_amount(line) for line in lines), Decimal(0))
    reduction = -reckon.rounded(subtotal * _share(discount))
    return reduction, subtotal + reduction + _taxes(reckon, lines, 1 - _share(discount))


def _taxes(reckon: Reckoner, lines: Sequence[Record], kept: Decimal) -> Decimal:
    found: dict[tuple[str | None, str], Decimal] = {}
    for line in lines:
        for key, amount in _taxes_of(line, _amount(line) * kept):
            found[key] = found.get(key, Decimal(0)) + (reckon.rounded(amount) if reckon.by_line else amount)
    return sum((reckon.rounded(each) for each in found.values()), Decimal(0))


def _taxes_of(line: Record, base: Decimal) -> list[tuple[tuple[str | None, str], Decimal]]:
    """Return both taxes of a line by name and percentage; a compounded second one is also on the first."""
    first = base * _share(line["taxAmount1"])
    second = (base + first if line["compounded_tax"] else base) * _share(line["taxAmount2"])
    names = [(line[f"taxName{slot}"], line[f"taxAmount{slot}"]) for slot in (1, 2)]
    return list(zip(names, (first, second), strict=True))


def _amount(line: Record) -> Decimal:
    return Decimal(line["amount"]["amount"])


def _share(percent: str) -> Decimal:
    return Decimal(percent) / 100
