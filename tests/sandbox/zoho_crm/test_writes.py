"""Writing records: a result for each, in the order in which they were sent."""

import httpx
import time_machine

from tests.sandbox.zoho_crm.conftest import PERSON, SYNC_USER, account, contact, got, insert, told

WHEN = "2026-03-02T10:00:00Z"


async def test_a_new_contact_is_answered_with_its_id_and_instants_to_the_second(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False):
        response = await zoho.post("/Contacts", json={"data": [{"Last_Name": "Okafor"}]})
    assert response.status_code == 201
    result = response.json()["data"][0]
    assert (result["code"], result["message"], result["status"]) == ("SUCCESS", "record added", "success")
    assert result["details"]["Modified_Time"] == "2026-03-02T11:00:00+01:00"
    assert result["details"]["Created_By"] == {"name": "Sync Bot", "id": SYNC_USER}
    assert result["details"]["id"].isdigit()


async def test_a_record_that_is_refused_does_not_hold_up_the_others(zoho: httpx.AsyncClient) -> None:
    rows = [{"Last_Name": "Okafor"}, {"First_Name": "Ada"}, {"Last_Name": "Smith"}]
    response = await zoho.post("/Contacts", json={"data": rows})
    assert response.status_code == 207
    first, second, third = response.json()["data"]
    assert (first["code"], third["code"]) == ("SUCCESS", "SUCCESS")
    assert second["details"] == {"api_name": "Last_Name", "json_path": "$.data[1].Last_Name"}
    assert second["code"] == "MANDATORY_NOT_FOUND"


async def test_when_every_record_is_refused_the_status_is_the_one_that_is_set(zoho: httpx.AsyncClient) -> None:
    body = {"data": [{"First_Name": "Ada"}]}
    assert (await zoho.post("/Contacts", json=body)).status_code == 400
    await told(zoho, "settings", {"all_failed": 202})
    response = await zoho.post("/Contacts", json=body)
    assert (response.status_code, response.json()["data"][0]["status"]) == (202, "error")


async def test_a_body_without_a_media_type_is_read_all_the_same(zoho: httpx.AsyncClient) -> None:
    response = await zoho.post("/Contacts", content=b'{"data":[{"Last_Name":"Okafor"}]}')
    assert "content-type" not in response.request.headers
    assert response.status_code == 201


async def test_more_than_a_hundred_records_are_refused_as_a_whole(zoho: httpx.AsyncClient) -> None:
    response = await zoho.post("/Contacts", json={"data": [{"Last_Name": "Okafor"}] * 101})
    assert (response.status_code, response.json()["code"]) == (400, "LIMIT_EXCEEDED")
    assert response.json()["details"]["maximum_length"] == 100
    assert (await zoho.get("/Contacts/actions/count")).json() == {"count": 0}


async def test_a_body_that_cannot_be_used_is_refused_without_a_result_for_a_record(zoho: httpx.AsyncClient) -> None:
    codes = []
    for content in (b"no json", b"[]", b"{}", b'{"data":[]}', b'{"data":[{"Last_Name":"X"}],"trigger":["mail"]}'):
        response = await zoho.post("/Contacts", content=content)
        assert response.status_code == 400
        codes.append(response.json()["code"])
    assert codes == ["INVALID_DATA", "INVALID_DATA", "MANDATORY_NOT_FOUND", "INVALID_DATA", "INVALID_DATA"]


async def test_every_wrong_value_of_a_record_is_named(zoho: httpx.AsyncClient) -> None:
    row = {"Last_Name": "x" * 81, "Email": "nowhere", "Lead_Source": "A friend", "Date_of_Birth": "1.2.1990"}
    result = (await zoho.post("/Contacts", json={"data": [row]})).json()["data"][0]
    assert result["code"] == "MULTIPLE_OR_MULTI_ERRORS"
    details = {each["details"]["api_name"]: each["details"] for each in result["details"]["errors"]}
    assert details["Last_Name"]["maximum_length"] == 80
    assert details["Email"]["expected_data_type"] == "email"
    assert "Partner" in details["Lead_Source"]["supported_values"]
    assert details["Date_of_Birth"]["json_path"] == "$.data[0].Date_of_Birth"


