from collections import Counter
from typing import Any

import pytest
from email_validator import validate_email

from sandbox.app import build_sandbox
from sandbox.capsule.reference import countries


def parties(seed: int, count: int) -> list[dict[str, Any]]:
    return build_sandbox(seed=seed, records=count).capsule_service.records.all("party")


@pytest.fixture(scope="module")
def thousand() -> list[dict[str, Any]]:
    return parties(1, 1000)


def test_the_same_seed_gives_the_same_parties() -> None:
    assert parties(5, 50) == parties(5, 50)
    assert parties(5, 50) != parties(6, 50)
    assert parties(5, 80)[:50] == parties(5, 50)


def test_about_a_third_are_organisations_and_some_people_have_an_employer(thousand: list[dict[str, Any]]) -> None:
    firms = {each["id"] for each in thousand if each["type"] == "organisation"}
    people = [each for each in thousand if each["type"] == "person"]
    employed = [each for each in people if each["organisation"]]
    assert len(firms) == pytest.approx(350, abs=50)
    assert 0.4 < len(employed) / len(people) < 0.8
    assert {each["organisation"]["id"] for each in employed} <= firms
    assert max(Counter(each["organisation"]["id"] for each in employed).values()) >= 5


def test_addresses_are_missing_doubled_and_shared_as_in_life(thousand: list[dict[str, Any]]) -> None:
    emails = [row for each in thousand for row in each["emailAddresses"]]
    owners: dict[str, set[int]] = {}
    for each in thousand:
        for row in each["emailAddresses"]:
            owners.setdefault(row["address"].casefold(), set()).add(each["id"])
    assert any(not each["emailAddresses"] for each in thousand)
    assert any(len(each["emailAddresses"]) > 1 for each in thousand)
    assert any(len(ids) > 3 for ids in owners.values())
    assert any(row["type"] is None for row in emails)
    for row in emails:
        validate_email(row["address"], check_deliverability=False)


def test_countries_are_those_of_the_dictionary_and_streets_have_several_lines(thousand: list[dict[str, Any]]) -> None:
    places = [row for each in thousand for row in each["addresses"]]
    names = {row["country"] for row in places if row["country"]}
    assert len(names) > 5
    assert names <= {each["name"] for each in countries()}
    assert any("\n" in row["street"] for row in places)
    assert any(row["country"] is None for row in places)


def test_every_row_has_an_id_of_its_own(thousand: list[dict[str, Any]]) -> None:
    lists = ("emailAddresses", "phoneNumbers", "addresses", "websites", "fields")
    ids = [row["id"] for each in thousand for key in lists for row in each[key]]
    assert len(ids) == len(set(ids))
    assert {each["name"] for each in thousand if each["type"] == "organisation"}
    assert all(each["firstName"] or each["lastName"] for each in thousand if each["type"] == "person")
