"""Modules, fields, users and the organisation."""

from typing import Any

import httpx
import pytest

from tests.sandbox.zoho_crm.conftest import HOST, PERSON, SYNC_USER, contact, got, make_unique_field, told


async def fields(zoho: httpx.AsyncClient, module: str = "Contacts") -> dict[str, dict[str, object]]:
    response = await zoho.get("/settings/fields", params={"module": module, "type": "all"})
    return {each["api_name"]: each for each in response.json()["fields"]}


async def test_the_modules_are_told(zoho: httpx.AsyncClient) -> None:
    modules = (await zoho.get("/settings/modules")).json()["modules"]
    assert [each["api_name"] for each in modules] == ["Leads", "Accounts", "Contacts", "Deals"]
    assert all(each["api_supported"] for each in modules)


async def test_fields_say_what_they_take(zoho: httpx.AsyncClient) -> None:
    found = await fields(zoho)
    assert (found["Last_Name"]["system_mandatory"], found["Last_Name"]["length"]) == (True, 80)
    assert found["Account_Name"]["data_type"] == "lookup"
    assert found["Modified_Time"]["read_only"] is True
    assert found["Email"]["unique"] == {}  # a check for upserts makes nothing unique
    stages = (await fields(zoho, "Deals"))["Stage"]["pick_list_values"]
    assert isinstance(stages, list)
    assert stages[0]["actual_value"] == "Qualification"
    numbers = [each["id"] for module in ("Leads", "Contacts") for each in (await fields(zoho, module)).values()]
    assert len(set(numbers)) == len(numbers)


async def test_fields_are_those_of_a_module_that_is_named(zoho: httpx.AsyncClient) -> None:
    assert (await zoho.get("/settings/fields")).json()["code"] == "REQUIRED_PARAM_MISSING"
    response = await zoho.get("/settings/fields", params={"module": "Customers"})
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_MODULE")


async def test_a_field_for_our_reference_can_be_made_once(zoho: httpx.AsyncClient) -> None:
    await make_unique_field(zoho)
    made = (await fields(zoho))["FreshBooks_ID"]
    assert (made["custom_field"], made["unique"], made["length"]) == (True, {"casesensitive": False}, 60)
    assert "FreshBooks_ID" not in await fields(zoho, "Accounts")
    draft = {"field_label": "FreshBooks ID", "data_type": "text"}
    again = await zoho.post("/settings/fields", params={"module": "Contacts"}, json={"fields": [draft]})
    assert (again.status_code, again.json()["fields"][0]["code"]) == (400, "DUPLICATE_DATA")


async def test_where_the_api_makes_no_fields_an_administrator_does(zoho: httpx.AsyncClient) -> None:
    await told(zoho, "settings", {"fields_api": False})
    response = await zoho.post("/settings/fields", params={"module": "Contacts"}, json={"fields": [{}]})
    assert (response.status_code, response.json()["code"]) == (404, "INVALID_URL_PATTERN")
    unique = {"casesensitive": True}
    draft = {"module": "Contacts", "field_label": "Our number", "data_type": "text", "unique": unique}
    await told(zoho, "records/field", draft)
    await contact(zoho, Our_number="a")
    other = await got(zoho, "Contacts", await contact(zoho, Our_number="A"))  # another one, where case counts
    assert other["Our_number"] == "A"
    assert (await zoho.post(f"{HOST}/_sandbox/records/field", json={"module": "Cars"})).status_code == 422


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        ({"data_type": "text"}, "MANDATORY_NOT_FOUND"),
        ({"field_label": "X", "data_type": "subform"}, "INVALID_DATA"),
        ({"field_label": "X", "data_type": "boolean", "unique": {"casesensitive": False}}, "INVALID_DATA"),
        ("nonsense", "INVALID_DATA"),
    ],
)
async def test_a_field_that_makes_no_sense_is_refused(zoho: httpx.AsyncClient, draft: object, code: str) -> None:
    response = await zoho.post("/settings/fields", params={"module": "Contacts"}, json={"fields": [draft]})
    assert (response.status_code, response.json()["fields"][0]["code"]) == (400, code)


async def test_custom_fields_take_what_their_type_takes(zoho: httpx.AsyncClient) -> None:
    drafts = [
        {"field_label": "Visits", "data_type": "integer"},
        {"field_label": "Rate", "data_type": "double"},
        {"field_label": "Seen", "data_type": "datetime"},
        {"field_label": "Ledger", "data_type": "bigint"},
        {
            "field_label": "Interests",
            "data_type": "multiselectpicklist",
            "pick_list_values": [{"display_value": "Web"}, {"display_value": "Print"}],
        },
    ]
    made = await zoho.post("/settings/fields", params={"module": "Contacts"}, json={"fields": drafts})
    assert made.status_code == 201
    values: dict[str, Any] = {
        "Visits": 3,
        "Rate": 1.5,
        "Seen": "2026-03-02T10:00:00Z",
        "Ledger": "900",
        "Interests": ["Web"],
    }
    record = await got(zoho, "Contacts", await contact(zoho, **values))
    shown = {**values, "Seen": "2026-03-02T11:00:00+01:00"}
    assert {name: record[name] for name in values} == shown
    wrong = {"Visits": "3", "Rate": True, "Seen": "today", "Ledger": "x", "Interests": ["Cars"]}
    response = await zoho.post("/Contacts", json={"data": [{"Last_Name": "X", **wrong}]})
    errors = response.json()["data"][0]["details"]["errors"]
    assert {each["details"]["api_name"] for each in errors} == set(wrong)


async def test_users_are_found_by_type_and_id(zoho: httpx.AsyncClient) -> None:
    async def ids(kind: str) -> list[str]:
        response = await zoho.get("/users", params={"type": kind})
        return [each["id"] for each in response.json()["users"]] if response.status_code == 200 else []

    assert await ids("CurrentUser") == [SYNC_USER]
    assert await ids("ActiveUsers") == [SYNC_USER, PERSON]
    assert len(await ids("AllUsers")) == 3
    assert await ids("DeactiveUsers") == []
    one = (await zoho.get(f"/users/{PERSON}")).json()["users"][0]
    assert one["email"] == "nora.lindqvist@sandbox.example"
    assert (await zoho.get("/users/17")).status_code == 204
    assert (await zoho.get("/users", params={"type": "Friends"})).status_code == 400


async def test_whoever_left_cannot_own_a_record(zoho: httpx.AsyncClient) -> None:
    gone = (await zoho.get("/users", params={"type": "DeletedUsers"})).json()["users"][0]["id"]
    response = await zoho.post("/Contacts", json={"data": [{"Last_Name": "X", "Owner": {"id": gone}}]})
    assert response.json()["data"][0]["code"] == "INVALID_DATA"


async def test_the_organisation_is_told(zoho: httpx.AsyncClient) -> None:
    org = (await zoho.get("/org")).json()["org"][0]
    assert (org["iso_code"], org["time_zone"], org["zgid"]) == ("EUR", "Europe/Berlin", "600012345")
    wrong = await zoho.post(f"{HOST}/_sandbox/settings", json={"time_zone": "Mars/Olympus"})
    assert wrong.status_code == 422
