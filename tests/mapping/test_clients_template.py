"""What becomes of a party by the mapping that is shipped."""

import pytest

from mapping.engine import Context, IncompleteRecord, UnmappableValue
from tests.mapping.parties import CLIENTS, address, custom, email, mapped, organisation, person, phone


def test_a_person_keeps_first_and_last_name() -> None:
    """S35, S36"""
    client = mapped(person(firstName="  Núria ", lastName="García  Márquez"))
    assert (client["fname"], client["lname"]) == ("Núria", "García Márquez")


def test_a_person_may_have_one_name_only() -> None:
    client = mapped(person(firstName=None, lastName="Sukarno"))
    assert (client["fname"], client["lname"]) == (None, "Sukarno")


def test_a_person_is_billed_under_the_name_of_their_employer() -> None:
    """S24, S37"""
    assert mapped(person(organisation={"id": 8, "name": "Quist AB"}))["organization"] == "Quist AB"


def test_an_organisation_is_billed_under_its_own_name_and_has_no_first_name() -> None:
    """S24, S53"""
    client = mapped(organisation(name="Łódź & Søn ApS"))
    assert (client["organization"], client["fname"], client["lname"]) == ("Łódź & Søn ApS", None, None)


def test_invoices_go_to_the_work_address_before_the_private_one() -> None:
    """S23"""
    emails = [email("nora@home.test", "Home", 1), email("old@quist.test", None, 2), email("nora@quist.test", "Work", 3)]
    assert mapped(person(emailAddresses=emails))["email"] == "nora@quist.test"


def test_an_email_without_a_type_is_good_enough() -> None:
    """S23: most emails in Capsule have no type."""
    emails = [email("private@home.test", "Home", 1), email("nora@quist.test", None, 2)]
    assert mapped(person(emailAddresses=emails))["email"] == "nora@quist.test"


def test_of_two_equal_emails_the_older_one_counts_however_they_are_listed() -> None:
    """F20: a choice that changed with the order of the list would write back and forth."""
    older, newer = email("a@quist.test", "Work", 4), email("b@quist.test", "Work", 9)
    for listed in ([older, newer], [newer, older]):
        assert mapped(person(emailAddresses=listed))["email"] == "a@quist.test"


def test_capitals_count_before_the_at_sign_and_not_behind_it() -> None:
    assert mapped(person(emailAddresses=[email("Nora.Q@QUIST.Test")]))["email"] == "Nora.Q@quist.test"


def test_what_is_no_email_stops_the_record_without_being_repeated() -> None:
    """S54"""
    with pytest.raises(UnmappableValue, match=r"^email: is no email address") as refusal:
        mapped(person(emailAddresses=[email("Nora <nora@quist.test>")]))
    assert refusal.value.field == "email"
    assert "quist" not in str(refusal.value)


def test_every_kind_of_phone_number_has_its_own_field() -> None:
    """S23"""
    numbers = [phone("1", "Fax", 1), phone("2", "Mobile", 2), phone("3", "Home", 3), phone("4", "Direct", 4)]
    client = mapped(person(phoneNumbers=[*numbers, phone("5", "Work", 5)]))
    assert [client[field] for field in ("bus_phone", "mob_phone", "home_phone", "fax")] == ["5", "2", "3", "1"]


@pytest.mark.parametrize("kind", ["Fax", "Mobile", "Home"])
def test_a_fax_mobile_or_private_number_is_never_the_business_phone(kind: str) -> None:
    assert mapped(person(phoneNumbers=[phone("0123", kind)]))["bus_phone"] is None


def test_a_phone_number_without_a_type_is_the_business_phone_as_typed() -> None:
    assert mapped(person(phoneNumbers=[phone(" (020)  7946 0018 ")]))["bus_phone"] == "(020) 7946 0018"


def test_the_billing_address_wins_and_all_its_parts_stay_together() -> None:
    """S23"""
    office = address(id=1, type="Office", street="9 Low St", city="York", zip="YO1 1AA", state="Yorkshire")
    billing = address(id=2, type="Billing", street="1 High St", city="Leeds")
    client = mapped(organisation(addresses=[office, billing]))
    assert [client[field] for field in ("p_street", "p_city", "p_code", "p_province")] == [
        "1 High St",
        "Leeds",
        None,
        None,
    ]


def test_a_street_of_several_lines_fills_both_street_fields() -> None:
    lines = address(street="Quist AB\r\n\r\n c/o  Berg \nStorgatan 1")
    client = mapped(organisation(addresses=[lines]))
    assert (client["p_street"], client["p_street2"]) == ("Quist AB", "c/o Berg, Storgatan 1")


