"""Consent, tokens and their loss."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from pydantic import SecretStr

from connectors import capsule, freshbooks
from connectors.errors import ConnectorError, ConsentLost, RateLimited, Refused, Unavailable, UnknownOutcome
from connectors.http import http_client
from connectors.oauth import Application, OAuth, Provider
from tests.connectors.answering import Script, Step

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
APPLICATION = Application("ledgerline", SecretStr("s3cr3t"), "https://books.acme.test/callback")
CODE, VERIFIER, OLD = SecretStr("code-1"), SecretStr("v" * 48), SecretStr("rt_1")
GRANTED: dict[str, Any] = {
    "access_token": "at_2",
    "token_type": "Bearer",
    "expires_in": 43200,
    "refresh_token": "rt_2",
    "scope": "user:clients:read",
    "created_at": 1772452800,
    "direct_buy_tokens": {},
}
both = pytest.mark.parametrize(
    "provider", [capsule.PROVIDER, freshbooks.PROVIDER], ids=lambda provider: provider.system
)


def oauth(provider: Provider, *steps: Step) -> tuple[OAuth, Script]:
    script = Script(*steps)
    return OAuth(http_client(httpx.MockTransport(script.handle)), provider, APPLICATION), script


def form(script: Script) -> dict[str, str]:
    assert script.sent[-1].headers["Content-Type"] == "application/x-www-form-urlencoded"
    return {key: value[0] for key, value in parse_qs(script.sent[-1].content.decode()).items()}


@both
def test_a_person_is_sent_to_the_consent_page_with_a_fresh_state_and_pkce(provider: Provider) -> None:
    """Z27, Z130: the scopes asked for are the scopes given."""
    api, _ = oauth(provider)
    first, second = api.authorization(["read", "write"]), api.authorization(["read", "write"])
    assert first.url.startswith(provider.authorize_url + "?")
    query = {key: value[0] for key, value in parse_qs(urlsplit(first.url).query).items()}
    assert query == {
        "response_type": "code",
        "client_id": "ledgerline",
        "redirect_uri": "https://books.acme.test/callback",
        "scope": "read write",
        "state": first.state.get_secret_value(),
        "code_challenge": create_s256_code_challenge(first.code_verifier.get_secret_value()),
        "code_challenge_method": "S256",
    }
    assert first.state.get_secret_value() != second.state.get_secret_value()
    assert first.code_verifier.get_secret_value() != second.code_verifier.get_secret_value()
    assert first.state.get_secret_value() not in repr(first)


@both
async def test_a_code_is_exchanged_for_tokens(provider: Provider) -> None:
    """S11, Z27."""
    api, script = oauth(provider, httpx.Response(200, json=GRANTED))
    tokens = await api.exchange(CODE, VERIFIER)
    assert str(script.sent[0].url) == provider.tokens_url
    assert form(script) == {
        "grant_type": "authorization_code",
        "client_id": "ledgerline",
        "client_secret": "s3cr3t",
        "redirect_uri": "https://books.acme.test/callback",
        "code": "code-1",
        "code_verifier": "v" * 48,
    }
    assert (tokens.access.get_secret_value(), tokens.scope) == ("at_2", "user:clients:read")
    assert "at_2" not in repr(tokens)
    assert "rt_2" not in repr(tokens)


async def test_a_refresh_brings_the_next_refresh_token() -> None:
    """F9, Z113: FreshBooks wants the redirect address again."""
    api, script = oauth(freshbooks.PROVIDER, httpx.Response(200, json=GRANTED))
    tokens = await api.refresh(OLD)
    assert form(script) == {
        "grant_type": "refresh_token",
        "client_id": "ledgerline",
        "client_secret": "s3cr3t",
        "redirect_uri": "https://books.acme.test/callback",
        "refresh_token": "rt_1",
    }
    assert tokens.refresh == SecretStr("rt_2")


async def test_a_refresh_token_that_is_not_replaced_stays_in_use() -> None:
    """Capsule may rotate it or not."""
    api, script = oauth(capsule.PROVIDER, httpx.Response(200, json={"access_token": "at_2", "expires_in": 604799}))
    assert (await api.refresh(OLD)).refresh == OLD
    assert "redirect_uri" not in form(script)


@pytest.mark.parametrize(
    ("said", "life"),
    [
        ({"expires_in": 604799}, timedelta(seconds=604799)),
        ({"expires_in": "3600"}, timedelta(hours=1)),
        ({"expires_in": 43200, "created_at": 1772452800 - 3600}, timedelta(hours=11)),  # issued an hour ago
        ({"expires_in": 43200, "created_at": 1772452800 + 600}, timedelta(hours=12)),  # their clock is ahead
        ({}, timedelta(hours=1)),
    ],
)
async def test_a_token_is_taken_to_expire_rather_too_early_than_too_late(said: dict[str, Any], life: timedelta) -> None:
    """S11, Z113."""
    api, _ = oauth(freshbooks.PROVIDER, httpx.Response(200, json={"access_token": "at_2", **said}))
    with time_machine.travel(NOON, tick=False):
        assert (await api.refresh(OLD)).expires_at == NOON + life


async def test_a_wrong_clock_of_ours_does_not_shorten_a_tokens_life() -> None:
    """S11: how old a token is says the system's own clock, here an hour behind ours."""
    there = {"Date": "Mon, 02 Mar 2026 11:00:00 GMT"}
    body = {"access_token": "at_2", "expires_in": 43200, "created_at": 1772452800 - 3600}
    api, _ = oauth(freshbooks.PROVIDER, httpx.Response(200, json=body, headers=there))
    with time_machine.travel(NOON, tick=False):
        assert (await api.refresh(OLD)).expires_at == NOON + timedelta(hours=12)


