"""How an installation changes a mapping, and which mappings are refused before they touch a record."""

from typing import Any

import pytest

from mapping.engine import MappingError, Owner, Template, UnmappableValue, load_template, read_entries
from tests.mapping.parties import CLIENTS, NO_DEFAULTS, ONE_WAY, custom, mapped, organisation, person, phone


def refusal(overrides: dict[str, Any]) -> MappingError:
    with pytest.raises(MappingError) as refused:
        ONE_WAY.with_overrides(overrides)
    return refused.value


def test_every_field_declares_which_system_owns_it() -> None:
    """S4"""
    assert {field: rule.owner for field, rule in CLIENTS.rules.items() if rule.owner is not Owner.CRM} == {
        "currency_code": Owner.BOOKS,
        "language": Owner.BOOKS,
        "note": Owner.BOOKS,
        "vat_number": Owner.ASK,
    }


def test_an_override_changes_only_what_it_names() -> None:
    """S52"""
    changed = CLIENTS.with_overrides({"p_country": {"owner": "books"}})
    assert changed.rules["p_country"].owner is Owner.BOOKS
    assert changed.rules["p_country"].transforms == CLIENTS.rules["p_country"].transforms
    assert changed.rules["email"] == CLIENTS.rules["email"]


def test_a_field_can_be_taken_out_of_the_sync() -> None:
    assert "note" not in mapped(person(), note=None)


def test_a_custom_field_can_be_mapped_by_name_or_number() -> None:
    """S15, S25, S64"""
    party = organisation(fields=[custom("Branch", "Retail", 45)])
    assert mapped(party, company_industry={"from": "fields[Branch]"})["company_industry"] == "Retail"
    assert mapped(party, company_industry={"from": "fields[45]"})["company_industry"] == "Retail"


def test_of_two_custom_fields_with_one_name_the_older_one_counts() -> None:
    fields = [custom("VAT number", "new", 800), custom("VAT number", "old", 731)]
    assert mapped(organisation(fields=fields))["vat_number"] == "old"


def test_a_default_stands_in_where_the_party_has_nothing() -> None:
    """S58; YAML 1.2: Norway's code stays text."""
    overrides = read_entries("company_size: {from: 'fields[Size]', default: NO}")
    assert mapped(organisation(), **overrides)["company_size"] == "NO"


def test_a_box_that_is_not_ticked_can_mean_no() -> None:
    """Capsule has no row for an unticked box."""
    rule = {"from": "fields[Reminders]", "transforms": ["yes_no"], "default": False}
    assert mapped(organisation(), allow_late_notifications=rule)["allow_late_notifications"] is False
    ticked = organisation(fields=[custom("Reminders", value=True)])
    assert mapped(ticked, allow_late_notifications=rule)["allow_late_notifications"] is True


def test_a_word_where_the_field_holds_yes_or_no_stops_the_record() -> None:
    """S54"""
    rule = {"from": "fields[Mail]", "transforms": [{"table": {"choices": {"Post": True, "Both": "maybe"}}}]}
    party = organisation(fields=[custom("Mail", "post")])
    assert mapped(party, pref_email=rule)["pref_email"] is True
    with pytest.raises(UnmappableValue, match=r"^pref_email: would be text where FreshBooks has yes/no"):
        mapped(organisation(fields=[custom("Mail", "both")]), pref_email=rule)


def test_of_several_sources_the_first_that_says_anything_is_taken() -> None:
    """S57"""
    sources = {"from": ["jobTitle", "title", "firstName"]}
    assert mapped(person(jobTitle="  ", title=None), fname=sources)["fname"] == "Nora"
    assert mapped(person(jobTitle="Buyer", title="Dr"), fname=sources)["fname"] == "Buyer"


def test_a_ticked_box_in_a_text_field_stops_the_record() -> None:
    ticked = organisation(fields=[custom("VAT number", value=True)])
    with pytest.raises(UnmappableValue, match=r"^vat_number: holds yes/no where the mapping expects text"):
        mapped(ticked)


def test_numbers_from_custom_fields_are_text() -> None:
    assert mapped(organisation(fields=[custom("VAT number", 4711)]))["vat_number"] == "4711"


def test_the_same_rules_have_the_same_version_however_they_are_written() -> None:
    work_email = [{"only": {"types": ["Work"]}}, {"take": {"key": "address"}}]
    entries = {
        "email": {"from": "emailAddresses", "transforms": work_email},
        "fname": {"from": "firstName"},
    }
    spelled_out = {
        "fname": {"from": ["firstName"], "owner": "crm", "default": None, "transforms": []},
        "email": {"transforms": work_email, "direction": "to-books", "from": ["emailAddresses"]},
    }
    assert Template("capsule-t", entries).version == Template("capsule-t", spelled_out).version
    assert len(CLIENTS.version) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"fname": {"owner": "ask"}},
        {"fname": {"default": "x"}},
        {"fname": {"from": "jobTitle"}},
        {"note": None},
        {"vat_name": {"default": "VAT"}},
        {"mob_phone": {"transforms": [{"only": {"types": ["Mobile", "Direct"]}}, {"take": {"key": "number"}}]}},
        {"p_street2": {"transforms": [{"cut": {"length": 9}}], "from": "about"}},
        {"currency_code": {"when_empty": "clear"}},
    ],
)
def test_other_rules_have_another_version(change: dict[str, Any]) -> None:
    """F37"""
    changed = ONE_WAY.with_overrides(change)
    assert changed.version != ONE_WAY.version
    assert changed.version == ONE_WAY.with_overrides(change).version


