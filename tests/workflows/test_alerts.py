"""The alert watch as it runs: the real workflow, its real activities, a real Temporal server and a real channel."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from temporalio import activity
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WorkflowHandle,
)
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.models import AlertsSeen
from runtime.settings import Settings
from store.records import RecordKey
from store.store import Store
from tests.channels import Post
from tests.workflows.office import until
from worker.alerts import alert_queue
from worker.main import account_worker, sandboxed_runner
from workflows.alerts import AlertTest, AlertWatch
from workflows.models import AlertTestResult, AlertWatchRequest, AlertWatchResult

RUNS = itertools.count(1)
OFTEN = AlertWatchRequest(every=timedelta(milliseconds=100))
Handle = WorkflowHandle[AlertWatch, AlertWatchResult]


@pytest.fixture
def post() -> Iterator[Post]:
    """Somebody who takes alerts."""
    opened = Post()
    yield opened
    opened.close()


class Watching:
    """An installation whose alert watch runs."""

    def __init__(self, store: Store, handle: Handle, queue: str) -> None:
        self.store, self.handle, self.queue = store, handle, queue

    async def hold(self, number: int, reason: str = "conflict") -> str:
        """Let a sync wait for a person."""
        return await hold(self.store, number, reason)

    async def looks(self, times: int = 2) -> None:
        """Wait until the watch has looked so many times more, and has done what follows from it."""
        for _ in range(times):
            before = await self.store.alerts.last_look()

            async def looked(before: datetime | None = before) -> bool:
                return await self.store.alerts.last_look() != before

            await until(looked)
        await asyncio.sleep(0.2)

    async def shows(self) -> str:
        """Return what operators read in the Temporal UI."""
        metadata = await self.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return str(metadata.current_details)


async def hold(store: Store, number: int, reason: str = "conflict") -> str:
    """Let a sync wait for a person."""
    workflow_id = f"client-upsert/acme/capsule-party-{number}"
    await store.holds.open(workflow_id, RecordKey("acme", "clients", str(number)), reason, {})
    return workflow_id


@asynccontextmanager
async def watching(
    temporal: Client, store: Store, stand_ins: Mapping[str, Callable[..., Any]] | None = None, **alerts: Any
) -> AsyncIterator[Watching]:
    """Run the alert watch as the worker wires it. No connection: what it watches of those has tests of its own."""
    settings = Settings(alerts={"group_for": "300ms", **alerts})
    queue = f"alert-watch-{next(RUNS)}"
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient())
        wired = alert_queue(settings, temporal, store, http)
        activities = [(stand_ins or {}).get(each.__name__, each) for each in wired.activities]
        await stack.enter_async_context(account_worker(temporal, replace(wired, activities=activities)))
        await stack.enter_async_context(
            Worker(temporal, task_queue=queue, workflows=[AlertWatch, AlertTest], workflow_runner=sandboxed_runner())
        )
        handle = await temporal.start_workflow(AlertWatch.run, OFTEN, id=queue, task_queue=queue)
        yield Watching(store, handle, queue)
        if (await handle.describe()).close_time is None:
            await handle.terminate()


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """Let our own clock run ahead."""
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds)):
        yield


async def test_fifty_holds_become_one_message(temporal: Client, sqlite_store: Store, post: Post) -> None:
    """S48, Z112, I5."""
    for number in range(50):
        await hold(sqlite_store, number)
    async with watching(temporal, sqlite_store, urls=(post.url,)) as watch:

        async def told() -> bool:
            return bool(post.taken)

        await until(told)
        await watch.looks()
        assert "50 alerts are open" in await watch.shows()
    assert [heard.subject for heard in post.taken] == ["Ledgerline: 50 syncs wait for a person (acme: conflict)"]


async def test_a_hold_that_is_resolved_at_once_is_told_to_nobody(
    temporal: Client, sqlite_store: Store, post: Post
) -> None:
    """S29."""
    async with watching(temporal, sqlite_store, urls=(post.url,), group_for="1s") as watch:
        await sqlite_store.holds.close(await watch.hold(7))
        with later(2):
            await watch.looks(3)
        assert await watch.shows() == "**nothing needs a person**"
    assert post.taken == []


async def test_a_channel_that_was_down_is_told_when_it_is_back_and_once(
    temporal: Client, sqlite_store: Store, post: Post
) -> None:
    """F20."""
    post.close()
    async with watching(temporal, sqlite_store, urls=(post.url,)) as watch:
        await watch.hold(7)

        async def failing() -> bool:
            return bool(await sqlite_store.channels.failing())

        async def told() -> bool:
            return bool(post.taken)

        await until(failing)
        await watch.looks()
        assert "Not answering: channel 1 (JSON) since" in await watch.shows()
        post.open()
        with later(11):
            await until(told)
            await watch.looks(3)
    assert len(post.taken) == 1


async def test_two_watches_at_once_tell_once(temporal: Client, sqlite_store: Store, post: Post) -> None:
    """F20: an operator may have started a second one by hand."""
    async with watching(temporal, sqlite_store, urls=(post.url,)) as watch:
        second = await temporal.start_workflow(AlertWatch.run, OFTEN, id=f"{watch.queue}/2", task_queue=watch.queue)
        for number in range(5):
            await watch.hold(number, f"reason-{number}")
            await asyncio.sleep(0.1)
        with later(1):
            await watch.looks(6)
        await second.terminate()
    assert len(post.taken) == len({heard.subject for heard in post.taken}) == 5


async def test_a_healthy_watch_sends_heartbeats_and_one_that_cannot_tell_people_does_not(
    temporal: Client, sqlite_store: Store, post: Post
) -> None:
    """F35: a dead installation is noticed from outside, and one that is dumb as well."""
    monitor = Post()
    async with watching(temporal, sqlite_store, urls=(post.url,), heartbeat_url=monitor.heartbeat_url) as watch:

        async def alive() -> bool:
            return monitor.beats >= 2

        async def failing() -> bool:
            return bool(await sqlite_store.channels.failing())

        await until(alive)
        post.status = 500
        await watch.hold(7)
        await until(failing)
        await watch.looks()
        before = monitor.beats
        await watch.looks(3)
        assert monitor.beats == before
    monitor.close()


async def test_a_watch_that_cannot_look_says_so_once_however_long_it_lasts_and_says_when_it_is_over(
    temporal: Client, sqlite_store: Store, post: Post
) -> None:
    """S48, S49: while the store is away its outbox is, too. One run of the watch ends meanwhile, the next goes on."""
    away = True

    @activity.defn(name="look")
    async def look() -> AlertsSeen:
        if away:
            raise ApplicationError("the store is away", non_retryable=True)
        return AlertsSeen()

    async with watching(temporal, sqlite_store, {"look": look}, urls=(post.url,), silence_after="500ms") as watch:
        await watch.handle.terminate()
        action = ScheduleActionStartWorkflow(AlertWatch.run, OFTEN, id=f"{watch.queue}/clock", task_queue=watch.queue)
        clock = await temporal.create_schedule(
            watch.queue, Schedule(action=action, spec=ScheduleSpec()), trigger_immediately=True
        )

        async def ended(runs: int) -> bool:
            info = (await clock.describe()).info
            return info.num_actions >= runs and not info.running_actions

        async def over() -> bool:
            return len(post.taken) > 1

        await until(lambda: ended(1))
        assert [heard.subject for heard in post.taken] == ["Ledgerline: the alert watch cannot look"]
        await clock.trigger()
        await asyncio.sleep(1)
        away = False
        await until(over)
        (running,) = (await clock.describe()).info.running_actions
        await clock.delete()
        assert isinstance(running, ScheduleActionExecutionStartWorkflow)
        await temporal.get_workflow_handle(running.workflow_id).terminate()
    assert post.taken[0].subject == "Ledgerline: the alert watch cannot look"
    assert [heard.subject for heard in post.taken[1:]] == ["Ledgerline: the alert watch can look again"]


async def test_a_blindness_that_heals_by_itself_is_told_to_nobody(
    temporal: Client, sqlite_store: Store, post: Post
) -> None:
    """S29."""
    failures = iter([True] * 3)

    @activity.defn(name="look")
    async def look() -> AlertsSeen:
        if next(failures, False):
            raise ApplicationError("the store is away", non_retryable=True)
        return AlertsSeen(open=7)

    async with watching(temporal, sqlite_store, {"look": look}, urls=(post.url,), silence_after="30s") as watch:

        async def sees() -> bool:
            return "7 alerts are open" in await watch.shows()

        await until(sees)
    assert post.taken == []


async def test_a_look_that_fails_does_not_end_the_watch(temporal: Client, sqlite_store: Store) -> None:
    failures = iter([True, True])

    @activity.defn(name="look")
    async def look() -> AlertsSeen:
        if next(failures, False):
            raise ApplicationError("the store is away", non_retryable=True)
        return AlertsSeen(open=3)

    async with watching(temporal, sqlite_store, {"look": look}) as watch:

        async def sees_again() -> bool:
            return await watch.shows() == "**3 alerts are open**"

        assert await until(sees_again)


async def test_operators_see_that_nobody_is_told(temporal: Client, sqlite_store: Store) -> None:
    async with watching(temporal, sqlite_store) as watch:
        await watch.hold(7)
        await watch.looks()
        assert await watch.shows() == "**1 alerts are open**\n\nNobody is told: `alerts.urls` is not set."


async def test_a_watch_ends_before_its_history_grows_long(temporal: Client, sqlite_store: Store) -> None:
    """F42: its schedule starts the next one."""
    async with watching(temporal, sqlite_store) as watch:
        result = await asyncio.wait_for(watch.handle.result(), 30)
    assert result.looks >= 5
    assert (await watch.handle.describe()).history_length < 200


async def test_a_person_can_try_the_channels(temporal: Client, sqlite_store: Store, post: Post) -> None:
    """Z72."""
    other = Post()
    other.status = 404
    async with watching(temporal, sqlite_store, urls=(post.url, other.url)) as watch:
        tried = await temporal.execute_workflow(AlertTest.run, id=f"{watch.queue}/test", task_queue=watch.queue)
    other.close()
    assert tried == AlertTestResult(channels={"channel 1 (JSON)": "", "channel 2 (JSON)": "HTTP 404"})
    assert len(post.taken) == 1
