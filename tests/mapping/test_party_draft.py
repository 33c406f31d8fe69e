"""A client that people entered in the books becomes a party."""

from typing import Any

import pytest
from hypothesis import given

from mapping.engine import UnmappableValue, Value
from mapping.merge import merge
from mapping.party_changes import party_draft
from tests.mapping.capsule_put import FIELD_IDS, post
from tests.mapping.parties import CLIENTS, ONE_WAY, patient
from tests.mapping.strategies import CLIENTS_SAID
from tests.mapping.test_party_changes import LISTED

NORA = {"fname": "Nora", "lname": "Quist", "organization": "", "email": "nora@quist.test"}


def draft(client: dict[str, Any], employer_id: int | None = None) -> dict[str, Any]:
    return party_draft(CLIENTS, client, LISTED, FIELD_IDS, employer_id=employer_id)


def test_a_client_with_a_name_becomes_a_person() -> None:
    """Z74, Z124"""
    assert draft(NORA) == {
        "type": "person",
        "firstName": "Nora",
        "lastName": "Quist",
        "emailAddresses": [{"type": "Work", "address": "nora@quist.test"}],
    }


def test_a_client_without_a_persons_name_becomes_an_organisation() -> None:
    """Z75"""
    client = {"fname": "", "lname": "", "organization": "Quist AB", "bus_phone": "0123", "vat_number": "SE 1"}
    assert draft(client) == {
        "type": "organisation",
        "name": "Quist AB",
        "phoneNumbers": [{"type": "Work", "number": "0123"}],
        "fields": [{"definition": {"id": 731}, "value": "SE 1"}],
    }


def test_a_person_is_tied_to_the_organisation_that_was_found_and_none_is_made() -> None:
    """S24, S37: an organisation made by the way would carry no reference of ours, and come back as one more client."""
    nora = NORA | {"organization": "Quist AB"}
    assert draft(nora, employer_id=8)["organisation"] == {"id": 8}
    assert "organisation" not in draft(nora)
    assert "organisation" not in draft({"organization": "Quist AB"}, employer_id=8)


def test_billing_and_shipping_address_arrive_as_two() -> None:
    """S23"""
    client = NORA | {"p_street": "1 High St", "p_street2": "Unit 3", "p_country": "UK", "s_city": "Bath"}
    assert draft(client)["addresses"] == [
        {"type": "Billing", "street": "1 High St\nUnit 3", "country": "United Kingdom"},
        {"type": "Shipping", "city": "Bath"},
    ]


def test_the_bookkeepers_note_and_our_mark_in_it_stay_in_the_books() -> None:
    assert draft(NORA | {"note": "Pays late.\n[ledgerline 0123456789abcdef]", "currency_code": "SEK"}) == draft(NORA)


def test_a_custom_field_that_capsule_does_not_have_is_left_out() -> None:
    """S64"""
    assert "fields" not in party_draft(CLIENTS, NORA | {"vat_number": "SE 1"}, LISTED, {})


def test_a_client_without_any_name_waits_for_one() -> None:
    with pytest.raises(UnmappableValue, match="organization: Capsule takes no organisation without a name"):
        draft({"email": "ap@quist.test"})


def test_a_mapping_that_writes_no_names_to_the_crm_makes_no_parties() -> None:
    with pytest.raises(UnmappableValue, match="let the mapping write it to the CRM"):
        party_draft(ONE_WAY, NORA, LISTED, FIELD_IDS)


@patient
@given(CLIENTS_SAID)
def test_nothing_is_left_to_write_to_a_party_that_was_just_made(client: dict[str, Any]) -> None:
    """F20, Z124"""
    try:
        party = post(draft(client))
    except UnmappableValue:
        assert not (client["fname"] or client["lname"] or client["organization"]) or headless(client)
        return
    said: dict[str, Value] = CLIENTS.books_values(client, LISTED)
    result = merge(None, CLIENTS.crm_values(party, LISTED), said, CLIENTS.rules_for(party["type"], FIELD_IDS))
    assert (result.books_writes, result.crm_writes, result.conflicts) == ({}, {}, {})


def headless(client: dict[str, Any]) -> bool:
    return any(client[f"{kind}_street2"] and not client[f"{kind}_street"] for kind in "ps")
