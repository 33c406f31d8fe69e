"""Many records at once are due to be created: a person says whether that is meant."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.bulk import BulkActivities
    from activities.models import OpenHold, PartyKey
    from activities.upkeep_models import BulkCount, BulkFlow
    from activities.waiting import WaitingActivities
    from workflows.desk import Desk, show
    from workflows.models import BulkRequest, BulkResult, Resolution
    from workflows.options import STORE_CALL, api_call
    from workflows.search_attributes import IN_STEP, SYNCING

BATCH = 100
BACKFILL = 5


async def weigh_first_creates(connection: str, crm: str) -> None:
    """Let the creates that a first sweep found go on if they are few; else a person is asked before any is made."""
    flow = BulkFlow(connection=connection, count=BATCH)
    found = await workflow.execute_local_activity_method(BulkActivities.waiting, flow, **STORE_CALL)
    if found.count > found.limit:
        await workflow.execute_local_activity_method(BulkActivities.ask, flow, **STORE_CALL)
        return
    together = workflow.patched("read-together")
    while found.count:
        if together:
            found = await _let_go(flow, crm)
        else:
            found = await workflow.execute_local_activity_method(BulkActivities.let_pass, flow, **STORE_CALL)


async def _let_go(flow: BulkFlow, crm: str) -> BulkCount:
    call = api_call(crm, flow.connection, BACKFILL, "let creates go on that waited")
    return await workflow.execute_activity_method(WaitingActivities.let_go, flow, **call)


@workflow.defn
class BulkCreates:
    """Hold the creates that go beyond the limit until a person approves all of them, or rejects them."""

    @workflow.init
    def __init__(self, request: BulkRequest) -> None:
        self._flow, self._crm = BulkFlow(connection=request.connection, count=BATCH), request.crm
        self._desk = Desk()
        self._more = True

    @workflow.run
    async def run(self, request: BulkRequest) -> BulkResult:
        """Ask once for everything that waits; what comes to wait during the question belongs to it."""
        counted = await workflow.execute_local_activity_method(BulkActivities.waiting, self._flow, **STORE_CALL)
        if not counted.count:
            return BulkResult(outcome="nothing-waits")
        text = (
            f"more than {counted.limit} records are due to be created at once; {counted.count} wait. Look at "
            "`ledgerline plan`, then approve to create them, or reject to leave them out until they change again"
        )
        key = PartyKey(connection=request.connection, party_id=0)
        hold = OpenHold(key=key, reason="bulk-limit", evidence={"explanation": text}, subject="bulk-creates")
        resolution = await self._desk.ask(hold, text, lambda: False, self._no_news)
        approved = resolution is not None and resolution.choice in {"approve", "retry"}
        return BulkResult(
            outcome="approved" if approved else "rejected", released=await self._let_go(approved=approved)
        )

    @workflow.update(description="approve or reject the creates that wait")
    async def resolve(self, resolution: Resolution) -> str:
        """Let the creates go on, or leave them out."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _let_go(self, *, approved: bool) -> int:
        released, batch = 0, BATCH
        step = BulkActivities.release if approved else BulkActivities.leave_out
        together = approved and workflow.patched("read-together")
        while batch:
            if together:
                batch = (await _let_go(self._flow.model_copy(update={"approved": True}), self._crm)).count
            else:
                batch = (await workflow.execute_local_activity_method(step, self._flow, **STORE_CALL)).count
            released += batch
            show(SYNCING if batch else IN_STEP, f"{released} creates {'released' if approved else 'left out'}")
        return released

    async def _no_news(self) -> bool:
        return False
