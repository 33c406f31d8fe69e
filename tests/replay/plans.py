"""Runs of plans that are recorded: one that is made and expires, one that cannot be made, one that is applied."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from starters.plans import begin_apply, plan_workflow_id
from store.plans import Plan
from tests.workflows.office import Office, until
from workflows.client_plans import PlanClients
from workflows.models import PlanRequest

Handle = WorkflowHandle[Any, Any]


async def plan_made(office: Office) -> Handle:
    """Both sides are listed, and the plan expires."""
    for number in range(101):
        await office.firm.new_party(name=f"Customer {number}")
    return await _begin(office, "acme-plan", timedelta(seconds=20))


async def plan_not_made(office: Office) -> Handle:
    """Capsule refuses to list the parties."""
    office.firm.crm_fault(method="GET", path="/parties", fault="status", status=422, times=1)
    return await _begin(office, "acme-plan", timedelta(seconds=1))


async def plan_applied(office: Office) -> Handle:
    """A plan with a client to create is applied."""
    await office.firm.new_party(emailAddresses=[{"address": "office@acme.test"}])
    await _begin(office, "acme-plan", timedelta(hours=1))

    async def ready() -> Plan | None:
        plan = await office.firm.store.plans.find("acme-plan")
        return plan if plan is not None and plan.state == "ready" else None

    return await begin_apply(office.temporal, await until(ready), None)


async def _begin(office: Office, plan_id: str, keep: timedelta) -> Handle:
    return await office.temporal.start_workflow(
        PlanClients.run,
        PlanRequest(connection=office.firm.name, plan_id=plan_id, keep=keep),
        id=plan_workflow_id(plan_id, office.firm.name),
        task_queue=WORKFLOW_QUEUE,
    )


PLANS: tuple[Callable[[Office], Awaitable[Handle]], ...] = (plan_made, plan_not_made, plan_applied)
