"""Firms whose opportunities are synced: what tests see and change of pipeline, estimates and invoices."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from connectors.zoho_crm.deals import ZohoDeals
from runtime.opportunities import OpportunitiesFlow
from runtime.payments import PaymentsFlow
from starters.announce import opportunity_id
from store.holds import OpenHold
from store.store import Store
from tests.attended import attended
from tests.sandboxes import CAPSULE, FRESHBOOKS, NUMBERS, Firm, open_firm
from tests.workflows.office import PATIENCE, Office, until
from tests.zoho_firms import CONTACTS, ZohoPeople
from workflows.models import Resolution
from workflows.opportunities import OpportunityToEstimate
from workflows.opportunity_models import OpportunityResult

OPPORTUNITIES = f"{CAPSULE}/api/v2/opportunities"
MILESTONES = {"new": 31_001, "proposal": 31_003, "won": 31_005, "lost": 31_006}
STAGES = {"new": "Qualification", "proposal": "Proposal/Price Quote", "won": "Closed Won", "lost": "Closed Lost"}


class CapsuleSales:
    """The people who sell with Capsule. Milestones are new, proposal, won and lost."""

    flow: Mapping[str, Any] = {"estimate_from": ["Proposal"], "milestones": {"Won": "accepted"}}

    def __init__(self, firm: Firm) -> None:
        self.firm = firm

    async def enter(self, milestone: str, amount: str | None, currency: str = "EUR") -> int:
        """Enter an opportunity of a new organisation, and return its id."""
        party_id = await self.firm.new_party(name=f"Acme {next(NUMBERS)}")
        draft = {
            "party": {"id": party_id},
            "name": "Website rebuild",
            "milestone": {"id": MILESTONES[milestone]},
            "value": {"amount": amount and float(amount), "currency": currency},
        }
        answer = await self.firm.http.post(OPPORTUNITIES, json={"opportunity": draft}, headers=self._token())
        return int(answer.raise_for_status().json()["opportunity"]["id"])

    async def move(self, record_id: int, milestone: str) -> None:
        """Move an opportunity."""
        await self._put(record_id, milestone={"id": MILESTONES[milestone]})

    async def price(self, record_id: int, amount: str, currency: str = "EUR") -> None:
        """Change what an opportunity is worth."""
        await self._put(record_id, value={"amount": float(amount), "currency": currency})

    async def shown(self, record_id: int) -> tuple[str, str]:
        """Return milestone and amount as people see them."""
        found = await self._get(record_id)
        milestone = next(name for name, known in MILESTONES.items() if known == found["milestone"]["id"])
        return milestone, str(found["value"]["amount"])

    async def fields(self, record_id: int) -> dict[str, str]:
        """Return the custom fields that are filled in."""
        return {row["definition"]["name"]: row["value"] for row in (await self._get(record_id))["fields"]}

    async def notes(self, record_id: int) -> list[str]:
        """Return the notes of an opportunity."""
        answer = await self.firm.http.get(f"{OPPORTUNITIES}/{record_id}/entries", headers=self._token())
        return [each["content"] for each in answer.raise_for_status().json()["entries"]]

    async def new_field(self, name: str) -> None:
        """Make a text custom field of opportunities."""
        body = {"definition": {"name": name, "type": "text"}}
        answer = await self.firm.http.post(f"{OPPORTUNITIES}/fields/definitions", json=body, headers=self._token())
        answer.raise_for_status()

    async def fill(self, record_id: int, values: Mapping[str, str]) -> None:
        """Fill in custom fields."""
        answer = await self.firm.http.get(f"{OPPORTUNITIES}/fields/definitions", headers=self._token())
        ids = {each["name"]: each["id"] for each in answer.raise_for_status().json()["definitions"]}
        rows = [{"definition": {"id": ids[name]}, "value": value} for name, value in values.items()]
        await self._put(record_id, fields=rows)

    async def _put(self, record_id: int, **fields: Any) -> None:
        url = f"{OPPORTUNITIES}/{record_id}"
        (await self.firm.http.put(url, json={"opportunity": fields}, headers=self._token())).raise_for_status()

    async def _get(self, record_id: int) -> dict[str, Any]:
        url, query = f"{OPPORTUNITIES}/{record_id}", {"embed": "fields,milestone"}
        answer = await self.firm.http.get(url, params=query, headers=self._token())
        return dict(answer.raise_for_status().json()["opportunity"])

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.firm.connection.crm_account.token.get_secret_value()}"}


class ZohoSales:
    """The people who sell with Zoho CRM."""

    flow: Mapping[str, Any] = {"estimate_from": ["Proposal/Price Quote"], "milestones": {"Closed Won": "accepted"}}

    def __init__(self, firm: Firm) -> None:
        self.people = ZohoPeople(firm)
        self.deals = ZohoDeals(self.people.api)

    async def enter(self, milestone: str, amount: str | None, currency: str = "EUR") -> int:
        """Enter a deal of a new contact, and return its id."""
        number = next(NUMBERS)
        contact = await self.people.enter(CONTACTS, Last_Name=f"Lovelace {number}", Email=f"ada{number}@acme.test")
        return await self.people.enter(
            "Deals",
            Deal_Name="Website rebuild",
            Stage=STAGES[milestone],
            Amount=amount and float(amount),
            Currency=currency,
            Contact_Name={"id": str(contact)},
        )

    async def move(self, record_id: int, milestone: str) -> None:
        """Move a deal."""
        await self.people.change("Deals", record_id, Stage=STAGES[milestone])

    async def price(self, record_id: int, amount: str, currency: str = "EUR") -> None:
        """Change what a deal is worth."""
        await self.people.change("Deals", record_id, Amount=float(amount), Currency=currency)

    async def shown(self, record_id: int) -> tuple[str, str]:
        """Return stage and amount as people see them."""
        deal = await self.deals.deal(str(record_id))
        return next(name for name, known in STAGES.items() if known == deal.stage), f"{deal.amount}"

    async def fields(self, record_id: int) -> dict[str, str]:
        """Return the custom fields that are filled in."""
        custom = [each.api_name for each in await self.deals.deal_fields() if each.custom_field]
        deal = await self.deals.deal(str(record_id))
        return {name: str(deal.values[name]) for name in custom if deal.values.get(name)}

    async def notes(self, record_id: int) -> list[str]:
        """Return the notes of a deal."""
        return [each.text or "" for each in (await self.deals.notes(str(record_id))).items]

    async def new_field(self, name: str) -> None:
        """Make a text field of deals."""
        await self.deals.create_deal_field(name, length=120)

    async def fill(self, record_id: int, values: Mapping[str, str]) -> None:
        """Fill in custom fields."""
        await self.people.change("Deals", record_id, **values)


SALES: Mapping[str, type[CapsuleSales] | type[ZohoSales]] = {"capsule": CapsuleSales, "zoho_crm": ZohoSales}


class Pipeline:
    """The people who sell, those who bill, and the workflow between them."""

    def __init__(self, office: Office) -> None:
        self.office, self.firm = office, office.firm
        self.sales: CapsuleSales | ZohoSales = SALES[self.firm.connection.crm](self.firm)
        self._begun: set[str] = set()

    async def enter(self, milestone: str = "proposal", amount: str | None = "1250.50") -> int:
        """Enter an opportunity (Website rebuild, in EUR) of somebody new, and return its id."""
        return await self.sales.enter(milestone, amount)

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """Return every estimate, or every invoice, that FreshBooks holds, oldest first."""
        return self.firm.sandbox.freshbooks_service.records.all(kind)

    async def change_document(self, kind: str, document_id: int, **fields: Any) -> None:
        """Change a document in FreshBooks by hand."""
        account = self.firm.connection.freshbooks
        url = f"{FRESHBOOKS}/accounting/account/{account.account_id}/{kind}s/{kind}s/{document_id}?include[]=lines"
        token = {"Authorization": f"Bearer {account.token.get_secret_value()}"}
        (await self.firm.http.put(url, json={kind: fields}, headers=token)).raise_for_status()

    async def announce(self, record_id: int, cause: str = "webhook", rank: int = 2) -> None:
        """Tell the opportunity's workflow that it may have changed."""
        self._begun.add(opportunity_id(self.firm.name, record_id, self.firm.connection.crm))
        await self.office.announcer.opportunity_changed(self.firm.name, record_id, cause, rank)

    async def books_news(self, record_id: int) -> None:
        """Tell the opportunity's workflow that one of its documents may have changed."""
        self._begun.add(opportunity_id(self.firm.name, record_id, self.firm.connection.crm))
        await self.office.announcer.opportunity_changed(
            self.firm.name, record_id, "freshbooks webhook", 2, "freshbooks"
        )

    def workflow(self, record_id: int) -> "WorkflowHandle[OpportunityToEstimate, OpportunityResult]":
        """Return the latest run of an opportunity's workflow."""
        workflow_id = opportunity_id(self.firm.name, record_id, self.firm.connection.crm)
        return self.office.temporal.get_workflow_handle(workflow_id, result_type=OpportunityResult)

    async def result(self, record_id: int) -> OpportunityResult:
        """Wait until nothing is pending, and return how it ended."""
        return await asyncio.wait_for(self.workflow(record_id).result(), PATIENCE)

    async def sync(self, record_id: int) -> OpportunityResult:
        """Announce an opportunity and wait for the end."""
        await self.announce(record_id)
        return await self.result(record_id)

    async def hold(self, record_id: int) -> OpenHold:
        """Return the opportunity's hold, once it waits for a person."""

        async def listed() -> OpenHold | None:
            holds = await self.firm.store.holds.listed()
            mine = [each for each in holds if (each.flow, each.record_id) == ("opportunities", str(record_id))]
            return mine[0] if mine else None

        found: OpenHold = await until(listed)
        return found

    async def resolve(self, record_id: int, resolution: Resolution) -> None:
        """Decide a hold, as a person does."""
        await self.workflow(record_id).execute_update("resolve", resolution, result_type=str)

    async def close(self) -> None:
        """End what still runs."""
        self.office._begun |= self._begun
        await self.office.close()


