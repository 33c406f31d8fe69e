"""Consent, tokens, scopes, and how much may be asked."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.zoho_crm.conftest import API, HOST, caller, contact, told, with_token

BACK = "https://us.test/back"
SCOPE = "ZohoCRM.modules.ALL,ZohoCRM.users.READ"
WHEN = "2026-03-02T10:00:00Z"


def application(sandbox: Sandbox) -> dict[str, str]:
    found: dict[str, str] = sandbox.zoho_crm_service.about()["oauth"]
    return found


async def consent(zoho: httpx.AsyncClient, sandbox: Sandbox, **query: str) -> dict[str, str]:
    """Return what the redirect from the consent page carries."""
    asked = {"response_type": "code", "client_id": application(sandbox)["client_id"], "redirect_uri": BACK}
    asked |= {"scope": SCOPE, "access_type": "offline", "prompt": "consent", "state": "s1", **query}
    redirect = await zoho.get(f"{HOST}/oauth/v2/auth", params=asked)
    assert redirect.status_code == 302, redirect.text
    return {key: values[0] for key, values in parse_qs(urlsplit(redirect.headers["Location"]).query).items()}


async def ask(zoho: httpx.AsyncClient, sandbox: Sandbox, **form: str) -> httpx.Response:
    """Call for tokens."""
    return await zoho.post(f"{HOST}/oauth/v2/token", data={**application(sandbox), "redirect_uri": BACK, **form})


async def connect(zoho: httpx.AsyncClient, sandbox: Sandbox, **query: str) -> dict[str, Any]:
    """Return the tokens that consent leads to."""
    code = (await consent(zoho, sandbox, **query))["code"]
    response = await ask(zoho, sandbox, grant_type="authorization_code", code=code)
    found: dict[str, Any] = response.json()
    assert "access_token" in found, found
    return found


async def refresh(zoho: httpx.AsyncClient, sandbox: Sandbox, token: str) -> httpx.Response:
    return await ask(zoho, sandbox, grant_type="refresh_token", refresh_token=token)


async def status_of(sandbox: Sandbox, token: str, path: str = "/Contacts?fields=id") -> int:
    """Return how a read with an access token is answered."""
    async with with_token(sandbox, token) as client:
        return (await client.get(path)).status_code


async def test_consent_sends_us_back_with_a_code_and_the_place_of_the_account(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    found = await consent(zoho, sandbox)
    assert set(found) == {"code", "location", "accounts-server", "state"}
    assert (found["location"], found["accounts-server"], found["state"]) == ("us", HOST, "s1")
    locations = (await zoho.get(f"{HOST}/oauth/serverinfo")).json()["locations"]
    assert locations["us"] == HOST


async def test_whoever_says_no_sends_us_back_without_a_code(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await told(zoho, "settings", {"oauth": {"deny": True}})
    assert await consent(zoho, sandbox) == {"error": "access_denied", "state": "s1"}


async def test_a_code_becomes_tokens_and_the_address_of_the_api(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    tokens = await connect(zoho, sandbox)
    assert (tokens["api_domain"], tokens["token_type"], tokens["expires_in"]) == (HOST, "Bearer", 3600)
    assert tokens["scope"] == "ZohoCRM.modules.ALL ZohoCRM.users.READ"
    assert tokens["refresh_token"].startswith("1000.")
    assert await status_of(sandbox, tokens["access_token"]) == 204


async def test_a_code_works_once_and_for_a_minute(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        code = (await consent(zoho, sandbox))["code"]
        assert "access_token" in (await ask(zoho, sandbox, grant_type="authorization_code", code=code)).json()
        late = (await consent(zoho, sandbox))["code"]
        traveller.shift(61)
        for spent in (code, late):
            refused = await ask(zoho, sandbox, grant_type="authorization_code", code=spent)
            assert (refused.status_code, refused.json()) == (200, {"error": "invalid_code"})


async def test_a_refresh_token_comes_only_offline_and_again_only_with_a_prompt(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    assert "refresh_token" not in await connect(zoho, sandbox, access_type="online")
    assert "refresh_token" not in await connect(zoho, sandbox, prompt="none")  # the seed has one
    assert "refresh_token" in await connect(zoho, sandbox)


async def test_a_refresh_gives_an_access_token_alone_as_often_as_it_is_asked(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    tokens = await connect(zoho, sandbox)
    first, second = [(await refresh(zoho, sandbox, tokens["refresh_token"])).json() for _ in range(2)]
    assert "refresh_token" not in first
    for each in (tokens, first, second):
        assert await status_of(sandbox, each["access_token"]) == 204


async def test_parameters_may_stand_in_the_query(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    token = sandbox.zoho_crm_service.about()["tokens"]["refresh"]
    params = {**application(sandbox), "grant_type": "refresh_token", "refresh_token": token}
    assert "access_token" in (await zoho.post(f"{HOST}/oauth/v2/token", params=params)).json()
    assert sandbox.zoho_crm_service.refreshes.told()["answered"] == 1


async def test_errors_come_with_success_unless_it_is_set_otherwise(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    code = (await consent(zoho, sandbox))["code"]
    cases = {
        "invalid_client": {"client_secret": "wrong", "grant_type": "refresh_token"},
        "invalid_code": {"grant_type": "refresh_token", "refresh_token": "1000.no.such"},
        "invalid_redirect_uri": {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://x.test"},
        "missing_org_info": {"grant_type": "client_credentials", "scope": SCOPE},
        "unsupported_grant_type": {"grant_type": "password"},
    }
    for error, form in cases.items():
        response = await ask(zoho, sandbox, **form)
        assert (response.status_code, response.json()) == (200, {"error": error})
    await told(zoho, "settings", {"token_errors": 401})
    assert (await ask(zoho, sandbox, grant_type="password")).status_code == 401


async def test_a_consent_page_that_is_asked_wrongly_sends_nobody_anywhere(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    asked = {"response_type": "code", "client_id": application(sandbox)["client_id"], "redirect_uri": BACK}
    asked["scope"] = SCOPE
    cases = {"client_id": "other", "redirect_uri": "", "response_type": "token", "scope": "everything"}
    seen = [(await zoho.get(f"{HOST}/oauth/v2/auth", params={**asked, name: wrong})) for name, wrong in cases.items()]
    assert [each.json()["error"] for each in seen] == [
        "invalid_client",
        "invalid_redirect_uri",
        "invalid_response_type",
        "invalid_oauthscope",
    ]


async def test_the_application_itself_can_have_a_token_of_an_organisation(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    response = await ask(zoho, sandbox, grant_type="client_credentials", scope=SCOPE, soid="ZohoCRM.600012345")
    assert "refresh_token" not in response.json()
    assert await status_of(sandbox, response.json()["access_token"]) == 204


async def test_the_eleventh_token_in_ten_minutes_is_refused_and_asking_on_prolongs_it(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    token = (await connect(zoho, sandbox))["refresh_token"]
    with time_machine.travel(WHEN, tick=False) as traveller:
        for _ in range(10):
            assert (await refresh(zoho, sandbox, token)).status_code == 200
        refused = await refresh(zoho, sandbox, token)
        assert (refused.status_code, refused.json()["error"]) == (400, "Access Denied")
        other = (await connect(zoho, sandbox))["refresh_token"]
        assert (await refresh(zoho, sandbox, other)).status_code == 200
        for _ in range(10):
            traveller.shift(59)
            await refresh(zoho, sandbox, token)
        traveller.shift(11)  # ten minutes after the first refusal
        assert (await refresh(zoho, sandbox, token)).status_code == 400
        traveller.shift(601)
        assert (await refresh(zoho, sandbox, token)).status_code == 200


async def test_how_many_tokens_in_how_many_seconds_can_be_set(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await told(zoho, "settings", {"mints": 2, "mints_within": 30})
    token = (await connect(zoho, sandbox))["refresh_token"]
    with time_machine.travel(WHEN, tick=False) as traveller:
        assert [(await refresh(zoho, sandbox, token)).status_code for _ in range(3)] == [200, 200, 400]
        traveller.shift(31)
        assert (await refresh(zoho, sandbox, token)).status_code == 200


async def test_one_live_access_token_more_than_allowed_ends_the_oldest(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await told(zoho, "settings", {"live_tokens": 2})
    tokens = await connect(zoho, sandbox)
    fresh = [(await refresh(zoho, sandbox, tokens["refresh_token"])).json()["access_token"] for _ in range(2)]
    assert await status_of(sandbox, tokens["access_token"]) == 401
    assert [await status_of(sandbox, each) for each in fresh] == [204, 204]


async def test_the_twenty_first_refresh_token_silently_ends_the_oldest(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    first = (await connect(zoho, sandbox))["refresh_token"]
    for _ in range(19):
        await connect(zoho, sandbox)
    assert "access_token" in (await refresh(zoho, sandbox, first)).json()
    await connect(zoho, sandbox)
    assert (await refresh(zoho, sandbox, first)).json() == {"error": "invalid_code"}


async def test_a_revoked_refresh_token_ends_what_came_of_it(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    tokens = await connect(zoho, sandbox)
    fresh = (await refresh(zoho, sandbox, tokens["refresh_token"])).json()["access_token"]
    address = f"{HOST}/oauth/v2/token/revoke"
    revoked = await zoho.post(address, params={"token": tokens["refresh_token"]})
    assert revoked.json() == {"status": "success"}
    assert await status_of(sandbox, fresh) == 401
    assert (await refresh(zoho, sandbox, tokens["refresh_token"])).json() == {"error": "invalid_code"}
    assert (await zoho.post(address, params={"token": "nonsense"})).json() == {"error": "invalid_token"}


async def test_tokens_end_as_time_or_the_person_has_it(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    tokens = await connect(zoho, sandbox)
    await told(zoho, "tokens/expire")
    assert await status_of(sandbox, tokens["access_token"]) == 401
    fresh = (await refresh(zoho, sandbox, tokens["refresh_token"])).json()["access_token"]
    assert await status_of(sandbox, fresh) == 204
    await told(zoho, "tokens/revoke", {"token": fresh})
    assert await status_of(sandbox, fresh) == 401
    assert (await refresh(zoho, sandbox, tokens["refresh_token"])).json() == {"error": "invalid_code"}


async def test_only_zohos_own_scheme_opens_the_door(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    token = sandbox.zoho_crm_service.about()["tokens"]["access"]
    for header in (f"Bearer {token}", token, "Zoho-oauthtoken wrong"):
        response = await zoho.get("/org", headers={"Authorization": header})
        assert (response.status_code, response.json()["code"]) == (401, "INVALID_TOKEN")
    transport = httpx.ASGITransport(sandbox.zoho_crm)
    async with httpx.AsyncClient(transport=transport, base_url=API) as anybody:
        assert (await anybody.get("/org")).json()["code"] == "AUTHENTICATION_FAILURE"


async def test_a_scope_that_is_missing_is_not_a_dead_token(sandbox: Sandbox, zoho: httpx.AsyncClient) -> None:
    async with caller(sandbox, "read_only") as reader:
        assert (await reader.get("/Contacts", params={"fields": "id"})).status_code == 204
        response = await reader.post("/Contacts", json={"data": [{"Last_Name": "X"}]})
        assert (response.status_code, response.json()["code"]) == (401, "OAUTH_SCOPE_MISMATCH")
        assert (await reader.post("/actions/watch", json={})).json()["code"] == "OAUTH_SCOPE_MISMATCH"


async def test_a_person_may_grant_one_module_alone(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await told(zoho, "settings", {"oauth": {"scopes": ["ZohoCRM.modules.contacts.ALL"]}})
    tokens = await connect(zoho, sandbox, scope="ZohoCRM.modules.contacts.ALL,ZohoCRM.modules.accounts.ALL")
    assert tokens["scope"] == "ZohoCRM.modules.contacts.ALL"
    paths = ("/Contacts?fields=id", "/Accounts?fields=id", "/Contacts/search?word=x", "/users")
    assert [await status_of(sandbox, tokens["access_token"], path) for path in paths] == [204, 401, 401, 401]


async def test_credits_are_told_once_half_of_them_are_used(zoho: httpx.AsyncClient) -> None:
    await told(zoho, "settings", {"credits": 4})
    left = [(await zoho.get("/org")).headers.get("X-API-CREDITS-REMAINING") for _ in range(4)]
    assert left == [None, "2", "1", "0"]
    refused = await zoho.get("/org")
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" not in refused.headers
    await told(zoho, "settings", {"limit_code": "RATE_LIMIT_EXCEEDED"})
    assert (await zoho.get("/org")).json()["code"] == "RATE_LIMIT_EXCEEDED"


async def test_credits_come_back_a_day_after_they_were_used(zoho: httpx.AsyncClient) -> None:
    await told(zoho, "settings", {"credits": 1})
    with time_machine.travel(WHEN, tick=False) as traveller:
        assert [(await zoho.get("/org")).status_code for _ in range(2)] == [200, 429]
        traveller.shift(24 * 3600)
        assert (await zoho.get("/org")).status_code == 200


async def test_what_calls_cost(zoho: httpx.AsyncClient) -> None:
    async def cost(call: Any) -> int:
        before = (await told(zoho, "info", method="GET"))["credits_used"]
        await call
        used: int = (await told(zoho, "info", method="GET"))["credits_used"] - before
        return used

    rows = [{"Last_Name": f"Nr {number}"} for number in range(11)]
    assert await cost(zoho.get("/Contacts", params={"fields": "id"})) == 1
    assert await cost(zoho.post("/Contacts", json={"data": rows})) == 2
    assert await cost(zoho.post("/Contacts/upsert", json={"data": rows[:10]})) == 1
    for limit, worth in ((200, 1), (1000, 2), (2000, 3)):
        query = {"select_query": f"select id from Contacts where id is not null limit {limit}"}
        assert await cost(zoho.post("/coql", json=query)) == worth
    assert await cost(zoho.post("/Leads/1/actions/convert", json={"data": [{}]})) == 5
    await told(zoho, "settings", {"costs": {"search": 3}})
    assert await cost(zoho.get("/Contacts/search", params={"word": "x"})) == 3
    assert await cost(zoho.get("/org")) == 1


async def test_too_many_calls_at_once_are_refused_and_heavy_ones_sooner(zoho: httpx.AsyncClient) -> None:
    await told(zoho, "settings", {"concurrency": 4, "heavy_calls": 2})
    await told(zoho, "faults", {"fault": "latency", "seconds": 0.1, "path": "^/crm/"})
    light = await asyncio.gather(*(zoho.get("/org") for _ in range(6)))
    assert sorted(each.status_code for each in light) == [200, 200, 200, 200, 429, 429]
    heavy = await asyncio.gather(*(zoho.get("/Contacts/search", params={"word": "x"}) for _ in range(3)))
    assert sorted(each.status_code for each in heavy) == [204, 204, 429]
    assert (await zoho.get("/Contacts/search", params={"word": "x"})).status_code == 204


async def test_requests_are_counted_by_what_they_ask_for(zoho: httpx.AsyncClient) -> None:
    for _ in range(2):
        await contact(zoho)
    counts = (await told(zoho, "info", method="GET"))["requests_by_route"]
    assert counts == {"POST /crm/v8/{module}": 2}


async def test_a_code_of_the_console_is_exchanged_without_a_redirect(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    client_id = application(sandbox)["client_id"]
    tokens = sandbox.zoho_crm_service.tokens
    first, second = (tokens.new_code(client_id, "", SCOPE.replace(",", " "), "", "offline") for _ in range(2))
    form = {**application(sandbox), "grant_type": "authorization_code"}
    assert "refresh_token" in (await zoho.post(f"{HOST}/oauth/v2/token", data={**form, "code": first})).json()
    refused = await ask(zoho, sandbox, grant_type="authorization_code", code=second)
    assert refused.json() == {"error": "invalid_redirect_uri"}
