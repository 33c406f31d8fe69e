"""Tables beside the mapping: what is looked up, and which tables are refused."""

from pathlib import Path
from typing import Any

import pytest

from mapping.engine import MappingError, Template, UnmappableValue, Value
from tests.mapping.parties import NO_DEFAULTS, ONE_WAY, custom, organisation

INDUSTRIES = "key,value\nNACE 10,Food\nNACE 41,Building\n"


def template(folder: Path, text: str = INDUSTRIES, name: str = "industries.csv", **entry: Any) -> Template:
    (folder / name).write_text(text, encoding="utf-8")
    lookup = {"table": name, "missing": "refuse"} | entry.pop("lookup", {})
    rule = {"company_industry": {"from": "fields[Branch]", "lookup": lookup, **entry}}
    return ONE_WAY.with_overrides(rule, folder)


def industry(mapping: Template, branch: str | None) -> Value:
    fields = [] if branch is None else [custom("Branch", branch)]
    return mapping.crm_values(organisation(fields=fields), NO_DEFAULTS)["company_industry"]


def refusal(folder: Path, *texts: str, **entry: Any) -> MappingError:
    with pytest.raises(MappingError) as refused:
        template(folder, *texts, **entry)
    return refused.value


def test_a_value_is_looked_up_whatever_its_capitals(tmp_path: Path) -> None:
    """S58, Z34: the branch's code becomes the word that the books use."""
    assert industry(template(tmp_path), "NACE 10") == "Food"
    assert industry(template(tmp_path), " nace 41 ") == "Building"
    assert industry(template(tmp_path), None) is None


def test_a_table_may_be_yaml_and_a_csv_may_have_semicolons(tmp_path: Path) -> None:
    assert industry(template(tmp_path, "NACE 10: Food\n41: Building\n", "industries.yaml"), "41") == "Building"
    assert industry(template(tmp_path, "\ufeffkey;value\nNO;Norwegian\n"), "no") == "Norwegian"


def test_a_missing_key_is_refused_left_or_defaulted_as_the_mapping_says(tmp_path: Path) -> None:
    """S54, S65"""
    with pytest.raises(UnmappableValue) as stopped:
        industry(template(tmp_path), "NACE 99")
    text = "company_industry: is not in the table industries.csv: correct the record, or add it there"
    assert str(stopped.value) == text
    assert industry(template(tmp_path, lookup={"missing": "leave"}), "NACE 99") == "NACE 99"
    assert industry(template(tmp_path, lookup={"missing": "default"}, default="Other"), "NACE 99") == "Other"


def test_a_table_can_say_yes_or_no(tmp_path: Path) -> None:
    (tmp_path / "mail.csv").write_text("key,value\nPost,no\nMail,yes\n", encoding="utf-8")
    rule = {"pref_email": {"from": "fields[By]", "lookup": {"table": "mail.csv", "missing": "refuse"}}}
    mapping = ONE_WAY.with_overrides(rule, tmp_path)
    assert mapping.crm_values(organisation(fields=[custom("By", "post")]), NO_DEFAULTS)["pref_email"] is False


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("NACE 10,Food\n", "i.csv", "i.csv:1:1: the first line names the columns: key,value"),
        ("key,value\nA,Food\n\na,Farms\n", "i.csv", "i.csv:4:1: the key of this line is there already"),
        ("key,value\nA,Food,Farms\n", "i.csv", "i.csv:2:1: a line has a key and a value, and nothing else"),
        ("key,value\nA,\n", "i.csv", "i.csv:2:1: a line has a key and a value"),
        ("key,value\n", "i.csv", "has no rows"),
        ('key,value\n"A,Food\n', "i.csv", "no readable CSV"),
        ("A: Food\nA: Farms\n", "i.yaml", "i.yaml:2:1: no readable YAML, or a key that is there already"),
        ("A: [Food]\n", "i.yaml", "i.yaml:1:1: a key has one text"),
        ("- A\n", "i.yaml", "a table has lines of `key: value`"),
        ("A: Food\n", "i.txt", "ends in .csv, .yaml or .yml"),
        ("A: Food\n" * 200_000, "i.yaml", "larger than 1,000,000 bytes"),
    ],
)
def test_a_table_that_says_nothing_certain_is_refused_with_its_line(
    tmp_path: Path, text: str, name: str, says: str
) -> None:
    """S54"""
    error = refusal(tmp_path, text, name)
    assert error.path == ("company_industry", "lookup", "table")
    assert says in str(error)


def test_a_table_that_is_missing_or_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    assert "No such file" in str(refusal(tmp_path, lookup={"table": "other.csv"}))
    assert "lie beside the mapping file" in str(refusal(tmp_path, lookup={"table": "../../etc/hosts.csv"}))


def test_a_lookup_has_to_say_what_becomes_of_a_missing_key(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"lookup\.missing: Field required"):
        ONE_WAY.with_overrides({"fname": {"lookup": {"table": "industries.csv"}}}, tmp_path)
    error = refusal(tmp_path, lookup={"missing": "default"})
    assert error.path == ("company_industry", "lookup", "missing")
    assert "add `default`" in str(error)


def test_another_content_of_the_table_is_another_version(tmp_path: Path) -> None:
    """F37: what the books say would be another thing, so every record is due again."""
    first, same = template(tmp_path).version, template(tmp_path).version
    assert first == same
    assert template(tmp_path, INDUSTRIES + "NACE 62,Software\n").version != first


def test_what_is_looked_up_goes_one_way(tmp_path: Path) -> None:
    error = refusal(tmp_path, direction="both")
    assert error.path == ("company_industry", "lookup")
    assert "add `direction: to-books`" in str(error)
