"""What documents come to, reckoned in whole minor units and fractions: independent of how the product does it."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.faults.pipeline_terms import PLACES, Terms


def minor(amount: Decimal, currency: str) -> Fraction:
    """Return an amount in minor units; a fraction of one stays."""
    return Fraction(amount) * Fraction("1" + "0" * PLACES[currency])


def net_of(document: Mapping[str, Any]) -> Fraction:
    """Return what the lines of a document come to before tax, in minor units."""
    amounts = (Decimal(line["amount"]["amount"]) for line in document["lines"])
    return minor(sum(amounts, Decimal(0)), document["currency_code"])


def total_of(document: Mapping[str, Any]) -> Fraction:
    """Return the total that FreshBooks says, in minor units."""
    return minor(Decimal(document["amount"]["amount"]), document["amount"]["code"])


def expected_total(net: Fraction, terms: Terms) -> Fraction:
    """Return the total that a document of this net amount has on these terms, in minor units."""
    parts = split(int(net), terms)
    taxes = Fraction(0)
    for percent in terms.taxes.values():
        exact = [part * Fraction(percent) / 100 for part in parts]
        by_line = terms.tax_rounding == "line"
        taxes += sum(_rounded(each, terms) for each in exact) if by_line else _rounded(sum(exact, Fraction(0)), terms)
    return net + taxes


def split(net: int, terms: Terms) -> list[int]:
    """Return the minor units of each line: its share cut off, and what is left to the largest cut-off parts."""
    given = sum((Fraction(share) for share in terms.shares if share), Fraction(0))
    exact = [net * (Fraction(share) if share else 100 - given) / 100 for share in terms.shares]
    parts = [each.numerator // each.denominator for each in exact]
    for place in sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))[: net - sum(parts)]:
        parts[place] += 1
    return parts


def _rounded(exact: Fraction, terms: Terms) -> int:
    """Return whole minor units; nothing here is below zero."""
    whole, rest = divmod(exact.numerator, exact.denominator)
    up = 2 * rest > exact.denominator
    tie = 2 * rest == exact.denominator
    return whole + (up or (tie and (terms.rounding == "half_up" or whole % 2 == 1)))
