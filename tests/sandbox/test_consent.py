"""Consent at both systems, as a browser would walk through it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine

from sandbox.app import Sandbox
from sandbox.service import Service
from tests.sandbox.conftest import CAPSULE, CLIENTS, FRESHBOOKS, control

BACK = "https://us.test/back"
CHALLENGE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""The pair of challenge and verifier is the example of RFC 7636, appendix B."""


@dataclass
class Way:
    """Where one system gives consent and tokens, and a read scope and a write scope of it."""

    http: httpx.AsyncClient
    service: Service
    page: str
    tokens: str
    something: str
    scopes: tuple[str, str]

    async def consent(self, **query: str) -> dict[str, str]:
        """Return what the redirect from the consent page carries."""
        client_id = self.service.about()["oauth"]["client_id"]
        asked = {"response_type": "code", "client_id": client_id, "redirect_uri": BACK, "state": "s1"}
        redirect = await self.http.get(self.page, params={**asked, **query})
        assert redirect.status_code == 302, redirect.text
        return {key: values[0] for key, values in parse_qs(urlsplit(redirect.headers["Location"]).query).items()}

    async def ask(self, **form: str) -> httpx.Response:
        """Call for tokens."""
        return await self.http.post(
            self.tokens, data={"redirect_uri": BACK, **form, **self.service.about()["oauth"]}, timeout=5
        )

    async def connect(self, **query: str) -> dict[str, Any]:
        """Return the tokens that consent leads to."""
        code = (await self.consent(**query))["code"]
        response = await self.ask(grant_type="authorization_code", code=code)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def refresh(self, tokens: dict[str, Any]) -> httpx.Response:
        """Use a refresh token."""
        return await self.ask(grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    async def works(self, tokens: dict[str, Any]) -> bool:
        """Return whether an access token opens the door."""
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        return (await self.http.get(self.something, headers=bearer)).status_code == 200


@pytest.fixture(params=["capsule", "freshbooks"])
def way(request: pytest.FixtureRequest, sandbox: Sandbox) -> Way:
    http: httpx.AsyncClient
    if request.param == "capsule":
        http = request.getfixturevalue("capsule")
        page, tokens = f"{CAPSULE}/oauth/authorise", f"{CAPSULE}/oauth/token"
        return Way(http, sandbox.capsule_service, page, tokens, "/parties", ("read", "write"))
    http = request.getfixturevalue("freshbooks")
    page, tokens = f"{FRESHBOOKS}/oauth/authorize", f"{FRESHBOOKS}/auth/oauth/token"
    scopes = ("user:clients:read", "user:clients:write")
    return Way(http, sandbox.freshbooks_service, page, tokens, CLIENTS, scopes)


async def test_whoever_says_no_sends_us_back_without_a_code(way: Way) -> None:
    """S11."""
    await control(way.http, "settings", {"oauth": {"deny": True}})
    assert await way.consent() == {"error": "access_denied", "state": "s1"}
    await control(way.http, "settings", {"oauth": {"deny": False}})
    assert set(await way.consent()) == {"code", "state"}


async def test_a_person_may_grant_less_than_was_asked_for(way: Way) -> None:
    reading, writing = way.scopes
    await control(way.http, "settings", {"oauth": {"scopes": [reading]}})
    tokens = await way.connect(scope=f"{reading} {writing}")
    assert reading in tokens["scope"].split()
    assert writing not in tokens["scope"].split()
    assert await way.works(tokens)


async def test_a_code_that_was_asked_for_with_a_challenge_needs_its_verifier(way: Way) -> None:
    statuses = []
    for verifier in ({}, {"code_verifier": "guess"}, {"code_verifier": VERIFIER}):
        code = (await way.consent(**CHALLENGE))["code"]
        statuses.append((await way.ask(grant_type="authorization_code", code=code, **verifier)).status_code)
    assert statuses == [400, 400, 200]


async def test_an_access_token_lives_as_long_as_it_is_told_to(way: Way) -> None:
    await control(way.http, "settings", {"oauth": {"access_life": 30}})
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False) as traveller:
        tokens = await way.connect()
        assert tokens["expires_in"] == 30
        traveller.shift(29)
        assert await way.works(tokens)
        traveller.shift(2)
        assert not await way.works(tokens)
        fresh = (await way.refresh(tokens)).json()
        assert await way.works(fresh)


async def test_all_access_tokens_can_end_at_once_and_be_refreshed(way: Way) -> None:
    tokens = await way.connect()
    assert (await control(way.http, "tokens/expire"))["expired"] == 2  # the seed's and ours
    assert not await way.works(tokens)
    assert await way.works((await way.refresh(tokens)).json())


async def test_a_removed_application_has_no_token_that_works_any_more(way: Way) -> None:
    """The person who removes it ends what came of every consent; personal tokens are another matter."""
    old = await way.connect()
    new = (await way.refresh(old)).json()
    assert (await control(way.http, "tokens/revoke"))["revoked"] == 3
    assert [await way.works(each) for each in (old, new)] == [False, False]
    refused = await way.refresh(new)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert await way.works(await way.connect())


async def test_one_connection_can_be_removed_and_the_other_lives(way: Way) -> None:
    first, second = await way.connect(), await way.connect()
    renewed = (await way.refresh(first)).json()
    assert (await control(way.http, "tokens/revoke", {"token": first["access_token"]}))["revoked"] == 2
    assert [await way.works(each) for each in (first, renewed, second)] == [False, False, True]
    unknown = await way.http.post(f"{way.page.split('/oauth')[0]}/_sandbox/tokens/revoke", json={"token": "nonsense"})
    assert unknown.status_code == 404
