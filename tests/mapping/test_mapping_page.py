"""docs/mapping.md tells operators what the code does: its tables are complete, its examples can be used."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mapping.condition_text import FUNCTIONS, TIMES
from mapping.paths import ALLOWED
from mapping.rules import FieldRule
from mapping.transforms import known_transforms
from runtime.settings import ClientsFlow
from tests.mapping.parties import CLIENTS, NO_DEFAULTS, ONE_WAY, custom, organisation
from tests.mapping.test_zoho_records import CLIENTS as OF_ZOHO

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


def test_every_field_of_zohos_is_listed_with_its_spots() -> None:
    listed = {row[0]: [text for text in row[1:] if text] for row in table("field")}
    assert listed == {
        field: [path.text.partition(".")[2] for path in sorted(rule.paths, key=lambda each: each.text, reverse=True)]
        for field, rule in OF_ZOHO.rules.items()
    }


def test_directions_and_owners_are_the_same_for_every_crm() -> None:
    """S4: so that one table is enough."""
    for field, rule in CLIENTS.rules.items():
        of_zoho = OF_ZOHO.rules[field]
        assert (of_zoho.direction, of_zoho.owner) == (rule.direction, rule.owner), field


def test_every_key_of_an_entry_is_explained() -> None:
    assert {row[0] for row in table("key")} == {each.alias or name for name, each in FieldRule.model_fields.items()}


def test_every_path_is_named() -> None:
    paths = ALLOWED.partition(", fields[")[0].split(", ")
    assert [path for path in paths if f"`{path}`" not in PAGE] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the page shows, where it says that they lie."""
    (tmp_path / "rules").mkdir()
    for language, name in (("csv", "industries.csv"), ("python", "rules/sizes.py")):
        (_, block) = PAGE.split(f"```{language}\n")
        (tmp_path / name).write_text(block.split("```")[0], encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_used_as_it_stands(example: str, folder: Path) -> None:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(example)
    connection = document["connections"]["acme"]
    flow = ClientsFlow.model_validate(connection["clients"])
    template = OF_ZOHO if "zoho_crm" in connection else CLIENTS
    changed = template.with_overrides(flow.mapping, folder)
    assert changed.version != template.version or flow.direction == "to-books"


def test_the_table_and_the_function_of_the_page_do_what_it_says(folder: Path) -> None:
    """S58, Z34"""
    lookup = {"from": "fields[NACE]", "lookup": {"table": "industries.csv", "missing": "refuse"}}
    sized = {"from": ["fields[Staff]", "tags"], "enrich": "sizes:size_of"}
    mapping = ONE_WAY.with_overrides({"company_industry": lookup, "company_size": sized}, folder)
    party = organisation(tags=[], fields=[custom("NACE", "nace 10", 1), custom("Staff", "7", 2)])
    values = mapping.crm_values(party, NO_DEFAULTS)
    assert (values["company_industry"], values["company_size"]) == ("Food", "1-10")


def test_every_function_of_conditions_is_named() -> None:
    assert [name for name in FUNCTIONS - TIMES if f"{name}" not in PAGE] == []
