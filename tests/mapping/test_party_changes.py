"""The way back: what Capsule is told so that a party says what the books say, and nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest

from mapping.engine import Context, IncompleteRecord, Template, UnmappableValue, Value
from mapping.party_changes import party_changes
from tests.mapping.capsule_put import COUNTRIES, FIELD_IDS, put
from tests.mapping.parties import CLIENTS, NO_DEFAULTS, address, custom, email, organisation, person, phone

LISTED = Context(crm_countries=COUNTRIES)


def changes(party: Mapping[str, Any], template: Template = CLIENTS, **writes: Value) -> dict[str, Any]:
    """Return what we would send, after checking it against what Capsule makes of it."""
    body = party_changes(template, party, writes, LISTED, FIELD_IDS)
    before, after = (template.crm_values(each, LISTED) for each in (party, put(party, body)))
    assert after == before | writes
    return body


def refusal(party: Mapping[str, Any], template: Template = CLIENTS, **writes: Value) -> str:
    with pytest.raises(UnmappableValue) as refused:
        party_changes(template, party, writes, LISTED, FIELD_IDS)
    return str(refused.value)


def test_a_name_corrected_in_the_books_is_corrected_in_the_crm() -> None:
    """S35, S36, S55"""
    assert changes(person(), fname="Núria", lname=None) == {"firstName": "Núria", "lastName": None}
    assert changes(organisation(), organization="Quist Group AB") == {"name": "Quist Group AB"}


def test_what_the_party_says_already_is_not_sent() -> None:
    """F20"""
    party = organisation(emailAddresses=[email("ap@quist.test")], addresses=[address(street="1 High St", city="Leeds")])
    assert changes(party, email="ap@quist.test", p_street="1 High St", p_city="Leeds", bus_phone=None) == {}


def test_an_email_corrected_in_the_books_changes_the_row_that_was_chosen() -> None:
    """S23"""
    rows = [email("private@home.test", "Home", 1), email("old@quist.test", "Work", 2)]
    body = changes(person(emailAddresses=rows), email="new@quist.test")
    assert body == {"emailAddresses": [{"id": 2, "address": "new@quist.test"}]}


def test_an_email_that_the_party_has_as_a_private_one_trades_places_and_is_not_doubled() -> None:
    rows = [email("old@quist.test", "Work", 1), email("Nora@Home.test", "Home", 2)]
    body = changes(person(emailAddresses=rows), email="nora@home.test")
    assert body == {"emailAddresses": [{"id": 1, "address": "nora@home.test"}, {"id": 2, "address": "old@quist.test"}]}


def test_a_first_email_is_added_as_a_work_address() -> None:
    body = changes(person(), email="nora@quist.test")
    assert body == {"emailAddresses": [{"type": "Work", "address": "nora@quist.test"}]}


def test_an_email_of_a_type_that_the_mapping_leaves_out_is_given_the_right_type_instead_of_being_added_again() -> None:
    work_only = [{"only": {"types": ["Work"]}}, {"take": {"key": "address"}}]
    template = CLIENTS.with_overrides({"email": {"transforms": work_only}})
    body = changes(person(emailAddresses=[email("nora@home.test", "Home", 3)]), template, email="nora@home.test")
    assert body == {"emailAddresses": [{"id": 3, "type": "Work"}]}


def test_a_phone_number_emptied_in_the_books_loses_its_row() -> None:
    """S22: a row without a number is refused by Capsule."""
    rows = [phone("0123", "Mobile", 1), phone("0456", "Fax", 2)]
    assert changes(person(phoneNumbers=rows), mob_phone=None) == {"phoneNumbers": [{"id": 1, "_delete": True}]}


def test_an_emptied_number_is_not_replaced_by_another_one_of_the_party_unasked() -> None:
    rows = [phone("0123", "Work", 1), phone("0456", "Direct", 2)]
    text = refusal(person(phoneNumbers=rows), bus_phone=None)
    assert text.startswith("bus_phone: is empty in FreshBooks, but another entry of the party would take its place")
    assert "0456" not in text


def test_numbers_of_one_field_trade_places_too() -> None:
    rows = [phone("0123", "Work", 1), phone("0456", "Direct", 2)]
    body = changes(person(phoneNumbers=rows), bus_phone="0456")
    assert body == {"phoneNumbers": [{"id": 1, "number": "0456"}, {"id": 2, "number": "0123"}]}


def test_one_number_may_be_the_business_and_the_mobile_one() -> None:
    body = changes(person(phoneNumbers=[phone("0123", "Work", 1)]), mob_phone="0123")
    assert body == {"phoneNumbers": [{"type": "Mobile", "number": "0123"}]}


def test_all_parts_of_a_new_address_land_in_one_row() -> None:
    """S23"""
    body = changes(organisation(), p_street="1 High St", p_street2="Unit 3", p_city="Leeds", p_country="United Kingdom")
    street = {"street": "1 High St\nUnit 3", "city": "Leeds", "country": "United Kingdom"}
    assert body == {"addresses": [{"type": "Billing", **street}]}


def test_a_moved_customer_keeps_the_rest_of_the_address_and_the_other_addresses() -> None:
    rows = [address(id=1, type="Office", city="York"), address(id=2, type="Billing", street="1 High St", city="Leeds")]
    body = changes(organisation(addresses=rows), p_city="Hull", p_code="HU1", s_city="Bath")
    shipping = {"type": "Shipping", "city": "Bath"}
    assert body == {"addresses": [{"id": 2, "city": "Hull", "zip": "HU1"}, shipping]}


def test_an_address_goes_when_its_last_part_is_emptied_and_not_before() -> None:
    party = organisation(addresses=[address(id=5, city="Leeds", zip="LS1", country="Germany")])
    assert changes(party, p_city=None) == {"addresses": [{"id": 5, "city": None}]}
    assert changes(party, p_city=None, p_code=None, p_country=None) == {"addresses": [{"id": 5, "_delete": True}]}


def test_the_lines_of_a_street_stay_lines() -> None:
    party = organisation(addresses=[address(id=5, street="Quist AB\nc/o Berg\nStorgatan 1")])
    first = changes(party, p_street="Quist Group AB")
    assert first == {"addresses": [{"id": 5, "street": "Quist Group AB\nc/o Berg\nStorgatan 1"}]}
    others = changes(party, p_street2="c/o Berg, Storgatan 2")
    assert others == {"addresses": [{"id": 5, "street": "Quist AB\nc/o Berg\nStorgatan 2"}]}
    one_line = organisation(addresses=[address(id=5, street="1 High St\nUnit 3")])
    assert changes(one_line, p_street2="Unit 3, Floor 2") == {
        "addresses": [{"id": 5, "street": "1 High St\nUnit 3, Floor 2"}]
    }
    odd = changes(party, p_street2="c/o Berg, , Storgatan 2")
    assert odd == {"addresses": [{"id": 5, "street": "Quist AB\nc/o Berg, , Storgatan 2"}]}


def test_a_street_without_a_first_line_is_for_a_person_to_sort_out() -> None:
    party = organisation(addresses=[address(street="Quist AB\nStorgatan 1")])
    assert refusal(party, p_street=None).startswith("p_street: would leave a street without its first line")
    assert changes(party, p_street=None, p_street2=None) == {"addresses": [{"id": 1, "_delete": True}]}


def test_a_country_gets_the_name_that_capsule_has_for_it() -> None:
    """F20: Capsule refuses "Türkiye", and shows "Turkey", which FreshBooks is shown as "Türkiye"."""
    assert changes(organisation(), p_country="Türkiye") == {"addresses": [{"type": "Billing", "country": "Turkey"}]}


def test_a_country_that_nobody_knows_or_that_capsule_lacks_is_refused_without_being_repeated() -> None:
    """S54"""
    assert refusal(organisation(), p_country="Ruritania").startswith("p_country: cannot be written to the CRM: is no")
    assert "list does not have" in refusal(organisation(), p_country="Norway")
    assert "Norway" not in refusal(organisation(), p_country="Norway")


def test_without_capsules_list_a_country_gets_its_usual_name() -> None:
    body = party_changes(CLIENTS, organisation(), {"p_country": "Côte d\u2019Ivoire"}, NO_DEFAULTS, {})
    assert body == {"addresses": [{"type": "Billing", "country": "Côte d'Ivoire"}]}


def test_an_email_that_is_none_does_not_reach_the_crm() -> None:
    """S54"""
    assert refusal(person(), email="ask Nora").startswith("email: cannot be written to the CRM: is no email address")


def test_a_tax_number_goes_into_its_custom_field() -> None:
    """S64"""
    body = changes(organisation(), vat_number="SE 1")
    assert body == {"fields": [{"definition": {"id": 731}, "value": "SE 1"}]}
    party = organisation(fields=[custom("vat Number", "SE 1")])
    assert changes(party, vat_number="SE 2") == {"fields": [{"id": 90, "value": "SE 2"}]}
    assert changes(party, vat_number=None) == {"fields": [{"id": 90, "_delete": True}]}


def test_a_custom_field_may_be_named_by_its_number() -> None:
    template = CLIENTS.with_overrides({"vat_number": {"from": "fields[731]"}})
    body = party_changes(template, organisation(), {"vat_number": "SE 1"}, LISTED, FIELD_IDS)
    assert body == {"fields": [{"definition": {"id": 731}, "value": "SE 1"}]}


def test_a_custom_field_that_capsule_does_not_have_is_named() -> None:
    with pytest.raises(UnmappableValue, match="vat_number: has no custom field in the CRM: create it there"):
        party_changes(CLIENTS, organisation(), {"vat_number": "SE 1"}, LISTED, {"Currency": 732})


def test_a_tick_box_is_not_overwritten_with_text() -> None:
    template = CLIENTS.with_overrides({"vat_number": {"transforms": [{"table": {"choices": {"yes": "a", "no": "b"}}}]}})
    ticked = organisation(fields=[custom("VAT number", value=True)])
    assert refusal(ticked, template, vat_number="b").startswith("vat_number: is a tick box in the CRM")


def test_steps_are_undone_in_reverse() -> None:
    """S57"""
    to_class = {"table": {"choices": {"Klein": "small", "Gross": "large"}}}
    to_size = {"table": {"choices": {"small": "1-10", "large": "11+"}}}
    rule = {"from": "fields[Currency]", "transforms": [to_class, to_size], "direction": "both"}
    template = CLIENTS.with_overrides({"company_size": rule, "currency_code": None})
    body = changes(organisation(), template, company_size="11+")
    assert body == {"fields": [{"definition": {"id": 732}, "value": "Gross"}]}
    assert "is none of the values" in refusal(organisation(), template, company_size="a dozen")


def test_a_date_is_written_as_capsule_has_dates() -> None:
    """S57"""
    dates = {"date_format": {"reads": "%Y-%m-%d", "writes": "%d/%m/%Y"}}
    rule = {"from": "fields[Currency]", "transforms": ["trim", dates], "direction": "both"}
    template = CLIENTS.with_overrides({"company_industry": rule, "currency_code": None})
    body = changes(organisation(), template, company_industry="31/01/2026")
    assert body == {"fields": [{"definition": {"id": 732}, "value": "2026-01-31"}]}


@pytest.mark.parametrize("field", ["note", "currency_code", "language"])
def test_what_goes_only_to_the_books_is_never_written_to_the_crm(field: str) -> None:
    """A bookkeeper's note about a customer stays in the books."""
    with pytest.raises(UnmappableValue, match=f"{field}: goes only to the books"):
        party_changes(CLIENTS, organisation(), {field: "x"}, LISTED, FIELD_IDS)


