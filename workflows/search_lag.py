"""How soon does a search show a new record? Nobody publishes it, and the wait after a lost create depends on it."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.models import LookForClient, PartyKey
    from activities.passes import PassActivities
    from activities.queues import FRESHBOOKS
    from activities.upkeep_models import NotedLag
    from workflows.client_calls import ClientCalls
    from workflows.models import SearchLagRequest, SearchLagResult
    from workflows.options import STORE_CALL

BACKFILL = 5
LOOKS = 8  # after about half a second, one, two, four … and at last two minutes


@workflow.defn
class SearchLag:
    """Look for one new client until a search shows it, and keep how long that took."""

    @workflow.run
    async def run(self, request: SearchLagRequest) -> SearchLagResult:
        """Look at growing intervals. A client that never shows counts as one that took all the time we looked."""
        calls = ClientCalls(request.connection, request.crm)
        calls.rank = BACKFILL
        key = PartyKey(connection=request.connection, party_id=request.party_id)
        search = LookForClient(key=key, reference=request.reference)
        for look in range(LOOKS):
            await workflow.sleep(timedelta(seconds=0.5 * 2**look), summary="before the next look")
            found = await calls.look_for_client(search)
            if any(each.client_id == request.client_id for each in found):
                return SearchLagResult(seconds=await self._note(request))
        await self._note(request)
        return SearchLagResult(seconds=None)

    async def _note(self, request: SearchLagRequest) -> float:
        seconds = (workflow.now() - request.created_at).total_seconds()
        noted = NotedLag(connection=request.connection, system=FRESHBOOKS, seconds=seconds)
        await workflow.execute_local_activity_method(PassActivities.note_lag, noted, **STORE_CALL)
        return seconds
