"""Plans: what a sync of all records would do, made without writing anything; and applying exactly that."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.client_plans import PlanActivities
    from activities.plan_applying import PlanItemActivities
    from activities.plan_listing import ClientListing, PartyListing
    from activities.plan_models import ApplyStart, FailedPlan, NewPlan, PlanName, StagePage
    from activities.queues import FRESHBOOKS
    from workflows.failures import text_of
    from workflows.models import ApplyRequest, ApplyResult, PlanRequest
    from workflows.options import STORE_CALL, api_call, long_store_call

RANK = 4
DELETED = 1  # vis_state; source: https://www.freshbooks.com/api/active_deleted
NO_PAGE = 0
LOOK_AGAIN = timedelta(days=1)


@workflow.defn
class PlanClients:
    """List both sides, page by page, work out what a sync would do, and forget it all when the plan expires."""

    @workflow.run
    async def run(self, request: PlanRequest) -> None:
        """Make the plan and keep it. Nothing is written to either system."""
        self._progress = request
        self._plan = PlanName(plan_id=request.plan_id, connection=request.connection)
        try:
            await self._begin()
            await self._list()
            await workflow.execute_activity_method(
                PlanActivities.make_plan, self._plan, **long_store_call("compare both sides")
            )
            workflow.set_current_details(f"ready: `ledgerline plan show {request.plan_id}`")
        except (ActivityError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) or is_cancelled_exception(error):
                await self._fail("stopped by a person")
                raise
            await self._fail(text_of(error))
        await self._keep()

    async def _begin(self) -> None:
        if self._progress.expires_at is None:
            self._progress.expires_at = workflow.now() + self._progress.keep
            new = NewPlan(plan=self._plan, expires_at=self._progress.expires_at)
            await workflow.execute_local_activity_method(PlanActivities.begin_plan, new, **STORE_CALL)

    async def _list(self) -> None:
        """List every page once; both accounts at the same time, because each has its own quota."""
        await asyncio.gather(self._list_parties(), self._list_clients())
        now = self._progress
        if now.parties_page or now.clients_page or now.deleted_page:
            workflow.continue_as_new(now)

    async def _list_parties(self) -> None:
        while self._progress.parties_page and not workflow.info().is_continue_as_new_suggested():
            page = self._progress.parties_page
            listed = await workflow.execute_activity_method(
                PartyListing.stage_parties,
                StagePage(plan=self._plan, page=page),
                **api_call(self._progress.crm, self._plan.connection, RANK, f"page {page} of all parties"),
            )
            self._progress.parties_page = page + 1 if listed.has_more else NO_PAGE

    async def _list_clients(self) -> None:
        while self._progress.clients_page and not workflow.info().is_continue_as_new_suggested():
            self._progress.clients_page = await self._list_clients_page(self._progress.clients_page, None)
        while self._progress.deleted_page and not workflow.info().is_continue_as_new_suggested():
            self._progress.deleted_page = await self._list_clients_page(self._progress.deleted_page, DELETED)

    async def _list_clients_page(self, page: int, vis_state: int | None) -> int:
        """Return the next page, or that there is none."""
        listed = await workflow.execute_activity_method(
            ClientListing.stage_clients,
            StagePage(plan=self._plan, page=page, vis_state=vis_state),
            **api_call(
                FRESHBOOKS,
                self._plan.connection,
                RANK,
                f"page {page} of {'all' if vis_state is None else 'deleted'} clients",
            ),
        )
        return page + 1 if listed.has_more else NO_PAGE

    async def _fail(self, text: str) -> None:
        failed = FailedPlan(plan=self._plan, text=text)
        workflow.set_current_details(f"not made: {text}")
        await workflow.execute_activity_method(
            PlanActivities.fail_plan, failed, **long_store_call("forget what was listed")
        )

    async def _keep(self) -> None:
        """Wait until the plan expires, longer if it is being applied then, and forget what it holds of people."""
        wait = (self._progress.expires_at or workflow.now()) - workflow.now()
        while True:
            await workflow.sleep(max(wait, timedelta(0)), summary="until the plan expires")
            forgotten = await workflow.execute_activity_method(
                PlanActivities.forget_plan, self._plan, **long_store_call("forget the plan")
            )
            if forgotten:
                return
            wait = LOOK_AGAIN


@workflow.defn
class ApplyPlan:
    """Do exactly what a plan says: hand each item to its record's workflow, which does that or nothing."""

    @workflow.run
    async def run(self, request: ApplyRequest) -> ApplyResult:
        """Apply the plan, or go on where an earlier run has ended."""
        plan = PlanName(plan_id=request.plan_id, connection=request.connection)
        start = ApplyStart(plan=plan, allow_creates=request.allow_creates)
        answer = await workflow.execute_local_activity_method(PlanItemActivities.begin_apply, start, **STORE_CALL)
        if answer.refusal:
            return ApplyResult(outcome="refused", text=answer.refusal)
        if answer.finished:
            return ApplyResult(outcome="applied", text=f"plan {request.plan_id} has been applied already")
        while True:
            progress = await workflow.execute_activity_method(
                PlanItemActivities.announce_items, plan, **long_store_call("keep items at work")
            )
            if progress.stopped:
                return ApplyResult(outcome="stopped")
            if not progress.announced and not progress.outstanding:
                break
            workflow.set_current_details(f"{progress.outstanding} items at work")
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(request)
        await workflow.execute_local_activity_method(PlanItemActivities.end_apply, plan, **STORE_CALL)
        return ApplyResult(outcome="applied")
