"""Ad-hoc filters: conditions, all of which a record fulfils. Source: https://developer.capsulecrm.com/v2/reference/filters"""

import operator as compared
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sandbox.calls import id_of
from sandbox.capsule.account import Account
from sandbox.capsule.entities import Entity
from sandbox.capsule.errors import invalid
from sandbox.ledger import Record

Values = Callable[[Account, Record], Iterable[Any]]
"""Gives what a record has under one name of a filter."""


@dataclass(frozen=True)
class Fields:
    """What the records of an entity can be filtered by. The names of filters are not those of the JSON: `dates` leads
    from one to the other. A measure is a pair of unit and number, and only numbers of one unit are compared. `custom`
    says, for each word before `custom:{id}`, whose custom field that is. `indexed` are the names that the index knows.
    """

    entity: Entity
    texts: Mapping[str, Values]
    choices: Mapping[str, Values]
    dates: Mapping[str, str]
    indexed: frozenset[str]
    measures: Mapping[str, Values] = field(default_factory=dict)
    custom: Mapping[str, Callable[[Values], Values]] = field(default_factory=lambda: {"": lambda values: values})


def scalar(name: str) -> Values:
    """Return what gives the single value under a key."""
    return lambda _account, record: (record.get(name),)


def references(name: str) -> Values:
    """Return what gives a short form's id and names: either may be asked for."""

    def values(_account: Account, record: Record) -> Iterable[Any]:
        short = record[name] or {}
        return [short[key] for key in ("id", "name", "username") if key in short]

    return values


def has(key: str) -> Values:
    """Return what gives whether a list has anything in it."""
    return lambda _account, record: (bool(record[key]),)


def tags(_account: Account, record: Record) -> Iterable[Any]:
    """Give ids and names of a record's tags."""
    return [tag[key] for tag in record["tags"] for key in ("id", "name")]


TEXT_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "starts with": str.startswith,
    "ends with": str.endswith,
    "contains": lambda value, wanted: wanted in value,
}
MEASURE_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "is": compared.eq,
    "is greater than": compared.gt,
    "is less than": compared.lt,
}
DAY_OPERATORS = {"is after", "is before"}
SPAN_OPERATORS = {"is older than", "is within last", "is within next"}


def matching(account: Account, fields: Fields, query: Record) -> list[Record]:
    """Return the records that fulfil every condition, in the order asked for, else by id. Raises the 422."""
    conditions = query.get("conditions")
    if not isinstance(conditions, list) or not all(isinstance(each, dict) for each in conditions):
        raise invalid("conditions are required", "filter", "conditions")
    tests = [_test(account, fields, each) for each in conditions]
    found = account.listed(fields.entity, "filter", _candidates(account, fields, conditions))
    for test in tests:
        found = [each for each in found if test(each)]
    order = query.get("orderBy") or []
    if not isinstance(order, list) or not all(isinstance(each, dict) for each in order):
        raise invalid("invalid order", "filter", "orderBy")
    return _ordered(account, fields, found, order)


def _candidates(account: Account, fields: Fields, conditions: list[Record]) -> set[int] | None:
    """Return the ids of the records to look at where an index knows one of the conditions."""
    for each in conditions:
        name, value = str(each.get("field")), each.get("value")
        indexed = name in fields.indexed or name.startswith("custom:")
        if indexed and each.get("operator") == "is" and isinstance(value, str):
            return account.index_of(fields.entity).find(name, value)
    return None


def _test(account: Account, fields: Fields, condition: Record) -> Callable[[Record], bool]:
    name, operator, wanted = str(condition.get("field")), str(condition.get("operator")), condition.get("value")
    values = _values(account, fields, name)
    if name in fields.measures and wanted is not None:
        return _measure_test(account, values, operator, wanted)
    if operator in {"is", "is not"}:
        negated, holds = operator == "is not", _is(wanted)
        return lambda record: holds(values(account, record)) != negated
    if name in fields.texts and operator in TEXT_OPERATORS and isinstance(wanted, str):
        compare, text = TEXT_OPERATORS[operator], _folded(wanted)
        return lambda record: any(compare(_folded(each), text) for each in values(account, record) if each)
    if name in fields.dates and operator in DAY_OPERATORS | SPAN_OPERATORS:
        first, last = _span(account, operator, wanted)
        key = fields.dates[name]
        return lambda record: record[key] is not None and first <= record[key][:10] <= last
    raise _invalid_operator()


def _measure_test(account: Account, values: Values, operator: str, wanted: Any) -> Callable[[Record], bool]:
    """Return the test of a number: as it stands, or beside its currency as `{"currency": …, "amount": …}`."""
    negated = operator == "is not"
    compare = MEASURE_OPERATORS.get("is" if negated else operator)
    unit, number = (wanted.get("currency"), wanted.get("amount")) if isinstance(wanted, dict) else ("", wanted)
    if compare is None:
        raise _invalid_operator()
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise invalid("invalid value", "condition", "value")

    def test(record: Record) -> bool:
        return any(each[0] == unit and compare(each[1], number) for each in values(account, record)) != negated

    return test


def _invalid_operator() -> Exception:
    return invalid("invalid operator", "condition", "operator")


def _values(account: Account, fields: Fields, name: str) -> Values:
    known = fields.texts.get(name) or fields.choices.get(name) or fields.measures.get(name)
    if known:
        return known
    if name in fields.dates:
        return scalar(fields.dates[name])
    owner, _, definition_id = name.rpartition("custom:")
    whose = fields.custom.get(owner)
    if whose and account.records.get(fields.entity.definition, id_of(definition_id)):
        return whose(_custom(int(definition_id)))
    raise invalid("invalid field name", "condition", "field")


def _custom(definition_id: int) -> Values:
    return lambda _account, record: [
        row["value"] for row in record["fields"] if row["definition"]["id"] == definition_id
    ]


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


def _ordered(account: Account, fields: Fields, records: list[Record], order: list[Record]) -> list[Record]:
    for each in reversed(order):
        values = _values(account, fields, str(each.get("field")))
        records.sort(key=_sort_key(account, values), reverse=each.get("direction") == "descending")
    return records


def _sort_key(account: Account, values: Values) -> Callable[[Record], tuple[float, str]]:
    def key(record: Record) -> tuple[float, str]:
        first = next(iter(values(account, record)), None)
        if isinstance(first, tuple):
            return float(first[1]), str(first[0])
        return (first, "") if isinstance(first, int) else (0, _folded(first or ""))

    return key
