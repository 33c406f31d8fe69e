"""The story of the pipeline: what is sold becomes an estimate, what is won an invoice, in both CRMs."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from starters.demo.sides import BothSides, expect, until
from starters.demo.story import QUIET_SECONDS, Step, Story
from starters.demo.zoho_sides import CONTACTS

PROPOSAL, WON, LOST = 31_003, 31_005, 31_006
"""Milestones of the sandbox's Capsule."""
QUOTED, CLOSED_WON, CLOSED_LOST = "Proposal/Price Quote", "Closed Won", "Closed Lost"
VISIBLE, DELETED, ARCHIVED = 0, 1, 2
SOON = 60.0


async def _proposed(story: Story) -> None:
    party = await story.sides.create_party(type="organisation", name="Lindqvist Möbler AB")
    story.opportunity = await story.sides.enter_opportunity(
        party={"id": party},
        name="Showroom",
        milestone={"id": PROPOSAL},
        value={"amount": 1250.5, "currency": "EUR"},
    )
    estimate = await _document(story.sides, "estimate", story.opportunity)
    expect(estimate["amount"], {"amount": "1250.50", "code": "EUR"}, "what the estimate comes to")
    (client,) = await story.sides.clients_with(organization="Lindqvist Möbler AB")
    expect(estimate["customerid"], client["id"], "the estimate's client")


async def _repriced(story: Story) -> None:
    for amount in (1300, 1412.25):
        await story.sides.change_opportunity(story.opportunity, value={"amount": amount, "currency": "EUR"})
    await until("the second value", partial(_comes_to, story.sides, "estimate", story.opportunity, "1412.25"), SOON)


async def _accepted(story: Story) -> None:
    estimate = await _document(story.sides, "estimate", story.opportunity)
    await story.sides.accept_estimate(estimate["id"])
    await until("the opportunity won", partial(_is_at, story, WON), SOON)
    invoice = await _document(story.sides, "invoice", story.opportunity)
    expect(invoice["amount"], {"amount": "1412.25", "code": "EUR"}, "what the invoice comes to")
    expect((invoice["estimateid"], invoice["v3_status"]), (estimate["id"], "draft"), "whence and how it is")


async def _told(story: Story) -> None:
    async def noted() -> bool:
        notes = await story.sides.notes(story.opportunity)
        return [note.startswith(f"Invoice I-{story.opportunity}-1 in FreshBooks: 1412.25 EUR") for note in notes] == [
            True
        ]

    await until("one note that names the invoice", noted, SOON)


async def _reopened(story: Story) -> None:
    await story.sides.change_opportunity(story.opportunity, milestone={"id": PROPOSAL})
    await until("the void draft", partial(_stands, story.sides, "invoice", story.opportunity, DELETED), SOON)
    await story.sides.change_opportunity(story.opportunity, milestone={"id": WON})
    await until("the same draft again", partial(_stands, story.sides, "invoice", story.opportunity, VISIBLE), SOON)
    await asyncio.sleep(QUIET_SECONDS)
    expect(len(await _documents(story.sides, "invoice")), 1, "invoices")


async def _lost(story: Story) -> None:
    party = await story.sides.create_party(type="organisation", name="Havel & Co")
    opportunity = await story.sides.enter_opportunity(
        party={"id": party}, name="Fair stand", milestone={"id": PROPOSAL}, value={"amount": 900, "currency": "EUR"}
    )
    await _document(story.sides, "estimate", opportunity)
    await story.sides.change_opportunity(opportunity, milestone={"id": LOST})
    await until("its archived estimate", partial(_stands, story.sides, "estimate", opportunity, ARCHIVED), SOON)


async def _deal(story: Story) -> None:
    contact = await story.zoho.enter(CONTACTS, Last_Name="Osei", Email="ama@osei.example")
    deal = await story.zoho.enter(
        "Deals",
        Deal_Name="Catalogue",
        Stage=QUOTED,
        Amount=800,
        Contact_Name={"id": str(contact)},
    )
    await _document(story.zoho, "estimate", deal)
    await story.zoho.lose_books_answer("invoices")
    await story.zoho.change("Deals", deal, Stage=CLOSED_WON)
    invoice = await _document(story.zoho, "invoice", deal, within=60)
    expect(invoice["amount"], {"amount": "800.00", "code": "EUR"}, "what the invoice comes to")
    await asyncio.sleep(QUIET_SECONDS)
    expect(len(await _documents(story.zoho, "invoice")), 1, "invoices, although the answer to the first was lost")


async def _documents(sides: BothSides, kind: str) -> list[dict[str, Any]]:
    return await sides.records(sides.freshbooks_url, kind)


async def _found(sides: BothSides, kind: str, opportunity: int) -> list[dict[str, Any]]:
    number = f"{'E' if kind == 'estimate' else 'I'}-{opportunity}-1"
    return [each for each in await _documents(sides, kind) if each[f"{kind}_number"] == number]


async def _document(sides: BothSides, kind: str, opportunity: int, within: float = SOON) -> dict[str, Any]:
    found: list[dict[str, Any]] = await until(f"the {kind}", partial(_found, sides, kind, opportunity), within)
    expect(len(found), 1, f"{kind}s of this opportunity")
    return found[0]


async def _comes_to(sides: BothSides, kind: str, opportunity: int, amount: str) -> bool:
    return bool((await _document(sides, kind, opportunity))["amount"]["amount"] == amount)


async def _stands(sides: BothSides, kind: str, opportunity: int, vis_state: int) -> bool:
    return bool((await _document(sides, kind, opportunity))["vis_state"] == vis_state)


async def _is_at(story: Story, milestone: int) -> bool:
    return bool((await story.sides.opportunity(story.opportunity))["milestone"]["id"] == milestone)


PIPELINE_STORY: Sequence[Step] = (
    Step("an opportunity comes to its proposal: its party gets a client, and it an estimate", _proposed),
    Step("its value changes twice within a second: the estimate says the second", _repriced),
    Step("the customer accepts the estimate: the opportunity is won, and there is a draft invoice", _accepted),
    Step("Capsule is told: one note with number and amount of the invoice", _told),
    Step("it is reopened and won again: the draft is void, and then the same one is back", _reopened),
    Step("another is lost: its estimate is archived", _lost),
    Step("a deal in Zoho CRM is won, and the answer to its invoice is lost: still one invoice", _deal),
)
