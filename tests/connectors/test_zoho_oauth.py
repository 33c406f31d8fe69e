"""Zoho's data centres, and a token endpoint that says no with HTTP 200."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from pydantic import SecretStr

from connectors import zoho, zoho_crm
from connectors.errors import ConnectorError, ConsentLost, RateLimited, Refused, Unavailable, UnknownOutcome
from connectors.http import http_client
from connectors.oauth import Application, OAuth, Provider
from tests.connectors.answering import Script, Step

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
APPLICATION = Application("1000.LEDGERLINE", SecretStr("s3cr3t"), "https://books.acme.test/callback")
CODE, OLD = SecretStr("1000.code"), SecretStr("1000.old")
RENEWED: dict[str, Any] = {
    "access_token": "1000.aaaa.bbbb",
    "scope": "ZohoCRM.modules.contacts.READ ZohoCRM.users.READ",
    "api_domain": "https://www.zohoapis.eu",
    "token_type": "Bearer",
    "expires_in": 3600,
}
GRANTED = {**RENEWED, "refresh_token": "1000.cccc.dddd"}
BLOCKED = {
    "error_description": "You have made too many requests continuously. Please try again after some time.",
    "error": "Access Denied",
    "status": "failure",
}
EUROPE = zoho.provider("zoho_crm", "Zoho CRM", zoho_crm.SCOPES, "eu")


def oauth(
    *steps: Step, provider: Provider = zoho_crm.PROVIDER, application: Application = APPLICATION
) -> tuple[OAuth, Script]:
    script = Script(*steps)
    return OAuth(http_client(httpx.MockTransport(script.handle)), provider, application), script


def form(script: Script) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(script.sent[-1].content.decode()).items()}


def ok(**said: Any) -> httpx.Response:
    return httpx.Response(200, json=said)


def test_a_person_is_asked_for_lasting_access_in_zohos_own_way() -> None:
    """Z27, Z130: without `access_type` and `prompt` there is no refresh token."""
    api, _ = oauth()
    asked = api.authorization([scope.name for scope in zoho_crm.SCOPES])
    assert asked.url.startswith("https://accounts.zoho.com/oauth/v2/auth?")
    query = {key: value[0] for key, value in parse_qs(urlsplit(asked.url).query).items()}
    assert query == {
        "response_type": "code",
        "client_id": "1000.LEDGERLINE",
        "redirect_uri": "https://books.acme.test/callback",
        "scope": ",".join(scope.name for scope in zoho_crm.SCOPES),
        "state": asked.state.get_secret_value(),
        "access_type": "offline",
        "prompt": "consent",
    }
    assert asked.state.get_secret_value() != api.authorization([]).state.get_secret_value()


async def test_a_code_is_exchanged_for_tokens() -> None:
    """Z27."""
    api, script = oauth(ok(**GRANTED), provider=EUROPE)
    asked = api.authorization([])
    tokens = await api.exchange(CODE, asked.code_verifier)
    assert str(script.sent[0].url) == "https://accounts.zoho.eu/oauth/v2/token"
    assert form(script) == {
        "grant_type": "authorization_code",
        "client_id": "1000.LEDGERLINE",
        "client_secret": "s3cr3t",
        "redirect_uri": "https://books.acme.test/callback",
        "code": "1000.code",
    }
    assert tokens.refresh == SecretStr("1000.cccc.dddd")
    assert tokens.api_domain == "https://www.zohoapis.eu"
    assert "1000." not in repr(tokens)


async def test_a_code_that_a_person_made_in_zohos_console_is_exchanged_without_an_address() -> None:
    api, script = oauth(ok(**GRANTED), application=Application("1000.SELF", SecretStr("s3cr3t"), ""))
    await api.exchange(CODE, SecretStr(""))
    assert "redirect_uri" not in form(script)


async def test_a_refresh_token_stays_in_use() -> None:
    """Z113: Zoho never replaces it."""
    api, script = oauth(ok(**RENEWED))
    assert (await api.refresh(OLD)).refresh == OLD
    assert form(script) == {
        "grant_type": "refresh_token",
        "client_id": "1000.LEDGERLINE",
        "client_secret": "s3cr3t",
        "refresh_token": "1000.old",
    }


@pytest.mark.parametrize(
    "said", [{"expires_in": 3600}, {"expires_in": 3600000, "expires_in_sec": 3600}, {"expires_in_sec": "3600"}]
)
async def test_a_life_in_milliseconds_is_not_taken_for_seconds(said: dict[str, Any]) -> None:
    """Z113."""
    api, _ = oauth(ok(access_token="1000.a", **said))
    with time_machine.travel(NOON, tick=False):
        assert (await api.refresh(OLD)).expires_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("https://www.zohoapis.com.au", "https://www.zohoapis.com.au"),
        ("https://www.zohoapis.ca/", "https://www.zohoapis.ca"),
        ("https://sandbox.zohoapis.eu", "https://sandbox.zohoapis.eu"),
        ("https://developer.zohoapis.in", "https://developer.zohoapis.in"),
        ("http://www.zohoapis.com", None),
        ("https://www.zohoapis.com.evil.test", None),
        ("https://www.zohoapis.com@evil.test", None),
        ("https://evil.test/https://www.zohoapis.com", None),
        ("", None),
        (None, None),
        (7, None),
        (["https://www.zohoapis.com"], None),
    ],
)
async def test_tokens_travel_to_known_addresses_only(said: Any, believed: str | None) -> None:
    """Z130."""
    api, _ = oauth(ok(**{**RENEWED, "api_domain": said}))
    assert (await api.refresh(OLD)).api_domain == believed


async def test_the_sandbox_serves_tokens_and_records_at_one_address() -> None:
    """Z146."""
    local = zoho_crm.PROVIDER.at("http://127.0.0.1:8445/")
    assert local.revoke_url == "http://127.0.0.1:8445/oauth/v2/token/revoke"
    api, _ = oauth(
        ok(**{**RENEWED, "api_domain": "http://127.0.0.1:8445"}),
        ok(**{**RENEWED, "api_domain": "https://www.zohoapis.com"}),
        provider=local,
    )
    assert (await api.refresh(OLD)).api_domain == "http://127.0.0.1:8445"
    assert (await api.refresh(OLD)).api_domain is None


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        ("invalid_code", ConsentLost, "a person has to connect again"),
        ("invalid_client", Refused, "check client id and secret in the settings, and that the client serves"),
        ("invalid_client_secret", Refused, "check client id and secret in the settings"),
        ("invalid_redirect_uri", Refused, "redirect address in the settings"),
        ("missing_org_info", Refused, "missing_org_info"),
    ],
)
async def test_what_helps_when_a_refresh_fails_is_told_apart(
    status: int, error: str, kind: type[ConnectorError], text: str
) -> None:
    """S17: Zoho says no with HTTP 200, and a wrong secret is no reason to ask for a new consent."""
    api, _ = oauth(httpx.Response(status, json={"error": error}))
    with pytest.raises(kind, match=text) as caught:
        await api.refresh(OLD)
    assert caught.type is kind
    assert error in str(caught.value)
    assert "1000." not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json=BLOCKED),
        httpx.Response(400, json={key: value for key, value in BLOCKED.items() if key != "status"}),
        httpx.Response(200, json=BLOCKED),
        httpx.Response(400, json={"error": "Access Denied"}),
        httpx.Response(400, json={**BLOCKED, "error": "access_blocked"}),
    ],
)
async def test_who_asked_for_too_many_tokens_stays_away_for_ten_minutes(answer: httpx.Response) -> None:
    """F11: going on to ask prolongs the block, and it is no loss of the consent."""
    api, _ = oauth(answer)
    with pytest.raises(RateLimited, match="wait 600 s") as caught:
        await api.refresh(OLD)
    assert caught.value.retry_after == timedelta(minutes=10)


@pytest.mark.parametrize(
    "step",
    [
        httpx.ReadTimeout(""),
        httpx.ConnectError(""),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"access_token": None}),
    ],
    ids=["timeout", "no connection", "502", "html", "no token"],
)
async def test_a_lost_refresh_costs_no_consent_but_is_not_repeated_at_once(step: Step) -> None:
    """F9, F11: the refresh token stays as it is, and each answer that is lost may be one of ten tokens."""
    api, script = oauth(step)
    with pytest.raises(Unavailable) as caught:
        await api.refresh(OLD)
    assert caught.value.retry_after == timedelta(minutes=1)
    assert len(script.sent) == 1


async def test_a_lost_exchange_may_have_used_up_the_code() -> None:
    api, _ = oauth(httpx.ReadTimeout(""))
    with pytest.raises(UnknownOutcome):
        await api.exchange(CODE, SecretStr(""))


async def test_a_code_that_is_too_old_asks_for_a_new_consent() -> None:
    api, _ = oauth(ok(error="invalid_code"))
    with pytest.raises(ConsentLost, match=r"exchange the authorization code \(invalid_code\)"):
        await api.exchange(CODE, SecretStr(""))


async def test_a_token_is_revoked_as_documented_and_once_is_enough() -> None:
    api, script = oauth(ok(status="success"), ok(error="invalid_token"), ok(error="invalid_client"))
    await api.revoke(OLD)
    assert str(script.sent[0].url) == "https://accounts.zoho.com/oauth/v2/token/revoke?token=1000.old"
    assert not script.sent[0].content
    await api.revoke(OLD)
    with pytest.raises(Refused) as caught:
        await api.revoke(OLD)
    assert "1000." not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "accounts", "api"),
    [
        ("us", "https://accounts.zoho.com", "https://www.zohoapis.com"),
        ("eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        ("in", "https://accounts.zoho.in", "https://www.zohoapis.in"),
        ("au", "https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
        ("jp", "https://accounts.zoho.jp", "https://www.zohoapis.jp"),
        ("cn", "https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
        ("ca", "https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
        ("sa", "https://accounts.zoho.sa", "https://www.zohoapis.sa"),
        ("uk", "https://accounts.zoho.uk", "https://www.zohoapis.uk"),
        ("ae", "https://accounts.zoho.ae", "https://www.zohoapis.ae"),
    ],
)
def test_each_data_centre_has_servers_of_its_own(name: str, accounts: str, api: str) -> None:
    known = zoho.DATA_CENTRES[name]
    assert (known.accounts_url, known.api_url) == (accounts, api)
    assert zoho.data_centre_of(accounts) == zoho.data_centre_of(api) == known
    assert zoho.data_centre_of(api.replace("www", "sandbox")) == known
    assert zoho.provider("zoho_crm", "Zoho CRM", (), name).tokens_url == f"{accounts}/oauth/v2/token"


@pytest.mark.parametrize("url", [None, "", "https://accounts.zoho.test", "https://www.zohoapis.com/"])
def test_what_is_no_address_of_zohos_is_in_no_data_centre(url: str | None) -> None:
    assert zoho.data_centre_of(url) is None


@pytest.mark.parametrize(
    ("server", "location", "tokens_url"),
    [
        ("https://accounts.zoho.eu", "eu", "https://accounts.zoho.eu/oauth/v2/token"),
        ("https://accounts.zohocloud.ca/", None, "https://accounts.zohocloud.ca/oauth/v2/token"),
        ("https://accounts.zoho.in", "us", "https://accounts.zoho.in/oauth/v2/token"),
        (None, "jp", "https://accounts.zoho.jp/oauth/v2/token"),
        (None, "mars", "https://accounts.zoho.com/oauth/v2/token"),
        (None, None, "https://accounts.zoho.com/oauth/v2/token"),
    ],
)
def test_the_code_of_a_redirect_goes_to_the_server_that_gave_it(
    server: str | None, location: str | None, tokens_url: str
) -> None:
    """Z27: an account of another data centre than expected connects all the same."""
    named = zoho.named_by_redirect(zoho_crm.PROVIDER, server, location)
    assert named.tokens_url == tokens_url
    assert named.revoke_url == f"{tokens_url}/revoke"
    assert named.api_domains == zoho_crm.PROVIDER.api_domains


@pytest.mark.parametrize(
    "server",
    [
        "https://accounts.zoho.com.evil.test",
        "https://accounts.zoho.com@evil.test",
        "http://accounts.zoho.com",
        "https://accounts.zoho.com:8443",
        "https://accounts.zoho.com/../x",
        "https://evil.test/https://accounts.zoho.com",
        "https://accounts.zoho.com\t",
        "127.0.0.1",
    ],
)
def test_a_redirect_cannot_have_our_secret_sent_elsewhere(server: str) -> None:
    """Z130."""
    with pytest.raises(Refused, match="nothing was sent") as caught:
        zoho.named_by_redirect(zoho_crm.PROVIDER, server, "us")
    assert "evil" not in str(caught.value)


def test_a_server_of_ones_own_is_believed_when_the_settings_name_it() -> None:
    """Z146."""
    local = zoho_crm.PROVIDER.at("http://127.0.0.1:8445")
    assert zoho.named_by_redirect(local, "http://127.0.0.1:8445/", "us") == local
    assert zoho.named_by_redirect(local, None, "us") == local
    with pytest.raises(Refused):
        zoho.named_by_redirect(local, "http://127.0.0.1:8446", "us")


def test_every_right_that_we_ask_for_has_a_reason_and_none_deletes() -> None:
    """Z130."""
    names = [scope.name for scope in zoho_crm.SCOPES]
    assert len(set(names)) == len(names)
    assert all(scope.needed_for for scope in zoho_crm.SCOPES)
    assert not [name for name in names if name.endswith(("DELETE", "modules.ALL", "settings.ALL"))]


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        ("ZohoCRM.modules.ALL ZohoCRM.users.READ", []),
        ("ZohoCRM.modules.ALL,ZohoCRM.users.READ", []),
        ("ZohoCRM.modules.contacts.ALL,ZohoCRM.users.ALL", []),
        ("ZohoCRM.modules.contacts.CREATE ZohoCRM.users.READ", ["ZohoCRM.modules.contacts.READ"]),
        ("ZohoCRM.modules.accounts.ALL ZohoCRM.users.READ", ["ZohoCRM.modules.contacts.READ"]),
        ("ZohoCRM.modules.con.ALL ZohoCRM.users.READ", ["ZohoCRM.modules.contacts.READ"]),
        ("", []),
    ],
)
def test_a_wide_right_includes_the_narrow_ones(granted: str, missing: list[str]) -> None:
    """Z130: a person's own code may carry more than we ask for."""
    needed = tuple(s for s in zoho_crm.SCOPES if s.name in ("ZohoCRM.modules.contacts.READ", "ZohoCRM.users.READ"))
    provider = zoho.provider("zoho_crm", "Zoho CRM", needed)
    assert [scope.name for scope in provider.missing(granted)] == missing


def test_what_is_wider_than_needed_is_named() -> None:
    """Z130."""
    assert zoho_crm.PROVIDER.beyond("ZohoCRM.modules.ALL,ZohoCRM.users.READ") == ["ZohoCRM.modules.ALL"]
