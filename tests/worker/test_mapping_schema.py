"""The JSON schema for editors: it allows what a start takes, and refuses what a start refuses whatever the record."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mapping.client_fields import FLAG_FIELDS, TEXT_FIELDS
from mapping.rules import FieldRule
from mapping.transforms import known_transforms
from worker.mapping_schema import mapping_schema

TEMPLATES = Path(__file__).parents[2] / "mapping" / "templates"
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def allows(schema: dict[str, Any], value: Any, root: dict[str, Any] | None = None) -> bool:
    """Return whether a schema allows a value: as much of JSON Schema as ours makes use of."""
    root = root or schema
    if "$ref" in schema:
        return allows(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    if "anyOf" in schema and not any(allows(each, value, root) for each in schema["anyOf"]):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    types = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if types and not any(isinstance(value, TYPES[each]) for each in types):
        return False
    if isinstance(value, list):
        return all(allows(schema.get("items", {}), each, root) for each in value)
    return allows_members(schema, value, root) if isinstance(value, dict) else True


def allows_members(schema: dict[str, Any], value: dict[str, Any], root: dict[str, Any]) -> bool:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    if not set(schema.get("required", [])) <= value.keys():
        return False
    further = [each for name, each in value.items() if name not in known]
    if others is False and further:
        return False
    if isinstance(others, dict) and not all(allows(others, each, root) for each in further):
        return False
    return all(allows(known[name], each, root) for name, each in value.items() if name in known)


def mapping(text: str) -> Any:
    return YAML(typ="safe").load(text)


@pytest.mark.parametrize("pair", ["capsule-freshbooks", "zoho_crm-freshbooks"])
def test_the_shipped_mappings_are_allowed(pair: str) -> None:
    """Z71."""
    assert allows(mapping_schema(), mapping((TEMPLATES / pair / "clients.yaml").read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "note: null",
        "p_city: {owner: ask}",
        "fname: {from: [firstName, name]}",
        "company_industry: {from: tags, transforms: [{join: {key: name}}, {cut: {length: 40}}]}",
        "when: 'type == \"person\"'",
    ],
)
def test_a_change_of_a_mapping_is_allowed(text: str) -> None:
    """S52."""
    assert allows(mapping_schema(), mapping(text))


@pytest.mark.parametrize(
    "text",
    [
        "fnam: {owner: crm}",
        "p_city: {ownr: crm}",
        "p_city: {owner: nobody}",
        "p_city: {direction: to-crm}",
        "p_city: {transforms: [trimm]}",
        "p_city: {transforms: [cut]}",
        "p_city: {transforms: [{cut: {lenght: 3}}]}",
        "p_city: {transforms: [{choose: {prefer: [Werk]}}]}",
        "p_city: {transforms: trim}",
        "when: 3",
    ],
)
def test_what_no_start_would_take_is_refused_in_the_editor(text: str) -> None:
    """Z144."""
    assert not allows(mapping_schema(), mapping(text))


def test_whatever_a_mapping_may_say_is_in_the_schema() -> None:
    """It is made of the models, so a new key or transform is in it by itself."""
    schema = mapping_schema()
    assert schema["properties"].keys() >= TEXT_FIELDS | FLAG_FIELDS
    keys = {each.alias or name for name, each in FieldRule.model_fields.items()}
    assert schema["$defs"]["Entry"]["properties"].keys() == keys
    named = [each["required"][0] for each in schema["$defs"]["Transform"]["anyOf"] if "required" in each]
    assert sorted(named) == sorted(known_transforms())
