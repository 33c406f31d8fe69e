"""The connector and the stand-in of Zoho CRM, which share no code, agree on the life of a contact."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from connectors import zoho, zoho_crm
from connectors.errors import ConsentLost, Forbidden, NotFound, RateLimited, Refused
from connectors.http import fixed_token, http_client
from connectors.oauth import Application, OAuth, Tokens
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.asking import coql_text
from connectors.zoho_crm.hooks import parse_delivery, verify
from connectors.zoho_crm.models import Failed, Saved
from sandbox.app import Sandbox, build_sandbox

BASE, CHANNEL, HOOK_TOKEN = "http://zoho.test", "1000000068001", "s3cret"
PROVIDER = zoho_crm.PROVIDER.at(BASE)


class Receiver(httpx.AsyncBaseTransport):
    """Keeps the bodies of all deliveries."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(await request.aread())
        return httpx.Response(200)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def sandbox(receiver: Receiver) -> AsyncIterator[Sandbox]:
    built = build_sandbox(hook_transport=receiver)
    yield built
    await built.close()


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with http_client(httpx.ASGITransport(sandbox.zoho_crm)) as client:
        yield client


@pytest.fixture
def oauth(sandbox: Sandbox, http: httpx.AsyncClient) -> OAuth:
    known = sandbox.zoho_crm_service.about()["oauth"]
    application = Application(known["client_id"], SecretStr(known["client_secret"]), "http://127.0.0.1:8484/connected")
    return OAuth(http, PROVIDER, application)


@pytest.fixture
async def tokens(http: httpx.AsyncClient, oauth: OAuth) -> Tokens:
    asked = oauth.authorization([scope.name for scope in PROVIDER.scopes])
    query = parse_qs(urlsplit((await http.get(asked.url)).headers["Location"]).query)
    assert zoho.named_by_redirect(PROVIDER, query["accounts-server"][0], query["location"][0]) == PROVIDER
    assert query["state"] == [asked.state.get_secret_value()]
    return await oauth.exchange(SecretStr(query["code"][0]), asked.code_verifier)


@pytest.fixture
def api(http: httpx.AsyncClient, tokens: Tokens) -> ZohoCrmApi:
    return ZohoCrmApi(http, fixed_token(tokens.access), BASE)


async def created(api: ZohoCrmApi, **values: Any) -> str:
    (outcome,) = await api.insert("Contacts", [{"Last_Name": "Okafor", **values}])
    assert isinstance(outcome, Saved)
    return outcome.id


async def test_consent_brings_what_we_ask_for_and_lasts_until_it_is_revoked(oauth: OAuth, tokens: Tokens) -> None:
    """Z27, Z113, Z130."""
    assert (PROVIDER.missing(tokens.scope), PROVIDER.beyond(tokens.scope)) == ([], [])
    assert tokens.api_domain == BASE
    assert tokens.refresh is not None
    renewed = await oauth.refresh(tokens.refresh)
    assert (renewed.refresh, renewed.api_domain) == (tokens.refresh, BASE)
    await oauth.revoke(tokens.refresh)
    await oauth.revoke(tokens.refresh)
    with pytest.raises(ConsentLost):
        await oauth.refresh(tokens.refresh)


async def test_a_worker_that_keeps_renewing_is_told_to_wait(oauth: OAuth, tokens: Tokens) -> None:
    """F11: ten tokens in ten minutes."""
    assert tokens.refresh is not None
    for _ in range(10):
        await oauth.refresh(tokens.refresh)
    with pytest.raises(RateLimited, match="wait 600 s"):
        await oauth.refresh(tokens.refresh)


async def test_a_contact_is_created_found_changed_and_read_back(api: ZohoCrmApi) -> None:
    """Z10, Z54."""
    contact_id = await created(api, Email="ada@okafor.test")
    assert [type(each) for each in await api.update("Contacts", [{"id": contact_id, "First_Name": "Ada"}])] == [Saved]
    contact = await api.get_record("Contacts", contact_id)
    assert (contact.values["First_Name"], contact.values["Email"]) == ("Ada", "ada@okafor.test")
    assert contact.modified_by is not None
    assert contact.modified_by.id == (await api.current_user()).id
    found = await api.query(f"select id from Contacts where Email = {coql_text('ada@okafor.test')}")
    assert [each["id"] for each in found.items] == [contact_id]
    (again,) = await api.upsert("Contacts", [{"Last_Name": "Okafor", "Email": "ada@okafor.test"}], ["Email"])
    assert isinstance(again, Saved)
    assert (again.id, again.action) == (contact_id, "update")


async def test_a_sweep_reads_every_page_once(api: ZohoCrmApi) -> None:
    """S62."""
    made = [await created(api) for _ in range(5)]
    since, read, token = datetime.now(UTC) - timedelta(hours=1), list[str](), None
    while True:
        page = await api.list_records("Contacts", ["Last_Name"], since=since, page_token=token, per_page=2)
        read += [each.id for each in page.items]
        token = page.next_token
        if not page.has_more:
            break
    assert read == sorted(made)


async def test_what_is_wrong_with_a_record_is_told_by_field(api: ZohoCrmApi) -> None:
    good, bad = await api.insert("Contacts", [{"Last_Name": "Okafor"}, {"First_Name": "Nora"}])
    assert isinstance(good, Saved)
    assert isinstance(bad, Failed)
    assert (bad.code, bad.field) == ("MANDATORY_NOT_FOUND", "Last_Name")


async def test_what_is_not_there_and_what_is_not_allowed_are_told_apart(api: ZohoCrmApi) -> None:
    with pytest.raises(NotFound):
        await api.get_record("Contacts", "4876876000000999999")
    with pytest.raises(Forbidden, match="grant all rights"):
        await api.delete("Contacts", ["4876876000000999999"])
    with pytest.raises(Refused, match="SYNTAX_ERROR"):
        await api.query("select")


async def test_a_channel_tells_of_a_new_contact(api: ZohoCrmApi, sandbox: Sandbox, receiver: Receiver) -> None:
    """Z29, F12."""
    until = datetime.now(UTC) + timedelta(days=6)
    hook: dict[str, Any] = {"notify_url": "https://sync.acme.test/zoho", "token": HOOK_TOKEN, "until": until}
    (row,) = await api.enable_channel(CHANNEL, events=["Contacts.all"], **hook)
    assert row.channel_expiry == until.replace(microsecond=0)
    contact_id = await created(api)
    await sandbox.settle()
    delivery = parse_delivery(receiver.bodies[0])
    assert (delivery.operation, delivery.record_ids, delivery.channel_id) == ("insert", (contact_id,), CHANNEL)
    assert verify(HOOK_TOKEN, delivery)
    assert len(await api.renew_channel(CHANNEL, events=["Contacts.all", "Accounts.all"], **hook)) == 2
    assert {each.resource_name for each in (await api.channels()).items} == {"Contacts", "Accounts"}
    await api.disable_channel(CHANNEL)
    assert (await api.channels()).items == []
