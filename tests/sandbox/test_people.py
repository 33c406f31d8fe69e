"""Records as people create, change and delete them in the web interface, played by the control API."""

import json
from typing import Any
from urllib.parse import parse_qsl

import httpx
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import CAPSULE, CLIENTS, FRESHBOOKS, Receiver, control, new_client, new_party
from tests.sandbox.test_capsule_hooks import subscribe
from tests.sandbox.test_freshbooks_callbacks import verified


async def client_of(freshbooks: httpx.AsyncClient, client_id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await freshbooks.get(f"{CLIENTS}/{client_id}")).json()["response"]["result"]["client"]
    return found


async def test_a_user_adds_a_party_and_capsule_tells_of_it(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """S1: the ledger says that it was no call of the API."""
    await subscribe(capsule, "party/created")
    draft = {"type": "person", "firstName": "Ida", "emailAddresses": [{"address": "ida@berg.example"}]}
    party = await control(capsule, "records/party", draft)
    await sandbox.settle()
    assert (party["firstName"], party["owner"]["name"]) == ("Ida", "Ann Bell")
    assert json.loads(receiver.received[0].content)["payload"][0]["id"] == party["id"]
    assert [each["via"] for each in sandbox.ledger.of("capsule", kind="party")] == ["control"]


async def test_a_bookkeeper_adds_changes_and_deletes_a_client_and_freshbooks_tells_of_it(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    await verified(sandbox, freshbooks, receiver)
    with time_machine.travel("2026-03-02T14:00:05Z", tick=False):
        client = await control(freshbooks, "records/client", {"fname": "Nora", "email": "nora@quist.example"})
    await sandbox.settle()
    with time_machine.travel("2026-03-02T15:00:05Z", tick=False):
        edited = await control(freshbooks, "records/client", {"id": client["id"], "fname": "Eleonora"}, "PUT")
    await sandbox.settle()
    gone = await control(freshbooks, f"records/client/{client['id']}", method="DELETE")
    await sandbox.settle()
    assert (client["updated"], edited["updated"]) == ("2026-03-02 09:00:05", "2026-03-02 10:00:05")
    assert (edited["fname"], edited["email"], gone["vis_state"]) == ("Eleonora", "nora@quist.example", 1)
    names = [dict(parse_qsl(each.content.decode()))["name"] for each in receiver.received]
    assert names == ["client.create", "client.update", "client.delete"]


async def test_a_user_s_edit_moves_the_date_and_leaves_the_rest(capsule: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        party = await new_party(capsule, about="pays late")
    with time_machine.travel("2026-03-02T11:00:00Z", tick=False):
        edited = await control(capsule, "records/party", {"id": party["id"], "name": "Acme Group"}, "PUT")
    assert (edited["name"], edited["about"], edited["updatedAt"]) == ("Acme Group", "pays late", "2026-03-02T11:00:00Z")


async def test_a_thousand_records_come_in_one_call(
    sandbox: Sandbox, capsule: httpx.AsyncClient, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    await subscribe(capsule, "party/created")
    parties = [{"type": "organisation", "name": f"Firm {number}"} for number in range(1000)]
    ids = (await control(capsule, "records/party", parties))["ids"]
    await sandbox.settle()
    assert ids == list(range(ids[0], ids[0] + 1000))
    assert len(receiver.received) == 1000
    clients = (await control(freshbooks, "records/client", [{"fname": f"{number}"} for number in range(1000)]))["ids"]
    changes = [{"id": each, "note": "checked"} for each in clients]
    assert (await control(freshbooks, "records/client", changes, "PUT"))["ids"] == clients
    assert {each["note"] for each in sandbox.freshbooks_service.records.all("client")} == {"checked"}


async def test_nobody_is_told_where_silence_was_asked_for(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    for verb in ("created", "updated", "deleted"):
        await subscribe(capsule, f"party/{verb}")
    party = await control(capsule, "records/party?hooks=false", {"type": "organisation", "name": "Quiet Ltd"})
    double = await control(capsule, "records/party?hooks=false", {"type": "organisation", "name": "Quiet Limited"})
    path = f"records/party/{party['id']}"
    await control(capsule, f"{path}?hooks=false", {"about": "hush"})
    await control(capsule, "records/party?hooks=false", {"id": party["id"], "about": "hush"}, "PUT")
    await control(capsule, f"{path}/merge?hooks=false", {"loser": double["id"]})
    await control(capsule, f"{path}?hooks=false", method="DELETE")
    await sandbox.settle()
    assert receiver.received == []
    assert (await capsule.get(f"/parties/{party['id']}")).status_code == 404
    await new_party(capsule)
    await sandbox.settle()
    assert len(receiver.received) == 1


async def test_people_keep_to_the_rules_too_and_a_list_ends_at_the_first_that_does_not(
    capsule: httpx.AsyncClient,
) -> None:
    drafts = [{"type": "organisation", "name": "Acme"}, {"type": "organisation"}, {"type": "organisation", "name": "B"}]
    refused = await capsule.post(f"{CAPSULE}/_sandbox/records/party", json=drafts)
    assert (refused.status_code, refused.json()["done"]) == (422, 1)
    assert refused.json()["errors"][0]["message"] == "name is required"
    assert [each["name"] for each in (await capsule.get("/parties")).json()["parties"]] == ["Acme"]


async def test_what_people_cannot_do_is_refused_with_a_reason(
    capsule: httpx.AsyncClient, freshbooks: httpx.AsyncClient
) -> None:
    client = await new_client(freshbooks, fname="Nora")
    refusals = [
        await capsule.post(f"{CAPSULE}/_sandbox/records/resthook", json={}),
        await capsule.put(f"{CAPSULE}/_sandbox/records/party", json={"id": 1, "about": "x"}),
        await capsule.post(f"{CAPSULE}/_sandbox/records/party", json=[7]),
        await freshbooks.post(f"{FRESHBOOKS}/_sandbox/records/client/{client['id']}/merge", json={}),
        await freshbooks.delete(f"{FRESHBOOKS}/_sandbox/records/client/1"),
    ]
    assert [each.status_code for each in refusals] == [404, 404, 422, 404, 404]
    assert (await control(freshbooks, "info", method="GET"))["counts"] == {"client": 1, "callback": 0}
