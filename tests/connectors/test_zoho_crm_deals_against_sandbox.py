"""The connector and the stand-in of Zoho CRM, which share no code, agree on the life of a deal."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from connectors import zoho_crm
from connectors.errors import Forbidden, NotFound, Refused, UnknownOutcome
from connectors.http import fixed_token, http_client
from connectors.oauth import Application, OAuth
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.deals import ZohoDeals, to_read
from connectors.zoho_crm.hooks import parse_delivery, verify
from sandbox.app import Sandbox, build_sandbox

BASE, CHANNEL, HOOK_TOKEN = "http://zoho.test", "1000000068002", "s3cret"
STANDARD = "Standard (Standard)"


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


async def connected(sandbox: Sandbox, http: httpx.AsyncClient, *, deals: bool) -> ZohoCrmApi:
    """Return the API with a token that may do what we ask for, and no more."""
    provider = zoho_crm.provider("eu", deals=deals).at(BASE)
    known = sandbox.zoho_crm_service.about()["oauth"]
    application = Application(known["client_id"], SecretStr(known["client_secret"]), "http://127.0.0.1:8484/connected")
    oauth = OAuth(http, provider, application)
    asked = oauth.authorization([scope.name for scope in provider.scopes])
    query = parse_qs(urlsplit((await http.get(asked.url)).headers["Location"]).query)
    tokens = await oauth.exchange(SecretStr(query["code"][0]), asked.code_verifier)
    return ZohoCrmApi(http, fixed_token(tokens.access), BASE)


@pytest.fixture
async def api(sandbox: Sandbox, http: httpx.AsyncClient) -> ZohoCrmApi:
    return await connected(sandbox, http, deals=True)


@pytest.fixture
def deals(api: ZohoCrmApi) -> ZohoDeals:
    return ZohoDeals(api)


async def told(http: httpx.AsyncClient, path: str, body: Any, method: str = "POST") -> dict[str, Any]:
    response = await http.request(method, f"{BASE}/_sandbox/{path}", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def sold(http: httpx.AsyncClient, **fields: Any) -> str:
    """Let a colleague make a deal, and return its id."""
    draft = {"Deal_Name": "Shop", "Stage": "Qualification", "Amount": 1250.1, **fields}
    return str((await told(http, "records/Deals", draft))["id"])


async def test_a_deal_is_read_with_firm_contact_owner_and_amount(http: httpx.AsyncClient, deals: ZohoDeals) -> None:
    """S41, S42."""
    firm = (await told(http, "records/Accounts", {"Account_Name": "Okafor Ltd"}))["id"]
    person = (await told(http, "records/Contacts", {"Last_Name": "Okafor", "Account_Name": {"id": firm}}))["id"]
    shop = await sold(http, Account_Name={"id": firm}, Contact_Name={"id": person}, Closing_Date="2026-05-01")
    deal = await deals.deal(shop)
    assert (deal.amount, deal.currency, deal.probability) == (Decimal("1250.1"), None, 10)
    assert deal.owner is not None
    assert deal.owner.email in {each.email for each in await deals.users()}
    assert deal.account is not None
    assert deal.contact is not None
    assert (deal.account.id, deal.contact.id, deal.pipeline) == (firm, person, STANDARD)


async def test_a_deal_in_dollars_is_not_taken_for_one_in_euros(http: httpx.AsyncClient, deals: ZohoDeals) -> None:
    await told(http, "settings", {"multi_currency": True})
    shop = await sold(http, Currency="USD")
    fields = to_read(await deals.deal_fields())
    (deal,) = await deals.deals([shop], fields)
    assert (deal.amount, deal.currency, deal.exchange_rate) == (Decimal("1250.1"), "USD", Decimal("1.08"))


async def test_a_deal_is_moved_only_within_its_pipeline(http: httpx.AsyncClient, deals: ZohoDeals) -> None:
    """S20."""
    shop = await sold(http)
    stages = await deals.stages()
    won = next(each for each in stages if each.pipeline == STANDARD and each.state == "won")
    await deals.update_deal(shop, {"Stage": won.name, "Amount": Decimal("999.95")})
    moved = await deals.deal(shop)
    assert (moved.stage, moved.amount, moved.probability) == ("Closed Won", Decimal("999.95"), 100)
    elsewhere = next(each for each in stages if each.pipeline == "Renewals" and each.state == "open")
    with pytest.raises(Refused, match=r"Stage MAPPING_MISMATCH.*choose a stage"):
        await deals.update_deal(shop, {"Stage": elsewhere.name})
    await deals.update_deal(shop, {"Stage": elsewhere.name, "Pipeline": elsewhere.pipeline})
    assert (await deals.deal(shop)).pipeline == "Renewals"


async def test_a_write_of_ours_starts_no_workflow_in_zoho(
    http: httpx.AsyncClient, deals: ZohoDeals, sandbox: Sandbox
) -> None:
    shop = await sold(http)
    await deals.update_deal(shop, {"Stage": "Closed Won"})
    await deals.add_note(shop, "Invoice", "INV-7 was sent")
    assert sandbox.zoho_crm_service.about()["workflow_runs"] == 0


async def test_all_pipelines_are_known_with_what_their_stages_mean(deals: ZohoDeals) -> None:
    stages = {(each.pipeline, each.name): each for each in await deals.stages()}
    assert len(stages) == 13
    proposal, lost = stages[STANDARD, "Proposal/Price Quote"], stages["Renewals", "Closed Lost"]
    assert (proposal.state, proposal.probability, proposal.position) == ("open", 75, 5)
    assert (lost.state, lost.probability) == ("lost", 0)


async def test_stages_are_known_where_probabilities_are_not_told(http: httpx.AsyncClient, deals: ZohoDeals) -> None:
    await told(http, "settings", {"stage_probability": False})
    stages = await deals.stages()
    assert {each.probability for each in stages} == {None}
    assert {each.state for each in stages} == {"open", "won", "lost"}


async def test_a_sweep_reads_every_changed_deal_once(http: httpx.AsyncClient, deals: ZohoDeals) -> None:
    drafts = [{"Deal_Name": f"Shop {number}", "Stage": "Qualification"} for number in range(103)]
    ids = [str(each) for each in (await told(http, "records/Deals", drafts))["ids"]]
    fields, since = to_read(await deals.deal_fields()), datetime.now(UTC) - timedelta(hours=1)
    first, second = await deals.changed_deals(since, 1, fields), await deals.changed_deals(since, 2, fields)
    assert (len(first.items), first.has_more, second.has_more) == (100, True, False)
    assert sorted(each.id for each in (*first.items, *second.items)) == sorted(ids)
    later = await deals.changed_deals(datetime.now(UTC) + timedelta(hours=1), 1, fields)
    assert later.items == []


async def test_a_deleted_deal_is_listed_and_not_there(http: httpx.AsyncClient, deals: ZohoDeals) -> None:
    shop = await sold(http)
    await told(http, f"records/Deals/{shop}", None, "DELETE")
    since = datetime.now(UTC) - timedelta(hours=1)
    assert [each.id for each in (await deals.deleted_deals(since)).items] == [shop]
    with pytest.raises(NotFound):
        await deals.deal(shop)
    with pytest.raises(NotFound):
        await deals.update_deal(shop, {"Stage": "Closed Won"})


async def test_a_note_is_found_again_after_its_answer_was_lost(http: httpx.AsyncClient, deals: ZohoDeals) -> None:
    shop = await sold(http)
    await told(http, "faults", {"method": "POST", "path": "/Notes$", "fault": "commit_then_cut", "times": 1})
    with pytest.raises(UnknownOutcome):
        await deals.add_note(shop, "Invoice", "INV-7 was sent [a1b2]")
    (note,) = (await deals.notes(shop)).items
    assert (note.title, note.text) == ("Invoice", "INV-7 was sent [a1b2]")
    second = await deals.add_note(shop, "Invoice", "INV-7 was paid")
    assert [each.id for each in (await deals.notes(shop)).items] == [second, note.id]


async def test_a_field_for_the_invoice_is_made_and_written(http: httpx.AsyncClient, deals: ZohoDeals) -> None:
    field = await deals.create_deal_field("FreshBooks Invoice", length=60)
    shop = await sold(http)
    await deals.update_deal(shop, {field.api_name: "INV-7"})
    (deal,) = await deals.deals([shop], to_read(await deals.deal_fields(), [field.api_name]))
    assert deal.values[field.api_name] == "INV-7"
    with pytest.raises(Refused, match="DUPLICATE_DATA"):
        await deals.create_deal_field("FreshBooks Invoice", length=60)


async def test_a_deal_that_is_won_is_told_at_once(
    http: httpx.AsyncClient, api: ZohoCrmApi, sandbox: Sandbox, receiver: Receiver
) -> None:
    """S12, Z12, F12, F38."""
    shop, until = await sold(http), datetime.now(UTC) + timedelta(days=6)
    url = "https://sync.acme.test/zoho"
    await api.enable_channel(CHANNEL, events=["Deals.all"], notify_url=url, token=HOOK_TOKEN, until=until)
    await told(http, "records/Deals", {"id": shop, "Stage": "Closed Won"}, "PUT")
    await sandbox.settle()
    delivery = parse_delivery(receiver.bodies[0])
    assert (delivery.module, delivery.operation, delivery.record_ids) == ("Deals", "update", (shop,))
    assert verify(HOOK_TOKEN, delivery)


async def test_without_rights_on_deals_a_person_is_told_to_grant_them(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    deals = ZohoDeals(await connected(sandbox, http, deals=False))
    shop = await sold(http)
    for asked in (deals.deal(shop), deals.notes(shop), deals.stages(), deals.add_note(shop, "a", "b")):
        with pytest.raises(Forbidden, match="grant all rights"):
            await asked
