import json

import httpx

from sandbox.app import Sandbox
from tests.sandbox.conftest import CAPSULE, FRESHBOOKS, Receiver, new_client, new_party


async def test_the_control_api_says_how_to_get_in_and_what_was_asked(
    capsule: httpx.AsyncClient, freshbooks: httpx.AsyncClient
) -> None:
    party = await new_party(capsule)
    await capsule.get(f"/parties/{party['id']}")
    info = (await capsule.get(f"{CAPSULE}/_sandbox/info")).json()
    assert (info["system"], info["base_url"], info["subdomain"]) == ("capsule", CAPSULE, "sandbox")
    assert set(info["tokens"]) == {"access", "refresh", "personal", "read_only"}
    assert (info["counts"]["party"], info["requests"]) == (1, 2)
    assert info["requests_by_route"] == {"POST /api/v2/parties": 1, "GET /api/v2/parties/{ids}": 1}
    books = (await freshbooks.get(f"{FRESHBOOKS}/_sandbox/info")).json()
    assert (books["account_id"], books["business_id"], books["identity_id"]) == ("sBx7Qz", 880001, 7001)
    assert books["counts"] == {"client": 0, "callback": 0}


async def test_checks_see_every_record_with_its_fields(capsule: httpx.AsyncClient) -> None:
    await new_party(capsule, fields=[{"definition": 731, "value": "GB1"}])
    (party,) = (await capsule.get(f"{CAPSULE}/_sandbox/records/party")).json()["records"]
    assert party["fields"][0]["value"] == "GB1"


async def test_a_record_is_edited_behind_the_api_s_back_and_hooks_tell_of_it(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    hook = {"event": "party/updated", "targetUrl": "https://us.test/hook"}
    await capsule.post("/resthooks", json={"restHook": hook})
    party = await new_party(capsule)
    url = f"{CAPSULE}/_sandbox/records/party/{party['id']}"
    edited = await capsule.post(url, json={"name": "Renamed Ltd", "updatedAt": "2030-01-01T00:00:00Z"})
    await sandbox.settle()
    assert edited.json()["name"] == "Renamed Ltd"
    assert json.loads(receiver.received[0].content)["payload"][0]["name"] == "Renamed Ltd"
    assert sandbox.ledger.entries[-1]["via"] == "control"
    assert (await capsule.post(f"{CAPSULE}/_sandbox/records/party/1", json={})).status_code == 404


async def test_a_reset_returns_both_systems_to_their_seed(
    sandbox: Sandbox, capsule: httpx.AsyncClient, freshbooks: httpx.AsyncClient
) -> None:
    party = await new_party(capsule)
    await new_client(freshbooks, fname="Nora")
    await capsule.post(f"{CAPSULE}/_sandbox/faults", json={"fault": "status"})
    await capsule.post(f"{CAPSULE}/_sandbox/settings", json={"search_lag": 5})
    await freshbooks.post(f"{FRESHBOOKS}/_sandbox/reset")
    assert sandbox.ledger.entries == []
    assert (await capsule.get(f"{CAPSULE}/_sandbox/faults")).json() == {"rules": []}
    assert (await capsule.get(f"{CAPSULE}/_sandbox/settings")).json()["search_lag"] == 0
    assert (await capsule.get("/parties")).json() == {"parties": []}
    assert sandbox.freshbooks_service.records.all("client") == []
    assert (await new_party(capsule))["id"] == party["id"]


async def test_a_setting_that_does_not_exist_changes_nothing(capsule: httpx.AsyncClient) -> None:
    wrong = {"search_lag": 5, "hooks": {"speed": 1}}
    assert (await capsule.post(f"{CAPSULE}/_sandbox/settings", json=wrong)).status_code == 422
    assert (await capsule.get(f"{CAPSULE}/_sandbox/settings")).json()["search_lag"] == 0


async def test_a_knob_of_the_hooks_leaves_the_others_alone(capsule: httpx.AsyncClient) -> None:
    await capsule.post(f"{CAPSULE}/_sandbox/settings", json={"hooks": {"duplicates": 2}})
    changed = await capsule.post(f"{CAPSULE}/_sandbox/settings", json={"hooks": {"drop": 0.5}})
    assert (changed.json()["hooks"]["duplicates"], changed.json()["hooks"]["drop"]) == (2, 0.5)
