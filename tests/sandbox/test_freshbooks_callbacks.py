from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from sandbox.app import Sandbox
from sandbox.freshbooks.events import signature
from tests.sandbox.conftest import CALLBACKS, CLIENTS, Receiver, caller, new_client

FASTER = {"clock_rate": 1_000_000}
URI = "https://us.test/freshbooks"


async def register(freshbooks: httpx.AsyncClient, event: str = "client") -> dict[str, Any]:
    response = await freshbooks.post(CALLBACKS, json={"callback": {"event": event, "uri": URI}})
    assert response.status_code == 200, response.text
    callback: dict[str, Any] = response.json()["response"]["result"]["callback"]
    return callback


async def change(freshbooks: httpx.AsyncClient, callback: dict[str, Any], **fields: Any) -> httpx.Response:
    return await freshbooks.put(f"{CALLBACKS}/{callback['callbackid']}", json={"callback": fields})


async def verified(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver, event: str = "client"
) -> dict[str, Any]:
    """Register a callback, give its verifier back, and forget the handshake."""
    callback = await register(freshbooks, event)
    await sandbox.settle()
    verifier = forms(receiver)[-1]["verifier"]
    response = await change(freshbooks, callback, verifier=verifier)
    assert response.json()["response"]["result"]["callback"]["verified"] is True
    receiver.received.clear()
    return {**callback, "verifier": verifier}


def forms(receiver: Receiver) -> list[dict[str, str]]:
    return [dict(parse_qsl(each.content.decode(), keep_blank_values=True)) for each in receiver.received]


def test_the_published_recipe_gives_the_known_signature() -> None:
    """The vector was computed by hand after the published recipe, with other code than ours."""
    body = "name=client.update&object_id=177864&account_id=FrEsHb&business_id=439000&identity_id=12345&user_id=1"
    known = "//f4z9HhXNfu5XX1C25sfAdgcaX+Xl6AbZ57T2mJR48="
    assert signature("testVerifier123", dict(parse_qsl(body))) == known


