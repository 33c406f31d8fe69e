"""Workers on a real Temporal server: what they run, how often, and that a long request is not taken for a dead one."""

import asyncio
import pkgutil
import time
from datetime import timedelta
from importlib import import_module

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

import workflows
from starters.announce import Announcer, client_upsert_id
from tests.sandboxes import Firm
from tests.workflows.office import until
from worker.accounts import AccountQueue
from worker.main import WORKFLOWS, account_worker, workflow_worker

HEARTBEAT = timedelta(seconds=0.6)
PER_SECOND = 10.0


@activity.defn(name="slow_request")
async def slow_request() -> str:
    await asyncio.sleep(3 * HEARTBEAT.total_seconds())
    return "answered"


@activity.defn(name="quick_request")
async def quick_request() -> None:
    """Answers at once."""


@workflow.defn(sandboxed=False)
class OneSlowRequest:
    @workflow.run
    async def run(self, queue: str) -> str:
        answer: str = await workflow.execute_activity(
            "slow_request",
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        return answer


@workflow.defn(sandboxed=False)
class ManyRequests:
    @workflow.run
    async def run(self, queue: str) -> None:
        timeout = timedelta(seconds=20)
        calls = [
            workflow.execute_activity("quick_request", task_queue=queue, start_to_close_timeout=timeout)
            for _ in range(30)
        ]
        await asyncio.gather(*calls)


async def test_a_request_longer_than_the_heartbeat_is_not_taken_for_a_dead_worker(temporal: Client) -> None:
    """F1: a second attempt beside a create that still runs would be a double write."""
    queue = AccountQueue("freshbooks@slow", [slow_request], 100)
    async with account_worker(temporal, queue), Worker(temporal, task_queue="slow", workflows=[OneSlowRequest]):
        answer = await temporal.execute_workflow(OneSlowRequest.run, queue.name, id="one-slow", task_queue="slow")
    assert answer == "answered"


async def test_all_workers_together_keep_to_the_quota_of_the_account(temporal: Client) -> None:
    """S61, F33: thirty calls at ten a second, with two workers, take about two seconds."""
    queue = AccountQueue("freshbooks@many", [quick_request], PER_SECOND)
    other = await Client.connect(temporal.service_client.config.target_host, data_converter=temporal.data_converter)
    async with (
        account_worker(temporal, queue),
        account_worker(other, queue),
        Worker(temporal, task_queue="many", workflows=[ManyRequests]),
    ):
        started = time.monotonic()
        await temporal.execute_workflow(ManyRequests.run, queue.name, id="many", task_queue="many")
    assert time.monotonic() - started >= 1.5


async def test_the_worker_knows_every_workflow(temporal: Client, firm: Firm) -> None:
    """A workflow that no worker knows would wait for ever."""
    async with workflow_worker(temporal, firm.settings, firm.store) as worker:
        served = worker.config()["workflows"]
    assert {each.__name__ for each in served} == {each.__name__ for each in WORKFLOWS}
    modules = [import_module(each.name) for each in pkgutil.iter_modules(workflows.__path__, "workflows.")]
    defined = {found for module in modules for found in vars(module).values() if is_workflow(found)}
    assert defined == set(WORKFLOWS)


def is_workflow(found: object) -> bool:
    return isinstance(found, type) and hasattr(found, "__temporal_workflow_definition")


async def test_a_change_of_a_connection_that_left_the_settings_keeps_no_worker_from_stopping(
    temporal: Client, firm: Firm, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits, and the log says what to do about it."""
    await Announcer(temporal, firm.store, {}).party_changed("gone", 7, "capsule webhook party/updated", 2)
    left = temporal.get_workflow_handle(client_upsert_id("gone", 7))
    try:
        async with asyncio.timeout(20):
            async with workflow_worker(temporal, firm.settings, firm.store):
                await until(lambda: answer("connection 'gone' is not in the settings" in caplog.text))
    finally:
        await left.terminate()


async def answer(value: bool) -> bool:
    return value
