"""docs/mapping.md tells operators what the code does: its tables are complete, its examples can be used."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mapping.paths import ALLOWED
from mapping.rules import FieldRule
from mapping.transforms import known_transforms
from runtime.settings import ClientsFlow
from tests.mapping.parties import CLIENTS

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
EXAMPLES = [block.split("```")[0] for block in PAGE.split("```yaml\n")[1:]]


def table(first_heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading, without the marks of code."""
    lines = PAGE.split(f"| {first_heading} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]


def test_every_transform_is_listed_with_its_arguments_and_what_fits() -> None:
    listed = {row[0]: row[1:4] for row in table("name")}
    assert listed == {
        name: [", ".join(each.arguments.model_fields) or "none", each.takes.value, each.gives.value]
        for name, each in known_transforms().items()
    }


def test_a_transform_that_compares_by_meaning_is_marked() -> None:
    marked = {row[0] for row in table("name") if row[5] == "by meaning"}
    assert marked == {name for name, each in known_transforms().items() if each.normalises} - {"yes_no"}


def test_every_shipped_field_is_listed_with_its_direction_and_owner() -> None:
    """S4: staff can see which system owns a field."""
    listed = {row[0]: row[2:4] for row in table("client")}
    assert listed == {field: [rule.direction.value, rule.owner.value] for field, rule in CLIENTS.rules.items()}


def test_every_key_of_an_entry_is_explained() -> None:
    assert {row[0] for row in table("key")} == {each.alias or name for name, each in FieldRule.model_fields.items()}


def test_every_path_is_named() -> None:
    paths = ALLOWED.partition(", fields[")[0].split(", ")
    assert [path for path in paths if f"`{path}`" not in PAGE] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_used_as_it_stands(example: str) -> None:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(example)
    flow = ClientsFlow.model_validate(document["connections"]["acme"]["clients"])
    changed = CLIENTS.with_overrides(flow.mapping)
    assert changed.version != CLIENTS.version or flow.direction == "to-books"
