"""Reading what a system answered: JSON without surprises, times to wait, pages."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

T = TypeVar("T")

DEEPEST = 32
LONGEST_WAIT = timedelta(days=1)
SHORTEST_WAIT = timedelta(seconds=1)
# No real amount needs more; an exponent of a billion would fill the memory of whoever calls int() on it.
WIDEST_NUMBER = 40


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list, in the system's order."""

    items: list[T]
    has_more: bool


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx. FreshBooks can still say no in the body."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body parsed. Raises ValueError if it is not JSON that we trust."""
        return parse_json(self.body)

    def json_or_none(self) -> Any:
        """Return the body parsed, or None: for error answers, which may come from a proxy and be anything."""
        try:
            return self.json()
        except ValueError:
            return None


def parse_json(body: bytes) -> Any:
    """Return JSON in UTF-8 as Python values; numbers with a fraction become Decimal, from their text.

    Raises ValueError for anything else: NaN and Infinity, a key twice in one object, or nesting beyond 32 levels.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_float=_decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    _check_depth(value)
    return value


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("JSON holds a number of unreasonable size") from None
    if abs(number.adjusted()) > WIDEST_NUMBER:
        raise ValueError("JSON holds a number of unreasonable size")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"JSON holds {name}, which is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("JSON holds the same key twice in one object")
    return found


def _check_depth(value: Any) -> None:
    """Walk level by level: recursion here would meet the very danger it looks for."""
    level = [value]
    for _ in range(DEEPEST):
        level = [child for each in level for child in _children(each) if isinstance(child, (dict, list))]
    if level:
        raise ValueError(f"JSON is nested more than {DEEPEST} levels deep")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def wait_said(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long the system asks us to wait, between a second and a day, or None if it does not say.

    Reads `Retry-After` (seconds or an HTTP date), then `X-RateLimit-Reset` (epoch seconds). Instants are compared with
    the answer's own `Date`, so that a wrong clock on either side does no harm. Ask only for answers that mean "wait":
    FreshBooks sends both headers with every success.
    """
    now = http_date(headers.get("date", "")) or datetime.now(UTC)
    asked = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", asked):
        wait = timedelta(seconds=int(asked))
    elif until := http_date(asked) or epoch(headers.get("x-ratelimit-reset", "")):
        wait = until - now
    else:
        return None
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def epoch(text: str) -> datetime | None:
    """Return the instant that a number of seconds since 1970 names, None if it is no such number."""
    seconds = re.fullmatch(r"([0-9]{1,11})(\.[0-9]*)?", text.strip())
    return datetime.fromtimestamp(int(seconds[1]), UTC) if seconds else None


def http_date(text: str) -> datetime | None:
    """Return the instant that a header such as `Date` names, None if it names none."""
    try:
        instant = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
