"""Temporal schedules: what runs by the clock. Made and kept up by `ledgerline schedules`, and by `ledgerline up`.

An operator's pause survives: only what we own of a schedule is written over.
"""

from collections.abc import Sequence

from temporalio.client import (
    Client,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from runtime.settings import Settings
from starters.wanted_schedules import COME_AND_GO, SWEEPS, Wanted, wanted_schedules


async def set_schedules(temporal: Client, settings: Settings, *, run_now: bool) -> list[str]:
    """Bring the schedules to what the settings ask for, and return a line for each."""
    made = await ensure_schedules(temporal, wanted_schedules(settings), run_now=run_now)
    return [*made, *await remove_unwanted(temporal, settings)]


async def ensure_schedules(temporal: Client, wanted: Sequence[Wanted], *, run_now: bool) -> list[str]:
    """Create or update the schedules and return a line for each. `run_now` starts each once, unless it is paused."""
    return [await _ensure(temporal, each, run_now=run_now and each.at_start) for each in wanted]


async def remove_unwanted(temporal: Client, settings: Settings) -> list[str]:
    """Delete what an earlier form of the settings asked of a connection that is still there; return a line for each.

    What belongs to connections that left the settings stays: it may be another installation's.
    """
    wanted = {each.id for each in wanted_schedules(settings)}
    possible = [f"{kind}/{name}" for kind in COME_AND_GO for name in settings.connections]
    return [f"{each}: removed" for each in possible if each not in wanted and await _deleted(temporal, each)]


async def _deleted(temporal: Client, schedule_id: str) -> bool:
    try:
        await temporal.get_schedule_handle(schedule_id).delete()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def sweep_now(temporal: Client, connection: str, system: str) -> str | None:
    """Start the sweep of one system and return its schedule's id; None if there is none, or if it is paused.

    A sweep that is under way may have passed what is looked for: then this one follows it.
    """
    schedule_id = f"{SWEEPS[system]}/{connection}"
    handle = temporal.get_schedule_handle(schedule_id)
    try:
        if (await handle.describe()).schedule.state.paused:
            return None
        await handle.trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return schedule_id


async def _ensure(temporal: Client, wanted: Wanted, *, run_now: bool) -> str:
    try:
        await temporal.create_schedule(
            wanted.id, wanted.schedule, trigger_immediately=run_now, memo={"what it does": wanted.note}
        )
    except ScheduleAlreadyRunningError:
        return await _update(temporal, wanted, run_now=run_now)
    return f"{wanted.id}: created"


async def _update(temporal: Client, wanted: Wanted, *, run_now: bool) -> str:
    handle = temporal.get_schedule_handle(wanted.id)

    def keep_what_operators_own(current: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = wanted.schedule
        schedule.state = current.description.schedule.state
        return ScheduleUpdate(schedule=schedule)

    await handle.update(keep_what_operators_own)
    if (await handle.describe()).schedule.state.paused:
        return f"{wanted.id}: kept, paused by an operator"
    if run_now:
        await handle.trigger()
    return f"{wanted.id}: kept"