def test_the_shipped_mapping_has_one_version_on_every_start() -> None:
    assert load_template("capsule-freshbooks/clients").version == CLIENTS.with_overrides(None).version


@pytest.mark.parametrize(
    ("overrides", "path", "says"),
    [
        ({"emial": {"from": "about"}}, ("emial",), "Did you mean email?"),
        ({"emial": None}, ("emial",), "Did you mean email?"),
        ({"fname": "firstName"}, ("fname",), "an entry has keys: from, transforms, owner"),
        ({"fname": {"if": "x"}}, ("fname", "if"), "unknown. Allowed: from, transforms"),
        ({"fname": {"from": "fristName"}}, ("fname", "from"), "Allowed: firstName, lastName"),
        ({"fname": {"from": ["firstName", "x"]}}, ("fname", "from", 1), "no such path"),
        ({"fname": {"from": ["firstName", "addresses"]}}, ("fname", "from"), "mixes lists with single values"),
        ({"vat_name": {"transforms": ["trim"]}}, ("vat_name", "from"), "needs a path"),
        ({"fname": {"owner": "boss"}}, ("fname", "owner"), "'crm', 'books', 'newest' or 'ask'"),
        ({"fname": {"direction": "to-crm"}}, ("fname", "direction"), "'to-books' or 'both'"),
        ({"fname": {"default": 1.5}}, ("fname", "default"), "valid string"),
        ({"fname": {"default": True}}, ("fname", "default"), "holds text"),
        ({"fname": {"default": ""}}, ("fname", "default"), "leave it out"),
        ({"fname": {"transforms": "trim"}}, ("fname", "transforms"), "are a list"),
        ({"fname": {"transforms": ["trimm"]}}, ("fname", "transforms", 0), "unknown transform. Allowed: choose"),
        ({"fname": {"transforms": [{"cut": {}, "trim": {}}]}}, ("fname", "transforms", 0), "one name with its"),
        ({"fname": {"transforms": [{"cut": 80}]}}, ("fname", "transforms", 0, "cut"), "arguments have names: length"),
        ({"fname": {"transforms": [{"cut": {}}]}}, ("fname", "transforms", 0, "cut", "length"), "required"),
        ({"fname": {"transforms": [{"cut": {"len": 8}}]}}, ("fname", "transforms", 0, "cut", "len"), "unknown"),
        ({"fname": {"transforms": [{"trim": {"x": 1}}]}}, ("fname", "transforms", 0, "trim", "x"), "Allowed: nothing"),
        ({"fname": {"from": "emailAddresses"}}, ("fname", "transforms", 0), "works on text, but gets a list of rows"),
        (
            {"bus_phone": {"transforms": [{"choose": {"prefer": ["Work", "Mobil"]}}]}},
            ("bus_phone", "transforms", 0, "choose", "prefer", 1),
            "'Mobile', 'Fax' or 'untyped'",
        ),
        ({"bus_phone": {"transforms": []}}, ("bus_phone", "transforms"), "would get a list of rows"),
        ({"pref_email": {"from": "about"}}, ("pref_email", "transforms"), "holds yes/no, but would get text"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_with_the_spot_and_what_is_allowed(
    overrides: dict[str, Any], path: tuple[str | int, ...], says: str
) -> None:
    """S54"""
    error = refusal(overrides)
    assert error.path == path
    assert says in str(error)


@pytest.mark.parametrize(
    "email",
    [None, {"default": "info@acme.test"}, {"from": "about", "transforms": [{"constant": {"value": "a@acme.test"}}]}],
)
def test_a_mapping_that_could_not_recognise_a_client_is_refused(email: Any) -> None:
    """F5"""
    assert refusal({"email": email}).path == ("email",)


def test_two_rules_for_one_field_are_refused() -> None:
    with pytest.raises(MappingError, match=r"line 2 repeats a name"):
        read_entries("email: {from: about}\nemail: {from: name}\n")


@pytest.mark.parametrize("text", ["- email", "email: [", "1: {}", ""])
def test_a_document_that_is_no_list_of_fields_is_refused(text: str) -> None:
    with pytest.raises(MappingError):
        read_entries(text)


def test_a_template_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(MappingError, match=r"Allowed: capsule-freshbooks/clients"):
        load_template("../secrets")


def test_phone_numbers_can_be_written_in_the_international_form() -> None:
    """S57"""
    e164 = [{"choose": {"prefer": ["Work"], "exclude": ["Fax"]}}, {"take": {"key": "number"}}, "phone_e164"]
    british = NO_DEFAULTS.model_copy(update={"phone_region": "GB"})
    template = ONE_WAY.with_overrides({"bus_phone": {"transforms": e164}})
    said = template.crm_values(person(phoneNumbers=[phone("020 7946 0018")]), british)["bus_phone"]
    assert said == "+442079460018"
    assert template.books_values({"bus_phone": "(020) 7946-0018"}, british)["bus_phone"] == said
