"""The steps of billing that touch only our own store: local activities, shared by all connections."""

from collections.abc import Awaitable, Callable, Mapping

from temporalio import activity

from activities.billing_models import (
    AnnounceBilling,
    BillClaimed,
    BillKey,
    BillPlan,
    BillStanding,
    BillStep,
    MarkedEntry,
    OpenBill,
)
from activities.billing_rules import BillingRules
from activities.errors import ByConnection, temporal_errors
from activities.write_once import WriteOnce
from store.bills import Bill, EntriesTaken
from store.records import RecordKey
from store.store import Store

BILLS_FLOW = "bills"


def bill_record(connection: str, bill_id: int) -> RecordKey:
    """Return the name under which the store knows a bill: it is what the invoice is made of."""
    return RecordKey(connection, BILLS_FLOW, str(bill_id))


class BillingPassActivities:
    """What a pass over a client's hours knows."""

    def __init__(
        self,
        store: Store,
        rules: Mapping[str, BillingRules],
        once: Mapping[str, WriteOnce],
        announce: Callable[[AnnounceBilling], Awaitable[None]],
    ) -> None:
        self._store, self._rules, self._once = store, ByConnection(rules), ByConnection(once)
        self._announce = announce

    @activity.defn
    async def begin_billing(self, key: BillKey) -> BillStanding:
        """Return the client's bill that is not finished, if there is one. Only reads, but for a lost attempt."""
        bill = await self._store.bills.open_one(key.connection, key.client_id)
        settle_time = await self._once[key.connection].settle_time(key.connection)
        if bill is None:
            return BillStanding(settle_time=settle_time)
        link = await self._store.links.of_crm(bill_record(bill.connection, bill.id))
        is_mismatched = bool(link is not None and (link.base or {}).get("mismatch"))
        return BillStanding(bill=await self._standing(bill), settle_time=settle_time, is_mismatched=is_mismatched)

    @activity.defn
    async def announce_billing(self, asked: AnnounceBilling) -> None:
        """Let the workflow of a client bill its hours. Safe to repeat: a wish that is told twice is one wish."""
        await self._announce(asked)

    @activity.defn
    async def claim_entries(self, plan: BillPlan) -> BillClaimed:
        """Begin a bill: its entries are in no other one, now and later. Safe to repeat."""
        content, connection = plan.model_dump(mode="json"), plan.key.connection
        try:
            bill = await self._store.bills.claim(connection, plan.key.client_id, content, plan.entries)
        except EntriesTaken:
            return BillClaimed()
        return BillClaimed(bill=await self._standing(bill))

    @activity.defn
    async def reserve_bill(self, bill: OpenBill) -> OpenBill:
        """Return the bill with the intent to create its invoice, made now if there is none. Safe to repeat."""
        connection = bill.plan.key.connection
        create = await self._once[connection].open(bill_record(connection, bill.bill_id))
        return bill.model_copy(update={"create": create})

    @activity.defn
    async def reopen_bill(self, bill: OpenBill) -> OpenBill:
        """Return the bill with its intent usable again: after the wait no invoice was found."""
        with temporal_errors():
            if bill.create is None:
                return await self.reserve_bill(bill)
            create = await self._once[bill.plan.key.connection].reopen(bill.create)
            return bill.model_copy(update={"create": create})

    @activity.defn
    async def finish_bill(self, step: BillStep) -> None:
        """Every entry is marked: nothing is left to do. Safe to repeat."""
        await self._store.bills.finish(step.bill.bill_id)

    @activity.defn
    async def drop_bill(self, step: BillStep) -> None:
        """The bill gets no invoice: its entries may be billed otherwise. Safe to repeat."""
        record = bill_record(step.bill.plan.key.connection, step.bill.bill_id)
        await self._store.intents.drop(record)
        await self._store.bills.drop(step.bill.bill_id)

    async def _standing(self, bill: Bill) -> OpenBill:
        """Return a bill as workflows see it; its invoice is the one it is linked to."""
        record = bill_record(bill.connection, bill.id)
        link = await self._store.links.of_crm(record)
        plan, rules = BillPlan.model_validate(bill.plan), self._rules[bill.connection]
        has_intent = await self._store.intents.open_one(record) is not None
        return OpenBill(
            bill_id=bill.id,
            number=rules.number(bill.id),
            plan=plan,
            entries=[
                MarkedEntry(entry_id=each.entry_id, fingerprint=each.fingerprint, is_marked=each.is_marked)
                for each in bill.entries
            ],
            invoice_id=int(link.books_id) if link is not None and link.books_id else None,
            is_final=rules.is_final,
            is_sent=link is not None and (link.base or {}).get("status") not in {None, "draft"},
            create=await self._once[bill.connection].open(record) if has_intent else None,
        )
