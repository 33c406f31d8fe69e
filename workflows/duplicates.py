"""Watching what the write protocol cannot rule out: creates left open, and two records that carry one mark of ours."""

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.duplicates import ClientMarkActivities, MarkActivities, PartyMarkActivities
    from activities.models import ConnectionName, OpenHold, PartyKey
    from activities.queues import FRESHBOOKS
    from activities.upkeep_models import MarkedPage, MarkedTwice, MarkPage, MarkRun
    from workflows.desk import Desk, show
    from workflows.models import ConnectionRequest, DuplicateCheckRequest, DuplicateCheckResult, Resolution
    from workflows.options import STORE_CALL, api_call
    from workflows.search_attributes import IN_STEP

REPAIR = 4


@workflow.defn
class OpenIntents:
    """Announce every record whose create has been open for too long: its pass looks, waits, and settles it."""

    @workflow.run
    async def run(self, request: ConnectionRequest) -> int:
        """Return how many there were."""
        asked = ConnectionName(connection=request.connection)
        count = await workflow.execute_local_activity_method(MarkActivities.announce_left_open, asked, **STORE_CALL)
        workflow.set_current_details(f"{count} creates were open for more than a quarter of an hour")
        return count


@workflow.defn
class DuplicateCheck:
    """Read the marks of ours that both systems hold, and ask a person about every mark that two records carry."""

    @workflow.run
    async def run(self, request: DuplicateCheckRequest) -> DuplicateCheckResult:
        """Read all pages, then start an incident for each double mark."""
        self._now = request.model_copy(update={"began_at": request.began_at or workflow.now()})
        both = (FRESHBOOKS, self._now.crm)
        for system in both[both.index(self._now.system) :]:
            await self._read(system)
            self._now.page = 1
        run = MarkRun(connection=request.connection, began_at=self._now.began_at or workflow.now())
        twice = await workflow.execute_local_activity_method(MarkActivities.marked_twice, run, **STORE_CALL)
        for each in twice.marks:
            await self._report(each)
        workflow.set_current_details(f"{self._now.read} marks read, {len(twice.marks)} on more than one record")
        return DuplicateCheckResult(read=self._now.read, twice=len(twice.marks))

    async def _read(self, system: str) -> None:
        self._now.system, has_more = system, True
        while has_more:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._now)
            page = await self._read_page(system)
            self._now.read += page.marks
            self._now.page, has_more = self._now.page + 1, page.has_more

    async def _read_page(self, system: str) -> MarkedPage:
        step = ClientMarkActivities.read_client_marks if system == FRESHBOOKS else PartyMarkActivities.read_party_marks
        page = MarkPage(connection=self._now.connection, page=self._now.page)
        summary = f"marks of ours, page {self._now.page}"
        return await workflow.execute_activity_method(
            step, page, **api_call(system, self._now.connection, REPAIR, summary)
        )

    async def _report(self, twice: MarkedTwice) -> None:
        try:
            await workflow.start_child_workflow(
                DuplicateIncident.run,
                twice,
                id=f"duplicate/{twice.connection}/{twice.system}-{twice.reference}",
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                parent_close_policy=ParentClosePolicy.ABANDON,
                static_summary=f"{len(twice.record_ids)} records of {twice.system} carry one mark of ours",
            )
        except WorkflowAlreadyStartedError:
            return  # somebody has been asked about it already


@workflow.defn
class DuplicateIncident:
    """Two records carry one mark of ours: a duplicate, or a copied note. A person looks; nothing repairs itself."""

    @workflow.init
    def __init__(self, twice: MarkedTwice) -> None:
        self._twice = twice
        self._desk = Desk()

    @workflow.run
    async def run(self, twice: MarkedTwice) -> str:
        """Wait until a person has merged or archived all but one and says retry, or accepts it with skip."""
        while len(self._twice.record_ids) > 1:
            text = (
                f"records {', '.join(self._twice.record_ids)} of {twice.system} carry one mark of ours: merge or "
                "archive all but one there, or take the mark out of the others; then retry. Skip to leave it as it is"
            )
            key = PartyKey(connection=twice.connection, party_id=0)
            subject = f"{twice.system} {' '.join(self._twice.record_ids)}"[:200]
            hold = OpenHold(key=key, subject=subject, reason="duplicate-found", evidence={"explanation": text})
            resolution = await self._desk.ask(hold, text, lambda: False, self._no_news)
            if resolution is not None and resolution.choice in {"skip", "approve"}:
                await workflow.execute_local_activity_method(MarkActivities.accept, self._twice, **STORE_CALL)
                return "accepted"
            self._twice = await self._look_again()
        show(IN_STEP, "only one record is left")
        return "resolved"

    @workflow.update(description="retry once only one record is left, or skip to leave it as it is")
    async def resolve(self, resolution: Resolution) -> str:
        """Let it be looked at again, or accept it."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _look_again(self) -> MarkedTwice:
        twice, books = self._twice, self._twice.system == FRESHBOOKS
        step = ClientMarkActivities.clients_marked if books else PartyMarkActivities.parties_marked
        config = api_call(twice.system, twice.connection, 1, f"who carries the mark {twice.reference} now?")
        return await workflow.execute_activity_method(step, twice, **config)

    async def _no_news(self) -> bool:
        return False
