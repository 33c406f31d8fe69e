"""Runs of billing: everybody's hours, up to the end of a period or a day that somebody names; and the preview."""

from datetime import date

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.billing import BillingActivities
    from activities.billing_models import (
        AnnounceBilling,
        BillingDays,
        BillingMoment,
        BillKey,
        BillPlan,
        ListUnbilled,
        PlanBill,
        UnbilledPage,
    )
    from activities.billing_passes import BillingPassActivities as Store
    from activities.queues import FRESHBOOKS
    from activities.sweep_models import Stream, SweepEnd
    from activities.sweeps import CursorActivities
    from workflows.billing_models import BillingRunRequest, BillingRunResult, Preview, PreviewRequest
    from workflows.billing_undo import free_void_bills
    from workflows.options import STORE_CALL, api_call

PERSON, SWEEP = 1, 3
FREED_HOURS = "hours of deleted invoices"  # runs that began before this was there do without it
BILLING_STREAM = "billing"
"""How far billing runs have come: the end of the last period that had one."""


async def ended_period(connection: str, *, once: bool) -> BillingDays:
    """Return the last period that is over; an empty answer while none is, or with `once` if it has had its run."""
    asked = BillingMoment(connection=connection, at=workflow.now(), once=once)
    call = api_call(FRESHBOOKS, connection, SWEEP, "which period is over")
    return await workflow.execute_activity_method(BillingActivities.billing_days, asked, **call)


async def unbilled_page(asked: ListUnbilled, rank: int) -> UnbilledPage:
    """Return the clients of one page of entries that are not billed."""
    call = api_call(FRESHBOOKS, asked.connection, rank, f"page {asked.page} of unbilled entries")
    return await workflow.execute_activity_method(BillingActivities.list_unbilled, asked, **call)


@workflow.defn
class BillingRun:
    """Find whose hours are not billed yet, and let the workflow of each of these clients bill them."""

    @workflow.run
    async def run(self, request: BillingRunRequest) -> BillingRunResult:
        """Read the list to its end. Marking entries shortens it meanwhile: clients are told only then."""
        now = request
        if now.page == 1 and workflow.patched(FREED_HOURS):
            await free_void_bills(now.connection, now.priority)
        if now.until is None:
            days = await ended_period(now.connection, once=now.once)
            now = now.model_copy(update=days.model_dump())
        until = now.until
        if until is None:
            workflow.set_current_details("no period has ended that was not billed")
            return BillingRunResult()
        if now.only_client is not None:
            now = now.model_copy(update={"clients": [now.only_client]})
        else:
            now = await self._listed(now, until)
        for client_id in now.clients:
            await self._announce(now, client_id, until)
        if now.ended_at is not None:
            end = SweepEnd(stream=Stream(connection=now.connection, name=BILLING_STREAM), read_until=now.ended_at)
            await workflow.execute_local_activity_method(CursorActivities.end_sweep, end, **STORE_CALL)
        workflow.set_current_details(f"{now.listed} entries of {len(now.clients)} clients until {until}")
        return BillingRunResult(until=until, listed=now.listed, clients=now.clients)

    async def _listed(self, now: BillingRunRequest, until: date) -> BillingRunRequest:
        """Read the list until a reading finds nobody new: what another run marks meanwhile moves the rest of a long
        list to pages that were read already.
        """
        while True:
            now, pages = await self._read(now, until)
            if pages == 1 or len(now.clients) == now.known_before:
                return now
            now = now.model_copy(update={"page": 1, "listed": 0, "known_before": len(now.clients)})

    async def _read(self, now: BillingRunRequest, until: date) -> tuple[BillingRunRequest, int]:
        """Read the list from a page to its end, and return how many pages it has."""
        while True:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(now)
            asked = ListUnbilled(connection=now.connection, until=until, page=now.page)
            page = await unbilled_page(asked, now.priority)
            found = {"listed": now.listed + page.listed, "clients": sorted({*now.clients, *page.client_ids})}
            now = now.model_copy(update=found)
            if not page.has_more:
                return now, now.page
            now = now.model_copy(update={"page": now.page + 1})

    async def _announce(self, now: BillingRunRequest, client_id: int, until: date) -> None:
        key = BillKey(connection=now.connection, client_id=client_id)
        asked = AnnounceBilling(key=key, first=now.first, until=until, cause=now.cause, priority=now.priority)
        await workflow.execute_local_activity_method(Store.announce_billing, asked, **STORE_CALL)


@workflow.defn
class BillingPreview:
    """Show what would be billed, without writing anything anywhere."""

    @workflow.run
    async def run(self, request: PreviewRequest) -> Preview:
        """Plan the bill of one client, or of everybody who has hours."""
        days = BillingDays(until=request.until)
        if request.until is None:
            days = await ended_period(request.connection, once=False)
        if days.until is None:
            return Preview()
        ids = [request.client_id] if request.client_id is not None else await self._clients(request, days.until)
        plans = [await self._plan(BillKey(connection=request.connection, client_id=each), days) for each in ids]
        said = [each for each in plans if each.lines or each.left_out or each.hold_reason]
        return Preview(until=days.until, plans=said)

    async def _clients(self, request: PreviewRequest, until: date) -> list[int]:
        clients: set[int] = set()
        page = UnbilledPage(has_more=True)
        number = 0
        while page.has_more:
            number += 1
            asked = ListUnbilled(connection=request.connection, until=until, page=number)
            page = await unbilled_page(asked, PERSON)
            clients |= set(page.client_ids)
        return sorted(clients)

    async def _plan(self, key: BillKey, days: BillingDays) -> BillPlan:
        until = days.until or workflow.now().date()
        call = api_call(FRESHBOOKS, key.connection, PERSON, f"hours of client {key.client_id} until {until}")
        asked = PlanBill(key=key, first=days.first, until=until, asks=False)
        return await workflow.execute_activity_method(BillingActivities.plan_bill, asked, **call)
