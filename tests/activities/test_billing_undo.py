"""What becomes of hours whose invoice was deleted, step by step."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities.billing_undo import BillingUndoActivities, DeletedInvoices, FreeEntry, VoidBill
from store.bills import Bill
from store.store import Store
from tests.sandboxes import NUMBERS, open_firm
from tests.timesheets import Timesheet, bills_hours, make_service


@pytest.fixture
async def timesheet(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Timesheet]:
    """A firm that bills its hours; nothing runs but what a test calls."""
    async with open_firm(sqlite_store, tmp_path, f"firm-{next(NUMBERS)}") as firm:
        bills_hours(firm)
        yield Timesheet(firm, await make_service(firm))


async def billed(timesheet: Timesheet) -> Bill:
    """Return a finished bill of one entry, whose invoice stands in FreshBooks."""
    firm = timesheet.firm
    client = await firm.new_client(organization="Quist AB", currency_code="EUR")
    entry = await timesheet.log(client)
    await timesheet.change(entry, billed=True)
    bill = await firm.store.bills.claim(firm.name, client, {}, {entry: "as it was billed"})
    await firm.store.bills.invoiced(bill.id, await timesheet.invoice(client, f"H-{bill.id}-1", "ours"))
    await firm.store.bills.finish(bill.id)
    found = await firm.store.bills.find(bill.id)
    assert found is not None
    return found


def void(bill: Bill) -> VoidBill:
    ids = [each.entry_id for each in bill.entries]
    return VoidBill(connection=bill.connection, bill_id=bill.id, invoice_id=bill.invoice_id or 0, entry_ids=ids)


async def test_only_bills_whose_invoice_was_deleted_are_void(timesheet: Timesheet) -> None:
    """F31: an invoice that stands keeps its hours."""
    kept, lost = await billed(timesheet), await billed(timesheet)
    await timesheet.change_record("invoice", lost.invoice_id or 0, vis_state=1)
    asked = DeletedInvoices(connection=timesheet.firm.name)
    found = await timesheet.firm.run(BillingUndoActivities.list_void_bills, asked)
    assert (found.bills, found.has_more) == ([void(lost)], False)
    assert kept.id not in {each.bill_id for each in found.bills}


async def test_an_invoice_that_was_restored_keeps_its_hours(timesheet: Timesheet) -> None:
    """F31: it was deleted when it was listed, and is back before its hours are given back."""
    bill = await billed(timesheet)
    assert await timesheet.firm.run(BillingUndoActivities.release_bill, void(bill)) is False
    taken = await timesheet.firm.store.bills.taken(timesheet.firm.name, [bill.entries[0].entry_id])
    assert taken == {bill.entries[0].entry_id}


async def test_an_entry_that_was_changed_since_keeps_its_mark(timesheet: Timesheet) -> None:
    """F31: somebody works on it; what the mark means to them is theirs to say."""
    bill = await billed(timesheet)
    [entry] = bill.entries
    await timesheet.firm.run(BillingUndoActivities.free_entry, FreeEntry(bill=void(bill), entry_id=entry.entry_id))
    assert timesheet.entry(entry.entry_id)["billed"] is True


async def test_the_mark_of_a_new_bill_is_not_taken_away_by_a_late_step(timesheet: Timesheet) -> None:
    """F31: two runs find the same deleted invoice; the second is late, and the entry is in another bill by then."""
    bill = await billed(timesheet)
    [entry] = bill.entries
    await timesheet.firm.store.bills.drop(bill.id)
    calls = timesheet.firm.calls("PUT", "/time_entries")
    await timesheet.firm.run(BillingUndoActivities.free_entry, FreeEntry(bill=void(bill), entry_id=entry.entry_id))
    assert timesheet.firm.calls("PUT", "/time_entries") == calls
    assert timesheet.entry(entry.entry_id)["billed"] is True
