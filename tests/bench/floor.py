"""The floor: a workflow with as many steps as a ClientUpsert that creates a client, whose activities do nothing."""

from datetime import timedelta

import uvloop
from temporalio import activity, workflow
from temporalio.worker import Worker

from runtime.load import load_settings
from runtime.temporal import connect
from worker.heartbeats import Heartbeats
from worker.main import sandboxed_runner, settle_memory, stop_signal

WORKFLOWS, ACTIVITIES = "bench-floor", "bench-floor-activities"
TIMEOUT = timedelta(seconds=90)


@activity.defn
async def nothing(text: str) -> str:
    """Return what it was given."""
    return text


@workflow.defn
class Floor:
    """Two local activities and three activities, in the order of a create."""

    @workflow.run
    async def run(self, text: str) -> str:
        """Carry a text through all of them."""
        text = await workflow.execute_local_activity(nothing, text, start_to_close_timeout=TIMEOUT)
        text = await self._call(text)
        text = await self._call(text)
        text = await workflow.execute_local_activity(nothing, text, start_to_close_timeout=TIMEOUT)
        return await self._call(text)

    async def _call(self, text: str) -> str:
        return await workflow.execute_activity(
            nothing,
            text,
            task_queue=ACTIVITIES,
            start_to_close_timeout=TIMEOUT,
            heartbeat_timeout=timedelta(seconds=10),
            summary="nothing",
        )


async def work() -> None:
    """Work on the floor's queues until stopped, set up as the real worker is."""
    temporal = await connect(load_settings(), patience=timedelta(seconds=30))
    workflows = Worker(
        temporal, task_queue=WORKFLOWS, workflows=[Floor], activities=[nothing], workflow_runner=sandboxed_runner()
    )
    calls = Worker(
        temporal,
        task_queue=ACTIVITIES,
        activities=[nothing],
        max_task_queue_activities_per_second=10_000,
        interceptors=[Heartbeats()],
    )
    settle_memory()
    async with workflows, calls:
        await stop_signal()


if __name__ == "__main__":
    uvloop.run(work())
