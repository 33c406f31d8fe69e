"""The connector and the stand-in of Capsule, which share no code, agree on the life of an opportunity."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from connectors.capsule.api import CapsuleApi
from connectors.capsule.hooks import OPPORTUNITY_EVENTS, parse_delivery
from connectors.capsule.opportunities import CapsuleOpportunities
from connectors.capsule.opportunity_rules import status_of, total_of
from connectors.errors import Forbidden, NotFound, Refused, UnknownOutcome
from connectors.http import fixed_token, http_client
from sandbox.app import Sandbox, build_sandbox

BASE = "http://capsule.test"
PROPOSAL, WON, LOST, AGREED = 31_003, 31_005, 31_006, 31_009


class Receiver(httpx.AsyncBaseTransport):
    """Keeps the bodies of all deliveries."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(await request.aread())
        return httpx.Response(200)


@dataclass(frozen=True)
class Account:
    """A Capsule account in this process, and what speaks to it."""

    sandbox: Sandbox
    http: httpx.AsyncClient
    receiver: Receiver

    def parties(self, token: str = "access") -> CapsuleApi:
        secret = SecretStr(self.sandbox.capsule_service.about()["tokens"][token])
        return CapsuleApi(self.http, fixed_token(secret), BASE)

    def opportunities(self, token: str = "access") -> CapsuleOpportunities:
        return CapsuleOpportunities(self.parties(token).calls)

    async def control(self, path: str, body: Any = None, method: str = "POST") -> Any:
        response = await self.http.request(method, f"{BASE}/_sandbox/{path}", json=body)
        return response.raise_for_status().json()

    async def new(self, **fields: Any) -> int:
        """Let somebody make an opportunity of a new party in Capsule, and return its id."""
        party = await self.control("records/party", {"type": "organisation", "name": "Acme Ltd"})
        draft = {"party": {"id": party["id"]}, "name": "Website rebuild", "milestone": {"id": PROPOSAL}, **fields}
        made: int = (await self.control("records/opportunity", draft))["id"]
        return made


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    receiver = Receiver()
    built = build_sandbox(hook_transport=receiver)
    async with http_client(httpx.ASGITransport(built.capsule)) as http:
        yield Account(built, http, receiver)
    await built.close()


async def test_an_opportunity_is_read_moved_priced_and_deleted(account: Account) -> None:
    """S12, S19, S20, S41."""
    api, started = account.opportunities(), datetime.now(UTC) - timedelta(seconds=2)
    number = await account.new(value={"amount": 1250.5, "currency": "USD"}, durationBasis="MONTH", duration=12)
    milestones = {each.id: each for each in (await api.milestones()).items}
    found = await api.opportunity(number)
    assert status_of(found, milestones) == "open"
    assert total_of(found).amount == Decimal("15006.0")
    assert [each.id for each in (await api.changed_opportunities(started, 1)).items] == [number]
    assert [each.id for each in (await api.changed_opportunities(None, 1)).items] == [number]
    worth = {"amount": Decimal("99.95"), "currency": "EUR"}
    won = await api.update_opportunity(number, {"milestone": {"id": AGREED}, "value": worth})
    assert (status_of(won, milestones), won.probability) == ("won", 100)
    assert won.value is not None
    assert (won.value.amount, won.value.currency) == (Decimal("99.95"), "EUR")
    assert await api.opportunities([number]) == [won]
    await account.control(f"records/opportunity/{number}", method="DELETE")
    with pytest.raises(NotFound):
        await api.opportunity(number)
    with pytest.raises(NotFound):
        await api.opportunities([number, await account.new()])
    assert [each.id for each in (await api.deleted_opportunities(started)).deleted] == [number]


async def test_all_opportunities_of_a_full_account_come_page_by_page() -> None:
    """S41: those in several currencies, and of every state."""
    built = build_sandbox(records=30)
    async with http_client(httpx.ASGITransport(built.capsule)) as http:
        api = Account(built, http, Receiver()).opportunities()
        milestones = {each.id: each for each in (await api.milestones()).items}
        pages = [await api.changed_opportunities(None, number, per_page=4) for number in (1, 2, 3)]
        found = [each for page in pages for each in page.items]
        assert [page.has_more for page in pages] == [True, True, False]
        assert len(found) == 10
        assert {status_of(each, milestones) for each in found} <= {"open", "won", "lost"}
        assert len({total_of(each).currency for each in found}) > 1
    await built.close()


