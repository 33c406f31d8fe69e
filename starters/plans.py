"""`ledgerline plan` and `ledgerline apply`: see what a sync of everything would do, then do exactly that."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy

from runtime.errors import Stop
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from runtime.temporal import connect
from starters.audit import opened_store
from starters.plan_files import write_html, write_json
from starters.plan_views import forecast, plan_list, progress, shown
from store.plans import APPLIED_ACTIONS, Plan
from store.store import Store
from workflows.client_plans import ApplyPlan, PlanClients
from workflows.models import ApplyRequest, ApplyResult, PlanRequest
from workflows.search_attributes import CONNECTION, FLOW

CLIENTS_FLOW = "clients"
LOOK_SECONDS = 0.5
REFUSED, INTERRUPTED = 2, 130
SETTLED = ("done", "moved", "held", "skipped", "failed")
WORKER_HINT_SECONDS = 30


class NoSuchPlan(Stop):
    """No plan has that id, or no connection that name. The text says which there are."""


@dataclass(frozen=True)
class Output:
    """How a plan is to be shown: so many items of each kind, and files to write it to."""

    sample: int = 5
    json: Path | None = None
    html: Path | None = None


def plan_workflow_id(plan: str, connection: str) -> str:
    """Return the id of the workflow that makes a plan and keeps it until it expires."""
    return f"plan/{connection}/clients/{plan}"


def apply_workflow_id(plan: str, connection: str) -> str:
    """Return the id of the one workflow that may apply a plan."""
    return f"apply/{connection}/clients/{plan}"


async def make_plan(connection: str | None, output: Output) -> int:
    """List both sides, print what a sync would do, and return 0; 1 if the plan could not be made. Raises Stop."""
    async with opened_store() as (settings, store):
        console = Console()
        plan = await new_plan(settings, store, chosen(settings, connection), console)
        return INTERRUPTED if plan is None else await _present(store, plan, output, console)


async def new_plan(settings: Settings, store: Store, connection: str, console: Console) -> Plan | None:
    """Make a plan and return it, showing how far it is; None if nobody waits for it any more."""
    plan_id = await begin_plan(await connect(settings), connection, settings.crms[connection])
    try:
        return await _made(store, plan_id, console)
    except asyncio.CancelledError:
        console.print(f"the plan goes on being made: ledgerline plan show {plan_id}", highlight=False)
        return None


async def begin_plan(temporal: Client, connection: str, crm: str) -> str:
    """Start making a plan, and return its id."""
    plan_id = f"{connection}-{secrets.token_hex(3)}"
    await temporal.start_workflow(
        PlanClients.run,
        PlanRequest(connection=connection, plan_id=plan_id, crm=crm),
        id=plan_workflow_id(plan_id, connection),
        task_queue=WORKFLOW_QUEUE,
        search_attributes=_attributes(connection),
        static_summary=f"what a sync of all clients of {connection} would do",
        priority=Priority(priority_key=4, fairness_key=connection),
    )
    return plan_id


async def list_plans() -> int:
    """Print all plans, newest first. Raises Stop."""
    async with opened_store() as (_, store):
        plans = await store.plans.listed()
        Console().print(plan_list(plans) if plans else "no plan has been made: ledgerline plan")
    return 0


async def show_plan(plan_id: str, output: Output) -> int:
    """Print one plan, or write it to files. Raises Stop."""
    async with opened_store() as (_, store):
        return await _present(store, await _find(store, plan_id), output, Console())


async def stop_plan(plan_id: str) -> int:
    """Stop making or applying a plan. What is at work is finished; what was written stays. Raises Stop."""
    async with opened_store() as (settings, store):
        plan, console = await _find(store, plan_id), Console()
        if plan.state == "listing":
            temporal = await connect(settings)
            await temporal.get_workflow_handle(plan_workflow_id(plan.id, plan.connection)).cancel()
            console.print(f"plan {plan.id} is not made; what was listed is forgotten", highlight=False)
        elif await store.plans.move(plan.id, "stopped", ("applying",)):
            text = f"stopped; what was begun is finished. To go on: ledgerline apply {plan.id}"
            console.print(text, highlight=False)
        else:
            console.print(f"nothing to stop: plan {plan.id} is {plan.state}", highlight=False)
    return 0


async def apply_plan(plan_id: str, allow_creates: int | None) -> int:
    """Apply a plan and show how far it is. Returns 0, 1 if somebody stopped it, 2 if it is refused. Raises Stop."""
    async with opened_store() as (settings, store):
        plan, console = await _find(store, plan_id), Console()
        handle = await begin_apply(await connect(settings), plan, allow_creates)
        console.print(forecast(plan), highlight=False)
        ended = asyncio.create_task(handle.result())
        try:
            await _watch(store, plan, ended, console)
        except asyncio.CancelledError:
            console.print(
                f"the apply goes on. Look: ledgerline plan show {plan.id}; stop it: ledgerline plan stop {plan.id}",
                highlight=False,
            )
            return INTERRUPTED
        return await _say_end(store, plan, await ended, console)


async def begin_apply(
    temporal: Client, plan: Plan, allow_creates: int | None
) -> "WorkflowHandle[ApplyPlan, ApplyResult]":
    """Start applying a plan; one that is being applied already is joined."""
    return await temporal.start_workflow(
        ApplyPlan.run,
        ApplyRequest(connection=plan.connection, plan_id=plan.id, allow_creates=allow_creates),
        id=apply_workflow_id(plan.id, plan.connection),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=_attributes(plan.connection),
        static_summary=f"do what plan {plan.id} says",
        priority=Priority(priority_key=4, fairness_key=plan.connection),
    )


def chosen(settings: Settings, connection: str | None) -> str:
    """Return the connection that is meant. Raises NoSuchPlan if that is not clear."""
    names = list(settings.connections)
    if connection is None and len(names) == 1:
        return names[0]
    if connection not in names or connection is None:
        known = ", ".join(names) or "none is configured; `ledgerline up` runs the sandbox"
        raise NoSuchPlan(f"say which connection with --connection: {known}")
    return connection


async def _find(store: Store, plan_id: str) -> Plan:
    plan = await store.plans.find(plan_id)
    if plan is None:
        raise NoSuchPlan(f"there is no plan {plan_id}; `ledgerline plan list` shows them")
    return plan


async def _made(store: Store, plan_id: str, console: Console) -> Plan:
    """Return the plan once it is made, showing meanwhile how much has been listed."""
    looks = 0
    with console.status(f"plan {plan_id}: beginning") as status:
        while True:
            plan = await store.plans.find(plan_id)
            if plan is not None and plan.state != "listing":
                return plan
            looks += 1
            if plan is not None:
                counts = await store.plans.staging.count(plan_id)
                text = f"{counts.get('crm', 0):,} parties, {counts.get('books', 0):,} clients"
                status.update(f"plan {plan_id}: {text} listed")
            elif looks * LOOK_SECONDS > WORKER_HINT_SECONDS:
                status.update(f"plan {plan_id}: no worker has taken it up; does one run? See ledgerline doctor")
            await asyncio.sleep(LOOK_SECONDS)


async def _present(store: Store, plan: Plan, output: Output, console: Console) -> int:
    if "problem" in plan.summary:
        console.print(f"plan {plan.id} was not made: {plan.summary['problem']}", highlight=False, markup=False)
        return 1
    if plan.state in {"listing", "forgotten"}:
        text = "is being made" if plan.state == "listing" else "has expired, and what it held is forgotten"
        console.print(f"plan {plan.id} {text}", highlight=False)
        return 1
    console.print(await shown(store, plan, output.sample), highlight=False)
    if output.json is not None:
        await write_json(store, plan, output.json)
        console.print(f"written: {output.json}", highlight=False)
    if output.html is not None:
        await write_html(store, plan, output.html)
        console.print(f"written: {output.html}", highlight=False)
    if plan.state == "ready":
        console.print(f"nothing has been written. To do it: ledgerline apply {plan.id}", highlight=False)
    return 0


async def _watch(store: Store, plan: Plan, ended: "asyncio.Task[ApplyResult]", console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"plan {plan.id}", total=None)
        while not ended.done():
            total, settled, others = await _numbers(store, plan)
            bar.update(task, total=total, completed=settled, description=f"plan {plan.id}{others}")
            await asyncio.wait({ended}, timeout=LOOK_SECONDS)


async def _numbers(store: Store, plan: Plan) -> tuple[int, int, str]:
    """Return how many items there are, how many are settled, and what came of those that were not simply done."""
    counts = {key: count for key, count in (await store.plans.counts(plan.id)).items() if key[0] in APPLIED_ACTIONS}
    by_state = {state: sum(count for (_, each), count in counts.items() if each == state) for state in SETTLED}
    others = "".join(f", {count:,} {state}" for state, count in by_state.items() if count and state != "done")
    return sum(counts.values()), sum(by_state.values()), others


async def _say_end(store: Store, plan: Plan, result: ApplyResult, console: Console) -> int:
    if result.outcome == "refused":
        console.print(result.text, highlight=False, markup=False)
        return REFUSED
    console.print(await progress(store, await _find(store, plan.id)), highlight=False)
    moved = sum(count for (_, state), count in (await store.plans.counts(plan.id)).items() if state == "moved")
    if moved:
        text = "changed after the plan was made: nothing was written for them; look with another `ledgerline plan`"
        console.print(f"{moved:,} pairs {text}", highlight=False)
    if result.text:
        console.print(result.text, highlight=False, markup=False)
    return 0 if result.outcome == "applied" else 1


def _attributes(connection: str) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(CONNECTION, connection), SearchAttributePair(FLOW, CLIENTS_FLOW)])
