"""`ledgerline mapping schema`: the JSON schema by which an editor checks and completes a mapping file.

It is made of the models that read mappings, so what it allows is what a start takes. What only a record's shape can
tell, such as which paths a party has, it does not know: that is for `ledgerline mapping check`.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from mapping.client_fields import FLAG_FIELDS, TEXT_FIELDS
from mapping.engine import WHEN
from mapping.registry import Transform
from mapping.rules import FieldRule
from mapping.transforms import known_transforms

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PATHS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_REMOVED = {"type": "null", "description": "Takes the field out of the sync."}


def mapping_schema() -> dict[str, Any]:
    """Return the schema of a mapping file, of either CRM."""
    rule = FieldRule.model_json_schema(by_alias=True)
    definitions = {name: each for name, each in rule.pop("$defs", {}).items() if name != "Step"}
    rule.pop("title", None)
    rule["properties"] |= {"from": _PATHS, "transforms": {"type": "array", "items": {"$ref": "#/$defs/Transform"}}}
    entry = {"anyOf": [{"$ref": "#/$defs/Entry"}, _REMOVED]}
    return {
        "$schema": DIALECT,
        "title": "A mapping of Ledgerline: one entry for each field of a FreshBooks client",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            WHEN: {"type": ["string", "null"], "description": "Only records that meet this condition are synced."},
            **dict.fromkeys(sorted(TEXT_FIELDS | FLAG_FIELDS), entry),
        },
        "$defs": {**definitions, "Entry": rule, "Transform": _transforms()},
    }


def _transforms() -> dict[str, Any]:
    """Return what one step may be: a name alone, where nothing has to be said with it, or a name with arguments."""
    known = [known_transforms()[name] for name in sorted(known_transforms())]
    alone = [{"const": each.name, "description": _does(each)} for each in known if not _required(each)]
    return {"anyOf": [*alone, *({**_named(each), "description": _does(each)} for each in known)]}


def _named(transform: Transform) -> Mapping[str, Any]:
    arguments = transform.arguments.model_json_schema()
    return {
        "type": "object",
        "properties": {transform.name: {key: each for key, each in arguments.items() if key != "title"}},
        "required": [transform.name],
        "additionalProperties": False,
    }


def _required(transform: Transform) -> bool:
    return any(each.is_required() for each in transform.arguments.model_fields.values())


def _does(transform: Transform) -> str:
    """Return what it does, in the first sentence of its function, and what it works on and gives."""
    text = inspect.getdoc(transform.function) or ""
    return f"{text.splitlines()[0] if text else transform.name} ({transform.takes} to {transform.gives})"
