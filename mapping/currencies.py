"""Currencies by ISO 4217: which there are, and how many decimals each has."""

from functools import lru_cache

import pycountry
from babel.numbers import get_currency_precision

# Where CLDR, which babel carries, shows a currency without the minor unit that ISO 4217 gives it.
_ISO_DECIMALS = {
    "IQD": 3,
    **dict.fromkeys(("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"), 2),
}


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


def is_currency(code: str) -> bool:
    """Return whether this is a present ISO 4217 code in capitals."""
    return code in _codes()


def decimals(code: str) -> int:
    """Return how many decimals an amount of this currency has: EUR 2, JPY 0, KWD 3."""
    return _ISO_DECIMALS.get(code, get_currency_precision(code))
