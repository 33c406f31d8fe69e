"""Whether a system leaves our calls unanswered, read from the syncs that wait for it. Temporal alone knows."""

from datetime import UTC, datetime

from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client

from activities.queues import account_queue
from connectors.errors import Unavailable

# In an outage every sync waits for the same; a few of them tell. They are asked about one by one.
LOOKED_AT = 5


async def unanswered_since(temporal: Client, connection: str, system: str, until: datetime) -> datetime | None:
    """Return since when a call to a system has been tried in vain, the oldest of a few; None if none has.

    Only calls of syncs that began before `until` count. Raises RPCError.
    """
    waiting = (
        f'Connection = "{connection}" AND SyncState = "syncing" AND ExecutionStatus = "Running" '
        f'AND StartTime < "{until.isoformat()}"'
    )
    found = []
    async for each in temporal.list_workflows(waiting, limit=LOOKED_AT):
        described = await temporal.get_workflow_handle(each.id, run_id=each.run_id).describe()
        calls = described.raw_description.pending_activities
        found += [
            _first_tried(call)
            for call in calls
            if _is_in_vain(call, account_queue(connection=connection, system=system))
        ]
    return min(found, default=None)


def _is_in_vain(call: PendingActivityInfo, queue: str) -> bool:
    failed = call.last_failure.application_failure_info.type == Unavailable.__name__
    return failed and call.activity_options.task_queue.name == queue


def _first_tried(call: PendingActivityInfo) -> datetime:
    """Temporal tells when an activity is given up, and after what time; so it began that much earlier."""
    given_up = call.expiration_time.ToDatetime(UTC)
    return given_up - call.activity_options.schedule_to_close_timeout.ToTimedelta()
