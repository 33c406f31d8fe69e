"""Hooks that come several times, from strangers, or no longer."""

import asyncio
import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox
from sandbox.freshbooks.events import signature
from tests.sandbox.conftest import CALLBACKS, CAPSULE, FRESHBOOKS, Receiver, caller, control, new_client, new_party
from tests.sandbox.test_capsule_hooks import bodies, subscribe
from tests.sandbox.test_freshbooks_callbacks import change, forms, verified

SIGNATURE = "X-FreshBooks-Hmac-SHA256"


async def test_each_delivery_draws_how_often_it_comes(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """F6."""
    await control(capsule, "settings", {"hooks": {"duplicates": [1, 5]}})
    await subscribe(capsule, "party/created")
    for number in range(40):
        await new_party(capsule, name=f"{number}")
    await sandbox.settle()
    copies = Counter(each["payload"][0]["name"] for each in bodies(receiver))
    assert len(copies) == 40
    assert set(copies.values()) == {1, 2, 3, 4, 5}


async def test_hooks_with_different_delays_come_in_any_order(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """F14."""
    await control(capsule, "settings", {"hooks": {"delay": [0, 0.2]}})
    await subscribe(capsule, "party/created")
    for number in range(20):
        await new_party(capsule, name=f"{number:02}")
    await sandbox.settle()
    names = [each["payload"][0]["name"] for each in bodies(receiver)]
    assert names != sorted(names)
    assert len(set(names)) == 20


async def test_some_hooks_are_lost_and_the_same_ones_at_every_run() -> None:
    async def lost() -> list[str]:
        built = build_sandbox(seed=7, hook_transport=Receiver())
        async with caller(built, "capsule") as capsule:
            await control(capsule, "settings", {"hooks": {"drop": 0.3}})
            await subscribe(capsule, "party/created")
            for number in range(30):
                await new_party(capsule, name=f"{number}")
            await built.settle()
            told = (await control(capsule, "hooks/deliveries", method="GET"))["deliveries"]
        await built.close()
        return [json.loads(each["body"])["payload"][0]["name"] for each in told if each["dropped"]]

    first = await lost()
    assert first == await lost()
    assert 3 <= len(first) <= 15


@pytest.mark.parametrize("wrong", [{"duplicates": [3, 1]}, {"duplicates": 0}, {"delay": [2, 1]}, {"drop": 2}])
async def test_a_knob_that_makes_no_sense_is_refused(capsule: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await capsule.post(f"{CAPSULE}/_sandbox/settings", json={"hooks": wrong})).status_code == 422


async def test_a_stranger_signs_with_a_key_that_freshbooks_never_gave_out(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    callback = await verified(sandbox, freshbooks, receiver)
    (delivery,) = (await control(freshbooks, "hooks/forge", {"event": "client.update", "id": 330_101}))["deliveries"]
    (form,) = forms(receiver)
    assert (form["name"], form["object_id"], form["account_id"]) == ("client.update", "330101", "sBx7Qz")
    assert receiver.received[0].headers[SIGNATURE] not in {"", signature(callback["verifier"], form)}
    assert (delivery["forged"], delivery["status"], delivery["attempts"]) == (True, 200, 1)
    assert str(receiver.received[0].url) == "https://us.test/freshbooks"


async def test_a_stranger_may_sign_nothing_or_offer_a_verifier_of_its_own(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    callback = await verified(sandbox, freshbooks, receiver)
    await control(freshbooks, "hooks/forge", {"event": "client.delete", "key": None})
    lie = {"event": "callback.verify", "id": callback["callbackid"], "fields": {"verifier": "mine"}, "key": "mine"}
    await control(freshbooks, "hooks/forge", {**lie, "target": callback["uri"]})
    assert SIGNATURE not in receiver.received[0].headers
    offered = dict(parse_qsl(receiver.received[1].content.decode()))
    assert (offered["name"], offered["verifier"]) == ("callback.verify", "mine")
    assert receiver.received[1].headers[SIGNATURE] == signature("mine", offered)


async def test_a_stranger_who_knows_the_address_speaks_as_capsule_does(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    await subscribe(capsule, "party/updated")
    await control(capsule, "hooks/forge", {"event": "party/updated", "id": 7})
    guessed = {"event": "party/deleted", "id": 7, "target": "https://us.test/guess", "fields": {"name": "Lie Ltd"}}
    await control(capsule, "hooks/forge", guessed)
    assert bodies(receiver) == [
        {"event": "party/updated", "payload": [{"id": 7}]},
        {"event": "party/deleted", "payload": [{"id": 7, "name": "Lie Ltd"}]},
    ]
    assert [each.url.path for each in receiver.received] == ["/party/updated", "/guess"]
    assert sandbox.capsule_service.records.all("party") == []


async def test_a_forged_hook_is_not_what_comes_again_on_demand(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    await subscribe(capsule, "party/created")
    party = await new_party(capsule)
    await sandbox.settle()
    await control(capsule, "hooks/forge", {"event": "party/created", "id": 7})
    await control(capsule, "hooks/redeliver", {"times": 1})
    assert [each["payload"][0]["id"] for each in bodies(receiver)] == [party["id"], 7, party["id"]]


async def test_a_hook_of_capsule_can_be_dropped_at_once(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """A receiver that was away for 37 minutes finds its subscriptions gone."""
    hook_id = await subscribe(capsule, "party/created")
    await control(capsule, f"hooks/{hook_id}/disable")
    await new_party(capsule)
    await sandbox.settle()
    assert receiver.received == []
    assert (await capsule.get("/resthooks")).json() == {"restHooks": []}
    assert (await capsule.post(f"{CAPSULE}/_sandbox/hooks/{hook_id}/disable")).status_code == 404


async def test_a_callback_of_freshbooks_can_be_disabled_and_comes_back_with_a_handshake(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    callback = await verified(sandbox, freshbooks, receiver)
    await control(freshbooks, f"hooks/{callback['callbackid']}/disable")
    shown = await freshbooks.get(f"{CALLBACKS}/{callback['callbackid']}")
    assert shown.json()["response"]["result"]["callback"]["verified"] is False
    await new_client(freshbooks, fname="Nora")
    await sandbox.settle()
    assert receiver.received == []
    await change(freshbooks, callback, resend=True)
    await sandbox.settle()
    await change(freshbooks, callback, verifier=forms(receiver)[-1]["verifier"])
    await new_client(freshbooks, fname="Ada")
    await sandbox.settle()
    assert [each["name"] for each in forms(receiver)] == ["callback.verify", "client.create"]


class BusyReceiver(Receiver):
    """Takes a moment for each hook, and notes how many it has before it at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.present = self.most = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.present += 1
        self.most = max(self.most, self.present)
        await asyncio.sleep(0.01)
        self.present -= 1
        return await super().handle_async_request(request)


async def test_of_a_burst_of_hooks_each_waits_its_turn_and_arrives_at_the_first_attempt() -> None:
    """Nobody's ten seconds run while it waits: else a bulk import would end the subscription."""
    receiver = BusyReceiver()
    built = build_sandbox(hook_transport=receiver)
    async with caller(built, "capsule") as capsule:
        await subscribe(capsule, "party/created")
        firms = [{"type": "organisation", "name": f"Firm {number}"} for number in range(1000)]
        await control(capsule, "records/party", firms)
        await built.settle()
        told = (await control(capsule, "hooks/deliveries", method="GET"))["deliveries"]
    await built.close()
    assert len(receiver.received) == 1000
    assert {(each["attempts"], each["status"]) for each in told} == {(1, 200)}
    assert 10 < receiver.most <= 100


async def test_a_forgery_without_an_event_is_refused(freshbooks: httpx.AsyncClient) -> None:
    assert (await freshbooks.post(f"{FRESHBOOKS}/_sandbox/hooks/forge", json={"id": 7})).status_code == 422
