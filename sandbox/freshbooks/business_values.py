"""Values as they come in bodies and queries of the business families (projects, timetracking, comments). All that is
wrong is told at once, field by field, in a 422 with errno 2001.

Source: https://www.freshbooks.com/api/time_entries, /api/project, /api/errors
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.clock import from_zulu, zulu
from sandbox.freshbooks.errors import invalid
from sandbox.ledger import Record

EARLIEST_YEAR, LATEST_YEAR = 1900, 2999
LONGEST_WHOLE = 18
"""Digits."""

TRUE, FALSE = {"true", "1"}, {"false", "0"}

Parser = Callable[[Any], Any]
"""Returns a value in the form in which it is stored. Raises Unfit."""


class Unfit(ValueError):
    """A value that a field cannot take, in the words that the caller of the API hears."""


def parsed(
    draft: Record, parsers: Mapping[str, Parser], required: Collection[str] = (), also: Mapping[str, str] | None = None
) -> Record:
    """Return the values of those keys of a draft that can be written; others are passed over. Null is a value, except
    of a `required` key. Raises the 422, with what is wrong `also`.
    """
    wrong, found = dict(also or {}), {}
    for key in required:
        if key not in draft:
            wrong[key] = "field required"
        elif draft[key] is None:
            wrong[key] = "none is not an allowed value"
    for key, parser in parsers.items():
        if key not in draft or key in wrong:
            continue
        try:
            found[key] = None if draft[key] is None else parser(draft[key])
        except Unfit as error:
            wrong[key] = str(error)
    if wrong:
        raise invalid(wrong)
    return found


def flag(value: Any) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise Unfit("value could not be parsed to a boolean")
    return value


def whole(value: Any) -> int:
    """Return a whole number from zero on, which may come as text too."""
    digits = str(value) if type(value) in {int, str} else ""
    if not re.fullmatch(rf"-?\d{{1,{LONGEST_WHOLE}}}", digits, re.ASCII):
        raise Unfit("value is not a valid integer")
    if int(digits) < 0:
        raise Unfit("ensure this value is greater than or equal to 0")
    return int(digits)


def text(value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise Unfit("str type expected")
    return value


def title(value: Any) -> str:
    """Return a text with something in it."""
    if not text(value).strip():
        raise Unfit("ensure this value has at least 1 characters")
    return text(value)


def one_of(*words: str) -> Parser:
    """Return what takes one of these words."""

    def parse(value: Any) -> str:
        if value not in words:
            raise Unfit(f"value is not a valid enumeration member; permitted: {', '.join(words)}")
        return text(value)

    return parse


def amount(value: Any) -> str:
    """Return an amount without its currency, with two decimals, as rates and fixed prices are told."""
    digits = str(value) if type(value) in {int, float, str} else ""
    if not re.fullmatch(r"\d{1,12}(\.\d{1,8})?", digits, re.ASCII):
        raise Unfit("value is not a valid decimal")
    return str(Decimal(digits).quantize(Decimal("0.01")))


def day(value: Any) -> str:
    """Return a date."""
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "").isoformat()
    except ValueError as error:
        raise Unfit("invalid date format") from error


def instant(value: Any) -> str:
    """Return an instant as time entries tell it: UTC, whole seconds, `Z`. Without a zone it was UTC."""
    try:
        return _within_reason(from_zulu(text(value)))
    except ValueError as error:
        raise Unfit("invalid datetime format") from error


def zone(value: Any) -> str:
    """Return the name of a time zone."""
    try:
        return ZoneInfo(text(value)).key
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise Unfit("unknown time zone") from error


def local_instant(value: Any) -> str:
    """Return an instant by a clock that names no zone."""
    try:
        return datetime.fromisoformat(text(value)).replace(tzinfo=None, microsecond=0).isoformat()
    except ValueError as error:
        raise Unfit("invalid datetime format") from error


def zoneless(at: datetime) -> str:
    """Return an instant as projects tell it: UTC, and no zone."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def asked_flag(value: str) -> bool:
    """Return a boolean of a query."""
    if value.casefold() not in TRUE | FALSE:
        raise Unfit("Input should be a valid boolean, unable to interpret input")
    return value.casefold() in TRUE


def asked_number(value: str) -> int:
    """Return an id of a query."""
    if not re.fullmatch(rf"\d{{1,{LONGEST_WHOLE}}}", value, re.ASCII):
        raise Unfit("Input should be a valid integer, unable to parse string as an integer")
    return int(value)


def asked_instant(value: str) -> str:
    """Return an instant of a query; a date means its first moment, UTC."""
    try:
        return _within_reason(from_zulu(value))
    except ValueError as error:
        reason = "input is too short" if len(value) < len("2026-01-01") else "invalid character in year"
        raise Unfit(f"Input should be a valid datetime or date, {reason}") from error


def _within_reason(at: datetime) -> str:
    """Return an instant that every clock in the world can tell. Raises ValueError."""
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise ValueError(f"not a year of any work: {at.year}")
    return zulu(at)
