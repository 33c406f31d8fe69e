from typing import Any

import httpx
import pytest
import time_machine

from tests.sandbox.conftest import changed_party, new_party
from tests.sandbox.test_capsule_parties import problem


async def found(capsule: httpx.AsyncClient, *conditions: tuple[str, str, Any], **query: Any) -> list[str]:
    """Return the names of the parties that fulfil all conditions."""
    listed = [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions]
    response = await capsule.post("/parties/filters/results", json={"filter": {"conditions": listed, **query}})
    assert response.status_code == 200, response.text
    return [each.get("name") or each["firstName"] for each in response.json()["parties"]]


@pytest.fixture
async def firms(capsule: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        await new_party(
            capsule,
            name="Acme Ltd",
            emailAddresses=[{"address": "AP@acme.example"}],
            addresses=[{"city": "Leeds", "country": "United Kingdom"}],
            fields=[{"definition": 731, "value": "GB1"}, {"definition": 734, "value": True}],
            tags=[{"name": "VIP"}],
        )
    with time_machine.travel("2026-03-05T10:00:00Z", tick=False):
        await new_party(capsule, name="Berg AB", fields=[{"definition": 731, "value": "GB11"}])
        await new_party(capsule, type="person", firstName="Ida", organisation={"name": "Acme Ltd"}, owner={"id": 6002})


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        (("custom:731", "is", "GB1"), ["Acme Ltd"]),
        (("custom:731", "is", None), ["Ida"]),
        (("custom:734", "is", True), ["Acme Ltd"]),
        (("custom:734", "is not", True), ["Berg AB", "Ida"]),
        (("org.custom:731", "is", "GB1"), ["Ida"]),
        (("email", "is", "ap@ACME.example"), ["Acme Ltd"]),
        (("name", "starts with", "be"), ["Berg AB"]),
        (("name", "contains", "ltd"), ["Acme Ltd"]),
        (("type", "is", "person"), ["Ida"]),
        (("country", "is", "GB"), ["Acme Ltd"]),
        (("tag", "is", "VIP"), ["Acme Ltd"]),
        (("owner", "is", 6002), ["Ida"]),
        (("owner", "is", "jonas"), ["Ida"]),
        (("org.name", "is", "Acme Ltd"), ["Ida"]),
        (("hasPeople", "is", True), ["Acme Ltd"]),
        (("hasEmailAddress", "is", False), ["Berg AB", "Ida"]),
        (("addedOn", "is after", "2026-03-02"), ["Berg AB", "Ida"]),
        (("updatedOn", "is before", "2026-03-03"), ["Acme Ltd"]),
        (("updatedOn", "is", "2026-03-02"), ["Acme Ltd"]),
        (("updatedOn", "is older than", 1), ["Acme Ltd"]),
        (("updatedOn", "is within last", 1), ["Berg AB", "Ida"]),
    ],
)
@pytest.mark.usefixtures("firms")
async def test_a_filter_finds_exactly_the_parties_that_fulfil_it(
    capsule: httpx.AsyncClient, condition: tuple[str, str, Any], names: list[str]
) -> None:
    with time_machine.travel("2026-03-05T12:00:00Z", tick=False):
        assert await found(capsule, condition) == names


@pytest.mark.usefixtures("firms")
async def test_conditions_hold_together_and_the_order_is_obeyed(capsule: httpx.AsyncClient) -> None:
    assert await found(capsule, ("type", "is", "organisation"), ("custom:731", "is", "GB11")) == ["Berg AB"]
    order = [{"field": "name", "direction": "descending"}]
    assert await found(capsule, orderBy=order) == ["Ida", "Berg AB", "Acme Ltd"]


async def test_names_of_the_record_are_not_names_of_the_filter(capsule: httpx.AsyncClient) -> None:
    for wrong in ("updatedAt", "emailAddresses", "custom:5"):
        query = {"filter": {"conditions": [{"field": wrong, "operator": "is", "value": "x"}]}}
        response = await capsule.post("/parties/filters/results", json=query)
        assert problem(response) == (422, "invalid field name")


async def test_an_operator_must_fit_its_field(capsule: httpx.AsyncClient) -> None:
    query = {"filter": {"conditions": [{"field": "custom:731", "operator": "contains", "value": "x"}]}}
    assert problem(await capsule.post("/parties/filters/results", json=query)) == (422, "invalid operator")


@pytest.mark.usefixtures("firms")
async def test_a_filter_has_pages_too(capsule: httpx.AsyncClient) -> None:
    query: dict[str, Any] = {"filter": {"conditions": []}}
    response = await capsule.post("/parties/filters/results?perPage=2", json=query)
    assert response.headers["X-Pagination-Has-More"] == "true"
    last = await capsule.post(response.links["next"]["url"], json=query)
    assert [len(each.json()["parties"]) for each in (response, last)] == [2, 1]


async def test_people_are_found_by_the_present_name_of_their_employer(capsule: httpx.AsyncClient) -> None:
    ida = await new_party(capsule, type="person", firstName="Ida", organisation={"name": "Berg Studio"})
    await changed_party(capsule, ida["organisation"]["id"], name="Berg & Dal")
    assert await found(capsule, ("org.name", "is", "Berg & Dal")) == ["Ida"]
    assert await found(capsule, ("org.name", "contains", "studio")) == []


async def test_a_search_knows_a_party_by_its_present_values_alone(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, name="Old Ltd")
    seen: dict[str, list[str]] = {}
    for name in ("Old Ltd", "New Ltd"):
        await changed_party(capsule, party["id"], name=name)
        for text in ("old", "new"):
            response = await capsule.get("/parties/search", params={"q": text})
            seen[f"{name}: {text}"] = [each["name"] for each in response.json()["parties"]]
    assert seen == {
        "Old Ltd: old": ["Old Ltd"],
        "Old Ltd: new": [],
        "New Ltd: old": [],
        "New Ltd: new": ["New Ltd"],
    }
