"""An opportunity, its estimate and its invoice are kept in step: one workflow for each, one pass at a time."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.models import OpenHold
    from activities.opportunity_models import OpportunityKey, OpportunityPlan
    from activities.queues import FRESHBOOKS
    from workflows.clients import cause_of, distinct, rank_of
    from workflows.desk import Desk
    from workflows.failures import evidence_of, looks_again, reason_of, text_of
    from workflows.models import Change, Resolution
    from workflows.opportunity_calls import OpportunityCalls
    from workflows.opportunity_models import OpportunityChoice, OpportunityRequest, OpportunityResult
    from workflows.opportunity_pass import ECHOES, Again, OpportunityPass
    from workflows.search_attributes import IN_STEP, SYNC_STATE

APPROVAL = "approval"


class _Overtaken(Exception):
    """News of the record arrived while a person was waited for: the pass ends, the next one sees both."""


@workflow.defn
class OpportunityToEstimate:
    """Keep the estimate and the invoice of an opportunity as it says, and wait for a person where one must decide."""

    @workflow.init
    def __init__(self, request: OpportunityRequest) -> None:
        self._key = OpportunityKey(connection=request.connection, opportunity_id=request.opportunity_id)
        self._request = request
        self._changes = list(request.changes)
        self._calls = OpportunityCalls(self._key, request.crm)
        self._desk = Desk()
        self._pass = OpportunityPass(self._key, self._calls, self._ask, request.choice)

    @workflow.run
    async def run(self, request: OpportunityRequest) -> OpportunityResult:
        """Make passes until no change waits."""
        del request
        result, passes = OpportunityResult(outcome="in-step"), 0
        while await self._news():
            changes, self._changes = distinct(self._changes), []
            try:
                result = await self._make_pass(changes)
            except _Overtaken:
                self._changes = [*changes, *self._changes]
            self._pass.choice = OpportunityChoice()
            passes += 1
        workflow.upsert_search_attributes([SYNC_STATE.value_set(IN_STEP)])
        workflow.set_current_details(f"**{result.outcome}**")
        return result.model_copy(update={"passes": passes})

    @workflow.signal(description="news that the opportunity, its estimate or its invoice may have changed")
    def changed(self, change: Change) -> None:
        """Take note; changes that arrive during a pass become one further pass."""
        self._changes.append(change)

    @workflow.update(description="decide a hold: retry, skip, approve, reject, crm or books")
    async def resolve(self, resolution: Resolution) -> str:
        """Let the sync go on as a person decided."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _news(self) -> bool:
        """Return whether a change waits, after everybody who asked has been answered."""
        if not self._changes:
            await workflow.wait_condition(workflow.all_handlers_finished)
        await self._continue_if_long([])
        return bool(self._changes)

    async def _continue_if_long(self, changes: Sequence[Change]) -> None:
        """Go on as a new run before the history grows too long; the pass that is under way travels along."""
        if workflow.info().is_continue_as_new_suggested() and (changes or self._changes):
            await workflow.wait_condition(workflow.all_handlers_finished)
            waiting = distinct([*changes, *self._changes])
            workflow.continue_as_new(self._request.model_copy(update={"changes": waiting, "choice": self._pass.choice}))

    async def _make_pass(self, changes: Sequence[Change]) -> OpportunityResult:
        self._calls.rank, self._pass.cause = rank_of(changes), cause_of(changes)
        books_news = any(each.system == FRESHBOOKS for each in changes)
        while True:
            try:
                return await self._pass.attempt(books_news=books_news)
            except Again:
                pass
            except FailureError as error:
                if not await self._cured(error):
                    return OpportunityResult(outcome="skipped")
            await self._continue_if_long(changes)

    async def _cured(self, error: FailureError) -> bool:
        """Act on a failed activity by its remedy. Returns whether to try again."""
        if is_cancelled_exception(error):
            raise error
        if looks_again(error):
            if isinstance(error, ActivityError) and error.activity_type.startswith("write_"):
                await workflow.sleep(self._pass.settle_time, summary="until a lost change has settled")
            return True
        hold = self._pass.held(reason_of(error), evidence_of(error))
        decided = await self._ask(hold, text_of(error), None)
        return decided.choice != "skip"

    async def _ask(self, hold: OpenHold, text: str, plan: OpportunityPlan | None) -> Resolution:
        """Wait for a decision. Raises _Overtaken for news that may cure the hold."""
        if hold.reason == APPROVAL and plan is not None:
            return await self._approval(hold, text, plan)
        decided = self._taken(await self._desk.ask(hold, text, self._has_news, self._is_news))
        if decided.side is not None:
            self._pass.choice = self._pass.choice.model_copy(update={"side": decided.side})
        return decided

    async def _approval(self, hold: OpenHold, text: str, plan: OpportunityPlan) -> Resolution:
        """Ask for an approval. It is for this very payload: the digest of what was shown is what counts."""
        waits = (plan.escalate_after, plan.expire_after)
        decided = self._taken(await self._desk.approval(hold, text, self._has_news, self._is_news, waits))
        if decided.choice == "approve":
            self._pass.choice = self._pass.choice.model_copy(update={"approved": plan.digest})
        return decided

    def _taken(self, resolution: Resolution | None) -> Resolution:
        if resolution is None:
            raise _Overtaken
        return resolution

    def _has_news(self) -> bool:
        return bool(self._changes)

    async def _is_news(self) -> bool:
        """Return whether what arrived may cure the hold: sweeps announce a held record again and again, and FreshBooks
        tells of our own writes.
        """
        arrived, self._changes = self._changes, []
        told = any(each.system == FRESHBOOKS for each in arrived)
        plain = all(each.priority > 1 for each in arrived) and (not told or workflow.patched(ECHOES))
        is_same = plain and (await self._calls.read_opportunity()).fingerprint == self._pass.seen
        if is_same and not (told and await self._pass.documents_moved()):
            return False
        self._changes = [*arrived, *self._changes]
        return True
