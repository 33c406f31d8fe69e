"""Upserts, and fields whose values are unique: what makes a create safe to repeat."""

from typing import Any

import httpx

from tests.sandbox.zoho_crm.conftest import SYNC_USER, contact, insert, make_unique_field, told


async def upsert(zoho: httpx.AsyncClient, *rows: dict[str, Any], by: str | None = None) -> httpx.Response:
    body: dict[str, Any] = {"data": list(rows), **({"duplicate_check_fields": [by]} if by else {})}
    return await zoho.post("/Contacts/upsert", json=body)


async def test_a_plain_insert_stores_one_email_address_twice(zoho: httpx.AsyncClient) -> None:
    ids = [await contact(zoho, Email="ada@okafor.example") for _ in range(2)]
    assert ids[0] != ids[1]


async def test_an_upsert_finds_the_contact_by_its_email_address(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho, Email="ada@okafor.example")
    response = await upsert(zoho, {"Last_Name": "Okafor-Smith", "Email": "ADA@okafor.example"})
    result = response.json()["data"][0]
    assert (response.status_code, result["action"], result["duplicate_field"]) == (200, "update", "Email")
    assert (result["details"]["id"], result["message"]) == (person, "record updated")


async def test_an_upsert_by_a_field_of_our_own_creates_once(zoho: httpx.AsyncClient) -> None:
    await make_unique_field(zoho)
    row = {"Last_Name": "Okafor", "FreshBooks_ID": "fb-77"}
    results = [(await upsert(zoho, row, by="FreshBooks_ID")).json()["data"][0] for _ in range(2)]
    assert [each["action"] for each in results] == ["insert", "update"]
    assert results[0]["duplicate_field"] is None
    assert results[0]["details"]["id"] == results[1]["details"]["id"]


async def test_an_upsert_without_check_fields_asks_the_modules_own_first(zoho: httpx.AsyncClient) -> None:
    await make_unique_field(zoho)
    by_email = await contact(zoho, Email="ada@okafor.example")
    by_reference = await contact(zoho, FreshBooks_ID="fb-77")
    first = await upsert(zoho, {"Last_Name": "A", "Email": "ada@okafor.example"})
    second = await upsert(zoho, {"Last_Name": "B", "Email": "new@okafor.example", "FreshBooks_ID": "fb-77"})
    ids = [each.json()["data"][0]["details"]["id"] for each in (first, second)]
    assert ids == [by_email, by_reference]


async def test_an_upsert_cannot_look_by_a_field_that_is_not_unique(zoho: httpx.AsyncClient) -> None:
    response = await upsert(zoho, {"Last_Name": "A"}, by="Phone")
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_DATA")


async def test_the_second_row_with_one_key_updates_the_first_or_is_refused_as_it_is_set(
    zoho: httpx.AsyncClient,
) -> None:
    await make_unique_field(zoho)
    for setting, actions in (("updates", ["insert", "update"]), ("refused", ["insert", None])):
        await told(zoho, "settings", {"second_row": setting})
        rows = [{"Last_Name": name, "FreshBooks_ID": f"fb-{setting}"} for name in ("A", "B")]
        results = (await upsert(zoho, *rows, by="FreshBooks_ID")).json()["data"]
        assert [each.get("action") for each in results] == actions
    assert results[1]["code"] == "DUPLICATE_DATA"


async def test_a_repeated_insert_with_our_reference_is_told_the_first_record(zoho: httpx.AsyncClient) -> None:
    """F7: this is what makes a lost answer harmless."""
    await make_unique_field(zoho)
    first = await contact(zoho, FreshBooks_ID="fb-77")
    response = await zoho.post("/Contacts", json={"data": [{"Last_Name": "Okafor", "FreshBooks_ID": "FB-77"}]})
    result = response.json()["data"][0]
    assert (response.status_code, result["code"]) == (400, "DUPLICATE_DATA")
    assert result["details"]["id"] == first
    assert result["details"]["duplicate_record"]["module"]["api_name"] == "Contacts"
    assert result["details"]["duplicate_record"]["Owner"]["id"] == SYNC_USER


async def test_a_repeated_insert_without_a_unique_field_makes_a_second_record(zoho: httpx.AsyncClient) -> None:
    await insert(zoho, "Contacts", {"Last_Name": "Okafor"}, {"Last_Name": "Okafor"})
    assert (await zoho.get("/Contacts/actions/count")).json() == {"count": 2}


async def test_our_reference_cannot_be_written_to_a_second_record(zoho: httpx.AsyncClient) -> None:
    await make_unique_field(zoho)
    await contact(zoho, FreshBooks_ID="fb-77")
    other = await contact(zoho)
    response = await zoho.put(f"/Contacts/{other}", json={"data": [{"FreshBooks_ID": "fb-77"}]})
    assert response.json()["data"][0]["code"] == "DUPLICATE_DATA"
