"""Values as they come in bodies: each is taken in the form in which it will be stored, or refused with a 422.

Source: https://www.freshbooks.com/api/errors
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pycountry

from sandbox.freshbooks.errors import refused
from sandbox.ledger import Record

LONGEST = 255
"""Characters of a one-line field; FreshBooks publishes no limit."""

VIS_STATES = (0, 1, 2)
NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,8})?", re.ASCII)


def text(key: str, value: Any, empty: str | None, thing: str, *, long: bool = False) -> str | None:
    """Return a text; `long` ones have no limit."""
    if value is None:
        return empty
    if not isinstance(value, str):
        raise refused(1004, f"The field '{key}' must be a text.", key, thing, value=value)
    if len(value) > LONGEST and not long:
        raise refused(1017, f"The field '{key}' is longer than {LONGEST} characters.", key, thing)
    return value


def flag(key: str, value: Any, thing: str) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise refused(1031, f"The field '{key}' must be true or false.", key, thing, value=value)
    return value


def currency(value: Any, thing: str) -> str:
    """Return the code of a currency."""
    if not isinstance(value, str) or pycountry.currencies.get(alpha_3=value) is None:
        raise refused(1004, "'currency_code' is not a known currency.", "currency_code", thing, value=value)
    return value


def whole(key: str, value: Any, thing: str) -> int:
    """Return a whole number, which may also come as text."""
    digits = str(value) if type(value) in {int, str} else ""
    if not re.fullmatch(r"-?\d{1,18}", digits, re.ASCII):
        raise refused(1015, f"The field '{key}' must be a number.", key, thing, value=value)
    return int(digits)


def number(key: str, value: Any, thing: str) -> Decimal:
    """Return a number that came as a number or as text."""
    digits = str(value) if type(value) in {int, float, str} else ""
    if not NUMBER.fullmatch(digits):
        raise refused(1015, f"The field '{key}' must be a number.", key, thing, value=value)
    return Decimal(digits)


def percent(key: str, value: Any, thing: str) -> str:
    """Return a percentage of at most three decimals, between 0 and 100, as it is shown: `13`, `9.975`, `0`."""
    found = number(key, 0 if value in (None, "") else value, thing)
    if not 0 <= found <= 100 or found != round(found, 3):
        reason = f"The field '{key}' must be a percentage of at most three decimals."
        raise refused(1018, reason, key, thing, value=value)
    return plain(found)


def day(key: str, value: Any, thing: str) -> date:
    """Return a date."""
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError as error:
        raise refused(1033, f"The field '{key}' must be a date.", key, thing, value=value) from error


def money(key: str, value: Any, code: str, thing: str) -> Decimal:
    """Return the amount of `{"amount": …, "code": …}`; a code, if there is one, must be that of the document."""
    if not isinstance(value, dict):
        raise refused(1035, f"The field '{key}' must be an amount.", key, thing)
    if value.get("code") not in (None, code):
        raise refused(1004, f"The field '{key}' must be in {code}.", key, thing, value=value.get("code"))
    return number(key, value.get("amount"), thing)


def vis_state(value: Any, thing: str) -> int:
    """Return 0 (active), 1 (deleted) or 2 (archived)."""
    if type(value) is not int or value not in VIS_STATES:
        raise refused(1004, "'vis_state' must be 0, 1 or 2.", "vis_state", thing, value=value)
    return value


def rows(key: str, value: Any, thing: str) -> list[Record]:
    """Return a list of objects."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise refused(1034, f"The field '{key}' must be a list.", key, thing)
    return value


def plain(value: Decimal) -> str:
    """Return a number without needless zeros: `2`, `1.5`, `0`."""
    return format(value.normalize(), "f") if value else "0"