async def test_every_pipeline_s_milestones_are_in_the_table(account: Account) -> None:
    """S12: also those that `/milestones` does not show."""
    api = account.opportunities()
    milestones = (await api.milestones()).items
    by_pipeline = [each for row in (await api.pipelines()).items for each in (await api.milestones_of(row.id)).items]
    assert [each.id for each in by_pipeline] == [each.id for each in milestones]
    assert len(milestones) == 10
    assert [each.name for each in (await api.lost_reasons()).items] == ["Price", "Timing", "Duplicate"]


async def test_our_field_of_opportunities_takes_what_is_written_back(account: Account) -> None:
    """S38, S64."""
    api, number = account.opportunities(), await account.new()
    field = await api.create_opportunity_field("FreshBooks invoice", "written by Ledgerline")
    assert field.id in [each.id for each in (await api.opportunity_fields()).items]
    for text in ("INV-7", "INV-8"):  # the second write changes the row, and adds none
        changed = await api.update_opportunity(number, {"fields": [{"definition": {"id": field.id}, "value": text}]})
    assert changed.fields is not None
    assert [(row.definition.name, row.value) for row in changed.fields] == [("FreshBooks invoice", "INV-8")]


async def test_a_note_is_found_by_our_marker_after_its_answer_was_lost(account: Account) -> None:
    """S38, F7."""
    api, number = account.opportunities(), await account.new()
    await account.control("faults", {"path": "/entries$", "method": "POST", "fault": "commit_then_cut", "times": 1})
    with pytest.raises(UnknownOutcome):
        await api.add_note(number, "Invoice INV-7 [ll:7f3a]")
    notes = (await api.notes(number)).items
    assert [("[ll:7f3a]" in (each.content or ""), each.opportunity and each.opportunity.id) for each in notes] == [
        (True, number)
    ]
    assert (await api.add_note(number, "Invoice INV-7 is paid")).id > notes[0].id


async def test_owners_are_found_by_the_address_of_their_own_party(account: Account) -> None:
    """S42."""
    api, number = account.opportunities(), await account.new(owner={"id": 6002})
    owner = (await api.opportunity(number)).owner
    addresses = {each.user.id: each for each in await api.users_with_email()}
    assert owner is not None
    jonas = addresses[owner.id]
    assert jonas.emails == ("jonas.weiss@sandbox.example",)
    assert jonas.party_id is not None
    own = await account.parties().get_party(jonas.party_id)
    assert own.email_addresses[0].address == "jonas.weiss@sandbox.example"


async def test_the_additional_parties_of_an_opportunity_are_listed(account: Account) -> None:
    """S41."""
    api, number = account.opportunities(), await account.new()
    ida = await account.control("records/party", {"type": "person", "firstName": "Ida"})
    await account.control(f"records/opportunity/{number}", {"parties": [ida["id"]]})
    assert [each.first_name for each in (await api.parties_of(number)).items] == ["Ida"]


async def test_what_capsule_refuses_is_named(account: Account) -> None:
    api, number = account.opportunities(), await account.new()
    with pytest.raises(Refused, match=r"opportunity\.probability"):
        await api.update_opportunity(number, {"milestone": {"id": WON}, "probability": 90})
    with pytest.raises(Refused, match=r"opportunity\.value"):
        await api.update_opportunity(number, {"value": {"amount": Decimal(5)}})
    with pytest.raises(Forbidden):
        await account.opportunities("read_only").update_opportunity(number, {"name": "Relaunch"})


async def test_hidden_opportunities_are_lost_sight_of(account: Account) -> None:
    """F16."""
    api, started, number = account.opportunities(), datetime.now(UTC) - timedelta(seconds=2), await account.new()
    await account.control(f"records/opportunity/{number}/restrict")
    page = await api.deleted_opportunities(started)
    assert (page.deleted, page.restricted) == ([], [number])


async def test_a_move_to_a_closing_milestone_is_heard_of(account: Account) -> None:
    """S12, S20."""
    number = await account.new()
    for event in OPPORTUNITY_EVENTS:
        await account.parties().create_rest_hook(event, f"https://us.test/{event}", "Ledgerline")
    await account.opportunities().update_opportunity(number, {"milestone": {"id": LOST}})
    await account.sandbox.settle()
    told = [parse_delivery(body) for body in account.receiver.bodies]
    assert {each.event for each in told} == {"opportunity/updated", "opportunity/moved", "opportunity/closed"}
    assert {each.opportunity_ids for each in told} == {(number,)}
