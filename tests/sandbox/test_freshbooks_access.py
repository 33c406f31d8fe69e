from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.app import Sandbox
from tests.sandbox.conftest import CALLBACKS, CLIENTS

BACK = "https://us.test/back"
ME = "/auth/api/v1/users/me"


def client_of(sandbox: Sandbox) -> dict[str, str]:
    client: dict[str, str] = sandbox.freshbooks_service.about()["oauth"]
    return client


async def authorize(freshbooks: httpx.AsyncClient, sandbox: Sandbox, **query: str) -> httpx.Response:
    asked = {"response_type": "code", "client_id": client_of(sandbox)["client_id"], "redirect_uri": BACK}
    return await freshbooks.get("/oauth/authorize/", params={**asked, **query})


async def consent(freshbooks: httpx.AsyncClient, sandbox: Sandbox, scope: str) -> dict[str, Any]:
    redirect = await authorize(freshbooks, sandbox, scope=scope, state="s1")
    found = parse_qs(urlsplit(redirect.headers["Location"]).query)
    assert found["state"] == ["s1"]
    form = {"grant_type": "authorization_code", "code": found["code"][0], "redirect_uri": BACK, **client_of(sandbox)}
    response = await freshbooks.post("/auth/oauth/token", data=form)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


async def test_consent_gives_twelve_hours_and_the_scopes_asked_for(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient
) -> None:
    """S11: the whole way of OAuth."""
    tokens = await consent(freshbooks, sandbox, "user:clients:read")
    assert (tokens["expires_in"], tokens["token_type"]) == (43200, "Bearer")
    assert set(tokens["scope"].split()) == {"user:profile:read", "user:clients:read"}
    assert tokens["created_at"] > 1_700_000_000
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await freshbooks.get(CLIENTS, headers=bearer)).status_code == 200
    assert (await freshbooks.post(CLIENTS, headers=bearer, json={"client": {}})).status_code == 403


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_refresh_token_works_once(sandbox: Sandbox, freshbooks: httpx.AsyncClient, *, as_json: bool) -> None:
    """F9: the refresh token is replaced at every refresh, and a lost answer locks the integration out."""
    refresh_token = sandbox.freshbooks_service.about()["tokens"]["refresh"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "redirect_uri": BACK, **client_of(sandbox)}
    body: dict[str, Any] = {"json": form} if as_json else {"data": form}
    first = await freshbooks.post("/auth/oauth/token", **body)
    assert first.json()["refresh_token"] != refresh_token
    replay = await freshbooks.post("/auth/oauth/token", **body)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert replay.json()["error_description"]
    following = await freshbooks.post(
        "/auth/oauth/token", data={**form, "refresh_token": first.json()["refresh_token"]}
    )
    assert following.status_code == 200


async def test_a_code_with_a_challenge_needs_its_verifier(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    """The pair of challenge and verifier is the example of RFC 7636, appendix B."""
    challenge = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    statuses = []
    for verifier in ("guess", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"):
        redirect = await authorize(freshbooks, sandbox, **challenge)
        code = parse_qs(urlsplit(redirect.headers["Location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": verifier}
        statuses.append((await freshbooks.post("/auth/oauth/token", data={**form, **client_of(sandbox)})).status_code)
    assert statuses == [400, 200]


async def test_a_wrong_secret_is_refused(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    form = {"grant_type": "refresh_token", "redirect_uri": BACK, **client_of(sandbox), "client_secret": "wrong"}
    response = await freshbooks.post("/auth/oauth/token", data=form)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_a_refresh_needs_the_address_too(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    refresh_token = sandbox.freshbooks_service.about()["tokens"]["refresh"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **client_of(sandbox)}
    assert (await freshbooks.post("/auth/oauth/token", data=form)).status_code == 400


async def test_the_consent_page_refuses_what_it_does_not_know(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    wrong_scope = await authorize(freshbooks, sandbox, scope="user:profile:write")
    assert "scope is invalid, unknown, or malformed" in wrong_scope.text
    assert (await authorize(freshbooks, sandbox, client_id="nobody")).status_code == 500
    for address in ("http://us.test/back", "https://us.test/back?x=1"):
        assert (await authorize(freshbooks, sandbox, redirect_uri=address)).status_code == 400


async def test_a_revoked_token_is_dead_at_once(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    token = sandbox.freshbooks_service.about()["tokens"]["access"]
    assert (await freshbooks.post("/auth/oauth/revoke", data={"token": token, **client_of(sandbox)})).json() == {}
    assert (await freshbooks.get(ME)).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            CLIENTS,
            {
                "error": "unauthenticated",
                "error_description": "This action requires authentication to continue.",
            },
        ),
        (
            CALLBACKS,
            {
                "errno": 401,
                "message": "invalid_token: The request token failed to authenticate or validate.",
            },
        ),
    ],
)
async def test_each_family_refuses_an_unknown_token_in_its_own_words(
    freshbooks: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    response = await freshbooks.get(path, headers={"Authorization": "Bearer nonsense"})
    assert (response.status_code, response.json()) == (401, body)


async def test_the_identity_names_the_account_unless_it_is_hidden(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient
) -> None:
    me = (await freshbooks.get(ME)).json()["response"]
    assert me["business_memberships"][0]["business"]["account_id"] == "sBx7Qz"
    sandbox.freshbooks_service.settings.change({"null_account_id": True})
    hidden = (await freshbooks.get(ME)).json()["response"]
    assert hidden["business_memberships"][0]["business"]["account_id"] is None
    assert hidden["roles"][0]["accountid"] == "sBx7Qz"
