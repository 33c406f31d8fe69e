"""A client that people entered in FreshBooks finds its party in the CRM, or gets one."""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.models import ClientKey, ClientSide, OpenCreate, OpenHold, PartyKey
    from activities.party_models import (
        ClaimParty,
        ClientStanding,
        CreateParty,
        LookForParty,
        PartyCandidate,
        PartyPlan,
        PlanParty,
    )
    from activities.passes import PassActivities
    from workflows.client_calls import ClientCalls
    from workflows.client_pass import ASKED_BY_PERSON
    from workflows.clients import cause_of, distinct, rank_of
    from workflows.desk import Desk, show
    from workflows.failures import hold_for, looks_again, text_of
    from workflows.models import Change, Choice, PartyFromClientRequest, PartyFromClientResult, Resolution
    from workflows.options import STORE_CALL
    from workflows.plan_item import PlanItem
    from workflows.search_attributes import IN_DOUBT, IN_STEP, SYNC_STATE, SYNCING

NO_PARTY = 0  # a hold of a client without a party is listed under the client


class _Overtaken(Exception):
    """News of the client arrived while a person was waited for."""


@workflow.defn
class PartyFromClient:
    """Find or create the party of a FreshBooks client; from then on the party's workflow sees to both."""

    @workflow.init
    def __init__(self, request: PartyFromClientRequest) -> None:
        self._key = ClientKey(connection=request.connection, client_id=request.client_id)
        self._changes = list(request.changes)
        self._choice = request.choice
        self._calls = ClientCalls(request.connection, request.crm)
        self._desk = Desk()
        self._cause = ""
        self._item = PlanItem()

    @workflow.run
    async def run(self, request: PartyFromClientRequest) -> PartyFromClientResult:
        """Make passes until no change waits."""
        del request
        result, passes = PartyFromClientResult(outcome="in-step"), 0
        while await self._news():
            changes, self._changes = distinct(self._changes), []
            try:
                result = await self._make_pass(changes)
            except _Overtaken:
                self._changes = [*changes, *self._changes]
            self._choice = Choice()
            passes += 1
        workflow.upsert_search_attributes([SYNC_STATE.value_set(IN_STEP)])
        workflow.set_current_details(f"**{result.outcome}**")
        return result.model_copy(update={"passes": passes})

    @workflow.signal(description="news that the client may have changed")
    def changed(self, change: Change) -> None:
        """Take note; changes that arrive during a pass become one further pass."""
        self._changes.append(change)

    @workflow.update(description="decide a hold: retry, skip, pick a party, or create a new one")
    async def resolve(self, resolution: Resolution) -> str:
        """Let the sync go on as a person decided."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _news(self) -> bool:
        if not self._changes:
            await workflow.wait_condition(workflow.all_handlers_finished)
        if workflow.info().is_continue_as_new_suggested() and self._changes:
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(
                PartyFromClientRequest(
                    connection=self._key.connection,
                    client_id=self._key.client_id,
                    changes=distinct(self._changes),
                    choice=self._choice,
                    crm=self._calls.crm,
                )
            )
        return bool(self._changes)

    async def _make_pass(self, changes: Sequence[Change]) -> PartyFromClientResult:
        self._calls.rank, self._cause, self._item = rank_of(changes), cause_of(changes), PlanItem(changes)
        while True:
            try:
                result = await self._attempt()
            except FailureError as error:
                if is_cancelled_exception(error):
                    raise
                if not looks_again(error) and not await self._decided(self._failed(error), text_of(error)):
                    await self._item.report("skipped")
                    return PartyFromClientResult(outcome="skipped")
                continue
            if result is not None:
                await self._item.report(result.outcome)
                return result

    async def _attempt(self) -> PartyFromClientResult | None:
        """Make one attempt; None to make another, because a person decided."""
        standing = await workflow.execute_local_activity_method(PassActivities.begin_client, self._key, **STORE_CALL)
        if standing.party_id is not None:
            return await self._forward(standing.party_id, "in-step")
        if standing.create is None:
            return PartyFromClientResult(outcome="not-carried")
        await self._settle(standing.create)
        client = await self._calls.read_client(self._key.client_id)
        if not client.exists or not client.visible:
            await workflow.execute_local_activity_method(PassActivities.drop_intent, self._key, **STORE_CALL)
            return PartyFromClientResult(outcome="gone")
        planned = await self._plan(standing.create, client)
        if self._item.differs(planned.digest):
            return PartyFromClientResult(outcome="moved")
        if planned.action == "hold":
            hold = self._hold(planned.hold_reason or "anomaly", planned.explanation, planned.candidate_ids)
            return None if await self._decided(hold, planned.explanation) else PartyFromClientResult(outcome="skipped")
        return await self._carry_out(planned, standing, client)

    async def _settle(self, create: OpenCreate) -> None:
        wait = (create.settle_until - workflow.now()) if create.in_doubt and create.settle_until else timedelta(0)
        if wait > timedelta(0):
            show(IN_DOUBT, f"a create was not answered; looking again in {wait.total_seconds():.0f} s")
            await workflow.sleep(wait, summary="until the lost create has settled")
            show(SYNCING, "looking for what a lost create may have left")

    async def _plan(self, create: OpenCreate, client: ClientSide) -> PartyPlan:
        asked = PlanParty(
            key=self._key,
            client=client,
            candidates=await self._look(create, client),
            create=create,
            chosen=self._choice.party_id,
            create_anyway=self._choice.create,
        )
        return await workflow.execute_local_activity_method(PassActivities.plan_party, asked, **STORE_CALL)

    async def _look(self, create: OpenCreate, client: ClientSide) -> list[PartyCandidate]:
        """Search by email, or by our reference where there is none; by both when a create may have taken effect."""
        email = client.values.get("email")
        searches = [LookForParty(key=self._key, email=str(email), reference=create.reference)] if email else []
        if create.in_doubt or not searches:
            searches.append(LookForParty(key=self._key, reference=create.reference))
        found = [await self._calls.look_for_party(search) for search in searches]
        return [party for parties in found for party in parties]

    async def _carry_out(
        self, planned: PartyPlan, standing: ClientStanding, client: ClientSide
    ) -> PartyFromClientResult:
        if planned.action == "create":
            return await self._create(planned, standing, client)
        party_id = planned.party_id or NO_PARTY
        if planned.action == "forward":  # our own create, seen before it was confirmed
            await workflow.execute_local_activity_method(PassActivities.drop_intent, self._key, **STORE_CALL)
            return await self._forward(party_id, "forwarded")
        claim = ClaimParty(key=self._key, party_id=party_id, create=standing.create)
        await workflow.execute_local_activity_method(PassActivities.claim_party, claim, **STORE_CALL)
        return await self._forward(party_id, "adopted")

    async def _create(self, planned: PartyPlan, standing: ClientStanding, client: ClientSide) -> PartyFromClientResult:
        asked = self._calls.rank <= ASKED_BY_PERSON or self._item.expected is not None
        if not asked and not await self._admitted():
            return PartyFromClientResult(outcome="waiting")
        create = CreateParty(
            key=self._key,
            values=client.values,
            mapping_version=standing.current_mapping,
            cause=self._cause,
            create=planned.create or standing.create or OpenCreate(intent_id=0, reference="", fence=0),
        )
        written = await self._calls.create_party(create)
        return await self._forward(written.party_id, "created")

    async def _admitted(self) -> bool:
        return await workflow.execute_local_activity_method(PassActivities.admit_create, self._key, **STORE_CALL)

    async def _forward(self, party_id: int, outcome: str) -> PartyFromClientResult:
        """Let the party's workflow compare the two, as it does from now on."""
        await self._calls.announce(party_id, self._cause)
        return PartyFromClientResult(outcome=outcome, party_id=party_id)

    async def _decided(self, hold: OpenHold, text: str) -> bool:
        """Wait for a person. False means: skip this change."""
        await self._item.report("held")
        resolution = await self._desk.ask(hold, text, lambda: bool(self._changes), self._is_news)
        if resolution is None:
            raise _Overtaken
        self._choice = self._choice.after(resolution)
        return resolution.choice != "skip"

    async def _is_news(self) -> bool:
        return True

    def _hold(self, reason: str, text: str, party_ids: Sequence[int]) -> OpenHold:
        key = PartyKey(connection=self._key.connection, party_id=NO_PARTY)
        evidence: dict[str, object] = {"explanation": text, "parties": list(party_ids)}
        return OpenHold(key=key, client=self._key, reason=reason, evidence=evidence)

    def _failed(self, error: FailureError) -> OpenHold:
        key = PartyKey(connection=self._key.connection, party_id=NO_PARTY)
        return hold_for(key, error).model_copy(update={"client": self._key})
