"""Values of custom fields, and tags, on a record. Source: https://developer.capsulecrm.com/v2/models/field_value"""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.capsule.account import Account, definition_short, reference
from sandbox.capsule.entities import Entity
from sandbox.capsule.errors import invalid, missing
from sandbox.ledger import Record


def changed_fields(account: Account, entity: Entity, rows: list[Record], items: Any) -> list[Record]:
    """Return the field rows after a write of `items`. Raises the 422 or the 404."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid("fields must be a list of objects", entity.kind, "fields")
    result = list(rows)
    for item in items:
        result = _changed(account, entity, result, item)
    return result


def _changed(account: Account, entity: Entity, rows: list[Record], item: Record) -> list[Record]:
    definition_id = _definition_id(rows, item)
    definition = account.records.get(entity.definition, definition_id)
    if definition is None:
        raise missing("definition")
    row = next((each for each in rows if each["definition"]["id"] == definition_id), None)
    others = [each for each in rows if each is not row]
    value = None if item.get("_delete") is True else _stored(definition, item)
    if value is None:
        return others
    if row:
        return [{**each, "value": value} if each is row else each for each in rows]
    row_id = account.records.next_id("row")
    return [*rows, {"id": row_id, "definition": definition_short(definition), "value": value, "tagId": None}]


def _definition_id(rows: list[Record], item: Record) -> int:
    """Return the definition that an item is about: named by the row's id, or by `definition` as object or number."""
    if item.get("id") is None:
        return reference(item.get("definition"), "definition")
    row = next((each for each in rows if each["id"] == item["id"]), None)
    if row is None:
        raise missing("field")
    definition_id: int = row["definition"]["id"]
    return definition_id


def _stored(definition: Record, item: Record) -> Any:
    """Return a value as it is stored, or None if the write removes the row. Raises the 422."""
    value, kind = item.get("value"), definition["type"]
    if kind == "boolean":
        if not isinstance(value, bool):  # null too: a boolean cannot be cleared, only set to false
            raise _wrong_type()
        return value or None  # false removes the row: reading it back finds nothing
    if value is None or value == "":
        return None
    if kind == "number":
        return _number(value)
    if not isinstance(value, str):
        raise _wrong_type()
    if kind == "date":
        return _date(value)
    _check_options(definition, value)
    return value


def _number(value: Any) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise _wrong_type() from error
    if isinstance(value, bool) or not number.is_finite():
        raise _wrong_type()
    return str(value)


def _date(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise _wrong_type() from error


def _check_options(definition: Record, value: str) -> None:
    chosen = {"list": [value], "multiselectlist": value.split(";")}.get(definition["type"], [])
    if not set(chosen) <= set(definition.get("options") or []):
        raise invalid("invalid option for field", "field", "value")


def _wrong_type() -> Exception:
    return invalid("invalid type for field", "field", "value")


def changed_tags(account: Account, entity: Entity, tags: list[Record], items: Any) -> list[Record]:
    """Return the tags after a write of `items`; an unknown name creates the tag. Raises the 422 or the 404."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid("tags must be a list of objects", entity.kind, "tags")
    result = list(tags)
    for item in items:
        attached = next((each for each in result if _is_meant(each, item)), None)
        if item.get("_delete") is True:
            if attached is None:
                raise invalid("tag not found to delete", "tag", "id")
            result.remove(attached)
        elif attached is None:
            result.append(_tag(account, entity, item))
    return result


def _is_meant(tag: Record, item: Record) -> bool:
    return bool(tag["id"] == item["id"] if "id" in item else tag["name"] == item.get("name"))


def _tag(account: Account, entity: Entity, item: Record) -> Record:
    known = next((each for each in account.records.all(entity.tag) if _is_meant(each, item)), None)
    if known is None:
        if "id" in item:
            raise missing("tag")
        if not isinstance(item.get("name"), str) or not item["name"]:
            raise invalid("name is required", "tag", "name")
        known = new_tag(account, entity, item["name"], item.get("description"))
    return {key: known[key] for key in ("id", "name", "dataTag")}


def new_tag(account: Account, entity: Entity, name: str, description: str | None) -> Record:
    """Create the definition of a tag."""
    number = account.records.next_id(entity.tag)
    tag: Record = {
        "id": number,
        "name": name,
        "description": description,
        "dataTag": False,
        "createdAt": account.stamp(),
    }
    account.records.commit("create", entity.tag, number, tag)
    return tag
