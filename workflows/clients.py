"""A Capsule party and its FreshBooks client are brought in step: one workflow for each pair, one pass at a time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.clients import ClientActivities, PartyActivities
    from activities.models import (
        ClientKey,
        ClientSide,
        LookForClient,
        OpenHold,
        PartyKey,
        PartySide,
        PlanClient,
        PlannedPass,
        Standing,
        WriteClient,
    )
    from activities.passes import PassActivities
    from activities.queues import CAPSULE, FRESHBOOKS
    from workflows.employers import announce_people, is_renamed
    from workflows.failures import hold_for, looks_again, text_of
    from workflows.models import Change, Choice, ClientUpsertRequest, ClientUpsertResult, Resolution
    from workflows.options import STORE_CALL, api_call
    from workflows.search_attributes import HELD, HOLD_REASON, IN_DOUBT, IN_STEP, SYNC_STATE, SYNCING

ASKED_BY_PERSON, LOWEST_PRIORITY = 1, 5
LONGEST_CAUSE = 200


class _Again(Exception):
    """A person decided, or something moved while we looked: make another attempt."""


class _Overtaken(Exception):
    """News of the record arrived while a person was waited for: the pass ends, the next one sees both."""


@workflow.defn
class ClientUpsert:
    """Bring one FreshBooks client in step with one Capsule party, and wait for a person where a machine must not."""

    @workflow.init
    def __init__(self, request: ClientUpsertRequest) -> None:
        self._key = PartyKey(connection=request.connection, party_id=request.party_id)
        self._changes = list(request.changes)
        self._resolution: Resolution | None = None
        self._held: OpenHold | None = None
        self._choice = request.choice
        self._seen = ""
        self._rank = LOWEST_PRIORITY
        self._cause = ""

    @workflow.run
    async def run(self, request: ClientUpsertRequest) -> ClientUpsertResult:
        """Make passes until no change waits."""
        del request
        result, passes = ClientUpsertResult(outcome="in-step"), 0
        while await self._news():
            changes, self._changes = _distinct(self._changes), []
            try:
                result = await self._pass(changes)
            except _Overtaken:
                self._changes = [*changes, *self._changes]
            self._choice = Choice()
            passes += 1
        workflow.upsert_search_attributes([SYNC_STATE.value_set(IN_STEP)])
        workflow.set_current_details(f"**{result.outcome}**")
        return result.model_copy(update={"passes": passes})

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
            request = ClientUpsertRequest(connection=self._key.connection, party_id=self._key.party_id)
            request.changes, request.choice = _distinct([*changes, *self._changes]), self._choice
            workflow.continue_as_new(request)

    @workflow.signal(description="news that the party or its client may have changed")
    def changed(self, change: Change) -> None:
        """Take note; changes that arrive during a pass become one further pass."""
        self._changes.append(change)

    @workflow.update(description="decide a hold: retry, skip, crm, books, pick a client, or create a new one")
    async def resolve(self, resolution: Resolution) -> str:
        """Let the sync go on as a person decided."""
        self._resolution = resolution
        await workflow.wait_condition(lambda: self._held is None)
        return f"resolved: {resolution.choice}"

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        if self._held is None:
            raise ApplicationError("nothing is held here: the sync goes on by itself", non_retryable=True)
        if self._resolution is not None:
            raise ApplicationError("somebody has just decided this: look again", non_retryable=True)
        if resolution.choice == "pick" and resolution.client_id is None:
            raise ApplicationError("say which client: {choice: pick, client_id: …}", non_retryable=True)

    async def _pass(self, changes: Sequence[Change]) -> ClientUpsertResult:
        self._rank = min(max(ASKED_BY_PERSON, min(each.priority for each in changes)), LOWEST_PRIORITY)
        self._cause = ", ".join(dict.fromkeys(each.cause for each in changes))[:LONGEST_CAUSE]
        while True:
            try:
                return await self._attempt(books_only=all(each.system == FRESHBOOKS for each in changes))
            except _Again:
                pass
            except FailureError as error:
                if not await self._cured(error):
                    return ClientUpsertResult(outcome="skipped")
            await self._continue_if_long(changes)

    async def _attempt(self, *, books_only: bool) -> ClientUpsertResult:
        standing = await workflow.execute_local_activity_method(PassActivities.begin_pass, self._key, **STORE_CALL)
        if books_only and not standing.two_way:
            return ClientUpsertResult(outcome="not-carried", client_id=standing.client_id)
        await self._settle(standing)
        party = await self._read_party()
        self._seen = party.fingerprint
        if not party.exists:
            return ClientUpsertResult(outcome="gone", client_id=standing.client_id)
        if _unchanged(standing, party) and self._rank > ASKED_BY_PERSON:
            return ClientUpsertResult(outcome="in-step", client_id=standing.client_id)
        planned = await self._plan(standing, party)
        if planned.plan.action == "hold":
            return await self._hold_plan(planned)
        return await self._carry_out(planned, party)

    async def _settle(self, standing: Standing) -> None:
        """Wait until a create whose answer was lost can no longer take effect unseen."""
        create = standing.create
        if create is None or not create.in_doubt or create.settle_until is None:
            return
        wait = create.settle_until - workflow.now()
        if wait > timedelta(0):
            self._show(IN_DOUBT, f"a create was not answered; looking again at {_clock(create.settle_until)}")
            await workflow.sleep(wait, summary="until the lost create has settled")
        self._show(SYNCING, "looking for what a lost create may have left")

    async def _read_party(self) -> PartySide:
        return await workflow.execute_activity_method(
            PartyActivities.read_party,
            self._key,
            **self._call(CAPSULE, f"read party {self._key.party_id}"),
        )

    async def _plan(self, standing: Standing, party: PartySide) -> PlannedPass:
        asked = PlanClient(key=self._key, party=party, create=standing.create)
        if standing.client_id is not None:
            asked.client = await self._read_client(standing.client_id)
        else:
            asked.candidates = await self._look(standing, party)
            asked.create_anyway = self._choice.create
            asked.chosen = self._choice.client_id
        asked.take = self._choice.side
        return await workflow.execute_local_activity_method(PassActivities.plan_client, asked, **STORE_CALL)

    async def _read_client(self, client_id: int) -> ClientSide:
        return await workflow.execute_activity_method(
            ClientActivities.read_client,
            ClientKey(connection=self._key.connection, client_id=client_id),
            **self._call(FRESHBOOKS, f"read client {client_id}"),
        )

    async def _look(self, standing: Standing, party: PartySide) -> list[ClientSide]:
        """Search by email, or by our reference where there is none; by both when a create may have taken effect."""
        if self._choice.client_id is not None:
            return [await self._read_client(self._choice.client_id)]
        if standing.create is None:
            return []
        email = party.values.get("email")
        searches = (
            [LookForClient(key=self._key, email=str(email), reference=standing.create.reference)] if email else []
        )
        if standing.create.in_doubt or not searches:
            searches.append(LookForClient(key=self._key, reference=standing.create.reference))
        found = [await self._search(search) for search in searches]
        return [client for clients in found for client in clients]

    async def _search(self, search: LookForClient) -> list[ClientSide]:
        found = await workflow.execute_activity_method(
            ClientActivities.look_for_client,
            search,
            **self._call(FRESHBOOKS, f"look for a client by {'email' if search.email else 'our reference'}"),
        )
        return found.clients

    async def _carry_out(self, planned: PlannedPass, party: PartySide) -> ClientUpsertResult:
        plan = planned.plan
        write = WriteClient(
            key=self._key,
            client_id=plan.client_id,
            writes=plan.writes,
            next_base=planned.next_base,
            party_fingerprint=party.fingerprint,
            client_fingerprint=planned.client.fingerprint if planned.client else "",
            mapping_version=plan.mapping_version,
            cause=self._cause,
            adopted=plan.action == "link",
            create=planned.create,
        )
        if is_renamed(party, plan):  # before the write: if it fails, the next attempt announces them again
            await announce_people(self._key, self._rank)
        if plan.action != "create" and not plan.writes:
            await workflow.execute_local_activity_method(PassActivities.settle_link, write, **STORE_CALL)
            outcome = "adopted" if write.adopted else "in-step"
            return ClientUpsertResult(outcome=outcome, client_id=plan.client_id)
        if write.adopted:
            write = await self._claim(write)
        creating = plan.action == "create"
        written = await workflow.execute_activity_method(
            ClientActivities.create_client if creating else ClientActivities.update_client,
            write,
            **self._call(FRESHBOOKS, plan.explanation),
        )
        outcome = "created" if creating else "adopted" if plan.action == "link" else "updated"
        return ClientUpsertResult(outcome=outcome, client_id=written.client_id)

    async def _claim(self, write: WriteClient) -> WriteClient:
        """Link a client before anything is written to it: of two parties with one address, only one may write.

        The claim agrees on nothing yet, so that a pass that dies before it has written is made again.
        """
        claim = write.model_copy(update={"next_base": {}, "party_fingerprint": ""})
        await workflow.execute_local_activity_method(PassActivities.settle_link, claim, **STORE_CALL)
        return write.model_copy(update={"adopted": False})

    async def _hold_plan(self, planned: PlannedPass) -> ClientUpsertResult:
        plan = planned.plan
        evidence: dict[str, object] = {"explanation": plan.explanation, "candidates": planned.candidate_ids}
        hold = OpenHold(key=self._key, reason=plan.hold_reason or "anomaly", evidence=evidence)
        if await self._wait_for_person(hold, plan.explanation):
            raise _Again
        return ClientUpsertResult(outcome="skipped", client_id=plan.client_id)

    async def _cured(self, error: FailureError) -> bool:
        """Act on a failed activity by its remedy. Returns whether to try again."""
        if is_cancelled_exception(error):
            raise error
        if looks_again(error):
            return True  # the next attempt finds the intent in doubt, waits, and looks
        if isinstance(error, ActivityError) and error.activity_type == PartyActivities.read_party.__name__:
            self._seen = text_of(error)
        return await self._wait_for_person(hold_for(self._key, error), text_of(error))

    async def _wait_for_person(self, hold: OpenHold, text: str) -> bool:
        """Wait for a decision. False means: skip this change. Raises _Overtaken for news that may cure the hold."""
        self._held, self._resolution = hold, None
        self._show(
            HELD,
            f"{hold.reason}: {text}\n\nDecide with the update `resolve`: retry, skip, crm, books, pick, create.",
            hold,
        )
        try:
            await workflow.execute_local_activity_method(PassActivities.open_hold, hold, **STORE_CALL)
            resolution = await self._decision()
        except (asyncio.CancelledError, FailureError):  # the sync was cancelled: nobody waits any more
            await self._close_hold()
            raise
        await self._close_hold()
        self._show(SYNCING, f"going on: {resolution.choice if resolution else 'news of the record'}")
        if resolution is None:
            raise _Overtaken
        self._choice = self._choice.after(resolution)
        return resolution.choice != "skip"

    async def _close_hold(self) -> None:
        await workflow.execute_local_activity_method(PassActivities.close_hold, **STORE_CALL)
        self._held = None

    async def _decision(self) -> Resolution | None:
        """Return what a person decided; None once there is news instead."""
        while self._resolution is None:
            await workflow.wait_condition(lambda: self._resolution is not None or bool(self._changes))
            if self._resolution is None and await self._is_news():
                break
        return self._resolution

    async def _is_news(self) -> bool:
        """Return whether what arrived may cure the hold.

        Sweeps announce a held party again and again. As long as it has not changed, asking FreshBooks again would only
        be refused again.
        """
        arrived, self._changes = self._changes, []
        plain = all(each.system != FRESHBOOKS and each.priority > ASKED_BY_PERSON for each in arrived)
        if plain and not workflow.info().is_continue_as_new_suggested() and await self._glance() == self._seen:
            return False
        self._changes = [*arrived, *self._changes]
        return True

    async def _glance(self) -> str:
        """Return by what the party is known now: its fingerprint, or what is wrong with it."""
        try:
            return (await self._read_party()).fingerprint
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return text_of(error)

    def _call(self, system: str, summary: str) -> workflow.ActivityConfig:
        return api_call(system, self._key.connection, self._rank, summary)

    def _show(self, state: str, details: str, hold: OpenHold | None = None) -> None:
        reason = HOLD_REASON.value_set(hold.reason) if hold else HOLD_REASON.value_unset()
        workflow.upsert_search_attributes([SYNC_STATE.value_set(state), reason])
        workflow.set_current_details(details)


def _distinct(changes: Sequence[Change]) -> list[Change]:
    return list({(each.system, each.cause, each.priority): each for each in changes}.values())


def _unchanged(standing: Standing, party: PartySide) -> bool:
    seen = (standing.crm_seen, standing.mapping_version)
    return standing.client_id is not None and seen == (party.fingerprint, standing.current_mapping)


def _clock(instant: datetime) -> str:
    return instant.strftime("%H:%M:%S UTC")
