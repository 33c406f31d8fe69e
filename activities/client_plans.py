"""Plans: making one of what was listed, and keeping it no longer than it says."""

from collections.abc import Mapping
from dataclasses import dataclass

from temporalio import activity

from activities.errors import ByConnection
from activities.plan_costs import AccountQuotas
from activities.plan_items import Rules
from activities.plan_making import PlanMaker
from activities.plan_models import FailedPlan, NewPlan, PlanName
from activities.sides import CLIENTS_FLOW
from mapping.engine import Template
from store import plans as stored
from store.records import RecordKey
from store.store import Store


@dataclass(frozen=True)
class PlanRules:
    """How one connection's plans are made, and how many creates may be applied without being asked for by number."""

    template: Template
    quotas: AccountQuotas
    bulk_limit: int


class PlanActivities:
    """The plans of all connections."""

    def __init__(self, store: Store, rules: Mapping[str, PlanRules]) -> None:
        self._store, self._rules = store, ByConnection(rules)

    @activity.defn
    async def begin_plan(self, new: NewPlan) -> None:
        """Note that a plan is being made. Safe to repeat: a plan is noted once."""
        template = self._rules[new.plan.connection].template
        await self._store.plans.begin(
            stored.NewPlan(
                id=new.plan.plan_id,
                connection=new.plan.connection,
                flow=CLIENTS_FLOW,
                mapping_version=template.version,
                two_way=template.is_two_way,
                expires_at=new.expires_at,
            )
        )

    @activity.defn
    async def make_plan(self, asked: PlanName) -> None:
        """Compare what was listed, and keep what would be done. Safe to repeat: an earlier attempt is made anew.

        Takes a minute or more for a hundred thousand records.
        """
        plan = await self._store.plans.find(asked.plan_id)
        if plan is not None and plan.state == "listing":
            rules = self._rules[asked.connection]
            maker = PlanMaker(self._store, asked.plan_id, self._item_rules(asked), rules.quotas, activity.heartbeat)
            summary = await maker.make()
            await self._store.plans.move(asked.plan_id, "ready", ("listing",), summary)
        await self._store.plans.staging.clear(asked.plan_id)

    @activity.defn
    async def fail_plan(self, failed: FailedPlan) -> None:
        """Say why a plan could not be made, and forget what was listed. Safe to repeat."""
        await self._store.plans.move(failed.plan.plan_id, "failed", ("listing",), {"problem": failed.text})
        await self._store.plans.staging.clear(failed.plan.plan_id)

    @activity.defn
    async def forget_plan(self, asked: PlanName) -> bool:
        """Forget everything a plan holds of people; its numbers stay. False while it is being applied."""
        plan = await self._store.plans.find(asked.plan_id)
        if plan is not None and plan.state == "applying":
            return False
        await self._store.plans.move(asked.plan_id, "forgotten", ("listing", "ready", "failed", "stopped", "applied"))
        await self._store.plans.staging.clear(asked.plan_id)
        await self._store.plans.clear_items(asked.plan_id)
        return True

    def _item_rules(self, asked: PlanName) -> Rules:
        def reference_of(party_id: int) -> str:
            return self._store.intents.reference(RecordKey(asked.connection, CLIENTS_FLOW, str(party_id)))

        template = self._rules[asked.connection].template
        return Rules(asked.connection, template, self._store.keys.fingerprint, reference_of)
