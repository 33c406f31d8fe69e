"""What goes into requests to Zoho CRM: checked names and ids, pages, instants, and values quoted for queries."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

MOST_RECORDS = 100
MOST_FIELDS = 50
LARGEST_PAGE = 200
LONGEST_TOKEN = 50

Query = list[tuple[str, str]]


def name(text: str) -> str:
    """Return the API name of a module or field. Raises ValueError for what cannot be one."""
    if not re.fullmatch(r"[A-Za-z$][A-Za-z0-9_]{0,99}", text):
        raise ValueError("that is no API name of a module or field of Zoho CRM")
    return text


def number(text: str) -> str:
    """Return the id of a record or channel, which is text of digits. Raises ValueError for anything else."""
    if not re.fullmatch(r"[0-9]{1,25}", text):
        raise ValueError("an id of Zoho CRM is text of digits")
    return text


def numbers(ids: Sequence[str]) -> str:
    """Return 1 to 100 ids as a query has them. Raises ValueError for more, fewer, or what is no id."""
    _check_count("ids", len(ids))
    return ",".join(map(number, ids))


def fields(names: Sequence[str]) -> Query:
    """Return the query for the fields wanted, which Zoho insists on. Raises ValueError unless there are 1 to 50."""
    if not 1 <= len(names) <= MOST_FIELDS:
        raise ValueError(f"Zoho CRM shows 1 to {MOST_FIELDS} fields at once, not {len(names)}")
    return [("fields", ",".join(map(name, names)))]


def paging(page: int, per_page: int = LARGEST_PAGE) -> Query:
    """Return the query for one page. Raises ValueError for a page that Zoho does not have."""
    if page < 1:
        raise ValueError(f"Zoho CRM counts pages from 1: not page {page}")
    return [("page", str(page)), *size(per_page)]


def size(per_page: int = LARGEST_PAGE) -> Query:
    """Return the query for the size of a page. Raises ValueError for a size that Zoho does not have."""
    if not 1 <= per_page <= LARGEST_PAGE:
        raise ValueError(f"a page of Zoho CRM has 1 to {LARGEST_PAGE} records, not {per_page}")
    return [("per_page", str(per_page))]


def instant(at: datetime) -> str:
    """Return an aware instant as Zoho writes it, in whole seconds. Raises ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError("the instant has no time zone: give an aware one")
    return at.astimezone(UTC).replace(microsecond=0).isoformat()


def since_header(since: datetime | None) -> dict[str, str]:
    """Return the header that asks for what was modified after an instant."""
    return {"If-Modified-Since": instant(since)} if since else {}


def records(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the body of a write. Its empty trigger keeps workflow rules, and their mails and loops, from running.

    Values are as JSON has them. Raises ValueError unless there are 1 to 100 records with something in each.
    """
    _check_count("records", len(rows))
    if not all(rows):
        raise ValueError("a record without any value is a mistake")
    return {"data": [dict(row) for row in rows], "trigger": []}


def plain(value: Any) -> Any:
    """Return a value of a field as JSON has it: amounts as numbers, dates and instants as text, all else as it is.

    Zoho keeps amounts as doubles. Raises ValueError for one that a double would change.
    """
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, Decimal):
        return value
    if not value.is_finite() or Decimal(repr(float(value))) != value:
        raise ValueError("Zoho CRM keeps amounts of fifteen digits: this one has more")
    return int(value) if value == value.to_integral_value() else float(value)


def named_by(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> bool:
    """Return whether each record has a value in one of these fields, by which Zoho recognises it."""
    return all(any(row.get(key) not in (None, "") for key in keys) for row in rows)


def channel(
    channel_id: str, *, events: Sequence[str], notify_url: str, token: str, until: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Return the body that describes a channel. Raises ValueError for what Zoho would refuse or cut."""
    if not 1 <= len(token) <= LONGEST_TOKEN:
        raise ValueError(f"the token of a channel has 1 to {LONGEST_TOKEN} characters")
    if not events or not all(re.fullmatch(r"[A-Za-z0-9_]+\.(create|edit|delete|all)", each) for each in events):
        raise ValueError("a channel needs events such as Contacts.all")
    # Of a delivery only the ids are used: values would be personal data on the way for nothing.
    quiet = {"notify_on_related_action": False, "return_affected_field_values": False}
    said = {"notify_url": notify_url, "token": token, "events": list(events), "channel_expiry": instant(until)}
    return {"watch": [{"channel_id": number(channel_id), **said, **quiet}]}


def coql_text(value: str) -> str:
    """Return a value in quotes, for a query. Raises ValueError for one that could end its quotes or wants escaping.

    How COQL escapes is not documented, so nothing is escaped: search for such a value, `O'Neill`, in another way.
    """
    if not value or re.search(r"['\"\\%]", value) or not value.isprintable():
        raise ValueError("a value with quotes, backslashes, percent or control signs cannot stand in a query")
    return f"'{value}'"


def _check_count(what: str, count: int) -> None:
    if not 1 <= count <= MOST_RECORDS:
        raise ValueError(f"Zoho CRM takes 1 to {MOST_RECORDS} {what} at once, not {count}: split the list")
