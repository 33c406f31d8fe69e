"""`ledgerline backfill`: bring everything in step that was there before, with a forecast; pause it, go on with it.

A backfill is a plan that is applied as soon as it is made. It hands a few records at a time to their own workflows, at
a low priority: what people and webhooks announce meanwhile is done first.
"""

from datetime import UTC, datetime

from rich.console import Console

from starters.audit import opened_store
from starters.plan_views import shown
from starters.plans import INTERRUPTED, apply_plan, chosen, new_plan, stop_plan
from store.plans import Plan
from store.store import Store

BEGUN = ("applying", "stopped")


async def run_backfill(connection: str | None, allow_creates: int | None) -> int:
    """Begin a backfill, or go on with the one that was begun. Returns what `apply_plan` does. Raises Stop."""
    async with opened_store() as (settings, store):
        name, console = chosen(settings, connection), Console()
        plan = await _begun(store, name)
        if plan is not None:
            console.print(f"going on with the backfill of {name}: plan {plan.id}", highlight=False)
        else:
            plan = await new_plan(settings, store, name, console)
            if plan is None:
                return INTERRUPTED
            if plan.state != "ready":
                text = f"nothing was begun: {plan.summary.get('problem', plan.state)}"
                console.print(text, highlight=False, markup=False)
                return 1
            console.print(await shown(store, plan, 0), highlight=False)
    return await apply_plan(plan.id, allow_creates)


async def pause_backfill(connection: str | None) -> int:
    """Let what is at work be finished, and begin nothing more. Raises Stop."""
    async with opened_store() as (settings, store):
        name = chosen(settings, connection)
        plan = await _begun(store, name)
    if plan is None or plan.state != "applying":
        Console().print(f"no backfill of {name} is under way", highlight=False)
        return 0
    await stop_plan(plan.id)
    Console().print(f"or: ledgerline backfill --connection {name}", highlight=False)
    return 0


async def _begun(store: Store, connection: str) -> Plan | None:
    """Return the plan of a connection that is being applied, or was stopped and is still good."""
    now = datetime.now(UTC)
    for plan in await store.plans.listed():
        good = plan.state == "applying" or plan.expires_at > now
        if plan.connection == connection and plan.state in BEGUN and good:
            return plan
    return None