async def test_a_new_callback_is_greeted_with_its_verifier(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    callback = await register(freshbooks)
    await sandbox.settle()
    (form,) = forms(receiver)
    assert list(form) == ["name", "object_id", "account_id", "verifier"]
    assert (form["name"], form["object_id"]) == ("callback.verify", str(callback["callbackid"]))
    assert callback["verified"] is False
    assert "verifier" not in callback


async def test_an_unverified_callback_hears_nothing(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    await register(freshbooks)
    await new_client(freshbooks, fname="Nora")
    await sandbox.settle()
    assert [each["name"] for each in forms(receiver)] == ["callback.verify"]


async def test_a_wrong_verifier_does_not_verify(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    callback = await register(freshbooks)
    response = await change(freshbooks, callback, verifier="guess")
    assert (response.status_code, response.json()["errno"]) == (400, 422)
    found = await freshbooks.get(f"{CALLBACKS}/{callback['callbackid']}")
    assert found.json()["response"]["result"]["callback"]["verified"] is False


async def test_every_change_of_a_client_is_announced_signed_and_without_its_data(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    """Z28: our own writes come back as events too."""
    callback = await verified(sandbox, freshbooks, receiver)
    client = await new_client(freshbooks, fname="Nora")
    await sandbox.settle()
    for fields in ({"fname": "Eleonora"}, {"vis_state": 2}, {"vis_state": 1}, {"vis_state": 0}):
        await freshbooks.put(f"{CLIENTS}/{client['id']}", json={"client": fields})
        await sandbox.settle()
    names = [each["name"] for each in forms(receiver)]
    assert names == ["client.create", "client.update", "client.update", "client.delete", "client.update"]
    for request, form in zip(receiver.received, forms(receiver), strict=True):
        assert request.headers["X-FreshBooks-Hmac-SHA256"] == signature(callback["verifier"], form)
        assert list(form) == ["name", "object_id", "account_id", "business_id", "identity_id", "user_id"]
        assert form["object_id"] == str(client["id"])


async def test_a_verb_hears_only_of_itself(sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver) -> None:
    await verified(sandbox, freshbooks, receiver, "client.update")
    client = await new_client(freshbooks, fname="Nora")
    await freshbooks.put(f"{CLIENTS}/{client['id']}", json={"client": {"fname": "Eleonora"}})
    await sandbox.settle()
    assert [each["name"] for each in forms(receiver)] == ["client.update"]


async def test_unsigned_hooks_can_be_asked_for(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    await verified(sandbox, freshbooks, receiver)
    sandbox.freshbooks_service.settings.change({"hooks": {"signed": False}})
    await new_client(freshbooks, fname="Nora")
    await sandbox.settle()
    assert "X-FreshBooks-Hmac-SHA256" not in receiver.received[0].headers


async def test_a_handshake_is_sent_again_on_demand(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    callback = await register(freshbooks)
    await sandbox.settle()
    assert (await change(freshbooks, callback, resend=True)).status_code == 200
    await sandbox.settle()
    first, second = forms(receiver)
    assert first == second


async def test_another_address_has_to_be_verified_anew(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    callback = await verified(sandbox, freshbooks, receiver)
    moved = await change(freshbooks, callback, uri="https://us.test/elsewhere")
    await sandbox.settle()
    assert moved.json()["response"]["result"]["callback"]["verified"] is False
    assert [str(each.url) for each in receiver.received] == ["https://us.test/elsewhere"]


async def test_a_refused_delivery_is_tried_again(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    await verified(sandbox, freshbooks, receiver)
    sandbox.freshbooks_service.settings.change(FASTER)
    receiver.statuses = [302, 500]
    await new_client(freshbooks, fname="Nora")
    await sandbox.settle()
    assert [each["name"] for each in forms(receiver)] == ["client.create"] * 3


async def test_a_callback_that_always_fails_is_disabled(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    callback = await verified(sandbox, freshbooks, receiver)
    sandbox.freshbooks_service.settings.change(FASTER)
    receiver.statuses = [500] * 15
    for name in "abc":
        await new_client(freshbooks, fname=name)
    await sandbox.settle()
    await new_client(freshbooks, fname="d")
    await sandbox.settle()
    assert len(receiver.received) == 15
    found = await freshbooks.get(f"{CALLBACKS}/{callback['callbackid']}")
    assert found.json()["response"]["result"]["callback"]["verified"] is False


async def test_a_callback_is_found_by_its_event_and_goes_with_204(freshbooks: httpx.AsyncClient) -> None:
    noun, _ = await register(freshbooks, "client"), await register(freshbooks, "invoice.create")
    listed = await freshbooks.get(CALLBACKS, params={"search[event]": "client.update"})
    assert listed.headers["Content-Type"] == "application/vnd.api+json"
    assert [each["callbackid"] for each in listed.json()["response"]["result"]["callbacks"]] == [noun["callbackid"]]
    assert (await freshbooks.delete(f"{CALLBACKS}/{noun['callbackid']}")).status_code == 204
    gone = await freshbooks.get(f"{CALLBACKS}/{noun['callbackid']}")
    assert (gone.status_code, gone.json()["errno"]) == (404, 404)


@pytest.mark.parametrize("event", ["client.closed", "client.sendByEmail", "party", ""])
async def test_an_event_or_address_that_makes_no_sense_is_a_400_that_says_422(
    freshbooks: httpx.AsyncClient, event: str
) -> None:
    response = await freshbooks.post(CALLBACKS, json={"callback": {"event": event, "uri": "/hook"}})
    assert (response.status_code, response.json()["errno"]) == (400, 422)
    assert response.json()["details"] == [
        "event: Value error, Unrecognized event.",
        "uri: Input should be a valid URL, relative URL without a base",
    ]


async def test_callbacks_too_may_be_refused_in_the_style_of_grpc(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient
) -> None:
    sandbox.freshbooks_service.settings.change({"grpc_errors": True})
    refused = await freshbooks.post(CALLBACKS, json={"callback": {"event": "party", "uri": URI}})
    (violations,) = refused.json()["details"]
    assert violations["fieldViolations"] == [{"field": "event", "description": "Unrecognized event."}]
    assert (await freshbooks.get(f"{CALLBACKS}/1")).json()["code"] == 5


async def test_who_may_not_read_may_not_listen(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    tokens = sandbox.freshbooks_service.tokens
    poor = tokens.issue("user:profile:read", client_id="app", user_id=7001, role="owner")
    bearer = {"Authorization": f"Bearer {poor['access_token']}"}
    async with caller(sandbox, "freshbooks") as client:
        body = {"callback": {"event": "client", "uri": URI}}
        assert (await client.post(CALLBACKS, headers=bearer, json=body)).status_code == 403
