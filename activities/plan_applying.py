"""Applying a plan: each item is handed to the workflow of its record, which does exactly that or nothing."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Protocol

from temporalio import activity

from activities.client_plans import PlanRules
from activities.errors import ByConnection
from activities.plan_models import ApplyAnswer, ApplyProgress, ApplyStart, PlanName, SettledItem
from activities.sides import CLIENTS_FLOW
from store.plans import Plan, PlanItem
from store.records import RecordKey
from store.store import Store

# So many items are at work at once: enough to use up an account's quota, few enough that what people and webhooks
# announce meanwhile is begun at once.
MOST_OUTSTANDING = 50
AT_ONCE = 10
ROUND_SECONDS, LOOK_SECONDS = 30.0, 0.5
# A workflow that was ended by an operator tells nothing: its item is announced again after this time.
LOST_AFTER = timedelta(hours=1)


class AnnounceItem(Protocol):
    """Hands an item of a plan to the workflow of its record."""

    def __call__(self, key: RecordKey, item: PlanItem) -> Awaitable[None]:
        """Return once Temporal has accepted it."""


class PlanItemActivities:
    """The items of all plans."""

    def __init__(self, store: Store, rules: Mapping[str, PlanRules], announce: AnnounceItem) -> None:
        self._store, self._rules, self._announce = store, ByConnection(rules), announce

    @activity.defn
    async def begin_apply(self, asked: ApplyStart) -> ApplyAnswer:
        """Return whether the plan may be applied, and let it begin. Safe to repeat."""
        plan = await self._store.plans.find(asked.plan.plan_id)
        if plan is None or plan.connection != asked.plan.connection:
            return ApplyAnswer(refusal=f"there is no plan {asked.plan.plan_id}; `ledgerline plan list` shows them")
        if plan.state == "applied":
            return ApplyAnswer(finished=True)
        refusal = self._refusal(plan, asked.allow_creates)
        if refusal:
            await self._store.plans.move(plan.id, "stopped", ("applying",))
            return ApplyAnswer(refusal=refusal)
        began = await self._store.plans.move(plan.id, "applying", ("ready", "stopped", "applying"))
        return ApplyAnswer(refusal="" if began else f"plan {plan.id} changed just now; look at it and try again")

    @activity.defn
    async def announce_items(self, asked: PlanName) -> ApplyProgress:
        """Keep up to 50 items at work for half a minute. Safe to repeat: an item counts once, however often announced.

        Ends early when nothing is left, and when somebody has stopped the plan.
        """
        deadline = monotonic() + ROUND_SECONDS
        while True:
            progress = await self._announce_some(asked)
            finished = progress.stopped or not (progress.announced or progress.outstanding)
            if finished or monotonic() > deadline:
                return progress
            activity.heartbeat()
            await asyncio.sleep(LOOK_SECONDS)

    @activity.defn
    async def settle_item(self, settled: SettledItem) -> None:
        """Note what came of an item. Safe to repeat: the first word counts, except of a hold."""
        await self._store.plans.settle(settled.plan_id, settled.item, settled.outcome)

    @activity.defn
    async def end_apply(self, asked: PlanName) -> None:
        """Note that every item was announced and heard of. Safe to repeat."""
        await self._store.plans.move(asked.plan_id, "applied", ("applying",))

    def _refusal(self, plan: Plan, allow_creates: int | None) -> str:
        rules = self._rules.get(plan.connection)
        if rules is None:
            return f"plan {plan.id} is for {plan.connection}, which is not configured any more"
        if plan.state not in {"ready", "stopped", "applying"}:
            return f"plan {plan.id} is {plan.state}; make a new one with `ledgerline plan`"
        if plan.expires_at <= datetime.now(UTC) and plan.state != "applying":
            return f"plan {plan.id} has expired: records may have changed since; make a new one with `ledgerline plan`"
        if plan.mapping_version != rules.template.version:
            return f"the mapping has changed since plan {plan.id} was made; make a new one with `ledgerline plan`"
        if plan.creates > max(rules.bulk_limit, allow_creates or 0):
            return (
                f"plan {plan.id} would create {plan.creates} records, and more than {rules.bulk_limit} at once need "
                f"your word (clients.bulk_limit): ledgerline apply {plan.id} --allow-creates {plan.creates}"
            )
        return ""

    async def _announce_some(self, asked: PlanName) -> ApplyProgress:
        plans, lost_before = self._store.plans, datetime.now(UTC) - LOST_AFTER
        plan = await plans.find(asked.plan_id)
        if plan is None or plan.state != "applying":
            return ApplyProgress(announced=0, outstanding=0, stopped=True)
        outstanding = await plans.outstanding(asked.plan_id, lost_before)
        room = MOST_OUTSTANDING - outstanding
        batch = await plans.next_to_announce(asked.plan_id, lost_before, room) if room > 0 else []
        await self._hand_over(asked.connection, batch)
        await plans.announced(asked.plan_id, [item.number for item in batch])
        return ApplyProgress(announced=len(batch), outstanding=outstanding)

    async def _hand_over(self, connection: str, batch: Sequence[PlanItem]) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def hand_over(item: PlanItem) -> None:
            async with places:
                key = _record_of(connection, item)
                if item.action == "create":  # the person who applies the plan has agreed to it
                    await self._store.intents.approve(key)
                await self._announce(key, item)

        await asyncio.gather(*(hand_over(item) for item in batch))


def _record_of(connection: str, item: PlanItem) -> RecordKey:
    """Return whose workflow carries an item out: the party's, or the client's while it has no party."""
    if item.party_id is not None:
        return RecordKey(connection, CLIENTS_FLOW, str(item.party_id))
    return RecordKey(connection, CLIENTS_FLOW, str(item.client_id), "books")
