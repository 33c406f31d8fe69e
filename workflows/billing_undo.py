"""Before hours are billed: those whose invoice somebody deleted are free again."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.billing_undo import BillingUndoActivities, DeletedInvoices, FreeEntry, VoidBill, VoidBills
    from activities.queues import FRESHBOOKS
    from activities.sweep_models import Stream, SweepEnd
    from activities.sweeps import CursorActivities
    from workflows.options import STORE_CALL, api_call

DELETED_STREAM = "billing.deleted"
"""How far deleted invoices have been read."""


async def free_void_bills(connection: str, rank: int) -> int:
    """Free the hours of invoices that were deleted since the last look; return of how many invoices."""
    stream = Stream(connection=connection, name=DELETED_STREAM)
    start = await workflow.execute_local_activity_method(CursorActivities.begin_sweep, stream, **STORE_CALL)
    asked, freed = DeletedInvoices(connection=connection, since=start.since), 0
    while True:
        call = api_call(FRESHBOOKS, connection, rank, f"page {asked.page} of deleted invoices")
        page: VoidBills = await workflow.execute_activity_method(BillingUndoActivities.list_void_bills, asked, **call)
        for bill in page.bills:
            freed += await _freed(bill, rank)
        if not page.has_more:
            break
        asked = asked.model_copy(update={"page": asked.page + 1})
    end = SweepEnd(stream=stream, read_until=start.started_at)
    await workflow.execute_local_activity_method(CursorActivities.end_sweep, end, **STORE_CALL)
    return freed


async def _freed(bill: VoidBill, rank: int) -> bool:
    """Take the marks away first: the entries stay claimed until none says that it is billed."""
    for entry_id in bill.entry_ids:
        call = api_call(FRESHBOOKS, bill.connection, rank, f"entry {entry_id} is not billed any more")
        step = FreeEntry(bill=bill, entry_id=entry_id)
        await workflow.execute_activity_method(BillingUndoActivities.free_entry, step, **call)
    call = api_call(FRESHBOOKS, bill.connection, rank, f"give back the hours of invoice {bill.invoice_id}")
    return await workflow.execute_activity_method(BillingUndoActivities.release_bill, bill, **call)