async def test_a_token_that_claims_to_be_older_than_its_life_is_used_for_a_while() -> None:
    """FreshBooks was seen to answer with the time of the first consent: believing it would renew with every request."""
    body = {"access_token": "at_2", "expires_in": 43200, "created_at": 1772452800 - 50_000}
    api, _ = oauth(freshbooks.PROVIDER, httpx.Response(200, json=body))
    with time_machine.travel(NOON, tick=False):
        tokens = await api.refresh(OLD)
    assert tokens.expires_at - tokens.issued_at == timedelta(minutes=5)


@both
async def test_a_used_refresh_token_needs_a_person(provider: Provider) -> None:
    """F9."""
    body = {"error": "invalid_grant", "error_description": "The token of Nora was revoked"}
    api, _ = oauth(provider, httpx.Response(400, json=body))
    with pytest.raises(ConsentLost, match="a person has to connect again") as caught:
        await api.refresh(OLD)
    assert "Nora" not in str(caught.value)
    assert caught.value.system == provider.system


@pytest.mark.parametrize(
    "step",
    [
        httpx.ReadTimeout(""),
        httpx.Response(500),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"access_token": None}),
        httpx.Response(200, json={"access_token": ""}),
        httpx.Response(200, json={"access_token": "at_2", "expires_in": "soon"}),
        httpx.Response(200, json={"access_token": "at_2", "refresh_token": 7, "expires_in": 5}),
        httpx.Response(200, json={"access_token": "at_2", "expires_in": 10**300}),
    ],
    ids=lambda step: str(step.content[:40]) if isinstance(step, httpx.Response) else type(step).__name__,
)
async def test_a_refresh_whose_answer_is_lost_may_have_used_up_the_token(step: Step) -> None:
    """F9."""
    api, script = oauth(freshbooks.PROVIDER, step)
    with pytest.raises(UnknownOutcome, match="FreshBooks"):
        await api.refresh(OLD)
    assert len(script.sent) == 1


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (httpx.ConnectError(""), Unavailable),
        (httpx.Response(429, headers={"Retry-After": "30"}), RateLimited),
        (httpx.Response(401, json={"error": "invalid_client", "error_description": "x"}), Refused),
        (httpx.Response(401), Refused),
        (httpx.Response(400, json={"error": "invalid_scope"}), Refused),
        (httpx.Response(200, json={"error": "invalid_grant"}), ConsentLost),
    ],
)
async def test_what_helps_when_a_refresh_fails_is_told_apart(step: Step, error: type[ConnectorError]) -> None:
    """S17: a wrong client secret is no reason to ask for a new consent."""
    api, _ = oauth(freshbooks.PROVIDER, step)
    with pytest.raises(error) as caught:
        await api.refresh(OLD)
    assert caught.type is error


async def test_a_wrong_client_secret_sends_people_to_the_settings() -> None:
    api, _ = oauth(freshbooks.PROVIDER, httpx.Response(401, json={"error": "invalid_client"}))
    with pytest.raises(Refused, match=r"invalid_client\): check client id, client secret"):
        await api.exchange(CODE, VERIFIER)


@both
async def test_a_token_is_revoked_where_the_provider_documents_it(provider: Provider) -> None:
    api, script = oauth(provider, httpx.Response(200, json={}))
    await api.revoke(OLD)
    assert str(script.sent[0].url) == provider.revoke_url
    assert form(script) == {"token": "rt_1", "client_id": "ledgerline", "client_secret": "s3cr3t"}


def test_the_sandbox_has_the_same_endpoints_on_its_own_host() -> None:
    """Z146."""
    local = freshbooks.PROVIDER.at("http://127.0.0.1:8444/")
    assert local.authorize_url == "http://127.0.0.1:8444/oauth/authorize"
    assert local.tokens_url == "http://127.0.0.1:8444/auth/oauth/token"
    assert local.redirect_uri_on_refresh


@both
def test_every_right_that_we_ask_for_has_a_reason(provider: Provider) -> None:
    """Z130."""
    assert provider.scopes
    assert all(scope.needed_for for scope in provider.scopes)
    assert len({scope.name for scope in provider.scopes}) == len(provider.scopes)


def test_what_was_granted_is_compared_with_what_we_need() -> None:
    """Z130."""
    books = freshbooks.PROVIDER
    assert [scope.name for scope in books.missing("user:profile:read user:clients:read")] == ["user:clients:write"]
    assert books.beyond("user:clients:read user:invoices:write") == ["user:invoices:write"]
    assert books.missing(" ".join(scope.name for scope in books.scopes)) == []


def test_a_system_that_does_not_say_what_it_granted_has_granted_what_was_asked_for() -> None:
    """Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""
    assert (capsule.PROVIDER.missing(""), capsule.PROVIDER.beyond("")) == ([], [])
