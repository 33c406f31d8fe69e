"""What searches and queries ask of a record, whichever language they ask it in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.clock import from_zulu
from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account, full_name
from sandbox.zoho_crm.fields import Field

NUMBERS = ("integer", "double", "currency")


@dataclass(frozen=True)
class Test:
    """One comparison: `operator` is a name in `OPERATORS`, `operands` are texts as they were written."""

    path: str
    operator: str
    operands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Several conditions, of which all hold (`and`) or at least one (`or`)."""

    word: str
    parts: "tuple[Test | Group, ...]"


Condition = Test | Group


def tests_in(condition: Condition) -> Iterator[Test]:
    """Return every comparison in a condition."""
    if isinstance(condition, Test):
        yield condition
    else:
        for part in condition.parts:
            yield from tests_in(part)


def holds(account: Account, module: str, record: Record, condition: Condition) -> bool:
    """Return whether a record is as a condition asks. Raises ValueError for an operand of a wrong type, KeyError for a
    field that is not there.
    """
    if isinstance(condition, Test):
        return _passes(account, module, record, condition)
    results = (holds(account, module, record, part) for part in condition.parts)
    return all(results) if condition.word == "and" else any(results)


def value_at(account: Account, module: str, record: Record, path: str) -> Any:
    """Return the stored value that a path such as `Account_Name.Phone` leads to, or None."""
    head, _, rest = path.partition(".")
    value = full_name(record) if head == "Full_Name" else record.get(head)
    field = account.schema.get(module, head)
    if not rest or rest == "id" or field is None:
        return value
    other = account.get(field.lookup, value)
    return value_at(account, field.lookup, other, rest) if other else None


def _passes(account: Account, module: str, record: Record, test: Test) -> bool:
    field = account.schema.path(module, test.path)
    if field is None:
        raise KeyError(test.path)
    value = value_at(account, module, record, test.path)
    if test.operator in {"null", "not_null"}:
        return (value is None or value == []) == (test.operator == "null")
    wanted = [_comparable(field, each) for each in test.operands]
    if value is None:
        return test.operator in {"not_equal", "not_in"}
    if field.data_type in {"tags", "multiselectpicklist"}:
        found = [str(each.get("name") if isinstance(each, dict) else each).casefold() for each in value]
        return any(OPERATORS[test.operator](each, wanted) for each in found)
    if field.lookup:
        short = account.record_short(field.lookup, value)
        return any(
            OPERATORS[test.operator](each, wanted) for each in (value, str((short or {}).get("name")).casefold())
        )
    return OPERATORS[test.operator](_comparable(field, value), wanted)


def _comparable(field: Field, value: Any) -> Any:
    """Return a value so that it compares as its type does. Raises ValueError."""
    if field.data_type in NUMBERS:
        return float(value)
    if field.data_type == "datetime":
        return from_zulu(value)
    if field.data_type == "boolean":
        if str(value).casefold() not in {"true", "false"}:
            raise ValueError("true or false")
        return str(value).casefold() == "true"
    if field.api_name == "id" or field.data_type == "bigint":
        return int(value)
    return str(value).casefold()


OPERATORS: dict[str, Callable[[Any, Sequence[Any]], bool]] = {
    "equal": lambda value, wanted: bool(value == wanted[0]),
    "not_equal": lambda value, wanted: bool(value != wanted[0]),
    "contains_word": lambda value, wanted: _has_word(value, wanted[0]),
    "starts_with": lambda value, wanted: str(value).startswith(str(wanted[0])),
    "like": lambda value, wanted: _is_like(str(value), str(wanted[0])),
    "not_like": lambda value, wanted: not _is_like(str(value), str(wanted[0])),
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "greater_than": lambda value, wanted: bool(value > wanted[0]),
    "greater_equal": lambda value, wanted: bool(value >= wanted[0]),
    "less_than": lambda value, wanted: bool(value < wanted[0]),
    "less_equal": lambda value, wanted: bool(value <= wanted[0]),
    "between": lambda value, wanted: bool(wanted[0] <= value <= wanted[1]),
    "not_between": lambda value, wanted: not wanted[0] <= value <= wanted[1],
}


def _has_word(value: Any, wanted: Any) -> bool:
    return value == wanted or (isinstance(value, str) and str(wanted) in value.split())


def _is_like(text: str, pattern: str) -> bool:
    """Return whether a text fits a pattern in which `%` stands for anything."""
    first, *middle = pattern.split("%")
    if not middle:
        return text == first
    last = middle.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    rest = text[len(first) : len(text) - len(last)]
    for part in middle:
        _, found, rest = rest.partition(part) if part else ("", "%", rest)
        if not found:
            return False
    return True


def check(account: Account, module: str, condition: Condition) -> tuple[str, str] | None:
    """Return what is wrong with a condition, as the path of a field and a reason, or None. An order among texts is one
    by their characters.
    """
    for test in tests_in(condition):
        field = account.schema.path(module, test.path)
        if field is None:
            return test.path, "column not found"
        try:
            values = [_comparable(field, each) for each in test.operands]
        except (ValueError, TypeError):
            return test.path, "invalid value"
        if any(isinstance(each, datetime) and each.tzinfo is None for each in values):
            return test.path, "invalid value"
    return None