def test_goods_and_invoices_may_go_to_different_places() -> None:
    addresses = [address(id=1, type="Shipping", city="Malmö"), address(id=2, city="Lund")]
    client = mapped(organisation(addresses=addresses))
    assert (client["p_city"], client["s_city"]) == ("Lund", "Malmö")


def test_a_shipping_address_alone_is_not_billed() -> None:
    client = mapped(organisation(addresses=[address(type="Shipping", city="Malmö")]))
    assert (client["p_city"], client["s_city"]) == (None, "Malmö")


def test_a_country_nobody_knows_stops_the_record() -> None:
    """S54"""
    with pytest.raises(UnmappableValue, match=r"^p_country: is no country we know: correct it, or add") as refusal:
        mapped(organisation(addresses=[address(country="Ruritania")]))
    assert "Ruritania" not in str(refusal.value)


def test_a_custom_field_carries_the_tax_number() -> None:
    """S25, S64"""
    assert mapped(organisation(fields=[custom("vat Number", " SE 556677 ")]))["vat_number"] == "SE 556677"


def test_the_currency_comes_from_the_party_then_from_the_connection_then_from_freshbooks() -> None:
    """S40, S58"""
    euros = Context(default_currency="EUR")
    assert mapped(organisation(fields=[custom("Currency", "sek")]), euros)["currency_code"] == "SEK"
    assert mapped(organisation(), euros)["currency_code"] == "EUR"
    assert mapped(organisation())["currency_code"] is None


def test_a_currency_that_does_not_exist_stops_the_record() -> None:
    with pytest.raises(UnmappableValue, match=r"^currency_code: is no ISO 4217 currency code"):
        mapped(organisation(fields=[custom("Currency", "Euro")]))


def test_the_language_may_be_written_as_people_say_it() -> None:
    """S57"""
    assert mapped(organisation(fields=[custom("Language", "German")]))["language"] == "de"
    assert mapped(organisation(), Context(default_language="sv"))["language"] == "sv"


def test_the_note_says_what_capsule_says_about_them() -> None:
    assert mapped(organisation(about="Pays late.\r\nAsk Ida.\n"))["note"] == "Pays late.\nAsk Ida."


def test_nothing_known_means_every_field_empty() -> None:
    assert set(mapped(person(firstName=None, lastName=" ")).values()) == {None}


@pytest.mark.parametrize("part", ["emailAddresses", "phoneNumbers", "addresses", "fields"])
def test_a_party_that_was_not_fetched_in_full_is_not_taken_for_an_empty_one(part: str) -> None:
    """A short form of a party would otherwise empty the client's fields."""
    party = person()
    del party[part]
    with pytest.raises(IncompleteRecord, match=f"without {part}"):
        mapped(party)


def test_what_was_written_reads_back_as_the_same_values() -> None:
    """F20"""
    party = person(
        emailAddresses=[email("nora@quist.test")],
        addresses=[address(street="a\nb", country="Turkey")],
        about="Likes tea.",
        fields=[custom("Currency", "try")],
    )
    said = mapped(party)
    written = {field: value or "" for field, value in said.items()} | {"home_phone": None, "vis_state": 0}
    assert CLIENTS.books_values(written) == said


def test_what_people_type_into_freshbooks_is_compared_by_its_meaning() -> None:
    """F20"""
    typed = {"p_country": "UK", "currency_code": "gbp", "email": "Ann@ACME.test", "note": "Hi\r\n", "fname": " Ann "}
    client = CLIENTS.books_values(typed)
    assert [client[field] for field in typed] == ["United Kingdom", "GBP", "Ann@acme.test", "Hi", "Ann"]


def test_a_country_in_freshbooks_that_nobody_knows_stands_as_it_is() -> None:
    assert CLIENTS.books_values({"p_country": "Ruritania"})["p_country"] == "Ruritania"


def test_our_reference_is_no_part_of_the_note() -> None:
    note = "Pays late.\n[ledgerline 0123456789abcdef]"
    assert CLIENTS.books_values({"note": note})["note"] == "Pays late."
    assert mapped(organisation(about=note))["note"] == "Pays late."


def test_letters_typed_in_two_ways_are_no_difference() -> None:
    """An é can be one character or two."""
    composed, decomposed = "Andr\u00e9", "Andre\u0301"
    assert CLIENTS.books_values({"fname": decomposed})["fname"] == mapped(person(firstName=composed))["fname"]
