from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import changed_party, new_party
from tests.sandbox.test_capsule_parties import problem

VAT, CURRENCY, NEWSLETTER, SINCE, DAYS, INTERESTS = 731, 732, 734, 735, 736, 737


def values(party: dict[str, Any]) -> dict[str, Any]:
    return {row["definition"]["name"]: row["value"] for row in party["fields"]}


def field(definition: int, value: Any) -> list[dict[str, Any]]:
    return [{"definition": {"id": definition}, "value": value}]


async def test_a_custom_field_is_set_with_the_party_itself(capsule: httpx.AsyncClient) -> None:
    """S15: the reference and the record appear together."""
    party = await new_party(capsule, fields=[*field(VAT, "DE123"), {"definition": DAYS, "value": 30}])
    assert values(party) == {"VAT number": "DE123", "Payment days": "30"}


async def test_writing_a_field_again_keeps_its_row(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, fields=field(VAT, "DE123"))
    changed = await changed_party(capsule, party["id"], fields=field(VAT, "DE456"))
    assert changed["fields"] == [{**party["fields"][0], "value": "DE456"}]
    by_row = [{"id": party["fields"][0]["id"], "value": "DE789"}]
    assert values(await changed_party(capsule, party["id"], fields=by_row)) == {"VAT number": "DE789"}


@pytest.mark.parametrize("cleared", [{"value": None}, {"value": ""}, {"_delete": True}])
async def test_a_field_is_cleared_by_null_by_nothing_or_by_its_row(
    capsule: httpx.AsyncClient, cleared: dict[str, Any]
) -> None:
    party = await new_party(capsule, fields=field(VAT, "DE123"))
    items = [{"id": party["fields"][0]["id"], **cleared}]
    assert (await changed_party(capsule, party["id"], fields=items))["fields"] == []


async def test_false_is_the_absence_of_a_row_and_null_is_refused(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, fields=field(NEWSLETTER, value=True))
    assert values(party) == {"Newsletter": True}
    refused = await capsule.put(f"/parties/{party['id']}", json={"party": {"fields": field(NEWSLETTER, None)}})
    assert problem(refused) == (422, "invalid type for field")
    assert (await changed_party(capsule, party["id"], fields=field(NEWSLETTER, value=False)))["fields"] == []


@pytest.mark.parametrize(
    ("definition", "wrong"),
    [(VAT, 7), (SINCE, "02.03.2026"), (DAYS, "soon"), (DAYS, True), (CURRENCY, "XXX"), (INTERESTS, "Design;Golf")],
)
async def test_a_value_must_fit_its_field(capsule: httpx.AsyncClient, definition: int, wrong: Any) -> None:
    draft = {"type": "organisation", "name": "Acme", "fields": field(definition, wrong)}
    assert (await capsule.post("/parties", json={"party": draft})).status_code == 422


async def test_an_unknown_field_is_not_found(capsule: httpx.AsyncClient) -> None:
    draft = {"type": "organisation", "name": "Acme", "fields": field(5, "x")}
    assert problem(await capsule.post("/parties", json={"party": draft})) == (404, "definition not found")


async def test_an_operator_adds_a_field_for_the_books_reference_and_takes_it_away(capsule: httpx.AsyncClient) -> None:
    draft = {"definition": {"name": "FreshBooks client id", "type": "text"}}
    created = await capsule.post("/parties/fields/definitions", json=draft)
    number = created.json()["definition"]["id"]
    assert created.status_code == 201
    party = await new_party(capsule, fields=field(number, "330101"))
    assert (await capsule.delete(f"/parties/fields/definitions/{number}")).status_code == 204
    left = (await capsule.get(f"/parties/{party['id']}?embed=fields")).json()["party"]
    assert left["fields"] == []


async def test_a_tag_is_added_by_name_and_detached_by_id(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, tags=[{"name": "Fresh"}])
    tag = party["tags"][0]
    assert tag["name"] in {each["name"] for each in (await capsule.get("/parties/tags")).json()["tags"]}
    detach = [{"id": tag["id"], "_delete": True}]
    assert (await changed_party(capsule, party["id"], tags=detach))["tags"] == []
    again = await capsule.put(f"/parties/{party['id']}", json={"party": {"tags": detach}})
    assert problem(again) == (422, "tag not found to delete")


async def test_a_field_is_renamed_everywhere_and_keeps_its_type(capsule: httpx.AsyncClient) -> None:
    party = await new_party(capsule, fields=field(VAT, "DE123"))
    body = {"definition": {"name": "Tax number", "type": "number"}}
    definition = (await capsule.put(f"/parties/fields/definitions/{VAT}", json=body)).json()["definition"]
    assert (definition["name"], definition["type"]) == ("Tax number", "text")
    after = (await capsule.get(f"/parties/{party['id']}?embed=fields")).json()["party"]
    assert values(after) == {"Tax number": "DE123"}


async def test_a_definition_is_created_read_listed_and_gone(capsule: httpx.AsyncClient) -> None:
    draft = {"definition": {"name": "FreshBooks client id", "type": "text", "captureRule": "organisation"}}
    created = await capsule.post("/parties/fields/definitions", json=draft)
    url = created.headers["Location"]
    assert (await capsule.get(url)).json() == created.json()
    listed = (await capsule.get("/parties/fields/definitions")).json()["definitions"]
    assert listed[-1] == created.json()["definition"]
    assert "options" not in listed[-1]
    assert (await capsule.delete(url)).status_code == 204
    assert problem(await capsule.get(url)) == (404, "definition not found")
    assert problem(await capsule.delete(url)) == (404, "definition not found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "text"},
        {"name": "X", "type": "colour"},
        {"name": "X", "type": "list"},
        {"name": "X", "type": "text", "captureRule": "project"},
    ],
)
async def test_a_definition_that_makes_no_sense_is_refused(capsule: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await capsule.post("/parties/fields/definitions", json={"definition": wrong})).status_code == 422


async def test_a_party_is_found_by_the_reference_in_a_field_that_was_added_later(capsule: httpx.AsyncClient) -> None:
    """S15: never by another field's equal value, nor once the reference is gone."""
    draft = {"definition": {"name": "FreshBooks client id", "type": "text"}}
    number = (await capsule.post("/parties/fields/definitions", json=draft)).json()["definition"]["id"]
    party = await new_party(capsule, fields=field(number, "330101"))
    await new_party(capsule, fields=field(VAT, "330101"))
    condition = {"field": f"custom:{number}", "operator": "is", "value": "330101"}
    body = {"filter": {"conditions": [condition]}}
    found = (await capsule.post("/parties/filters/results", json=body)).json()["parties"]
    assert [each["id"] for each in found] == [party["id"]]
    await changed_party(capsule, party["id"], fields=field(number, None))
    assert (await capsule.post("/parties/filters/results", json=body)).json()["parties"] == []
