"""Zoho CRM's stand-in in this process: a client that calls it with a token, and short ways to what tests do most."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox

HOST = "http://zoho.test"
API = f"{HOST}/crm/v8"
HOOK = "https://us.test/zoho"
SYNC_USER, PERSON = "4876876000000225001", "4876876000000225002"


@pytest.fixture
async def zoho(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(sandbox) as client:
        yield client


def caller(sandbox: Sandbox, token: str = "access") -> httpx.AsyncClient:
    """Return a client with one of the seeded tokens, at the root of the API."""
    return with_token(sandbox, sandbox.zoho_crm_service.about()["tokens"][token])


def with_token(sandbox: Sandbox, token: str) -> httpx.AsyncClient:
    """Return a client with a token."""
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.zoho_crm), base_url=API, headers=headers)


async def told(zoho: httpx.AsyncClient, path: str, body: Any = None, method: str = "POST") -> Any:
    """Ask the control API, and return the JSON of its answer."""
    response = await zoho.request(method, f"{HOST}/_sandbox/{path}", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def insert(zoho: httpx.AsyncClient, module: str, *drafts: dict[str, Any], **more: Any) -> list[str]:
    """Insert records and return their ids; all must be taken."""
    response = await zoho.post(f"/{module}", json={"data": list(drafts), **more})
    assert response.status_code == 201, response.text
    return [each["details"]["id"] for each in response.json()["data"]]


async def contact(zoho: httpx.AsyncClient, last_name: str = "Okafor", **fields: Any) -> str:
    """Insert a contact and return its id."""
    return (await insert(zoho, "Contacts", {"Last_Name": last_name, **fields}))[0]


async def account(zoho: httpx.AsyncClient, name: str = "Okafor Ltd", **fields: Any) -> str:
    """Insert an account and return its id."""
    return (await insert(zoho, "Accounts", {"Account_Name": name, **fields}))[0]


async def got(zoho: httpx.AsyncClient, module: str, record_id: str) -> dict[str, Any]:
    """Return a record that is there, in full."""
    response = await zoho.get(f"/{module}/{record_id}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["data"][0]
    return found


async def make_unique_field(zoho: httpx.AsyncClient, module: str = "Contacts", label: str = "FreshBooks ID") -> None:
    """Make the field that carries another system's id, whose values are unique."""
    draft = {"field_label": label, "data_type": "text", "length": 60, "unique": {"casesensitive": False}}
    response = await zoho.post("/settings/fields", params={"module": module}, json={"fields": [draft]})
    assert response.status_code == 201, response.text


async def watch(zoho: httpx.AsyncClient, *events: str, **more: Any) -> httpx.Response:
    """Subscribe channel 1000 to events."""
    channel = {"channel_id": "1000", "notify_url": HOOK, "token": "s3cret", "events": list(events), **more}
    return await zoho.post("/actions/watch", json={"watch": [channel]})
