"""A party of the CRM and its FreshBooks client are brought in step: one workflow for each pair, one pass at a time."""

from collections.abc import Sequence
from datetime import UTC, datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.models import OpenHold, PartyKey, PartySide
    from activities.parties import PartyActivities
    from activities.queues import FRESHBOOKS
    from workflows.client_calls import ClientCalls
    from workflows.client_pass import ASKED_BY_PERSON, Again, ClientPass, Skipped
    from workflows.desk import Desk
    from workflows.failures import hold_for, looks_again, text_of
    from workflows.models import Change, Choice, ClientUpsertRequest, ClientUpsertResult, Resolution
    from workflows.plan_item import PlanItem
    from workflows.search_attributes import IN_STEP, SYNC_STATE

LOWEST_PRIORITY = 5
LONGEST_CAUSE = 200


class _Overtaken(Exception):
    """News of the record arrived while a person was waited for: the pass ends, the next one sees both."""


@workflow.defn
class ClientUpsert:
    """Bring one FreshBooks client and one party of the CRM in step, and wait for a person where a machine must not."""

    @workflow.init
    def __init__(self, request: ClientUpsertRequest) -> None:
        self._key = PartyKey(connection=request.connection, party_id=request.party_id)
        self._changes = list(request.changes)
        self._calls = ClientCalls(request.connection, request.crm)
        self._desk = Desk()
        self._pass = ClientPass(self._key, self._calls, self._ask, request.choice)

    @workflow.run
    async def run(self, request: ClientUpsertRequest) -> ClientUpsertResult:
        """Make passes until no change waits."""
        del request
        result, passes = ClientUpsertResult(outcome="in-step"), 0
        while await self._news():
            changes, self._changes = distinct(self._changes), []
            try:
                result = await self._make_pass(changes)
            except _Overtaken:
                self._changes = [*changes, *self._changes]
            self._pass.choice = Choice()
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
            key = self._key
            request = ClientUpsertRequest(connection=key.connection, party_id=key.party_id, crm=self._calls.crm)
            request.changes, request.choice = distinct([*changes, *self._changes]), self._pass.choice
            workflow.continue_as_new(request)

    @workflow.signal(description="news that the party or its client may have changed")
    def changed(self, change: Change) -> None:
        """Take note; changes that arrive during a pass become one further pass."""
        self._changes.append(change)

    @workflow.update(
        description="decide a hold: retry, skip, crm, books, pick a client, create a new one, approve or reject"
    )
    async def resolve(self, resolution: Resolution) -> str:
        """Let the sync go on as a person decided."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _make_pass(self, changes: Sequence[Change]) -> ClientUpsertResult:
        self._calls.rank = rank_of(changes)
        self._pass.cause, self._pass.item = cause_of(changes), PlanItem(changes)
        self._pass.listed = listed_of(changes)
        crm_news = any(each.system != FRESHBOOKS for each in changes)
        books_news = any(each.system == FRESHBOOKS for each in changes)
        while True:
            try:
                result = await self._pass.attempt(crm_news=crm_news, books_news=books_news)
                await self._pass.item.report(result.outcome)
            except Again:
                pass
            except Skipped:
                return await self._skipped()
            except FailureError as error:
                if not await self._cured(error):
                    return await self._skipped()
            else:
                return result
            await self._continue_if_long(changes)

    async def _skipped(self) -> ClientUpsertResult:
        await self._pass.item.report("skipped")
        return ClientUpsertResult(outcome="skipped")

    async def _cured(self, error: FailureError) -> bool:
        """Act on a failed activity by its remedy. Returns whether to try again."""
        if is_cancelled_exception(error):
            raise error
        if looks_again(error):
            if _is_of(error, PartyActivities.update_party.__name__):
                await workflow.sleep(self._pass.settle_time, summary="until a lost change of the party has settled")
            return True  # the next attempt finds the intent in doubt, waits, and looks
        if _is_of(error, PartyActivities.read_party.__name__):
            self._pass.seen = text_of(error)
        decided = await self._ask(hold_for(self._key, error), text_of(error))
        return decided.choice != "skip"

    async def _ask(self, hold: OpenHold, text: str) -> Resolution:
        """Wait for a decision. Raises _Overtaken for news that may cure the hold."""
        await self._pass.item.report("held")
        resolution = await self._desk.ask(hold, text, lambda: bool(self._changes), self._is_news)
        if resolution is None:
            raise _Overtaken
        self._pass.choice = self._pass.choice.after(resolution)
        return resolution

    async def _is_news(self) -> bool:
        """Return whether what arrived may cure the hold.

        Sweeps announce a held party again and again. As long as it has not changed, asking FreshBooks again would only
        be refused again.
        """
        arrived, self._changes = self._changes, []
        plain = all(each.system != FRESHBOOKS and each.priority > ASKED_BY_PERSON for each in arrived)
        if plain and not workflow.info().is_continue_as_new_suggested() and await self._glance() == self._pass.seen:
            return False
        self._changes = [*arrived, *self._changes]
        return True

    async def _glance(self) -> str:
        """Return by what the party is known now: its fingerprint, or what is wrong with it."""
        try:
            return (await self._calls.read_party(self._key)).fingerprint
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return text_of(error)


def rank_of(changes: Sequence[Change]) -> int:
    """Return the priority of a pass: that of its most urgent change."""
    return min(max(ASKED_BY_PERSON, min(each.priority for each in changes)), LOWEST_PRIORITY)


def listed_of(changes: Sequence[Change]) -> PartySide | None:
    """Return the party as a list showed it last; None if any of the changes asks to have it read."""
    sides = [each.party for each in changes]
    if any(side is None for side in sides):
        return None
    return max(filter(None, sides), key=lambda side: side.read_at or datetime.min.replace(tzinfo=UTC), default=None)


def cause_of(changes: Sequence[Change]) -> str:
    """Return what caused a pass, for the audit log."""
    return ", ".join(dict.fromkeys(each.cause for each in changes))[:LONGEST_CAUSE]


def distinct(changes: Sequence[Change]) -> list[Change]:
    """Return the changes without repetitions."""
    return list({each.model_dump_json(): each for each in changes}.values())


def _is_of(error: FailureError, activity: str) -> bool:
    return isinstance(error, ActivityError) and error.activity_type == activity
