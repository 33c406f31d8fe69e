"""The sandbox in this process: two ASGI apps, clients that call them with a token, and a receiver of hooks."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox

CAPSULE, FRESHBOOKS = "http://capsule.test", "http://freshbooks.test"


class Receiver(httpx.AsyncBaseTransport):
    """Receives every hook, and answers with the statuses it is given, then with 200."""

    def __init__(self) -> None:
        self.received: list[httpx.Request] = []
        self.statuses: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.received.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def sandbox(receiver: Receiver) -> AsyncIterator[Sandbox]:
    built = build_sandbox(hook_transport=receiver)
    yield built
    await built.close()


@pytest.fixture
async def capsule(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(sandbox, "capsule") as client:
        yield client


@pytest.fixture
async def freshbooks(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(sandbox, "freshbooks") as client:
        yield client


def caller(sandbox: Sandbox, system: str, token: str = "access") -> httpx.AsyncClient:
    """Return a client with one of the seeded tokens, at the root of the API's usual paths."""
    service = sandbox.capsule_service if system == "capsule" else sandbox.freshbooks_service
    about = service.about()
    app = sandbox.capsule if system == "capsule" else sandbox.freshbooks
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=f"{CAPSULE}/api/v2" if system == "capsule" else FRESHBOOKS,
        headers={"Authorization": f"Bearer {about['tokens'][token]}"},
    )


async def new_party(capsule: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Create a party (an organisation called Acme Ltd, unless told otherwise) and return it with tags and fields."""
    draft = {"type": "organisation", "name": "Acme Ltd", **fields}
    response = await capsule.post("/parties", params={"embed": "tags,fields"}, json={"party": draft})
    assert response.status_code == 201, response.text
    party: dict[str, Any] = response.json()["party"]
    return party


async def changed_party(capsule: httpx.AsyncClient, party_id: int, **fields: Any) -> dict[str, Any]:
    """Change a party and return it with tags and fields."""
    response = await capsule.put(f"/parties/{party_id}", params={"embed": "tags,fields"}, json={"party": fields})
    assert response.status_code == 200, response.text
    party: dict[str, Any] = response.json()["party"]
    return party


CLIENTS = "/accounting/account/sBx7Qz/users/clients"
CALLBACKS = "/events/account/sBx7Qz/events/callbacks"


async def new_client(freshbooks: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Create a FreshBooks client and return it."""
    response = await freshbooks.post(CLIENTS, json={"client": fields})
    assert response.status_code == 200, response.text
    client: dict[str, Any] = response.json()["response"]["result"]["client"]
    return client


async def control(client: httpx.AsyncClient, path: str, body: Any = None, method: str = "POST") -> Any:
    """Ask the control API of the system that a client calls, and return the JSON of its answer."""
    base = CAPSULE if client.base_url.host == "capsule.test" else FRESHBOOKS
    response = await client.request(method, f"{base}/_sandbox/{path}", json=body)
    assert response.status_code == 200, response.text
    return response.json()