def sell(firm: Firm, **flow: Any) -> None:
    """Let a firm sync its opportunities, and look after its payments, from now on."""
    opportunities = OpportunitiesFlow.model_validate({**SALES[firm.connection.crm].flow, **flow})
    connection = firm.connection.model_copy(update={"opportunities": opportunities, "payments": PaymentsFlow()})
    firm.settings = firm.settings.model_copy(update={"connections": {firm.name: connection}})
    firm.__post_init__()


@asynccontextmanager
async def open_pipeline(temporal: Client, store: Store, data: Path, crm: str, **flow: Any) -> AsyncIterator[Pipeline]:
    """Give a firm whose opportunities get estimates from the proposal on, and drafts once won; run its workers."""
    async with open_firm(store, data, f"firm-{next(NUMBERS)}", crm=crm) as firm:
        sell(firm, **flow)
        pipeline = Pipeline(Office(temporal, firm))
        async with attended(pipeline.office):
            yield pipeline
        await pipeline.close()


@pytest.fixture(params=SALES)
def crm(request: pytest.FixtureRequest) -> str:
    """Each CRM in turn."""
    return str(request.param)


OpenPipeline = Callable[..., AbstractAsyncContextManager[Pipeline]]
"""Gives a firm whose opportunities are synced with these settings."""


@pytest.fixture
def open_with(temporal: Client, sqlite_store: Store, tmp_path: Path, crm: str) -> OpenPipeline:
    """Gives a firm with either CRM."""
    return partial(open_pipeline, temporal, sqlite_store, tmp_path, crm)


@pytest.fixture
async def pipeline(open_with: OpenPipeline) -> AsyncIterator[Pipeline]:
    """A firm with either CRM, with the settings of most."""
    async with open_with() as opened:
        yield opened
