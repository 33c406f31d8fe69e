"""The businesses that a FreshBooks identity belongs to, for whoever has to pick one."""

from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox
from tests.sandbox.conftest import CALLBACKS, CLIENTS, FRESHBOOKS, Receiver, control, new_client

HARBOUR = {"name": "Harbour Ltd", "role": "admin", "account_id": "hB4rQz"}
GUEST = {"name": "Elsewhere Inc.", "role": "client", "account_id": "eL5eWh"}
BARE = {"name": "No Books Yet", "role": "owner"}
HARBOUR_CLIENTS = "/accounting/account/hB4rQz/users/clients"


@pytest.fixture
async def several(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"businesses": [HARBOUR, GUEST, BARE]})


async def me(freshbooks: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await freshbooks.get("/auth/api/v1/users/me")).json()["response"]
    return found


@pytest.mark.usefixtures("several")
async def test_the_identity_shows_every_business_with_its_role(freshbooks: httpx.AsyncClient) -> None:
    """S11: whoever connects has to say which books are meant."""
    memberships = (await me(freshbooks))["business_memberships"]
    shown = [(each["business"]["name"], each["role"], each["business"]["account_id"]) for each in memberships]
    assert shown == [
        ("Sandbox Studio", "owner", "sBx7Qz"),
        ("Harbour Ltd", "admin", "hB4rQz"),
        ("Elsewhere Inc.", "client", "eL5eWh"),
        ("No Books Yet", "owner", None),
    ]
    assert len({each["id"] for each in memberships}) == len({each["business"]["id"] for each in memberships}) == 4
    assert len({each["business"]["business_uuid"] for each in memberships}) == 4


@pytest.mark.usefixtures("several")
async def test_the_old_roles_name_every_account_even_a_hidden_one(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"null_account_id": True})
    found = await me(freshbooks)
    assert found["business_memberships"][0]["business"]["account_id"] is None
    roles = [(each["role"], each["accountid"]) for each in found["roles"]]
    assert roles == [("admin", "sBx7Qz"), ("admin", "hB4rQz"), ("client", "eL5eWh")]


@pytest.mark.usefixtures("several")
async def test_each_account_has_books_of_its_own(freshbooks: httpx.AsyncClient) -> None:
    ours = await new_client(freshbooks, email="nora@quist.example")
    created = await freshbooks.post(HARBOUR_CLIENTS, json={"client": {"email": "nora@quist.example"}})
    theirs = created.json()["response"]["result"]["client"]
    assert theirs["accounting_systemid"] == "hB4rQz"
    for path, client in ((CLIENTS, ours), (HARBOUR_CLIENTS, theirs)):
        for query in ({}, {"search[email]": "nora@quist.example"}, {"search[email_like]": "quist"}):
            result = (await freshbooks.get(path, params=query)).json()["response"]["result"]
            assert ([each["id"] for each in result["clients"]], result["total"]) == ([client["id"]], 1)
    assert (await freshbooks.get(f"{CLIENTS}/{theirs['id']}")).status_code == 404
    assert (await freshbooks.put(f"{HARBOUR_CLIENTS}/{ours['id']}", json={"client": {}})).status_code == 404


@pytest.mark.usefixtures("several")
async def test_a_guest_reads_and_may_not_write(freshbooks: httpx.AsyncClient) -> None:
    path = "/accounting/account/eL5eWh/users/clients"
    assert (await freshbooks.get(path)).status_code == 200
    refused = await freshbooks.post(path, json={"client": {"fname": "Nora"}})
    assert (refused.status_code, refused.json()["response"]["errors"][0]["message"]) == (403, "Permission Denied")
    assert (await freshbooks.post(CLIENTS, json={"client": {"fname": "Nora"}})).status_code == 200


async def test_the_identity_can_be_a_mere_guest_in_the_sandbox_s_own_books(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"role": "client"})
    assert (await me(freshbooks))["business_memberships"][0]["role"] == "client"
    assert (await freshbooks.post(CLIENTS, json={"client": {"fname": "Nora"}})).status_code == 403


@pytest.mark.usefixtures("several")
async def test_a_callback_hears_of_its_own_account_alone(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    for path in (CALLBACKS, "/events/account/hB4rQz/events/callbacks"):
        body = {"callback": {"event": "client", "uri": f"https://us.test/{path.split('/')[3]}"}}
        number = (await freshbooks.post(path, json=body)).json()["response"]["result"]["callback"]["callbackid"]
        await control(freshbooks, f"records/callback/{number}", {"verified": True})
    await sandbox.settle()
    receiver.received.clear()
    await freshbooks.post(HARBOUR_CLIENTS, json={"client": {"fname": "Nora"}})
    await sandbox.settle()
    (request,) = receiver.received
    assert request.url.path == "/hB4rQz"
    assert b"account_id=hB4rQz&business_id=880002" in request.content


async def test_a_business_without_an_account_leads_nowhere(freshbooks: httpx.AsyncClient) -> None:
    assert (await freshbooks.get(HARBOUR_CLIENTS)).status_code == 404
    wrong = await freshbooks.post(f"{FRESHBOOKS}/_sandbox/settings", json={"businesses": [{"role": "king"}]})
    assert wrong.status_code == 422
