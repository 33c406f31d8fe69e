"""Search keys and sort keys of clients. What is not known is ignored, and the list comes unfiltered.

Source: https://www.freshbooks.com/api/clients, /api/parameters
"""

from collections.abc import Callable
from datetime import date

from sandbox.calls import id_of
from sandbox.freshbooks.client_fields import ADDRESSES
from sandbox.freshbooks.errors import refused
from sandbox.ledger import Record

Test = Callable[[Record], bool]

PHONES = ("bus_phone", "mob_phone", "home_phone", "fax")
LIKES: dict[str, tuple[str, ...]] = {
    "email_like": ("email",),
    "fname_like": ("fname",),
    "lname_like": ("lname",),
    "organization_like": ("organization",),
    "address_like": ADDRESSES,
    "note_like": ("note",),
    "phone_like": PHONES,
    "user_like": ("fname", "lname", "organization", "email", "username"),
}
DAYS = ("updated_min", "updated_max")
IDS = ("userid", "userids")
DEBTS = ("has_credit", "has_draft", "has_outstanding", "has_overdue")
TRUE, FALSE = {"true", "1"}, {"false", "0"}
SORT_KEYS: dict[str, Callable[[Record], str | int]] = {
    "organization_name": lambda client: str(client["organization"]).casefold(),
    "fullname": lambda client: f"{client['fname']} {client['lname']}".casefold(),
    "primarycontact": lambda client: f"{client['fname']} {client['lname']}".casefold(),
    "email": lambda client: str(client["email"]).casefold(),
    "bus_phone": lambda client: str(client["bus_phone"]),
    "updated": lambda client: str(client["updated"]),
    "client_id": lambda client: int(client["id"]),
}
SHOWN_BY_DEFAULT = {0, 2}


def tests(searches: dict[str, list[str]]) -> list[Test]:
    """Return what a client must pass to be listed. Raises a 422 for a value that a known key cannot take."""
    found = [_test(key, values) for key, values in searches.items()]
    if "vis_state" not in searches:
        found.append(lambda client: client["vis_state"] in SHOWN_BY_DEFAULT)
    return [each for each in found if each]


def ordered(clients: list[Record], sort: str | None) -> list[Record]:
    """Return clients, which come oldest first, by `{key}_asc` or `{key}_desc`; without a known key newest first."""
    key, _, direction = (sort or "").rpartition("_")
    clients.reverse()
    if key in SORT_KEYS and direction in {"asc", "desc"}:
        clients.sort(key=SORT_KEYS[key], reverse=direction == "desc")
    return clients


def like_text(key: str, client: Record) -> str:
    """Return the text in which a search by a part of a text looks, in lower case."""
    return "\x00".join(str(client[name] or "") for name in LIKES[key]).casefold()


def day_of(key: str, value: str) -> str:
    """Return the day that the value of a search key means. Raises errno 1023."""
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError as error:
        raise refused(1023, f"The filter '{key}' must be a date.", key, value=value) from error


def _test(key: str, values: list[str]) -> Test | None:
    last = values[-1]
    if key == "email":
        return lambda client: str(client["email"]).casefold() == last.casefold()
    if key == "username":
        return lambda client: bool(client["username"] == last)
    if key in LIKES:
        return lambda client: last.casefold() in like_text(key, client)
    if key in IDS:
        wanted = {number_of(key, each) for each in values}
        return lambda client: client["id"] in wanted
    if key == "vis_state":
        state = number_of(key, last)
        return lambda client: bool(client["vis_state"] == state)
    return _day_test(key, last) or _debt_test(key, last)


def _day_test(key: str, value: str) -> Test | None:
    """Compare by whole days of the Eastern calendar."""
    if key not in DAYS:
        return None
    day = day_of(key, value)
    if key == "updated_min":
        return lambda client: str(client["updated"])[:10] >= day
    return lambda client: str(client["updated"])[:10] <= day


def _debt_test(key: str, value: str) -> Test | None:
    """Nobody owes anything: clients do not follow their invoices here."""
    if key not in DEBTS:
        return None
    if value.casefold() not in TRUE | FALSE:
        raise refused(1032, f"The filter '{key}' must be true or false.", key, value=value)
    wanted = value.casefold() in TRUE
    return lambda _client: not wanted


def number_of(key: str, value: str) -> int:
    """Return the number that the value of a search key is. Raises errno 1024."""
    if not value.isascii() or not value.isdigit():
        raise refused(1024, f"The filter '{key}' must be a number.", key, value=value)
    return id_of(value)
