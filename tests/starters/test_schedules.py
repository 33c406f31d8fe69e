"""What runs by the clock, and that an operator's hand on it is respected."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from temporalio.client import Client, Schedule, ScheduleHandle
from temporalio.service import RPCError

from runtime.reconciliation import ReconciliationRules
from runtime.settings import Settings
from starters.schedules import ensure_schedules, remove_unwanted, sweep_now
from starters.wanted_schedules import wanted_schedules
from tests.sandboxes import Firm, sandbox_settings


@pytest.fixture
async def scheduled(temporal: Client, firm: Firm) -> AsyncIterator[str]:
    """Make the firm's schedules, paused state and all, and take them away at the end."""
    await ensure(temporal, firm.settings)
    yield f"party-sweep/{firm.name}"
    await delete(temporal, firm.settings)


async def ensure(temporal: Client, settings: Settings, *, run_now: bool = False) -> list[str]:
    return await ensure_schedules(temporal, wanted_schedules(settings), run_now=run_now)


async def current(handle: ScheduleHandle) -> Schedule:
    return (await handle.describe()).schedule


def ids(settings: Settings) -> Sequence[str]:
    return [each.id for each in wanted_schedules(settings)]


async def test_a_connection_is_swept_and_its_webhooks_kept_up(temporal: Client, firm: Firm, scheduled: str) -> None:
    """Z30, S50."""
    assert {f"party-sweep/{firm.name}", f"hook-upkeep/{firm.name}"} <= set(ids(firm.settings))
    every = [each.every for each in (await current(temporal.get_schedule_handle(scheduled))).spec.intervals]
    assert every == [timedelta(minutes=5)]


def test_where_providers_cannot_reach_us_only_sweeps_run(firm: Firm) -> None:
    unreachable = firm.settings.model_copy(
        update={"receiver": firm.settings.receiver.model_copy(update={"public_url": None})}
    )
    assert f"party-sweep/{firm.name}" in ids(unreachable)
    assert f"hook-upkeep/{firm.name}" not in ids(unreachable)


def both_ways(firm: Firm) -> Settings:
    clients = {"direction": "both", "sweep_every": "7m"}
    return sandbox_settings(firm.name, firm.sandbox, firm.settings.data, clients=clients)


def test_where_clients_follow_each_other_both_ways_the_books_are_swept_too(firm: Firm) -> None:
    """Z124, Z30."""
    assert f"client-sweep/{firm.name}" in ids(both_ways(firm))
    assert f"client-sweep/{firm.name}" not in ids(firm.settings)


async def test_who_stops_carrying_changes_back_is_not_swept_for_them_any_more(temporal: Client, firm: Firm) -> None:
    """And what is wanted stays, as does what belongs to other connections."""
    await ensure(temporal, both_ways(firm))
    assert await remove_unwanted(temporal, both_ways(firm)) == []
    assert await remove_unwanted(temporal, firm.settings) == [f"client-sweep/{firm.name}: removed"]
    assert await remove_unwanted(temporal, firm.settings) == []
    await delete(temporal, firm.settings)


async def test_a_sweep_can_be_asked_for_at_any_time(temporal: Client, firm: Firm) -> None:
    """F12."""
    settings = both_ways(firm)
    await ensure(temporal, settings)
    assert await sweep_now(temporal, firm.name, "freshbooks") == f"client-sweep/{firm.name}"
    assert (await temporal.get_schedule_handle(f"client-sweep/{firm.name}").describe()).info.num_actions == 1
    await end_runs(temporal, settings)
    await delete(temporal, settings)


async def test_a_sweep_that_an_operator_paused_is_not_asked_for(temporal: Client, firm: Firm, scheduled: str) -> None:
    handle = temporal.get_schedule_handle(scheduled)
    await handle.pause(note="Ida: month end")
    assert await sweep_now(temporal, firm.name, "capsule") is None
    assert (await handle.describe()).info.num_actions == 0


