"""Ad-hoc filters on parties. Source: https://developer.capsulecrm.com/v2/reference/filters"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from sandbox.calls import id_of
from sandbox.capsule.account import Account
from sandbox.capsule.errors import invalid
from sandbox.capsule.index import full_name
from sandbox.capsule.reference import country_code
from sandbox.ledger import Record

Values = Callable[[Account, Record], Iterable[Any]]


def _rows(key: str, name: str) -> Values:
    return lambda _account, party: (row[name] for row in party[key])


def _scalar(name: str) -> Values:
    return lambda _account, party: (party.get(name),)


def _has(key: str) -> Values:
    return lambda _account, party: (bool(party[key]),)


def _countries(_account: Account, party: Record) -> Iterable[str]:
    return (country_code(row["country"]) for row in party["addresses"] if row["country"])


def _references(name: str) -> Values:
    """Owner and team are named by id or by name."""

    def values(_account: Account, party: Record) -> Iterable[Any]:
        short = party[name] or {}
        return [short[key] for key in ("id", "name", "username") if key in short]

    return values


def _tags(_account: Account, party: Record) -> Iterable[Any]:
    return [tag[key] for tag in party["tags"] for key in ("id", "name")]


def _has_people(account: Account, party: Record) -> Iterable[bool]:
    return (bool(account.people_of(party["id"])),)


TEXTS: dict[str, Values] = {
    "name": lambda _account, party: (full_name(party),),
    "jobTitle": _scalar("jobTitle"),
    "title": _scalar("title"),
    "email": _rows("emailAddresses", "address"),
    "phone": _rows("phoneNumbers", "number"),
    "website": _rows("websites", "address"),
    "city": _rows("addresses", "city"),
    "zip": _rows("addresses", "zip"),
    "state": _rows("addresses", "state"),
}
OF_ORGANISATION: dict[str, Values] = {"org.name": _scalar("name"), "org.tag": _tags}
CHOICES: dict[str, Values] = {
    "id": _scalar("id"),
    "type": _scalar("type"),
    "country": _countries,
    "tag": _tags,
    "owner": _references("owner"),
    "team": _references("team"),
    "hasEmailAddress": _has("emailAddresses"),
    "hasPhoneNumber": _has("phoneNumbers"),
    "hasAddress": _has("addresses"),
    "hasTags": _has("tags"),
    "hasPeople": _has_people,
}
DATES = {"addedOn": "createdAt", "updatedOn": "updatedAt", "lastContactedOn": "lastContactedAt"}
TEXT_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "starts with": str.startswith,
    "ends with": str.endswith,
    "contains": lambda value, wanted: wanted in value,
}
DAY_OPERATORS = {"is after", "is before"}
SPAN_OPERATORS = {"is older than", "is within last", "is within next"}


def matching(account: Account, query: Record) -> list[Record]:
    """Return the parties that fulfil every condition, in the order asked for, else by id. Raises the 422."""
    conditions = query.get("conditions")
    if not isinstance(conditions, list) or not all(isinstance(each, dict) for each in conditions):
        raise invalid("conditions are required", "filter", "conditions")
    tests = [_test(account, each) for each in conditions]
    found = account.listed("filter", _candidates(account, conditions))
    for test in tests:
        found = [each for each in found if test(each)]
    order = query.get("orderBy") or []
    if not isinstance(order, list) or not all(isinstance(each, dict) for each in order):
        raise invalid("invalid order", "filter", "orderBy")
    return _ordered(account, found, order)


def _candidates(account: Account, conditions: list[Record]) -> set[int] | None:
    """Return the ids of the parties to look at where an index knows one of the conditions."""
    for each in conditions:
        field, value = str(each.get("field")), each.get("value")
        indexed = field in {"email", "name"} or field.startswith("custom:")
        if indexed and each.get("operator") == "is" and isinstance(value, str):
            return account.index.find(field, value)
    return None


def _test(account: Account, condition: Record) -> Callable[[Record], bool]:
    field, operator, wanted = str(condition.get("field")), str(condition.get("operator")), condition.get("value")
    values = _values(account, field)
    if operator in {"is", "is not"}:
        negated, holds = operator == "is not", _is(wanted)
        return lambda party: holds(values(account, party)) != negated
    if field in {*TEXTS, "org.name"} and operator in TEXT_OPERATORS and isinstance(wanted, str):
        compare, text = TEXT_OPERATORS[operator], _folded(wanted)
        return lambda party: any(compare(_folded(each), text) for each in values(account, party) if each)
    if field in DATES and operator in DAY_OPERATORS | SPAN_OPERATORS:
        first, last = _span(account, operator, wanted)
        name = DATES[field]
        return lambda party: party[name] is not None and first <= party[name][:10] <= last
    raise invalid("invalid operator", "condition", "operator")


def _values(account: Account, field: str) -> Values:
    known = TEXTS.get(field) or CHOICES.get(field)
    if known:
        return known
    if field in DATES:
        return _scalar(DATES[field])
    if field in OF_ORGANISATION:
        return _of_organisation(OF_ORGANISATION[field])
    owner, _, definition_id = field.rpartition("custom:")
    if owner in {"", "org."} and account.records.get("definition", id_of(definition_id)):
        custom = _custom(int(definition_id))
        return _of_organisation(custom) if owner else custom
    raise invalid("invalid field name", "condition", "field")


def _custom(definition_id: int) -> Values:
    return lambda _account, party: [row["value"] for row in party["fields"] if row["definition"]["id"] == definition_id]


def _of_organisation(values: Values) -> Values:
    def found(account: Account, party: Record) -> Iterable[Any]:
        organisation = account.records.get("party", (party.get("organisation") or {}).get("id", 0))
        return values(account, organisation) if organisation else []

    return found


def _is(wanted: Any) -> Callable[[Iterable[Any]], bool]:
    """Return what tells whether any value is the wanted one (without regard to case); None asks whether there is none.
    A date and time is on the day that is asked for, and a boolean custom field that is false has no row.
    """
    if wanted is None:
        return lambda values: not _present(values)
    text = _folded(wanted)

    def holds(values: Iterable[Any]) -> bool:
        present = _present(values)
        if not present:
            return wanted is False
        return any(each == text or (each[10:11] == "t" and each[:10] == wanted) for each in present)

    return holds


def _present(values: Iterable[Any]) -> list[str]:
    return [_folded(each) for each in values if each is not None and each != ""]


def _folded(value: Any) -> str:
    return str(value).casefold()


def _span(account: Account, operator: str, wanted: Any) -> tuple[str, str]:
    """Return the first and the last day that an operator on dates means."""
    try:
        if operator in DAY_OPERATORS:
            day, one = date.fromisoformat(wanted), timedelta(days=1)
            return ((day + one).isoformat(), "9999") if operator == "is after" else ("", (day - one).isoformat())
        today, span = account.now().date(), timedelta(days=int(wanted))
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid("invalid value", "condition", "value") from error
    if operator == "is older than":
        return "", (today - span - timedelta(days=1)).isoformat()
    if operator == "is within last":
        return (today - span).isoformat(), today.isoformat()
    return today.isoformat(), (today + span).isoformat()


def _ordered(account: Account, parties: list[Record], order: list[Record]) -> list[Record]:
    for each in reversed(order):
        values = _values(account, str(each.get("field")))
        parties.sort(key=_sort_key(account, values), reverse=each.get("direction") == "descending")
    return parties


def _sort_key(account: Account, values: Values) -> Callable[[Record], tuple[int, str]]:
    def key(party: Record) -> tuple[int, str]:
        first = next(iter(values(account, party)), None)
        return (first, "") if isinstance(first, int) else (0, _folded(first or ""))

    return key
