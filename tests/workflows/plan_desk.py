"""Plans on a real Temporal server: made, looked at, and applied as `ledgerline` does."""

import contextlib
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from runtime.queues import WORKFLOW_QUEUE
from starters.plans import apply_workflow_id, begin_apply, plan_workflow_id
from store.plans import Plan, PlanItem
from tests.workflows.office import Office, until
from workflows.client_plans import ApplyPlan, PlanClients
from workflows.models import ApplyResult, PlanRequest


class PlanDesk:
    """The plans of one firm. Whoever begins something here ends it, too."""

    def __init__(self, office: Office) -> None:
        self.office, self.firm = office, office.firm
        self._plans: list[str] = []

    async def begin(self, plan_id: str | None = None, **request: Any) -> WorkflowHandle[PlanClients, None]:
        """Start making a plan."""
        name = plan_id or f"{self.firm.name}-plan-{len(self._plans) + 1}"
        self._plans.append(name)
        return await self.office.temporal.start_workflow(
            PlanClients.run,
            PlanRequest(connection=self.firm.name, plan_id=name, **request),
            id=plan_workflow_id(name, self.firm.name),
            task_queue=WORKFLOW_QUEUE,
        )

    async def made(self, **request: Any) -> Plan:
        """Make a plan and return it once it is ready, or failed."""
        await self.begin(**request)
        return await self.settled(self._plans[-1], "listing")

    async def settled(self, plan_id: str, *unsettled: str) -> Plan:
        """Return a plan once it is in none of these states."""

        async def looked() -> Plan | None:
            plan = await self.firm.store.plans.find(plan_id)
            return plan if plan is not None and plan.state not in unsettled else None

        plan: Plan = await until(looked, 40)
        return plan

    async def apply(self, plan: Plan, allow_creates: int | None = None) -> ApplyResult:
        """Apply a plan to its end."""
        return await (await self.begin_apply(plan, allow_creates)).result()

    async def begin_apply(
        self, plan: Plan, allow_creates: int | None = None
    ) -> "WorkflowHandle[ApplyPlan, ApplyResult]":
        """Start applying a plan."""
        for item in await self.items(plan):
            if item.party_id is not None:
                self.office.expect(item.party_id)
        return await begin_apply(self.office.temporal, plan, allow_creates)

    async def items(self, plan: Plan) -> list[PlanItem]:
        """Return all items."""
        return list(await self.firm.store.plans.items(plan.id, None, 0, 10_000))

    async def states(self, plan: Plan) -> dict[tuple[str, str], int]:
        """Return how many items there are of each action and state."""
        return await self.firm.store.plans.counts(plan.id)

    async def close(self) -> None:
        """End what still runs: a plan is kept for days."""
        for plan in self._plans:
            for workflow_id in (plan_workflow_id(plan, self.firm.name), apply_workflow_id(plan, self.firm.name)):
                with contextlib.suppress(RPCError):
                    await self.office.temporal.get_workflow_handle(workflow_id).terminate()
