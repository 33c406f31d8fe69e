"""Parties and clients drawn at random, from few values, so that rows of one party often hold the same."""

from typing import Any

from hypothesis import strategies as st

from tests.mapping.parties import address, email, organisation, person, phone

EMAILS = ("a@quist.test", "A@quist.test", "b@quist.test", "c@berg.test")
NUMBERS = ("0123", "0456", "0789")
STREETS = ("1 High St", "Quist AB\nc/o Berg\nStorgatan 1", "Mill Lane 2\nUnit 3", "\n 9 Low St")
LISTED = ("United Kingdom", "Germany", "Turkey", "Côte d'Ivoire")
TYPED = ("UK", "Deutschland", "Türkiye", "Côte d\u2019Ivoire", "United States")
_PART = st.sampled_from([None, "x", "y"])

ADDRESSES = st.builds(
    address,
    type=st.sampled_from([None, "Home", "Postal", "Office", "Billing", "Shipping"]),
    street=st.none() | st.sampled_from(STREETS),
    city=_PART,
    state=_PART,
    zip=_PART,
    country=st.none() | st.sampled_from(LISTED),
)
PHONES = st.builds(phone, st.sampled_from(NUMBERS), st.sampled_from([None, "Home", "Work", "Mobile", "Fax", "Direct"]))
ADDRESSES_OF_MAIL = st.builds(email, st.sampled_from(EMAILS), st.sampled_from([None, "Home", "Work"]))


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"id": 40 + place} for place, row in enumerate(rows)]


def _lists() -> dict[str, Any]:
    fields = {731: ("VAT number", ["SE1", "SE2"]), 732: ("Currency", ["SEK", "EUR"])}
    values = st.fixed_dictionaries({}, optional={number: st.sampled_from(said) for number, (_, said) in fields.items()})
    return {
        "addresses": st.lists(ADDRESSES, max_size=3).map(_numbered),
        "phoneNumbers": st.lists(PHONES, max_size=4).map(_numbered),
        "emailAddresses": st.lists(ADDRESSES_OF_MAIL, max_size=3).map(_numbered),
        "fields": values.map(
            lambda found: [
                {"id": 90 + number, "definition": {"id": number, "name": fields[number][0]}, "value": value}
                for number, value in found.items()
            ]
        ),
        "about": st.sampled_from([None, "Pays late."]),
    }


_EMPLOYERS = st.none() | st.just({"id": 8, "type": "organisation", "name": "Quist AB"})
PEOPLE = st.builds(
    person, firstName=st.sampled_from([None, "Nora"]), lastName=st.just("Quist"), organisation=_EMPLOYERS, **_lists()
)
ORGANISATIONS = st.builds(organisation, name=st.sampled_from(["Quist AB", "Berg  & Co"]), **_lists())
PARTIES = PEOPLE | ORGANISATIONS

_SAID: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("fname", "lname", "organization"), st.sampled_from([None, "", "Nora", "Ida  B.", "Quist AB"])),
    "email": st.none() | st.sampled_from(EMAILS),
    **dict.fromkeys(("bus_phone", "mob_phone", "home_phone", "fax"), st.sampled_from(["", None, *NUMBERS])),
    **dict.fromkeys(("p_street", "s_street"), st.sampled_from([None, "1 High St", "Quist AB"])),
    **dict.fromkeys(("p_street2", "s_street2"), st.sampled_from([None, "Unit 4", "c/o Berg, Storgatan 2"])),
    **dict.fromkeys(("p_city", "p_province", "p_code", "s_city", "s_province", "s_code"), _PART),
    **dict.fromkeys(("p_country", "s_country"), st.none() | st.sampled_from(TYPED)),
    "vat_number": st.sampled_from([None, "", "SE1", "SE3"]),
    "note": st.sampled_from([None, "Owes us.\n[ledgerline 0123456789abcdef]"]),
    "currency_code": st.sampled_from(["SEK", "USD"]),
}
CLIENTS_SAID = st.fixed_dictionaries(_SAID)
"""Whole clients, as FreshBooks would send them."""
CLIENT_EDITS = st.fixed_dictionaries({}, optional=_SAID)
"""Some fields of a client, as people may edit them."""