async def test_a_field_that_nobody_made_is_passed_over(zoho: httpx.AsyncClient) -> None:
    record = await got(zoho, "Contacts", await contact(zoho, Favourite_Colour="green", Created_Time="2001-01-01"))
    assert "Favourite_Colour" not in record
    assert not record["Created_Time"].startswith("2001")


async def test_a_contact_shows_the_present_name_of_its_account(zoho: httpx.AsyncClient) -> None:
    firm = await account(zoho)
    person = await contact(zoho, Account_Name={"id": firm})
    await zoho.put(f"/Accounts/{firm}", json={"data": [{"Account_Name": "Okafor GmbH"}]})
    assert (await got(zoho, "Contacts", person))["Account_Name"] == {"name": "Okafor GmbH", "id": firm}


async def test_an_account_that_is_not_there_cannot_be_named(zoho: httpx.AsyncClient) -> None:
    response = await zoho.post("/Contacts", json={"data": [{"Last_Name": "X", "Account_Name": {"id": "1"}}]})
    result = response.json()["data"][0]
    assert (result["code"], result["message"]) == ("INVALID_DATA", "the related id given seems to be invalid")


async def test_a_bare_id_is_taken_for_a_lookup_or_not_as_it_is_set(zoho: httpx.AsyncClient) -> None:
    firm = await account(zoho)
    person = await contact(zoho, Account_Name=firm)
    assert (await got(zoho, "Contacts", person))["Account_Name"]["id"] == firm
    await told(zoho, "settings", {"bare_lookups": False})
    refused = await zoho.post("/Contacts", json={"data": [{"Last_Name": "X", "Account_Name": firm}]})
    assert refused.json()["data"][0]["details"]["expected_data_type"] == "jsonobject"


async def test_whoever_writes_owns_the_record_unless_an_owner_is_named(zoho: httpx.AsyncClient) -> None:
    mine, hers = await contact(zoho), await contact(zoho, Owner={"id": PERSON})
    assert (await got(zoho, "Contacts", mine))["Owner"]["id"] == SYNC_USER
    assert (await got(zoho, "Contacts", hers))["Owner"] == {
        "name": "Nora Lindqvist",
        "id": PERSON,
        "email": "nora.lindqvist@sandbox.example",
    }


async def test_tags_are_made_by_their_names_and_shared(zoho: httpx.AsyncClient) -> None:
    first = await got(zoho, "Contacts", await contact(zoho, Tag=[{"name": "freshbooks"}]))
    second = await got(zoho, "Contacts", await contact(zoho, Tag=[{"name": "FreshBooks"}]))
    assert first["Tag"] == second["Tag"]
    assert first["Tag"][0]["name"] == "freshbooks"


async def test_a_write_lets_workflows_run_unless_it_says_otherwise(zoho: httpx.AsyncClient) -> None:
    await contact(zoho)
    await insert(zoho, "Contacts", {"Last_Name": "Quiet"}, trigger=[])
    assert (await told(zoho, "info", method="GET"))["workflow_runs"] == 1


async def test_an_update_changes_what_is_sent_and_null_clears(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho, Email="ada@okafor.example", Phone="030 1")
    response = await zoho.put("/Contacts", json={"data": [{"id": person, "Phone": None, "First_Name": "Ada"}]})
    assert (response.status_code, response.json()["data"][0]["message"]) == (200, "record updated")
    record = await got(zoho, "Contacts", person)
    assert [record[name] for name in ("First_Name", "Email", "Phone")] == ["Ada", "ada@okafor.example", None]


async def test_an_update_without_a_known_id_is_refused_by_itself(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho)
    rows = [{"id": "4876876000300999999", "First_Name": "Ada"}, {"id": person, "First_Name": "Ada"}]
    response = await zoho.put("/Contacts", json={"data": rows})
    assert response.status_code == 207
    assert response.json()["data"][0]["message"] == "the id given seems to be invalid"
    assert response.json()["data"][0]["details"] == {"api_name": "id", "json_path": "$.data[0].id"}


async def test_a_name_that_must_be_there_cannot_be_cleared(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho)
    response = await zoho.put(f"/Contacts/{person}", json={"data": [{"Last_Name": None}]})
    assert (response.status_code, response.json()["data"][0]["code"]) == (400, "MANDATORY_NOT_FOUND")


