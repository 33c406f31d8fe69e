"""What the alert watch takes for wrong, and what it does not: with a real store and a real Temporal server."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from google.protobuf.duration_pb2 import Duration
from temporalio import workflow
from temporalio.api.taskqueue.v1 import TaskQueueStats
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.lookout import Lookout, WatchedHooks, WatchedQueue, WatchedStream, longest_wait
from store.alerts import Incident
from store.news import Difference, Told
from store.records import RecordKey
from store.store import Store
from tests.store.records import agreed, created
from tests.workflows.office import until

MINUTE = timedelta(minutes=1)
STREAM = "capsule.parties"
NUMBERS = itertools.count(1)


@workflow.defn(sandboxed=False)
class Nothing:
    @workflow.run
    async def run(self) -> None:
        """End at once."""


@pytest.fixture
def firm_name() -> str:
    """Name a connection that no other test uses."""
    return f"watched-{next(NUMBERS)}"


def lookout(
    store: Store, temporal: Client, firm_name: str, *queues: WatchedQueue, backlog_after: timedelta = 10 * MINUTE
) -> Lookout:
    stream = WatchedStream(firm_name, STREAM, f"party-sweep/{firm_name}", 15 * MINUTE)
    return Lookout(store, temporal, [stream], queues, backlog_after)


async def seen(look: Lookout, watched_since: datetime | None = None) -> list[Incident]:
    return await look.incidents(watched_since or datetime.now(UTC) - timedelta(days=1))


async def keys(look: Lookout, watched_since: datetime | None = None) -> list[str]:
    """Return what would be told."""
    return [each.key for each in await seen(look, watched_since) if each.is_news]


async def new_schedule(temporal: Client, firm_name: str) -> None:
    """Make the schedule of a sweep, which never fires."""
    action = ScheduleActionStartWorkflow("PartySweep", id=f"party-sweep/{firm_name}", task_queue="nobody")
    await temporal.create_schedule(action.id, Schedule(action=action, spec=ScheduleSpec()))


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + minutes * MINUTE)


async def test_a_system_whose_changes_only_sweeps_find_has_stopped_telling_us(
    sqlite_store: Store, temporal: Client, firm_name: str
) -> None:
    """F12: a channel that Zoho has dropped says nothing of it."""
    hooks = [WatchedHooks(firm_name, "zoho_crm")]
    look = Lookout(sqlite_store, temporal, [], [], 10 * MINUTE, hooks=hooks)
    for number in range(5):
        assert await keys(look) == []
        await sqlite_store.news.swept(firm_name, "zoho_crm", [Difference(str(number), "seen", datetime.now(UTC))])
    assert await keys(look) == [f"no-webhooks/{firm_name}/zoho_crm"]
    back_for_an_hour = datetime.now(UTC) - timedelta(hours=1)
    assert await keys(look, watched_since=back_for_an_hour) == []  # what an outage of ours kept webhooks from telling
    await sqlite_store.news.told([Told(firm_name, "zoho_crm", "7", datetime.now(UTC))])
    assert await keys(look) == []


async def test_no_sweep_for_too_long_is_silence_until_the_next_one_ends(
    sqlite_store: Store, temporal: Client, firm_name: str
) -> None:
    """F35, S50."""
    look = lookout(sqlite_store, temporal, firm_name)
    await sqlite_store.cursors.advance(firm_name, STREAM, datetime.now(UTC))
    assert await keys(look) == []
    with later(14):
        assert await keys(look) == []
    with later(16):
        (incident,) = await seen(look)
        assert (incident.key, incident.connection, incident.reason) == (
            f"silence/{firm_name}/{STREAM}",
            firm_name,
            "silence",
        )
        assert datetime.now(UTC) - incident.since > 15 * MINUTE
        await sqlite_store.cursors.advance(firm_name, STREAM, datetime.now(UTC))
        assert await keys(look) == []


async def test_after_a_night_in_which_nothing_ran_the_sweeps_get_their_time_to_catch_up(
    sqlite_store: Store, temporal: Client, firm_name: str
) -> None:
    """S29."""
    look = lookout(sqlite_store, temporal, firm_name)
    await sqlite_store.cursors.advance(firm_name, STREAM, datetime.now(UTC))
    await sqlite_store.inbox.park(firm_name, "capsule", "party/updated", ["7"])
    with later(600):
        assert await keys(look, watched_since=datetime.now(UTC) - MINUTE) == []
        # But what was told before that night is not over because nobody looked.
        assert len(await seen(look, watched_since=datetime.now(UTC) - MINUTE)) == 2
        assert len(await keys(look, watched_since=datetime.now(UTC) - 16 * MINUTE)) == 2


async def test_a_first_sweep_that_never_ends_is_silence_and_one_that_gets_on_is_not(
    sqlite_store: Store, temporal: Client, firm_name: str
) -> None:
    """F35: a wrong token from the first day on must not go unnoticed; a long first import is no fault."""
    await new_schedule(temporal, firm_name)
    look = lookout(sqlite_store, temporal, firm_name)
    assert await keys(look) == []
    with later(16):
        assert await keys(look) == [f"silence/{firm_name}/{STREAM}"]
        await sqlite_store.links.confirm(RecordKey(firm_name, "clients", "7"), agreed("90210"), audit=created())
        assert await keys(look) == []
    with later(40):
        assert await keys(look) == [f"silence/{firm_name}/{STREAM}"]


async def test_a_connection_whose_sweep_nobody_scheduled_is_silence(
    sqlite_store: Store, temporal: Client, firm_name: str
) -> None:
    """F35: `ledgerline schedules` was forgotten."""
    assert await keys(lookout(sqlite_store, temporal, firm_name)) == [f"silence/{firm_name}/{STREAM}"]


async def test_silence_of_a_connection_without_consent_is_no_news(
    sqlite_store: Store, temporal: Client, firm_name: str
) -> None:
    """S29: people were told of the cause. Once there is consent again, sweeps get their usual time."""
    look, consent = lookout(sqlite_store, temporal, firm_name), f"consent/{firm_name}/capsule"
    await sqlite_store.cursors.advance(firm_name, STREAM, datetime.now(UTC))
    key = RecordKey(firm_name, "connection", "capsule")
    await sqlite_store.holds.open(consent, key, "needs-consent", {})
    with later(60):
        assert [each.is_news for each in await seen(look)] == [False]
        await sqlite_store.holds.close(consent)
        assert await keys(look) == []
    with later(76):
        assert [each.is_news for each in await seen(look)] == [True]


async def test_changes_that_stay_in_the_inbox_are_told(sqlite_store: Store, temporal: Client, firm_name: str) -> None:
    """S49: Temporal could not be reached, and now somebody has to look."""
    look = Lookout(sqlite_store, temporal, [], [], 10 * MINUTE)
    await sqlite_store.inbox.park(firm_name, "capsule", "party/updated", ["7"])
    assert await keys(look) == []
    with later(11):
        assert await keys(look) == ["backlog/inbox"]


async def test_a_queue_for_which_there_is_no_worker_is_told_until_it_has_drained(
    sqlite_store: Store, temporal: Client, firm_name: str
) -> None:
    """F35: the workers are gone."""
    queue = WatchedQueue(f"lonely@{firm_name}", firm_name, workflows=True)
    look = Lookout(sqlite_store, temporal, [], [queue], timedelta(seconds=1))
    assert await keys(look) == []
    handle = await temporal.start_workflow(Nothing.run, id=f"lonely/{firm_name}", task_queue=queue.name)

    async def told() -> list[Incident]:
        return await seen(look)

    (incident,) = await until(told)
    assert (incident.key, incident.connection) == (f"backlog/{queue.name}", firm_name)
    async with Worker(
        temporal, task_queue=queue.name, workflows=[Nothing], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        await asyncio.wait_for(handle.result(), 20)

    async def drained() -> bool:
        return not await seen(look)

    assert await until(drained)


async def test_a_first_import_that_gets_on_is_no_backlog_and_a_webhook_that_waits_is() -> None:
    """S29: a quota makes a thousand records take their time; a change that somebody made must not."""
    hour, quarter = Duration(seconds=3600), Duration(seconds=900)
    stuck = DescribeTaskQueueResponse(stats=TaskQueueStats(approximate_backlog_age=hour))
    assert longest_wait(stuck) == timedelta(hours=1)
    moving = TaskQueueStats(approximate_backlog_age=hour, tasks_dispatch_rate=1.1)
    backfill = DescribeTaskQueueResponse(stats=moving, stats_by_priority_key={5: moving})
    assert longest_wait(backfill) == timedelta(0)
    backfill.stats_by_priority_key[2].approximate_backlog_age.CopyFrom(quarter)
    assert longest_wait(backfill) == timedelta(minutes=15)


async def test_one_outage_that_silences_two_sweeps_is_one_piece_of_news(
    sqlite_store: Store, temporal: Client, firm_name: str
) -> None:
    """S29: the second sweep falls silent minutes after the first, for the same reason."""
    streams = [
        WatchedStream(firm_name, name, f"{name}/{firm_name}", 15 * MINUTE)
        for name in ("capsule.parties", "freshbooks.clients")
    ]
    look = Lookout(sqlite_store, temporal, streams, [], 10 * MINUTE)
    await sqlite_store.cursors.advance(firm_name, "capsule.parties", datetime.now(UTC))
    with later(4):
        await sqlite_store.cursors.advance(firm_name, "freshbooks.clients", datetime.now(UTC))
    with later(20):
        news = {each.key: each.is_news for each in await seen(look)}
        assert news == {
            f"silence/{firm_name}/capsule.parties": True,
            f"silence/{firm_name}/freshbooks.clients": False,
        }
        await sqlite_store.cursors.advance(firm_name, "capsule.parties", datetime.now(UTC))
        assert [each.is_news for each in await seen(look)] == [True]
