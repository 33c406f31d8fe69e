"""The story of the cash: hours are billed once a person approves, and what is paid of an invoice shows in the CRM."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

from temporalio.client import Client

from runtime.temporal import connect
from starters.announce import billing_id
from starters.billing import preview, run_billing
from starters.demo.sides import expect, until
from starters.demo.story import QUIET_SECONDS, Step, Story
from starters.sandbox import CAPSULE, SHOWN_IN_CAPSULE
from workflows.models import Resolution

BUSINESS = 880_001  # of the sandbox's FreshBooks: hours have another id than the account
MARCH_ENDS, APRIL = "2026-03-31", date(2026, 4, 1)
FIRM = "billing@acme.example"
SOON = 60.0


async def _hours_previewed(story: Story) -> None:
    client = await story.sides.client(FIRM)
    service = await _tracked(story, "comments", "service", {"name": "Advice"})
    await _tracked(story, "comments", f"service/{service['id']}/rate", {"rate": "120.00"}, named="service_rate")
    # Half past nine in the evening in London is half past eleven in Berlin: still March; an hour later it is April.
    for started_at, duration in (("2026-03-10T08:00:00Z", 12_600), (f"{MARCH_ENDS}T21:30:00Z", 5_400)):
        await _log(story, client["id"], service["id"], started_at, duration)
    await _log(story, client["id"], service["id"], f"{MARCH_ENDS}T22:30:00Z", 3_600)
    shown = await preview(await _temporal(story), CAPSULE, None, APRIL)
    expect([(each.predicted, each.currency) for each in shown.plans], [("600.00", "EUR")], "what would be billed")
    expect(await _invoices_of(story, client["id"]), [], "invoices after a preview")


async def _hours_billed(story: Story) -> None:
    client = await story.sides.client(FIRM)
    temporal = await _temporal(story)
    await run_billing(temporal, CAPSULE, None, APRIL)
    workflow = temporal.get_workflow_handle(billing_id(CAPSULE, client["id"]))

    async def is_held() -> bool:
        return await story.system.is_held(workflow.id)

    await until("the question whether 600.00 EUR may be billed", is_held, SOON)
    expect(await _invoices_of(story, client["id"]), [], "invoices before anybody approved")
    await story.sides.lose_books_answer("invoices")
    await workflow.execute_update("resolve", Resolution(choice="approve"), result_type=str)
    await until("two entries billed, of March", lambda: _billed(story, 2), 60)
    await asyncio.sleep(QUIET_SECONDS)
    (invoice,) = await _invoices_of(story, client["id"])
    expect(invoice["amount"], {"amount": "600.00", "code": "EUR"}, "what the one invoice comes to")


async def _part_paid(story: Story) -> None:
    invoice = await _invoice_of_opportunity(story)
    path = story.sides.account(f"invoices/invoices/{invoice['id']}")
    await story.sides.books("PUT", path, {"invoice": {"action_mark_as_sent": True}})
    await _pay(story, invoice["id"], "412.25")
    wanted = {"status": "partial", "paid": "412.25", "outstanding": "1000.00"}
    await until("what is paid in Capsule", lambda: _shows(story, wanted), SOON)


async def _all_paid(story: Story) -> None:
    invoice = await _invoice_of_opportunity(story)
    await _pay(story, invoice["id"], "1000.00")
    wanted = {"status": "paid", "paid": "1412.25", "outstanding": "0.00"}
    await until("paid, in Capsule", lambda: _shows(story, wanted), SOON)


async def _temporal(story: Story) -> Client:
    return await connect(story.system.settings)


async def _tracked(
    story: Story, family: str, path: str, record: dict[str, Any], named: str | None = None
) -> dict[str, Any]:
    """Enter something of the families of hours in FreshBooks, and return it."""
    key = named or path
    answer = await story.sides.books("POST", f"{family}/business/{BUSINESS}/{path}", {key: record})
    return dict(answer[key])


async def _log(story: Story, client_id: int, service_id: int, started_at: str, duration: int) -> None:
    entry = {"client_id": client_id, "service_id": service_id, "started_at": started_at, "duration": duration}
    path = f"timetracking/business/{BUSINESS}/time_entries"
    await story.sides.books("POST", path, {"time_entry": {**entry, "is_logged": True, "billable": True}})


async def _pay(story: Story, invoice_id: int, amount: str) -> None:
    money = {"amount": amount, "code": "EUR"}
    payment = {"invoiceid": invoice_id, "amount": money, "date": "2026-03-20", "type": "Bank Transfer"}
    await story.sides.books("POST", story.sides.account("payments/payments"), {"payment": payment})


async def _billed(story: Story, count: int) -> bool:
    entries = await story.sides.records(story.sides.freshbooks_url, "time_entry")
    return len([each for each in entries if each["billed"]]) == count


async def _invoices_of(story: Story, client_id: int) -> list[dict[str, Any]]:
    invoices = await story.sides.records(story.sides.freshbooks_url, "invoice")
    return [each for each in invoices if each["customerid"] == client_id]


async def _invoice_of_opportunity(story: Story) -> dict[str, Any]:
    invoices = await story.sides.records(story.sides.freshbooks_url, "invoice")
    number = f"I-{story.opportunity}-1"
    return next(each for each in invoices if each["invoice_number"] == number)


async def _shows(story: Story, wanted: dict[str, str]) -> bool:
    shown = await story.sides.shown(story.opportunity)
    return {fact: shown.get(name) for fact, name in SHOWN_IN_CAPSULE.items()} == wanted


CASH_STORY: Sequence[Step] = (
    Step(
        "hours are logged, around midnight too: the preview shows those of March and writes nothing", _hours_previewed
    ),
    Step("they are billed once a person approves, though an answer is lost: one invoice, two entries", _hours_billed),
    Step("a customer pays a part: the opportunity says what is paid and outstanding", _part_paid),
    Step("and then the rest: the opportunity says paid", _all_paid),
)
