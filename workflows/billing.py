"""The hours of a client become invoices: one workflow for each client, one bill at a time."""

from datetime import date

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.billing_models import BillKey, BillPlan
    from activities.models import OpenHold
    from workflows.billing_calls import BillingCalls
    from workflows.billing_models import BillingChoice, BillingRequest, BillingResult, BillingWish
    from workflows.billing_pass import Again as BillAgain
    from workflows.billing_pass import BillingPass, Left
    from workflows.desk import Desk
    from workflows.failures import evidence_of, looks_again, reason_of, text_of
    from workflows.models import Resolution
    from workflows.opportunities import APPROVAL
    from workflows.search_attributes import IN_STEP, SYNC_STATE

LONGEST_CAUSE = 200


class _Overtaken(Exception):
    """Another wish arrived while a person was waited for: the pass ends, the next one sees both."""


@workflow.defn
class TimeEntriesToInvoice:
    """Bill the hours of one client, mark them as billed, and wait for a person where one must decide."""

    @workflow.init
    def __init__(self, request: BillingRequest) -> None:
        self._request = request
        self._key = BillKey(connection=request.connection, client_id=request.client_id)
        self._wishes = list(request.wishes)
        self._calls, self._desk = BillingCalls(self._key), Desk()
        self._pass = BillingPass(self._key, self._calls, self._ask, request.choice)

    @workflow.run
    async def run(self, request: BillingRequest) -> BillingResult:
        """Make bills until nobody wants another."""
        del request
        result = BillingResult(outcome="nothing-to-bill")
        while await self._wanted():
            wishes, self._wishes = self._wishes, []
            try:
                await self._bill(wishes, result)
            except _Overtaken:
                self._wishes = [*wishes, *self._wishes]
            self._pass.choice = BillingChoice()
        workflow.upsert_search_attributes([SYNC_STATE.value_set(IN_STEP)])
        workflow.set_current_details(f"**{result.outcome}**")
        return result

    @workflow.signal(description="bill the hours up to a day")
    def bill(self, wish: BillingWish) -> None:
        """Take note; wishes that arrive during a pass become one further pass."""
        self._wishes.append(wish)

    @workflow.update(description="decide a hold: retry, skip, approve or reject")
    async def resolve(self, resolution: Resolution) -> str:
        """Let the billing go on as a person decided."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _wanted(self) -> bool:
        if not self._wishes:
            await workflow.wait_condition(workflow.all_handlers_finished)
        await self._continue_if_long([])
        return bool(self._wishes)

    async def _continue_if_long(self, wishes: list[BillingWish]) -> None:
        """Go on as a new run before the history grows too long; the pass that is under way travels along."""
        if workflow.info().is_continue_as_new_suggested() and (wishes or self._wishes):
            await workflow.wait_condition(workflow.all_handlers_finished)
            waiting = [*wishes, *self._wishes]
            workflow.continue_as_new(self._request.model_copy(update={"wishes": waiting, "choice": self._pass.choice}))

    async def _bill(self, wishes: list[BillingWish], result: BillingResult) -> None:
        """Bill the days that anybody wants. A bill that was left open is finished first."""
        self._calls.rank = min(each.priority for each in wishes)
        self._calls.cause = ", ".join(dict.fromkeys(each.cause for each in wishes))[:LONGEST_CAUSE]
        for first, until in _spans(wishes):
            if not await self._billed(first, until, wishes, result):
                return

    async def _billed(self, first: date | None, until: date, wishes: list[BillingWish], result: BillingResult) -> bool:
        """Make bills of these days until none is left to make; return False if a person leaves it at that."""
        while True:
            try:
                invoice_id = await self._pass.attempt(first, until)
                if invoice_id is None:
                    return True
                result.outcome, self._pass.choice = "invoiced", BillingChoice()
                result.invoice_ids.append(invoice_id)
            except BillAgain:
                pass
            except Left as left:
                result.outcome = "rejected" if str(left) == "reject" else "skipped"
                return False
            except FailureError as error:
                if not await self._cured(error):
                    result.outcome = "skipped"
                    return False
            await self._continue_if_long(wishes)

    async def _cured(self, error: FailureError) -> bool:
        """Act on a failed activity by its remedy. Returns whether to try again."""
        if is_cancelled_exception(error):
            raise error
        if looks_again(error):
            if isinstance(error, ActivityError) and error.activity_type == "mark_entry":
                await workflow.sleep(self._pass.settle_time, summary="until a lost change has settled")
            return True
        hold = self._pass.held(reason_of(error), evidence_of(error))
        decided = await self._ask(hold, text_of(error), None)
        return decided.choice != "skip"

    async def _ask(self, hold: OpenHold, text: str, plan: BillPlan | None) -> Resolution:
        """Wait for a decision. Raises _Overtaken for a wish that may cure the hold."""
        if hold.reason == APPROVAL and plan is not None:
            return await self._approval(hold, text, plan)
        return self._taken(await self._desk.ask(hold, text, self._has_wish, self._is_news))

    async def _approval(self, hold: OpenHold, text: str, plan: BillPlan) -> Resolution:
        """Ask for an approval. It is for this very payload: the digest of what was shown is what counts."""
        waits = (plan.escalate_after, plan.expire_after)
        decided = self._taken(await self._desk.approval(hold, text, self._has_wish, self._is_news, waits))
        if decided.choice == "approve":
            self._pass.choice = self._pass.choice.model_copy(update={"approved": plan.digest})
        return decided

    def _taken(self, resolution: Resolution | None) -> Resolution:
        if resolution is None:
            raise _Overtaken
        return resolution

    def _has_wish(self) -> bool:
        return bool(self._wishes)

    async def _is_news(self) -> bool:
        """A new wish looks at everything anew: hours that were mended meanwhile need no decision."""
        return True


def _spans(wishes: list[BillingWish]) -> list[tuple[date | None, date]]:
    """Return the wanted days as few spans of first day and day after the last: days between two spans stay unbilled."""
    spans: list[tuple[date, date]] = []
    for first, until in sorted((each.first or date.min, each.until) for each in wishes):
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], until))
        else:
            spans.append((first, until))
    return [(None if first == date.min else first, until) for first, until in spans]
