"""Creating, changing and deleting one record, by the rules that the API and people share.

Source: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, /update-records.html, /delete-records.html
"""

from typing import Any

from sandbox.calls import Refusal
from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account, number_of
from sandbox.zoho_crm.deals import settle
from sandbox.zoho_crm.errors import error
from sandbox.zoho_crm.fields import Field
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.values import Values

FIRST = "$.data[0]"
"""The path of a record that comes alone."""


def create(account: Account, module: str, draft: Record, user_id: int, place: str = FIRST) -> Record:
    """Create a record and return it as stored. Raises what Zoho says of one record."""
    problems: list[Record] = []
    values = _values(account, module, draft, place, problems)
    if module == "Deals":
        problems += settle(account, {}, values, place)
    for field in account.schema.fields(module).values():
        if _is_needed(account, field) and _is_blank(values.get(field.api_name)) and not _named(problems, field):
            problems.append(_mandatory(field, place))
    problems += _duplicates(account, module, values, place, 0)
    _stop_at(problems)
    number, user, at = account.records.next_id(module), str(user_id), account.stamp()
    record = {
        "id": str(number),
        "Owner": user,
        **{name: value for name, value in values.items() if value is not None},
        "Created_By": user,
        "Modified_By": user,
        "Created_Time": at,
        "Modified_Time": at,
    }
    account.records.commit("create", module, number, record)
    return record


def update(
    account: Account, module: str, record: Record, changes: Record, user_id: int, *, place: str = FIRST
) -> Record:
    """Change what is sent of a record and return it as stored; equal values move `Modified_Time` too. Raises what Zoho
    says of one record.
    """
    problems: list[Record] = []
    values = _values(account, module, changes, place, problems)
    if module == "Deals":
        problems += settle(account, record, values, place)
    for name, value in values.items():
        field = account.schema.get(module, name)
        if field and _is_needed(account, field) and _is_blank(value):
            problems.append(_mandatory(field, place))
    problems += _duplicates(account, module, values, place, int(record["id"]))
    _stop_at(problems)
    return store(account, module, record, values, user_id)


def store(account: Account, module: str, record: Record, values: Record, user_id: int) -> Record:
    """Store a record with some values changed, and return it. No rule is asked."""
    touched = {"Modified_By": str(user_id), "Modified_Time": account.stamp()}
    changed = {name: value for name, value in {**record, **values}.items() if value is not None} | touched
    account.records.commit("update", module, int(record["id"]), changed)
    return changed


def delete(account: Account, module: str, record: Record, user_id: int) -> Record:
    """Put a record into the recycle bin and return it. What referred to it refers to nothing any more."""
    gone = {**record, "$deleted_by": str(user_id), "$deleted_time": account.stamp()}
    account.records.commit("delete", module, int(record["id"]), gone)
    refer_to(account, module, record["id"], None, user_id)
    return gone


def refer_to(account: Account, module: str, old_id: str, new_id: str | None, user_id: int) -> None:
    """Make everything that refers to one record refer to another one, or to none."""
    for other, name in account.schema.referring(module):
        for number in account.index.find(other, name, old_id):
            referring = account.get(other, number)
            if referring:
                store(account, other, referring, {name: None if referring["id"] == new_id else new_id}, user_id)


def owner_of_value(account: Account, module: str, field: Field, value: Any, besides: int = 0) -> Record | None:
    """Return the oldest other record with a value in a field, or None. Case counts only where the field says so."""
    for number in account.index.find(module, field.api_name, value):
        record = account.get(module, number)
        if record and number != besides and (field.unique != "sensitive" or record[field.api_name] == value):
            return record
    return None


def _values(account: Account, module: str, draft: Record, place: str, problems: list[Record]) -> Record:
    """Return the values of a draft as stored; unknown and read-only names are passed over."""
    reader, found = Values(account, place), {}
    for name, value in draft.items():
        field = account.schema.get(module, name)
        if field is None or field.read_only:
            continue
        try:
            found[name] = reader.take(field, value)
        except Refusal as refusal:
            problems.append(refusal.body)
    return found


def _duplicates(account: Account, module: str, values: Record, place: str, besides: int) -> list[Record]:
    problems = []
    for name, field in account.schema.custom(module).items():
        if not field.unique or values.get(name) is None:
            continue
        other = owner_of_value(account, module, field, values[name], besides)
        if other:
            problems.append(duplicate(account, module, field, other, place))
    return problems


def duplicate(account: Account, module: str, field: Field, other: Record, place: str) -> Record:
    """Return the error that names the record which has a unique value already."""
    owner = account.records.get("user", number_of(other["Owner"])) or {}
    known = {
        "id": other["id"],
        "Owner": {"name": owner.get("full_name"), "id": other["Owner"], "zuid": owner.get("zuid")},
        "module": {"api_name": module, "id": str(MODULES[module].number)},
    }
    where = {"api_name": field.api_name, "json_path": f"{place}.{field.api_name}"}
    details = {**where, "id": other["id"], "more_records": False, "duplicate_record": known}
    return error("DUPLICATE_DATA", "duplicate data", **details)


def _mandatory(field: Field, place: str) -> Record:
    details = {"api_name": field.api_name, "json_path": f"{place}.{field.api_name}"}
    if field.layout:
        details["layout_rule"] = "Standard"
    return error("MANDATORY_NOT_FOUND", "required field not found", **details)


def _is_needed(account: Account, field: Field) -> bool:
    return field.mandatory or (field.layout and account.settings.layout_rules)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _named(problems: list[Record], field: Field) -> bool:
    return any(each["details"].get("api_name") == field.api_name for each in problems)


def _stop_at(problems: list[Record]) -> None:
    """Raise the one thing that is wrong with a record, or all of them in one."""
    if len(problems) == 1:
        raise Refusal(400, problems[0])
    if problems:
        raise Refusal(400, error("MULTIPLE_OR_MULTI_ERRORS", "multiple errors found", errors=problems))
