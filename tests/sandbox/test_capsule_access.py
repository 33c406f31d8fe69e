from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from sandbox.app import Sandbox
from tests.sandbox.conftest import CAPSULE, caller

HOOK = {"restHook": {"event": "party/created", "targetUrl": "https://us.test/hook"}}
BACK = "https://us.test/back"


def client_of(sandbox: Sandbox) -> dict[str, str]:
    client: dict[str, str] = sandbox.capsule_service.about()["oauth"]
    return client


async def consent(capsule: httpx.AsyncClient, sandbox: Sandbox, scope: str = "read write") -> dict[str, Any]:
    """Return the tokens that a person's consent leads to."""
    query = {"response_type": "code", "client_id": client_of(sandbox)["client_id"], "redirect_uri": BACK, "state": "s1"}
    redirect = await capsule.get(f"{CAPSULE}/oauth/authorise", params={**query, "scope": scope})
    found = parse_qs(urlsplit(redirect.headers["Location"]).query)
    assert found["state"] == ["s1"]
    form = {"grant_type": "authorization_code", "code": found["code"][0], **client_of(sandbox)}
    tokens: dict[str, Any] = (await capsule.post(f"{CAPSULE}/oauth/token", data=form)).json()
    return tokens


async def test_without_a_token_nobody_gets_in(capsule: httpx.AsyncClient) -> None:
    response = await capsule.get("/parties", headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers


async def test_a_read_only_token_reads_and_does_not_write(sandbox: Sandbox) -> None:
    async with caller(sandbox, "capsule", "read_only") as capsule:
        assert (await capsule.get("/parties")).status_code == 200
        assert (await capsule.post("/parties/filters/results", json={"filter": {"conditions": []}})).status_code == 200
        refused = await capsule.post("/parties", json={"party": {"type": "person", "firstName": "Ida"}})
    assert (refused.status_code, refused.json()) == (403, {"message": "Requires additional scope"})
    assert "WWW-Authenticate" in refused.headers


async def test_consent_gives_a_week_s_token_for_this_account(sandbox: Sandbox, capsule: httpx.AsyncClient) -> None:
    tokens = await consent(capsule, sandbox)
    assert (tokens["expires_in"], tokens["subdomain"], tokens["scope"]) == (604799, "sandbox", "read write")
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await capsule.get("/users/current", headers=bearer)).status_code == 200


async def test_a_refresh_gives_a_new_refresh_token_and_ends_the_old_one(
    sandbox: Sandbox, capsule: httpx.AsyncClient
) -> None:
    tokens = await consent(capsule, sandbox)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **client_of(sandbox)}
    second = await capsule.post(f"{CAPSULE}/oauth/token", data=form)
    assert second.json()["refresh_token"] != tokens["refresh_token"]
    again = await capsule.post(f"{CAPSULE}/oauth/token", data=form)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_a_code_works_once(sandbox: Sandbox, capsule: httpx.AsyncClient) -> None:
    query = {"response_type": "code", "client_id": client_of(sandbox)["client_id"], "redirect_uri": BACK}
    redirect = await capsule.get(f"{CAPSULE}/oauth/authorise", params=query)
    code = parse_qs(urlsplit(redirect.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, **client_of(sandbox)}
    statuses = [(await capsule.post(f"{CAPSULE}/oauth/token", data=form)).status_code for _ in range(2)]
    assert statuses == [200, 400]


async def test_both_revoke_addresses_end_a_token(sandbox: Sandbox, capsule: httpx.AsyncClient) -> None:
    for path in ("/oauth/token/revoke", "/oauth/revoke"):
        token = (await consent(capsule, sandbox))["access_token"]
        assert (await capsule.post(CAPSULE + path, data={"token": token})).status_code == 200
        assert (await capsule.get("/parties", headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_hooks_need_an_application_not_a_personal_token(sandbox: Sandbox, capsule: httpx.AsyncClient) -> None:
    async with caller(sandbox, "capsule", "personal") as personal:
        assert (await personal.post("/resthooks", json=HOOK)).status_code == 403
        assert (await personal.get("/parties")).status_code == 200
    assert (await capsule.post("/resthooks", json=HOOK)).status_code == 201


async def test_the_twenty_first_hook_is_refused(capsule: httpx.AsyncClient) -> None:
    statuses = [(await capsule.post("/resthooks", json=HOOK)).status_code for _ in range(21)]
    assert statuses == [201] * 20 + [422]


async def test_an_event_that_does_not_exist_is_refused(capsule: httpx.AsyncClient) -> None:
    wrong = {"restHook": {"event": "party.created", "targetUrl": "https://us.test/hook"}}
    assert (await capsule.post("/resthooks", json=wrong)).status_code == 422


async def test_a_deleted_hook_is_gone(capsule: httpx.AsyncClient) -> None:
    hook = (await capsule.post("/resthooks", json=HOOK)).json()["restHook"]
    assert (await capsule.delete(f"/resthooks/{hook['id']}")).status_code == 204
    assert (await capsule.get("/resthooks")).json() == {"restHooks": []}
    assert (await capsule.get(f"/resthooks/{hook['id']}")).status_code == 404
