"""Which rules may go both ways, and what of them holds for a party."""

from typing import Any

import pytest

from mapping.engine import Direction, MappingError, Template, WhenEmpty
from mapping.merge import KeepBooks, merge
from tests.mapping.capsule_put import FIELD_IDS
from tests.mapping.parties import CLIENTS, NO_DEFAULTS, ONE_WAY, custom, organisation, person

WORK, NUMBER = {"choose": {"prefer": ["Work"], "exclude": ["Fax", "Mobile", "Home"]}}, {"take": {"key": "number"}}
BILLING, STREET = {"choose": {"prefer": ["Billing"], "exclude": ["Shipping"]}}, {"take": {"key": "street"}}


def refusal(**overrides: Any) -> MappingError:
    with pytest.raises(MappingError) as refused:
        CLIENTS.with_overrides(overrides)
    return refused.value


def test_the_shipped_mapping_says_which_fields_go_only_to_the_books() -> None:
    """S4, S45"""
    one_way = {field for field, rule in CLIENTS.rules.items() if rule.direction is Direction.TO_BOOKS}
    assert one_way == {"currency_code", "language", "note"}


def test_a_firm_may_have_every_change_go_one_way() -> None:
    """S45"""
    assert {rule.direction for rule in ONE_WAY.rules.values()} == {Direction.TO_BOOKS}
    assert ONE_WAY.version != CLIENTS.version
    assert ONE_WAY.one_way().version == ONE_WAY.version
    assert ONE_WAY.crm_values(person(), NO_DEFAULTS) == CLIENTS.crm_values(person(), NO_DEFAULTS)


def test_a_firm_that_goes_one_way_may_use_transforms_that_cannot_be_undone() -> None:
    """S52"""
    cut = {"transforms": ["trim", {"cut": {"length": 20}}]}
    assert ONE_WAY.with_overrides({"fname": cut}).rules["fname"].direction is Direction.TO_BOOKS
    assert refusal(fname=cut).path == ("fname", "transforms", 1)
    CLIENTS.with_overrides({"fname": cut | {"direction": "to-books"}})


@pytest.mark.parametrize(
    ("entry", "path", "says"),
    [
        ({"from": "emailAddresses", "transforms": [{"join": {"key": "address"}}]}, ("transforms", 0), "several rows"),
        ({"from": ["about", "name"]}, ("from",), "one path for each type of party"),
        ({"from": ["firstName", "lastName"]}, ("from",), "one path for each type of party"),
        ({"from": "organisation.name"}, ("from",), "nothing that can be written"),
        ({"from": "owner.username"}, ("from",), "nothing that can be written"),
        ({"from": "updatedAt"}, ("from",), "nothing that can be written"),
        ({"from": "tags", "transforms": [{"join": {"key": "name"}}]}, ("from",), "nothing that can be written"),
        ({"transforms": [{"constant": {"value": "x"}}]}, ("from",), "nothing that can be written"),
        (
            {"from": "title", "transforms": [{"constant": {"value": "x"}}]},
            ("transforms", 0),
            "constant cannot be undone",
        ),
        ({"from": "title", "transforms": ["trim", {"cut": {"length": 5}}]}, ("transforms", 1), "cut cannot be undone"),
        ({"from": "title", "transforms": ["or_default_language"]}, ("transforms", 0), "cannot be undone"),
        ({"from": "about", "transforms": ["first_line"]}, ("transforms", 0), "only right behind"),
        (
            {"from": "addresses", "transforms": [BILLING, STREET, "trim", "first_line"]},
            ("transforms", 3),
            "only right behind",
        ),
        (
            {"from": "addresses", "transforms": [BILLING, STREET, "first_line", "first_line"]},
            ("transforms", 3),
            "only right behind",
        ),
        (
            {"from": "addresses", "transforms": [BILLING, {"take": {"key": "country"}}]},
            ("transforms", 1),
            "put country_name behind it",
        ),
        (
            {"from": "phoneNumbers", "transforms": [WORK, {"take": {"key": "street"}}]},
            ("transforms", 1),
            "Allowed: number",
        ),
        ({"from": "websites", "transforms": [WORK, {"take": {"key": "url"}}]}, ("transforms", 1), "Allowed: address"),
        (
            {"from": "phoneNumbers", "transforms": [{"only": {"types": ["Billing"]}}, NUMBER]},
            ("transforms", 0),
            "no type for a new row. Allowed: Home, Work",
        ),
        ({"from": "title", "transforms": [{"table": {"choices": {"a": "x", "b": "x"}}}]}, ("transforms", 0), "undone"),
        ({"from": "title", "default": "x"}, ("default",), "carried into the CRM"),
        ({"from": "title", "when_empty": "keep"}, ("when_empty",), "carried into the CRM"),
    ],
)
def test_a_rule_that_cannot_be_read_backwards_is_refused_with_the_spot(
    entry: dict[str, Any], path: tuple[str | int, ...], says: str
) -> None:
    """S54"""
    error = refusal(vat_name=entry | {"direction": "both"})
    assert error.path == ("vat_name", *path)
    assert says in str(error)
    assert "direction: to-books" in str(error)
    CLIENTS.with_overrides({"vat_name": entry | {"direction": "to-books"}})


