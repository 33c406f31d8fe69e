import json
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox
from tests.sandbox.conftest import Receiver, changed_party, new_party

FASTER = {"clock_rate": 1_000_000}


async def subscribe(capsule: httpx.AsyncClient, event: str, embed: str | None = None) -> int:
    hook = {"event": event, "targetUrl": f"https://us.test/{event}", "embed": embed}
    response = await capsule.post("/resthooks", json={"restHook": hook})
    assert response.status_code == 201, response.text
    number: int = response.json()["restHook"]["id"]
    return number


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(each.content) for each in receiver.received]


async def test_creating_changing_and_deleting_a_party_is_announced(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """S1: news comes by hook, unsigned, with a list of records."""
    for verb in ("created", "updated", "deleted"):
        await subscribe(capsule, f"party/{verb}", embed="tags")
    party = await new_party(capsule, name="Müller GmbH")
    await sandbox.settle()
    await changed_party(capsule, party["id"], about="pays late")
    await sandbox.settle()
    await capsule.delete(f"/parties/{party['id']}")
    await sandbox.settle()
    created, updated, deleted = bodies(receiver)
    assert (created["event"], created["payload"][0]["name"]) == ("party/created", "Müller GmbH")
    assert created["payload"][0]["tags"] == []
    assert "fields" not in created["payload"][0]
    assert (updated["event"], updated["payload"][0]["about"]) == ("party/updated", "pays late")
    assert deleted == {"event": "party/deleted", "payload": [{"id": party["id"]}]}


async def test_a_receiver_that_fails_is_tried_five_times_more_and_then_dropped(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """F12 of the fault plan: an outage of the receiver ends the subscription."""
    sandbox.capsule_service.settings.change(FASTER)
    await subscribe(capsule, "party/created")
    receiver.statuses = [500] * 6
    await new_party(capsule)
    await sandbox.settle()
    assert len(receiver.received) == 6
    assert (await capsule.get("/resthooks")).json() == {"restHooks": []}
    assert sandbox.ledger.entries[-1]["via"] == "control"


async def test_a_receiver_that_recovers_in_time_keeps_its_hook(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    sandbox.capsule_service.settings.change(FASTER)
    await subscribe(capsule, "party/created")
    receiver.statuses = [503] * 5
    await new_party(capsule)
    await sandbox.settle()
    assert len(receiver.received) == 6
    assert len((await capsule.get("/resthooks")).json()["restHooks"]) == 1


async def test_410_unsubscribes_at_once(sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver) -> None:
    await subscribe(capsule, "party/created")
    receiver.statuses = [410]
    await new_party(capsule)
    await sandbox.settle()
    assert len(receiver.received) == 1
    assert (await capsule.get("/resthooks")).json() == {"restHooks": []}


@pytest.mark.parametrize(
    ("knobs", "received"),
    [
        ({"duplicates": 3}, ["A", "A", "A", "B", "B", "B"]),
        ({"drop": 1.0}, []),
        ({"enabled": False}, []),
        ({"reorder": True}, ["B", "A"]),
        ({"delay": [0.01, 0.02]}, ["A", "B"]),
    ],
)
async def test_hooks_come_doubled_late_out_of_order_or_not_at_all_as_the_knobs_say(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver, knobs: dict[str, Any], received: list[str]
) -> None:
    """F6: the same news may come twice, and F13: late."""
    sandbox.capsule_service.settings.change({"hooks": knobs})
    await subscribe(capsule, "party/created")
    await new_party(capsule, name="A")
    await new_party(capsule, name="B")
    await sandbox.settle()
    names = [each["payload"][0]["name"] for each in bodies(receiver)]
    assert (names if "reorder" in knobs else sorted(names)) == received


async def test_the_last_delivery_comes_again_on_demand(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    await subscribe(capsule, "party/created")
    await new_party(capsule)
    await sandbox.settle()
    again = await capsule.post("http://capsule.test/_sandbox/hooks/redeliver", json={"times": 5})
    assert [each["status"] for each in again.json()["deliveries"]] == [200] * 5
    assert len({each.content for each in receiver.received}) == 1
    listed = (await capsule.get("http://capsule.test/_sandbox/hooks/deliveries")).json()["deliveries"]
    assert [each["target"] for each in listed] == ["https://us.test/party/created"] * 6
