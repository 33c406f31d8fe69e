"""What hours come to, reckoned in seconds, whole minor units and fractions: independent of how the product does it.

The terms of the firm stand here too: what its settings say is what the judge reckons by.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

PLACES: Mapping[str, int] = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
"""The currencies of the campaign, and the decimals of each."""
OWN = "EUR"
"""The currency of the rates in FreshBooks."""
CLIENT_RATES: Mapping[str, str] = {"USD": "141.19", "GBP": "92.31", "JPY": "9871", "KWD": "28.375"}
"""The price of an hour for every second client of another currency; the business's own one is for the rest."""
BUSINESS_RATES: Mapping[str, str] = {"USD": "133.37", "GBP": "87.65", "JPY": "12345", "KWD": "31.255"}
TAXES: Mapping[str, str] = {"VAT": "19", "Levy": "0.875"}
ZONE = "Europe/Berlin"
LAST_DAY = date(2026, 3, 31)
MINUTE, HOUR = 60, 3600


def flow(client_rates: Mapping[int, str]) -> dict[str, Any]:
    """Return what the settings of the connection say of billing."""
    return {
        "rates_currency": OWN,
        "time_zone": ZONE,
        "periods": {"every": "closing-day", "closing_days": [LAST_DAY]},
        "durations": {"increment": "1m", "mode": "up", "of": "entry", "hour_digits": 2},
        "rate_order": ["billing-method", "service", "project", "staff", "client", "business"],
        "client_rates": dict(client_rates),
        "business_rate": dict(BUSINESS_RATES),
        "taxes": [{"name": name, "percent": percent} for name, percent in TAXES.items()],
        "rounding": {"mode": "half-up", "taxes": "line", "decimals": "minor-units"},
        "invoice": "final",
    }


KNOBS: Mapping[str, Any] = {"rounding": "half_up", "tax_rounding": "line", "decimals": "minor_units"}
"""How FreshBooks' stand-in reckons."""


@dataclass(frozen=True)
class Work:
    """One time entry that is billed: its seconds, what it shares a line by, and the price of an hour."""

    seconds: int
    project_id: int | None
    service_id: int | None
    rate: str


def reckoned(works: Iterable[Work], currency: str) -> tuple[int, int]:
    """Return what an invoice of these hours comes to before tax and after it, in minor units."""
    lines: dict[tuple[int | None, int | None, Fraction], int] = defaultdict(int)
    for work in works:
        lines[work.project_id, work.service_id, minor(work.rate, currency)] += -(-work.seconds // MINUTE) * MINUTE
    net = taxes = 0
    for (_, _, rate), seconds in lines.items():
        hundredths = -(-seconds * 100 // HOUR)
        amount = half_up(rate * hundredths / 100)
        net += amount
        taxes += sum(half_up(amount * Fraction(percent) / 100) for percent in TAXES.values())
    return net, net + taxes


def minor(amount: object, currency: str) -> Fraction:
    """Return an amount in minor units; a fraction of one stays."""
    return Fraction(Decimal(str(amount))) * Fraction("1" + "0" * PLACES[currency])


def half_up(exact: Fraction) -> int:
    """Return whole minor units; nothing here is below zero."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
