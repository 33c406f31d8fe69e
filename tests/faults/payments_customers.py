"""The customers of the payments campaign: what they buy, and how they pay."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starters.demo.sides import until
from tests.faults.payments_judge import Ledger, Sale
from tests.faults.payments_stories import DAY, PLACES, Owed, Step, draw, story, text
from tests.faults.rig import Rig

WON = 31_005
AT_ONCE = 5
# What a busy day brings: more at once would only wait in line, for two cores and five processes.
MOST_IN_FLIGHT = 60
LOOK_SECONDS = 0.5
PATIENCE = 900.0


class Customers:
    """Those who buy, and those who pay. The same seed gives the same sales and payments."""

    def __init__(self, rig: Rig, ledger: Ledger, seed: int, messy_every: int) -> None:
        self._rig, self._ledger, self._messy_every = rig, ledger, messy_every
        self._chance = random.Random(f"payments {seed}")
        self._last = 0

    async def sell(self, customer: int, count: int) -> list[Sale]:
        """Let so many opportunities of a new customer be won, and return the invoices that they become."""
        kinds = draw(self._chance, count, messy=customer % self._messy_every == 0)
        currency = list(PLACES)[customer % len(PLACES)]
        email = f"c{customer}@payments.example"
        draft = {"type": "organisation", "name": f"Customer {customer}", "emailAddresses": [{"address": email}]}
        [party] = await self._rig.crm.enter("party", [draft])
        client = int((await self._rig.sides.client(email, PATIENCE))["id"])
        amounts = [self._chance.randrange(10_000, 5_000_000) for _ in kinds]
        drafts = [
            {
                "party": {"id": party},
                "name": f"Sale {customer}-{place}",
                "milestone": {"id": WON},
                "value": {"amount": float(text(amount, currency)), "currency": currency},
            }
            for place, amount in enumerate(amounts)
        ]
        ids = await self._rig.crm.enter("opportunity", drafts)
        made = await until("the invoices", lambda: self._invoices_of(client, len(ids)), PATIENCE)
        stranger, self._last = self._last, client  # the first customer is never a messy one
        sales = []
        for record_id, amount, kind in zip(ids, amounts, kinds, strict=True):
            told = story(kind, Owed(amount, currency, record_id, stranger))
            sales.append(Sale(client, record_id, made[f"I-{record_id}-1"], amount, currency, told))
        return sales

    async def _invoices_of(self, client: int, count: int) -> dict[str, int]:
        """Return a client's invoices by number once all of them were sent."""
        self._ledger.read_on()
        mine = [each for each in self._ledger.invoices.values() if each["customerid"] == client]
        sent = {str(each["invoice_number"]): int(each["id"]) for each in mine if each["v3_status"] == "sent"}
        return sent if len(sent) == count else {}

    async def pay(self, sales: Sequence[Sale], in_flight: Callable[[], Awaitable[int]]) -> None:
        """Enter all payments, in an order of chance, a few invoices at once; not while too many are in flight."""
        places = asyncio.Semaphore(AT_ONCE)

        async def tell(sale: Sale) -> None:
            async with places:
                for step in sale.story.steps:
                    while await in_flight() > MOST_IN_FLIGHT:  # noqa: ASYNC110 - others make it so
                        await asyncio.sleep(LOOK_SECONDS)
                    sale.payment_ids.append(await self._enter(sale, step))

        order = list(sales)
        self._chance.shuffle(order)
        await asyncio.gather(*(tell(sale) for sale in order))

    async def _enter(self, sale: Sale, step: Step) -> int:
        """Enter a payment, do with it what its story says, and return its id."""
        currency = step.currency or sale.currency
        draft: dict[str, Any] = {"amount": {"amount": text(step.minor, currency), "code": currency}, "date": DAY}
        draft |= {"invoiceid": sale.invoice_id} if step.has_invoice else {"clientid": sale.client_id}
        books = self._rig.books
        [payment] = await books.enter("payment", [{**draft, "type": "Bank Transfer"}])
        if step.marks:
            await books.overwrite("payment", payment, **step.marks)
        if step.is_deleted:
            await books.change("payment", {"id": payment, "vis_state": 1})
        if step.loses_invoice:
            await books.change("invoice", {"id": sale.invoice_id, "vis_state": 1})
        return payment
