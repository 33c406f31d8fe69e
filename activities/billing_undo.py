"""Hours whose invoice somebody deleted: they lose their mark, and may be billed again. Each step is safe to repeat."""

from datetime import datetime

from pydantic import BaseModel, Field
from temporalio import activity

from activities.billing import BillingBooks
from activities.billing_books import as_entry
from activities.billing_passes import bill_record
from activities.client_sweeps import first_day
from activities.crash_points import crash_point
from activities.errors import temporal_errors
from activities.sides import audit_entry
from connectors.freshbooks.models import DELETED
from mapping.plan import FieldWrite
from store.bills import Bill
from store.store import Store

DONE = "done"


class DeletedInvoices(BaseModel):
    """One page of the invoices that were deleted since an instant, None: ever."""

    connection: str
    since: datetime | None = None
    page: int = 1


class VoidBill(BaseModel):
    """A finished bill whose invoice was deleted, with the time entries that it still has."""

    connection: str
    bill_id: int
    invoice_id: int
    entry_ids: list[int]


class VoidBills(BaseModel):
    """The bills of a page of deleted invoices."""

    bills: list[VoidBill] = Field(default_factory=list)
    has_more: bool = False


class FreeEntry(BaseModel):
    """Take the mark `billed` from an entry of a void bill."""

    bill: VoidBill
    entry_id: int


class BillingUndoActivities:
    """The void bills of one FreshBooks account."""

    def __init__(self, account: BillingBooks, store: Store) -> None:
        self._hours, self._invoices, self._store = account.hours, account.invoices, store

    @activity.defn
    async def list_void_bills(self, asked: DeletedInvoices) -> VoidBills:
        """Return the finished bills of one page of deleted invoices. Only reads."""
        with temporal_errors():
            listed = await self._invoices.list_page(
                page=asked.page, updated_min=first_day(asked.since), vis_state=DELETED
            )
            found = [await self._store.bills.of_invoice(asked.connection, each.id) for each in listed.items]
            void = [_void(each) for each in found if each is not None and each.state == DONE]
            return VoidBills(bills=void, has_more=listed.has_more)

    @activity.defn
    async def free_entry(self, step: FreeEntry) -> None:
        """Tell FreshBooks that an entry is not billed, if it still is the one that was: what people changed stays."""
        with temporal_errors():
            bill = await self._store.bills.find(step.bill.bill_id)
            if bill is None or bill.state != DONE:  # another run has freed it; by now a new bill may have marked it
                return
            was = {each.entry_id: each.fingerprint for each in bill.entries}
            read = await self._hours.time_entry(step.entry_id)
            if read is None or not read.entry.billed:
                return
            if self._store.links.fingerprint({"entry": as_entry(read.entry).content()}) == was.get(step.entry_id):
                crash_point("before-put")
                await self._hours.mark_billed(read, billed=False)
                crash_point("after-put")

    @activity.defn
    async def release_bill(self, void: VoidBill) -> bool:
        """Give the entries of a bill back, and say whether that was done: an invoice that was restored keeps them."""
        with temporal_errors():
            if (await self._invoices.get(void.invoice_id)).vis_state != DELETED:
                return False
            entries = ", ".join(str(each) for each in sorted(void.entry_ids))
            freed = [FieldWrite(field="time entries", before=entries, after=None)]
            entry = audit_entry("release", "its invoice was deleted", "", freed, side="books")
            await self._store.links.set_state(bill_record(void.connection, void.bill_id), "tombstoned", audit=entry)
            await self._store.bills.drop(void.bill_id)
            return True


def _void(bill: Bill) -> VoidBill:
    ids = sorted(each.entry_id for each in bill.entries)
    return VoidBill(connection=bill.connection, bill_id=bill.id, invoice_id=bill.invoice_id or 0, entry_ids=ids)
