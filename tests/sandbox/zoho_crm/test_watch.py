"""Notification channels and what they carry."""

import json
from typing import Any

import httpx
import pytest
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import Receiver
from tests.sandbox.zoho_crm.conftest import HOOK, HOST, account, caller, contact, insert, told, watch

WHEN = "2026-03-02T10:00:00Z"


def heard(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(each.content) for each in receiver.received]


async def test_a_channel_lasts_an_hour_unless_it_is_told_otherwise(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False):
        response = await watch(zoho, "Contacts.all", "Accounts.edit")
    assert response.status_code == 201
    result = response.json()["watch"][0]
    assert result["message"] == "Successfully subscribed for actions-watch of the given module"
    assert [each["resource_name"] for each in result["details"]["events"]] == ["Contacts", "Accounts"]
    event = result["details"]["events"][0]
    assert (event["channel_id"], event["channel_expiry"]) == ("1000", "2026-03-02T12:00:00+01:00")
    assert event["resource_uri"] == f"{HOST}/crm/v8/Contacts"


async def test_a_channel_cannot_last_longer_than_a_week(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False):
        week = await watch(zoho, "Contacts.all", channel_expiry="2026-03-09T10:00:00+00:00")
        longer = await watch(zoho, "Contacts.all", channel_expiry="2026-03-09T10:00:01+00:00")
        past = await watch(zoho, "Contacts.all", channel_expiry="2026-03-02T10:00:00+00:00")
    assert week.status_code == 201
    for response in (longer, past):
        assert (response.status_code, response.json()["watch"][0]["code"]) == (400, "INVALID_DATA")
        assert response.json()["watch"][0]["details"]["api_name"] == "channel_expiry"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel_id": 1000}, "channel_id"),
        ({"channel_id": "one"}, "channel_id"),
        ({"token": "x" * 51}, "token"),
        ({"notify_url": "http://us.test/zoho"}, "notify_url"),
        ({"notify_url": "https://["}, "notify_url"),
        ({"events": []}, "events"),
        ({"events": ["Contacts.update"]}, "events"),
        ({"events": ["Customers.all"]}, "events"),
        ({"channel_expiry": "soon"}, "channel_expiry"),
        ({"channel_expiry": 17}, "channel_expiry"),
    ],
)
async def test_a_channel_that_makes_no_sense_is_refused(
    zoho: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    channel = {"channel_id": "1000", "notify_url": HOOK, "events": ["Contacts.all"], **change}
    response = await zoho.post("/actions/watch", json={"watch": [channel]})
    assert (response.status_code, response.json()["watch"][0]["code"]) == (400, "INVALID_DATA")
    assert response.json()["watch"][0]["details"]["api_name"] == field


async def test_some_channels_of_a_call_can_be_refused(zoho: httpx.AsyncClient) -> None:
    good = {"channel_id": "1", "notify_url": HOOK, "events": ["Contacts.all"]}
    response = await zoho.post("/actions/watch", json={"watch": [good, {"channel_id": "2"}, "nonsense"]})
    assert response.status_code == 207
    codes = [each["code"] for each in response.json()["watch"]]
    assert codes == ["SUCCESS", "MANDATORY_NOT_FOUND", "INVALID_DATA"]
    too_many = await zoho.post("/actions/watch", json={"watch": [good] * 51})
    assert too_many.json()["code"] == "LIMIT_EXCEEDED"


async def test_a_new_contact_is_told_with_the_token_of_the_channel(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """Our own writes are told as well."""
    await watch(zoho, "Contacts.create")
    with time_machine.travel(WHEN, tick=False):
        person = await contact(zoho)
    await account(zoho)
    await sandbox.settle()
    assert str(receiver.received[0].url) == HOOK
    assert heard(receiver) == [
        {
            "server_time": 1_772_445_600_000,
            "query_params": {},
            "module": "Contacts",
            "resource_uri": f"{HOST}/crm/v8/Contacts",
            "ids": [person],
            "operation": "insert",
            "channel_id": "1000",
            "token": "s3cret",
        }
    ]


async def test_records_of_one_call_are_told_in_one_notification(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    await watch(zoho, "Contacts.all")
    known = await contact(zoho, Email="ada@okafor.example")
    rows = [{"Last_Name": "A", "Email": "ada@okafor.example"}, {"Last_Name": "B"}, {"Last_Name": "C"}]
    await zoho.post("/Contacts/upsert", json={"data": rows})
    await sandbox.settle()
    seen = {each["operation"]: each["ids"] for each in heard(receiver)[1:]}
    assert len(seen["insert"]) == 2
    assert seen["update"] == [known]


async def test_an_update_names_the_fields_and_if_asked_the_values(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    person = await contact(zoho)
    await watch(zoho, "Contacts.edit", return_affected_field_values=True)
    await zoho.put(f"/Contacts/{person}", json={"data": [{"Email": "ada@okafor.example"}]})
    await sandbox.settle()
    body = heard(receiver)[0]
    assert (body["operation"], body["affected_fields"]) == ("update", [{person: ["Email"]}])
    assert body["affected_values"] == [{"record_id": person, "values": {"Email": "ada@okafor.example"}}]


async def test_a_deletion_is_told_and_what_it_leaves_behind_as_an_update(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    firm = await account(zoho)
    person = await contact(zoho, Account_Name={"id": firm})
    await watch(zoho, "Accounts.delete", "Contacts.all")
    await zoho.delete(f"/Accounts/{firm}")
    await sandbox.settle()
    seen = [(each["module"], each["operation"], each["ids"]) for each in heard(receiver)]
    assert seen == [("Accounts", "delete", [firm]), ("Contacts", "update", [person])]


async def test_nothing_is_told_after_a_channel_has_expired(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        await watch(zoho, "Contacts.all")
        traveller.shift(3600)
        await contact(zoho)
        await sandbox.settle()
        assert (await told(zoho, "hooks/deliveries", method="GET"))["deliveries"] == []
        assert (await zoho.get("/actions/watch")).status_code == 204


async def test_what_is_still_under_way_when_a_channel_expires_is_not_delivered(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    await told(zoho, "settings", {"hooks": {"delay": [0.05, 0.05]}})
    with time_machine.travel(WHEN, tick=False) as traveller:
        await watch(zoho, "Contacts.all")
        await contact(zoho)
        traveller.shift(3600)
        await sandbox.settle()
    assert receiver.received == []


async def test_a_channel_can_be_made_to_expire_early(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    await watch(zoho, "Contacts.all")
    channel = (await told(zoho, "records/channel", method="GET"))["records"][0]
    await told(zoho, f"records/channel/{channel['id']}", {"channel_expiry": "2026-01-01T00:00:00+00:00"})
    await contact(zoho)
    await sandbox.settle()
    assert receiver.received == []


async def test_an_expired_channel_cannot_be_renewed_unless_that_is_set(zoho: httpx.AsyncClient) -> None:
    channel = {"channel_id": "1000", "notify_url": HOOK, "events": ["Contacts.all"]}
    with time_machine.travel(WHEN, tick=False) as traveller:
        await watch(zoho, "Contacts.all")
        traveller.shift(3601)
        refused = await zoho.put("/actions/watch", json={"watch": [channel]})
        assert (refused.status_code, refused.json()["watch"][0]["code"]) == (400, "NOT_SUBSCRIBED")
        await told(zoho, "settings", {"renew_expired": True})
        assert (await zoho.put("/actions/watch", json={"watch": [channel]})).status_code == 200
        assert (await zoho.get("/actions/watch")).status_code == 200


async def test_a_channel_is_renewed_by_replacing_it(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        await watch(zoho, "Contacts.all")
        traveller.shift(3000)
        channel = {"channel_id": "1000", "notify_url": HOOK, "events": ["Deals.all"], "token": "new"}
        await zoho.put("/actions/watch", json={"watch": [channel]})
        body = (await zoho.get("/actions/watch", params={"channel_id": "1000"})).json()
        lacking = await zoho.put("/actions/watch", json={"watch": [{"channel_id": "1000"}]})
    row = body["watch"][0]
    assert (row["events"], row["token"], row["channel_expiry"]) == (["Deals.all"], "new", "2026-03-02T12:50:00+01:00")
    assert body["info"]["more_records"] is False
    assert lacking.json()["watch"][0]["code"] == "MANDATORY_NOT_FOUND"


async def test_part_of_a_channel_can_be_changed(zoho: httpx.AsyncClient) -> None:
    async def patch(**change: Any) -> dict[str, Any]:
        response = await zoho.patch("/actions/watch", json={"watch": [{"channel_id": "1000", **change}]})
        assert response.status_code == 200, response.text
        rows = (await zoho.get("/actions/watch", params={"module": "Contacts"})).json()["watch"]
        found: dict[str, Any] = rows[0]
        return found

    await watch(zoho, "Contacts.create", "Accounts.all")
    assert (await patch(token="other"))["token"] == "other"
    assert (await patch(events=["Contacts.delete"]))["events"] == ["Contacts.create", "Contacts.delete"]
    fewer = await patch(events=["Contacts.create"], _delete_events=True)
    assert (fewer["events"], fewer["token"]) == (["Contacts.delete"], "other")


async def test_a_channel_is_ended_by_its_number(zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver) -> None:
    await watch(zoho, "Contacts.all")
    response = await zoho.delete("/actions/watch", params={"channel_ids": "1000,2000"})
    assert response.status_code == 207
    gone, unknown = response.json()["watch"]
    assert gone["message"] == "Successfully un-subscribed from actions-watch"
    assert set(gone["details"]) == {"resource_uri", "resource_id", "channel_id"}
    assert unknown["code"] == "NOT_SUBSCRIBED"
    await contact(zoho)
    await sandbox.settle()
    assert receiver.received == []
    assert (await zoho.delete("/actions/watch")).json()["code"] == "REQUIRED_PARAM_MISSING"


async def test_a_number_that_is_taken_is_replaced_or_refused_as_it_is_set(zoho: httpx.AsyncClient) -> None:
    await watch(zoho, "Contacts.all")
    assert (await watch(zoho, "Accounts.all")).status_code == 201
    assert [each["events"] for each in (await zoho.get("/actions/watch")).json()["watch"]] == [["Accounts.all"]]
    await told(zoho, "settings", {"watch_again": "refused"})
    assert (await watch(zoho, "Contacts.all")).json()["watch"][0]["code"] == "DUPLICATE_DATA"


async def test_notifications_are_doubled_or_lost_as_it_is_set(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    await watch(zoho, "Contacts.all")
    await told(zoho, "settings", {"hooks": {"duplicates": 2}})
    await contact(zoho)
    await sandbox.settle()
    assert len(receiver.received) == 2
    await told(zoho, "settings", {"hooks": {"drop": 1}})
    await contact(zoho)
    await sandbox.settle()
    assert len(receiver.received) == 2


async def test_a_notification_that_nobody_took_is_lost_unless_retries_are_set(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    await told(zoho, "settings", {"clock_rate": 1_000_000})
    await watch(zoho, "Contacts.all")
    receiver.statuses = [500]
    await contact(zoho)
    await sandbox.settle()
    assert len(receiver.received) == 1
    await told(zoho, "settings", {"hooks": {"retries": 5}})
    receiver.statuses = [500, 500]
    await contact(zoho)
    await sandbox.settle()
    assert len(receiver.received) == 4


async def test_an_impostor_does_not_know_the_token(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    await watch(zoho, "Contacts.all")
    await told(zoho, "hooks/forge", {"event": "Contacts.edit", "id": 17})
    await told(zoho, "hooks/forge", {"event": "Contacts.edit", "target": "https://other.test/hook", "key": None})
    first, second = heard(receiver)
    assert (first["ids"], first["operation"], first["token"]) == (["17"], "update", "forged")
    assert second["token"] is None
    assert str(receiver.received[1].url) == "https://other.test/hook"


async def test_whoever_may_only_read_records_does_not_see_the_channels(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await watch(zoho, "Contacts.all")
    assert (await zoho.get("/actions/watch")).json()["info"]["count"] == 1
    async with caller(sandbox, "read_only") as reader:
        assert (await reader.get("/actions/watch")).status_code == 401


async def test_the_system_can_drop_a_channel(zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver) -> None:
    await watch(zoho, "Contacts.all")
    await told(zoho, "hooks/1/disable")
    await insert(zoho, "Contacts", {"Last_Name": "Okafor"})
    await sandbox.settle()
    assert receiver.received == []