async def test_a_sweep_without_a_schedule_is_not_asked_for(temporal: Client, firm: Firm) -> None:
    assert await sweep_now(temporal, firm.name, "capsule") is None


async def test_making_schedules_twice_changes_nothing(temporal: Client, firm: Firm, scheduled: str) -> None:
    assert await ensure(temporal, firm.settings) == [f"{each}: kept" for each in ids(firm.settings)]


async def test_another_interval_in_the_settings_reaches_the_schedule(
    temporal: Client, firm: Firm, scheduled: str
) -> None:
    """S45."""
    clients = {"sweep_every": "1h"}
    await ensure(temporal, sandbox_settings(firm.name, firm.sandbox, firm.settings.data, clients=clients))
    every = [each.every for each in (await current(temporal.get_schedule_handle(scheduled))).spec.intervals]
    assert every == [timedelta(hours=1)]


async def test_a_schedule_that_an_operator_paused_stays_paused(temporal: Client, firm: Firm, scheduled: str) -> None:
    handle = temporal.get_schedule_handle(scheduled)
    await handle.pause(note="Ida: month end")
    lines = await ensure(temporal, firm.settings, run_now=True)
    assert f"{scheduled}: kept, paused by an operator" in lines
    state = (await current(handle)).state
    assert (state.paused, state.note) == (True, "Ida: month end")
    await end_runs(temporal, firm.settings)


async def test_a_paused_schedule_is_not_run_by_a_restart(temporal: Client, firm: Firm, scheduled: str) -> None:
    handle = temporal.get_schedule_handle(scheduled)
    await handle.pause()
    await ensure(temporal, firm.settings, run_now=True)
    assert (await handle.describe()).info.num_actions == 0
    await end_runs(temporal, firm.settings)


async def test_a_restart_sweeps_at_once(temporal: Client, firm: Firm, scheduled: str) -> None:
    """S49: whatever was missed while we were down."""
    await ensure(temporal, firm.settings, run_now=True)
    assert (await temporal.get_schedule_handle(scheduled).describe()).info.num_actions == 1
    await end_runs(temporal, firm.settings)


async def test_a_schedule_says_what_it_does_without_naming_people(temporal: Client, firm: Firm, scheduled: str) -> None:
    described = await temporal.get_schedule_handle(scheduled).describe()
    text = f"Lists the parties of {firm.name} in capsule that changed; catches what no webhook announced."
    assert described.schedule.state.note == text
    assert await described.memo_value("what it does") == text


async def delete(temporal: Client, settings: Settings) -> None:
    for wanted in wanted_schedules(settings):
        await temporal.get_schedule_handle(wanted.id).delete()


async def end_runs(temporal: Client, settings: Settings) -> None:
    """End what the schedules have started: no worker of another test may meet it."""
    for wanted in wanted_schedules(settings):
        info = (await temporal.get_schedule_handle(wanted.id).describe()).info
        for action in info.running_actions:
            try:
                await temporal.get_workflow_handle(getattr(action, "workflow_id", "")).terminate()
            except RPCError:
                continue


def test_both_sides_are_compared_by_the_calendar_and_not_whenever_everything_is_started(firm: Firm) -> None:
    """S30."""
    rules = ReconciliationRules(calendar="0 5 * * MON", time_zone="Europe/Berlin")
    connection = firm.connection.model_copy(update={"reconciliation": rules})
    settings = firm.settings.model_copy(update={"connections": {firm.name: connection}})

    (wanted,) = [each for each in wanted_schedules(settings) if each.id == f"reconciliation/{firm.name}"]

    assert wanted.schedule.spec.cron_expressions == ["0 5 * * MON"]
    assert wanted.schedule.spec.time_zone_name == "Europe/Berlin"
    assert not wanted.at_start
    off = connection.model_copy(update={"reconciliation": ReconciliationRules(scheduled=False)})
    assert f"reconciliation/{firm.name}" not in ids(settings.model_copy(update={"connections": {firm.name: off}}))
