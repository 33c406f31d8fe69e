"""The steps of billing as its workflow takes them: each request on the account's queue, with its line in the UI."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.billing import BillingActivities
    from activities.billing_models import (
        BillClaimed,
        BillKey,
        BillPlan,
        BillStanding,
        BillStep,
        EntriesChecked,
        EntryMarked,
        EntryStep,
        InvoiceMade,
        InvoicesFound,
        MarkedEntry,
        OpenBill,
        PlanBill,
    )
    from activities.billing_passes import BillingPassActivities as Store
    from activities.queues import FRESHBOOKS
    from workflows.options import STORE_CALL, api_call


class BillingCalls:
    """The requests for one client's hours. `rank` runs from 1, a person waits, to 5."""

    def __init__(self, key: BillKey) -> None:
        self._key = key
        self.rank = 3
        self.cause = ""

    async def begin(self) -> BillStanding:
        """Return the bill that was begun, if there is one."""
        return await workflow.execute_local_activity_method(Store.begin_billing, self._key, **STORE_CALL)

    async def plan(self, asked: PlanBill) -> BillPlan:
        """Return what a bill would hold."""
        summary = f"hours of client {self._key.client_id} until {asked.until}"
        return await workflow.execute_activity_method(BillingActivities.plan_bill, asked, **self._call(summary))

    async def claim(self, plan: BillPlan) -> BillClaimed:
        """Begin a bill: from now on its entries are its own."""
        return await workflow.execute_local_activity_method(Store.claim_entries, plan, **STORE_CALL)

    async def reserve(self, bill: OpenBill) -> OpenBill:
        """Return the bill with its intent, reserved before anything is looked up."""
        return await workflow.execute_local_activity_method(Store.reserve_bill, bill, **STORE_CALL)

    async def reopen(self, bill: OpenBill) -> OpenBill:
        """Return the bill with its intent usable again: after the wait no invoice was found."""
        return await workflow.execute_local_activity_method(Store.reopen_bill, bill, **STORE_CALL)

    async def look(self, bill: OpenBill) -> InvoicesFound:
        """Return the invoices that have the bill's number."""
        return await workflow.execute_activity_method(
            BillingActivities.look_for_bill, self._step(bill), **self._call(f"look for invoice {bill.number}")
        )

    async def check(self, bill: OpenBill) -> EntriesChecked:
        """Return the entries that are not what they were when they were claimed."""
        summary = f"look at the {len(bill.entries)} entries once more"
        return await workflow.execute_activity_method(
            BillingActivities.check_entries, self._step(bill), **self._call(summary)
        )

    async def create(self, bill: OpenBill) -> InvoiceMade:
        """Make the invoice."""
        summary = f"create invoice {bill.number} of {len(bill.entries)} entries"
        return await workflow.execute_activity_method(
            BillingActivities.create_bill, self._step(bill), **self._call(summary)
        )

    async def adopt(self, bill: OpenBill) -> InvoiceMade:
        """Take over the invoice that a lost create has left."""
        summary = f"take over invoice {bill.invoice_id}"
        return await workflow.execute_activity_method(
            BillingActivities.adopt_bill, self._step(bill), **self._call(summary)
        )

    async def send(self, bill: OpenBill) -> InvoiceMade:
        """Mark the invoice as sent."""
        summary = f"mark invoice {bill.invoice_id} as sent"
        return await workflow.execute_activity_method(
            BillingActivities.send_bill, self._step(bill), **self._call(summary)
        )

    async def mark(self, bill: OpenBill, entry: MarkedEntry, *, anyway: bool) -> EntryMarked:
        """Tell FreshBooks that an entry is billed."""
        asked = EntryStep(key=self._key, bill_id=bill.bill_id, entry=entry, anyway=anyway)
        summary = f"mark entry {entry.entry_id} as billed"
        return await workflow.execute_activity_method(BillingActivities.mark_entry, asked, **self._call(summary))

    async def finish(self, bill: OpenBill) -> None:
        """Nothing is left to do for the bill."""
        await workflow.execute_local_activity_method(Store.finish_bill, self._step(bill), **STORE_CALL)

    async def drop(self, bill: OpenBill) -> None:
        """Give the entries of a bill back: it has no invoice, and will get none."""
        await workflow.execute_local_activity_method(Store.drop_bill, self._step(bill), **STORE_CALL)

    def _step(self, bill: OpenBill) -> BillStep:
        return BillStep(bill=bill, cause=self.cause)

    def _call(self, summary: str) -> workflow.ActivityConfig:
        return api_call(FRESHBOOKS, self._key.connection, self.rank, summary)
