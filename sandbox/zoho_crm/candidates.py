"""Which records a condition can hold for, as far as the index knows: the rest need not be looked at."""

from collections.abc import Iterable

from sandbox.zoho_crm.account import Account, number_of
from sandbox.zoho_crm.conditions import Condition, Test
from sandbox.zoho_crm.fields import TEXTS, Field
from sandbox.zoho_crm.index import NAMES


def candidates(account: Account, module: str, condition: Condition) -> set[int] | None:
    """Return the ids of all records that a condition may hold for, and perhaps of more; None if it may be any."""
    if isinstance(condition, Test):
        return _of_test(account, module, condition)
    found = [candidates(account, module, part) for part in condition.parts]
    known = [each for each in found if each is not None]
    if condition.word == "and":
        return min(known, key=len, default=None)
    return _joined(known) if len(known) == len(found) else None


def _of_test(account: Account, module: str, test: Test) -> set[int] | None:
    if test.operator not in {"equal", "in"}:
        return None
    if test.path == "id":
        return {number_of(each) for each in test.operands}
    head, dot, rest = test.path.partition(".")
    field = account.schema.get(module, head)
    if field is None or not (_is_indexed(field) if not dot else field.lookup and rest == "id"):
        return None
    return _joined(account.index.find(module, head, each) for each in test.operands)


def _is_indexed(field: Field) -> bool:
    return field.data_type in TEXTS and (field.custom or field.api_name in NAMES)


def _joined(found: Iterable[Iterable[int]]) -> set[int]:
    return set().union(*found)