async def test_equal_values_move_the_instant_of_change(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        person = await contact(zoho)
        traveller.shift(5)
        await zoho.put(f"/Contacts/{person}", json={"data": [{"Last_Name": "Okafor"}]})
        assert (await got(zoho, "Contacts", person))["Modified_Time"] == "2026-03-02T11:00:05+01:00"


async def test_a_record_that_changed_meanwhile_is_not_overwritten(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        person = await contact(zoho)
        traveller.shift(60)
        await told(zoho, "records/Contacts", {"id": person, "Phone": "030 1"}, "PUT")
        body = {"data": [{"Phone": "030 2"}]}
        for since, status in (("2026-03-02T11:00:59+01:00", 412), ("2026-03-02T10:01:00+00:00", 200)):
            response = await zoho.put(f"/Contacts/{person}", json=body, headers={"If-Unmodified-Since": since})
            assert response.status_code == status
            code = response.json()["data"][0]["code"]
            assert code == ("SUCCESS" if status == 200 else "ALREADY_MODIFIED")


async def test_of_several_records_only_the_one_that_changed_meanwhile_fails(zoho: httpx.AsyncClient) -> None:
    await told(zoho, "settings", {"modified_code": "RECORD_MODIFIED"})
    with time_machine.travel(WHEN, tick=False) as traveller:
        old = await contact(zoho)
        traveller.shift(60)
        new = await contact(zoho)
    rows = [{"id": old, "Phone": "030 1"}, {"id": new, "Phone": "030 1"}]
    headers = {"If-Unmodified-Since": "2026-03-02T10:00:30+00:00"}
    response = await zoho.put("/Contacts", json={"data": rows}, headers=headers)
    assert response.status_code == 207
    assert [each["code"] for each in response.json()["data"]] == ["SUCCESS", "RECORD_MODIFIED"]


async def test_a_condition_that_is_no_instant_is_refused(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho)
    headers = {"If-Unmodified-Since": "yesterday"}
    response = await zoho.put(f"/Contacts/{person}", json={"data": [{"Phone": "1"}]}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_DATA")


async def test_what_the_layout_asks_for_is_mandatory_where_it_is_set(zoho: httpx.AsyncClient) -> None:
    body = {"data": [{"Last_Name": "Okafor"}]}
    assert (await zoho.post("/Leads", json=body)).status_code == 201
    await told(zoho, "settings", {"layout_rules": True})
    result = (await zoho.post("/Leads", json=body)).json()["data"][0]
    assert (result["details"]["api_name"], result["details"]["layout_rule"]) == ("Company", "Standard")


async def test_several_records_are_deleted_and_the_unknown_one_is_named(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho)
    response = await zoho.delete("/Contacts", params={"ids": f"{person},17"})
    assert response.status_code == 207
    gone, unknown = response.json()["data"]
    assert (gone["message"], gone["details"]) == ("record deleted", {"id": person})
    assert (unknown["code"], unknown["message"]) == ("INVALID_DATA", "record not deleted")
    assert (await zoho.get(f"/Contacts/{person}")).status_code == 204


async def test_a_deletion_must_say_what(zoho: httpx.AsyncClient) -> None:
    response = await zoho.delete("/Contacts")
    assert response.json()["message"] == "One of the expected parameter is missing"
    too_many = await zoho.delete("/Contacts", params={"ids": ",".join(str(each) for each in range(1, 102))})
    assert too_many.json()["code"] == "LIMIT_EXCEEDED"


async def test_contacts_of_a_deleted_account_stay_without_one(zoho: httpx.AsyncClient) -> None:
    firm = await account(zoho)
    person = await contact(zoho, Account_Name={"id": firm})
    assert (await zoho.delete(f"/Accounts/{firm}")).status_code == 200
    assert (await got(zoho, "Contacts", person))["Account_Name"] is None


async def test_a_module_that_does_not_exist_is_refused_bare_or_wrapped_as_it_is_set(zoho: httpx.AsyncClient) -> None:
    body = {"data": [{"Last_Name": "X"}]}
    assert (await zoho.post("/Customers", json=body)).json()["code"] == "INVALID_MODULE"
    await told(zoho, "settings", {"wrapped_refusals": True})
    assert (await zoho.post("/Customers", json=body)).json()["data"][0]["code"] == "INVALID_MODULE"
