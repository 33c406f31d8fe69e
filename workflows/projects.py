"""A won opportunity has its FreshBooks project, and shows what becomes of it: one workflow for each opportunity."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.models import OpenHold
    from activities.project_crm import ProjectCrmActivities
    from activities.project_models import ProjectKey, ProjectsPage
    from activities.projects import ProjectActivities
    from activities.queues import FRESHBOOKS
    from activities.sweep_models import Stream, SweepEnd, SweptPage
    from activities.sweeps import CursorActivities
    from workflows.clients import cause_of, distinct, rank_of
    from workflows.desk import Desk
    from workflows.failures import evidence_of, looks_again, reason_of, text_of
    from workflows.models import Change, Resolution, SweepResult
    from workflows.options import STORE_CALL, api_call
    from workflows.project_calls import ProjectCalls
    from workflows.project_models import ProjectRequest, ProjectResult, ProjectSweepRequest
    from workflows.project_pass import Again, Left, ProjectPass
    from workflows.search_attributes import IN_STEP, SYNC_STATE
    from workflows.sweeps import SWEEP

PARTS = ("won", "hours", "projects")


class _Overtaken(Exception):
    """News arrived while a person was waited for: the pass ends, the next one sees both."""


@workflow.defn
class OpportunityToProject:
    """Open the project of a won opportunity, once, and show its hours and what was billed on the opportunity."""

    @workflow.init
    def __init__(self, request: ProjectRequest) -> None:
        self._request = request
        self._key = ProjectKey(connection=request.connection, opportunity_id=request.opportunity_id)
        self._changes = list(request.changes)
        self._calls, self._desk = ProjectCalls(self._key, request.crm), Desk()
        self._pass = ProjectPass(self._key, self._calls, self._ask, anyway=request.anyway)

    @workflow.run
    async def run(self, request: ProjectRequest) -> ProjectResult:
        """Make passes until no change waits."""
        del request
        result = ProjectResult(outcome="in-step")
        while await self._news():
            changes, self._changes = distinct(self._changes), []
            try:
                result = await self._make_pass(changes)
            except _Overtaken:
                self._changes = [*changes, *self._changes]
            self._pass.anyway = False
        workflow.upsert_search_attributes([SYNC_STATE.value_set(IN_STEP)])
        workflow.set_current_details(f"**{result.outcome}**")
        return result

    @workflow.signal(description="news that the opportunity or its project may have changed")
    def changed(self, change: Change) -> None:
        """Take note; changes that arrive during a pass become one further pass."""
        self._changes.append(change)

    @workflow.update(description="decide a hold: retry, skip or approve")
    async def resolve(self, resolution: Resolution) -> str:
        """Let the sync go on as a person decided."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _news(self) -> bool:
        if not self._changes:
            await workflow.wait_condition(workflow.all_handlers_finished)
        await self._continue_if_long([])
        return bool(self._changes)

    async def _continue_if_long(self, changes: Sequence[Change]) -> None:
        """Go on as a new run before the history grows too long; the pass that is under way travels along."""
        if workflow.info().is_continue_as_new_suggested() and (changes or self._changes):
            await workflow.wait_condition(workflow.all_handlers_finished)
            waiting = distinct([*changes, *self._changes])
            workflow.continue_as_new(self._request.model_copy(update={"changes": waiting, "anyway": self._pass.anyway}))

    async def _make_pass(self, changes: Sequence[Change]) -> ProjectResult:
        self._calls.rank, self._calls.cause = rank_of(changes), cause_of(changes)
        while True:
            try:
                return await self._pass.attempt()
            except Again:
                pass
            except Left:
                return ProjectResult(outcome="skipped")
            except FailureError as error:
                if not await self._cured(error):
                    return ProjectResult(outcome="skipped")
            await self._continue_if_long(changes)

    async def _cured(self, error: FailureError) -> bool:
        """Act on a failed activity by its remedy. Returns whether to try again."""
        if is_cancelled_exception(error):
            raise error
        if looks_again(error):
            if isinstance(error, ActivityError) and error.activity_type == "show_project":
                await workflow.sleep(self._pass.settle_time, summary="until a lost change has settled")
            return True
        decided = await self._ask(self._pass.held(reason_of(error), evidence_of(error)), text_of(error))
        return decided.choice != "skip"

    async def _ask(self, hold: OpenHold, text: str) -> Resolution:
        """Wait for a decision. Raises _Overtaken for news that may cure the hold."""
        decided = await self._desk.ask(hold, text, self._has_news, self._is_news)
        if decided is None:
            raise _Overtaken
        return decided

    def _has_news(self) -> bool:
        return bool(self._changes)

    async def _is_news(self) -> bool:
        """Everything that arrives looks anew: each sweep announces a state of a record only once."""
        return True


@workflow.defn
class ProjectSweep:
    """List the opportunities and the hours that changed, and all projects, and only then move the cursor.

    The first sweep only begins to watch: what was won long before gets no projects all at once.
    """

    @workflow.run
    async def run(self, request: ProjectSweepRequest) -> SweepResult:
        """Read every list to its end."""
        self._now = request
        if request.started_at is None:
            start = await workflow.execute_local_activity_method(
                CursorActivities.begin_sweep, self._stream(), **STORE_CALL
            )
            self._update(since=start.since, started_at=start.started_at)
        while self._now.since is not None and self._now.part < len(PARTS):
            await self._read_list()
            self._update(part=self._now.part + 1, page=1)
        end = SweepEnd(stream=self._stream(), read_until=self._now.started_at or workflow.now())
        await workflow.execute_local_activity_method(CursorActivities.end_sweep, end, **STORE_CALL)
        return SweepResult(listed=self._now.listed, announced=self._now.announced, passes=1)

    async def _read_list(self) -> None:
        has_more = True
        while has_more:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._now)
            swept = await self._read_page()
            has_more, now = swept.has_more, self._now
            self._update(page=now.page + 1, listed=now.listed + swept.listed, announced=now.announced + swept.announced)
            workflow.set_current_details(f"{self._now.listed} records listed, {self._now.announced} announced")

    async def _read_page(self) -> SweptPage:
        now, part = self._now, PARTS[self._now.part]
        page = ProjectsPage(connection=now.connection, since=now.since, page=now.page, priority=SWEEP)
        system = now.crm if part == "won" else FRESHBOOKS
        call = api_call(system, now.connection, SWEEP, f"page {now.page} of {part}")
        match part:
            case "won":
                return await workflow.execute_activity_method(ProjectCrmActivities.sweep_won, page, **call)
            case "hours":
                return await workflow.execute_activity_method(ProjectActivities.sweep_project_hours, page, **call)
            case _:
                return await workflow.execute_activity_method(ProjectActivities.sweep_projects, page, **call)

    def _stream(self) -> Stream:
        return Stream(connection=self._now.connection, name=f"{self._now.crm}.projects")

    def _update(self, **changes: object) -> None:
        self._now = self._now.model_copy(update=changes)