def test_a_tick_box_goes_one_way() -> None:
    """Capsule has no row for an unticked box, and a new row would have to be known to be one."""
    rule = {"from": "fields[Reminders]", "transforms": ["yes_no"], "direction": "both"}
    assert refusal(allow_late_notifications=rule).path == ("allow_late_notifications", "direction")


@pytest.mark.parametrize(
    "entry",
    [
        {"from": "firstName"},
        {"from": "fields[vat number]"},
        {"from": "phoneNumbers", "transforms": [{"only": {"types": ["Mobile", "Direct"]}}, NUMBER]},
        {"from": "addresses", "transforms": [{"only": {"types": ["Shipping"]}}, STREET]},
    ],
)
def test_two_fields_that_would_overwrite_each_other_are_refused(entry: dict[str, Any]) -> None:
    """F20"""
    error = refusal(vat_name=entry | {"direction": "both"})
    assert error.path == ("vat_name", "direction")
    assert "is written to the same spot of a party as" in str(error)
    CLIENTS.with_overrides({"vat_name": entry | {"direction": "to-books"}})


def test_a_first_type_that_this_list_does_not_know_is_passed_over_for_new_rows() -> None:
    template = CLIENTS.with_overrides({"email": {"transforms": [{"choose": {"prefer": ["Billing", "Home"]}}, TAKE]}})
    target = template.rules["email"].target("person")
    assert target is not None
    assert target.new_row_type == "Home"


TAKE = {"take": {"key": "address"}}


def directions(template: Template, party_type: str, **field_ids: int) -> dict[str, Direction]:
    return {field: rule.direction for field, rule in template.rules_for(party_type, field_ids).items()}


def test_a_persons_employer_and_a_firms_contact_go_only_to_the_books() -> None:
    """S24, S37"""
    assert directions(CLIENTS, "person")["organization"] is Direction.TO_BOOKS
    assert directions(CLIENTS, "person")["fname"] is Direction.BOTH
    assert directions(CLIENTS, "organisation")["organization"] is Direction.BOTH
    assert directions(CLIENTS, "organisation")["fname"] is Direction.TO_BOOKS


def test_another_employer_typed_in_the_books_stays_there_and_is_no_conflict() -> None:
    """F20, F21"""
    rules = CLIENTS.rules_for("person", FIELD_IDS)
    said = CLIENTS.crm_values(person(organisation={"id": 8, "name": "Quist AB"}), NO_DEFAULTS)
    result = merge(said, said, said | {"organization": "Berg & Co"}, rules)
    assert result.decisions["organization"] == KeepBooks("Berg & Co")
    assert (result.books_writes, result.crm_writes, result.conflicts) == ({}, {}, {})


def test_a_person_who_leaves_a_firm_leaves_it_in_the_books_too() -> None:
    """S22"""
    rules = CLIENTS.rules_for("person", FIELD_IDS)
    before = {"organization": "Quist AB"}
    assert merge(before, {"organization": None}, before, rules).books_writes == {"organization": None}


def test_the_contact_of_a_firm_is_not_emptied_by_a_party_that_can_have_none() -> None:
    """A client that was a person's before it was linked to the firm keeps its names."""
    rules = CLIENTS.rules_for("organisation", FIELD_IDS)
    assert merge({"fname": "Nora"}, {"fname": None}, {"fname": "Nora"}, rules).books_writes == {}


def test_a_custom_field_goes_both_ways_as_soon_as_capsule_has_it() -> None:
    """S64"""
    assert directions(CLIENTS, "organisation")["vat_number"] is Direction.TO_BOOKS
    assert directions(CLIENTS, "organisation", **{"vat NUMBER": 731})["vat_number"] is Direction.BOTH
    by_number = CLIENTS.with_overrides({"vat_number": {"from": "fields[731]"}})
    assert directions(by_number, "organisation")["vat_number"] is Direction.TO_BOOKS
    assert directions(by_number, "organisation", anything=731)["vat_number"] is Direction.BOTH


def test_deleting_a_custom_field_in_capsule_does_not_empty_every_client() -> None:
    said = CLIENTS.crm_values(organisation(fields=[custom("VAT number", "SE 1")]), NO_DEFAULTS)
    gone = CLIENTS.crm_values(organisation(), NO_DEFAULTS)
    assert merge(said, gone, said, CLIENTS.rules_for("organisation", {})).books_writes == {}
    assert CLIENTS.rules_for("organisation", {})["vat_number"].when_empty is WhenEmpty.KEEP
    emptied = merge(said, gone, said, CLIENTS.rules_for("organisation", FIELD_IDS))
    assert emptied.books_writes == {"vat_number": None}
