"""Contacts and accounts of Zoho CRM through the shipped mapping, both ways."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mapping.engine import Context, IncompleteRecord, MappingError, UnmappableValue, load_template
from mapping.merge import merge
from mapping.party_changes import party_changes, party_draft
from mapping.zoho_records import blank_record, parse_zoho_path
from tests.mapping.strategies import CLIENT_EDITS

CLIENTS = load_template("zoho_crm-freshbooks/clients")
CONTEXT = Context()
NO_FIELDS: Mapping[str, int] = {}


def contact(**fields: Any) -> dict[str, Any]:
    return {**blank_record("person"), "id": "4876876000000412001", "Last_Name": "Okafor", **fields}


def account(**fields: Any) -> dict[str, Any]:
    return {**blank_record("organisation"), "id": "4876876000000411001", "Account_Name": "Okafor Ltd", **fields}


def said(record: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in CLIENTS.crm_values(record, CONTEXT).items() if value is not None}


def test_a_contact_is_a_person_with_the_name_of_its_account() -> None:
    """Z74, Z77."""
    ada = contact(First_Name=" Ada ", Email="ada@EXAMPLE.org", Account_Name={"id": "1", "name": "Okafor Ltd"})
    assert said(ada) == {"fname": "Ada", "lname": "Okafor", "email": "ada@example.org", "organization": "Okafor Ltd"}


def test_an_account_is_an_organisation_with_its_billing_and_shipping_addresses() -> None:
    """Z75, Z78, Z109."""
    firm = account(Phone="0123", Billing_Street="1 High St\nFlat 2", Billing_Country="UK", Shipping_City="Leeds")
    assert said(firm) == {
        "organization": "Okafor Ltd",
        "bus_phone": "0123",
        "p_street": "1 High St",
        "p_street2": "Flat 2",
        "p_country": "United Kingdom",
        "s_city": "Leeds",
    }


def test_a_correction_in_the_books_writes_only_what_changed() -> None:
    """Z10, Z124."""
    ada = contact(Email="ada@example.org", Mailing_Street="1 High St\nFlat 2\nBack door", Mailing_City="Leeds")
    changes = party_changes(CLIENTS, ada, {"p_street": "9 High St", "p_city": "Leeds"}, CONTEXT, NO_FIELDS)
    assert changes == {"Mailing_Street": "9 High St\nFlat 2\nBack door"}


def test_a_field_emptied_in_the_books_is_emptied_in_zoho() -> None:
    assert party_changes(CLIENTS, contact(Phone="0123"), {"bus_phone": None}, CONTEXT, NO_FIELDS) == {"Phone": None}


def test_the_name_of_a_contacts_account_is_only_read() -> None:
    """Another name typed in the books must not rename a firm that others share."""
    with pytest.raises(UnmappableValue, match="organization: goes only to the books"):
        party_changes(CLIENTS, contact(), {"organization": "Another Ltd"}, CONTEXT, NO_FIELDS)
    assert CLIENTS.rules_for("person", NO_FIELDS)["organization"].direction == "to-books"
    assert CLIENTS.rules_for("organisation", NO_FIELDS)["organization"].direction == "both"


def test_an_account_does_not_say_that_the_clients_email_is_empty() -> None:
    """Accounts have no address: what stands in the books stays."""
    rules = CLIENTS.rules_for("organisation", NO_FIELDS)
    client = {"organization": "Okafor Ltd", "email": "billing@okafor.example"}
    plan = merge(None, CLIENTS.crm_values(account(), CONTEXT), CLIENTS.books_values(client), rules)
    assert (plan.books_writes, plan.crm_writes) == ({}, {})


def test_a_tax_number_without_a_field_in_zoho_stays_in_the_books() -> None:
    with pytest.raises(UnmappableValue, match="vat_number: has no field in Zoho"):
        party_changes(CLIENTS, contact(), {"vat_number": "GB 1"}, CONTEXT, NO_FIELDS)
    ids = {"Contacts.VAT_Number": 1}
    assert party_changes(CLIENTS, contact(), {"vat_number": "GB 1"}, CONTEXT, ids) == {"VAT_Number": "GB 1"}


@pytest.mark.parametrize(
    ("client", "body"),
    [
        (
            {"fname": "Ada", "lname": "Okafor", "organization": "Okafor Ltd", "p_city": "Leeds"},
            {"module": "Contacts", "First_Name": "Ada", "Last_Name": "Okafor", "Mailing_City": "Leeds"},
        ),
        ({"organization": "Okafor Ltd", "fax": "1"}, {"module": "Accounts", "Account_Name": "Okafor Ltd", "Fax": "1"}),
    ],
)
def test_a_client_of_the_books_becomes_a_contact_or_an_account(client: dict[str, str], body: dict[str, str]) -> None:
    """Z74, Z75."""
    assert party_draft(CLIENTS, client, CONTEXT, NO_FIELDS) == body


def test_a_new_contact_belongs_to_the_account_of_its_firm() -> None:
    """Z75, Z106."""
    body = party_draft(CLIENTS, {"lname": "Okafor"}, CONTEXT, NO_FIELDS, employer_id=4876876000000411001)
    assert body["Account_Name"] == {"id": "4876876000000411001"}


def test_a_client_without_a_last_name_waits_for_a_person() -> None:
    with pytest.raises(UnmappableValue, match="lname: Zoho takes no contact without a last name"):
        party_draft(CLIENTS, {"fname": "Ada"}, CONTEXT, NO_FIELDS)
    with pytest.raises(UnmappableValue, match="organization: Zoho takes no account without a name"):
        party_changes(CLIENTS, account(), {"organization": None}, CONTEXT, NO_FIELDS)


def test_a_street_keeps_its_first_line() -> None:
    with pytest.raises(UnmappableValue, match="without its first line"):
        party_changes(CLIENTS, contact(), {"p_street2": "Flat 2"}, CONTEXT, NO_FIELDS)


def test_a_record_that_was_listed_with_few_fields_is_not_taken_for_empty() -> None:
    with pytest.raises(IncompleteRecord, match="fetched without First_Name"):
        said({"module": "Contacts", "id": "1", "Last_Name": "Okafor"})


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("First_Name", "no such path"),
        ("Leads.Company", "no such path"),
        ("Contacts.Account_Name", "names another record: write Contacts.Account_Name.name"),
        ("Contacts.Account_Name.phone", "no such path"),
    ],
)
def test_a_misspelt_path_is_refused(path: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_zoho_path(path)


def test_a_rule_that_cannot_be_undone_is_refused_with_its_place() -> None:
    with pytest.raises(MappingError, match=r"bus_phone\.transforms"):
        CLIENTS.with_overrides({"bus_phone": {"transforms": ["trim", {"cut": {"length": 3}}]}})


@given(record=st.sampled_from([contact(), account()]), edits=CLIENT_EDITS)
def test_what_the_books_say_is_what_zoho_says_afterwards(record: dict[str, Any], edits: dict[str, str]) -> None:
    """Z10: and a second pass has nothing to write."""
    client = {**CLIENTS.books_values({}), **CLIENTS.crm_values(record, CONTEXT)}
    base = CLIENTS.crm_values(record, CONTEXT)
    rules = CLIENTS.rules_for(str(CLIENTS.shape.party_type(record)), NO_FIELDS)
    plan = merge(base, base, CLIENTS.books_values({**client, **edits}, CONTEXT), rules)
    try:
        body = party_changes(CLIENTS, record, plan.crm_writes, CONTEXT, NO_FIELDS)
    except UnmappableValue:
        assume(False)
    after = {**record, **body}
    assert {field: CLIENTS.crm_value(field, after, CONTEXT) for field in plan.crm_writes} == plan.crm_writes
    assert party_changes(CLIENTS, after, plan.crm_writes, CONTEXT, NO_FIELDS) == {}