def test_the_employer_of_a_person_and_the_contact_of_a_firm_are_not_written() -> None:
    """S37: the employer is a record of its own, which other people share."""
    assert refusal(person(), organization="Quist AB").startswith("organization: goes only to the books")
    assert refusal(organisation(), fname="Nora").startswith("fname: goes only to the books")


def test_a_party_keeps_a_name() -> None:
    assert refusal(person(), fname=None, lname=None).startswith("fname: Capsule takes no person without")
    assert refusal(organisation(), organization=None).startswith("organization: Capsule takes no organisation without")


def test_a_short_form_of_a_party_is_not_taken_for_an_empty_one() -> None:
    party = person()
    del party["phoneNumbers"]
    with pytest.raises(IncompleteRecord, match="without phoneNumbers"):
        party_changes(CLIENTS, party, {"mob_phone": "0123"}, LISTED, FIELD_IDS)


def test_a_value_that_would_read_back_differently_is_refused() -> None:
    """F20: written and read back differently, it would be written for ever."""
    template = CLIENTS.with_overrides({"p_street": {"transforms": TAKE_FIRST_LINE}})
    assert refusal(organisation(), template, p_street="1 High St\nLeeds").startswith("p_street: cannot be written")


def test_a_field_that_another_one_would_move_with_is_left_to_a_person() -> None:
    """One custom field mapped twice, by its name and by its number: no rule shows that it is the same."""
    template = CLIENTS.with_overrides({"vat_name": {"from": "fields[731]", "direction": "both"}})
    party = organisation(fields=[custom("VAT number", "SE 1")])
    assert refusal(party, template, vat_number="SE 2").startswith("vat_name: would change in the CRM together with vat")
    assert changes(party, template, vat_number="SE 2", vat_name="SE 2") == {"fields": [{"id": 90, "value": "SE 2"}]}


TAKE_FIRST_LINE = [
    {"choose": {"prefer": ["Billing", "Office", "Postal", "Home", "untyped"], "exclude": ["Shipping"]}},
    {"take": {"key": "street"}},
    "first_line",
]
