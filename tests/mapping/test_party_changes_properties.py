"""What holds of the way back whatever the party and whatever the books say."""

import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mapping.engine import UnmappableValue, Value
from mapping.party_changes import party_changes
from sandbox.capsule.rows import changed_rows
from tests.mapping.capsule_put import FIELD_IDS, put
from tests.mapping.parties import CLIENTS, patient
from tests.mapping.strategies import CLIENT_EDITS, PARTIES
from tests.mapping.test_party_changes import LISTED


@patient
@given(PARTIES, CLIENT_EDITS)
def test_capsule_then_says_what_the_books_say_and_nothing_else_has_changed(
    party: dict[str, Any], said: dict[str, Any]
) -> None:
    """F20, S55"""
    writes = planned(party, said)
    try:
        body = party_changes(CLIENTS, party, writes, LISTED, FIELD_IDS)
    except UnmappableValue as refused:
        assert is_impossible(party, writes), refused
        return
    after = put(party, body)
    assert_the_sandbox_agrees(party, body, after)
    assert CLIENTS.crm_values(after, LISTED) == CLIENTS.crm_values(party, LISTED) | writes
    assert party_changes(CLIENTS, after, writes, LISTED, FIELD_IDS) == {}
    assert untouched(after) == untouched(party)
    assert_no_row_is_lost_or_doubled(party, after, writes)


@patient
@given(PARTIES, st.data())
def test_writing_what_the_party_says_sends_nothing(party: dict[str, Any], data: st.DataObject) -> None:
    """F20"""
    said = CLIENTS.crm_values(party, LISTED)
    fields = data.draw(st.sets(st.sampled_from(sorted(two_way(party)))))
    assert party_changes(CLIENTS, party, {field: said[field] for field in fields}, LISTED, FIELD_IDS) == {}


def assert_the_sandbox_agrees(party: Mapping[str, Any], body: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Two readings of Capsule's documentation, written apart, give the same rows."""
    for key in body.keys() & {"addresses", "phoneNumbers", "emailAddresses"}:
        assert changed_rows(key, party[key], body[key], itertools.count(9000).__next__) == after[key]


def two_way(party: Mapping[str, Any]) -> set[str]:
    rules = CLIENTS.rules_for(party["type"], FIELD_IDS)
    return {field for field, rule in rules.items() if rule.target(party["type"])}


def planned(party: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Value]:
    values = CLIENTS.books_values(said, LISTED)
    return {field: values[field] for field in said if field in two_way(party)}


def is_impossible(party: Mapping[str, Any], writes: Mapping[str, Value]) -> bool:
    """Return whether a party of Capsule's cannot say this: no name, no first line, or more rows than the books know."""
    wanted = {**CLIENTS.crm_values(party, LISTED), **writes}
    kept: dict[str, set[str | None]] = {
        "bus_phone": {None, "Work", "Direct"},
        "mob_phone": {"Mobile"},
        "home_phone": {"Home"},
        "fax": {"Fax"},
    }
    several = {
        field for field, types in kept.items() if sum(row["type"] in types for row in party["phoneNumbers"]) > 1
    } | ({"email"} if len(party["emailAddresses"]) > 1 else set())
    nameless = not (wanted["fname"] or wanted["lname"] or wanted["organization"])
    nameless |= party["type"] == "person" and not (wanted["fname"] or wanted["lname"])
    headless = any(wanted[f"{kind}_street2"] and not wanted[f"{kind}_street"] for kind in "ps")
    empty = any(writes.get(field, ...) is None for field in several)
    return nameless or headless or empty or any(_empties_an_address(party, wanted, kind) for kind in "ps")


def _empties_an_address(party: Mapping[str, Any], wanted: Mapping[str, Value], kind: str) -> bool:
    rows = [row for row in party["addresses"] if (row["type"] == "Shipping") == (kind == "s")]
    parts = ("street", "street2", "city", "province", "code", "country")
    return len(rows) > 1 and not any(wanted[f"{kind}_{part}"] for part in parts)


def untouched(party: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("id", "type", "about", "title", "jobTitle", "organisation", "owner", "team", "websites", "tags")
    return {key: party.get(key) for key in keys}


def assert_no_row_is_lost_or_doubled(
    before: Mapping[str, Any], after: Mapping[str, Any], writes: Mapping[str, Value]
) -> None:
    """Only the value that was replaced is gone, and only the new one has come."""
    for key, part, fields in (
        ("emailAddresses", "address", ["email"]),
        ("phoneNumbers", "number", ["bus_phone", "mob_phone", "home_phone", "fax"]),
    ):
        had, has = (Counter(row[part].casefold() for row in each[key]) for each in (before, after))
        most = len([field for field in fields if field in writes])
        assert (had - has).total() <= most
        assert (has - had).total() <= most
    emails = [row["address"].casefold() for row in after["emailAddresses"]]
    already = [row["address"].casefold() for row in before["emailAddresses"]]
    assert len(emails) - len(set(emails)) <= len(already) - len(set(already))
