"""Whether a system leaves our calls unanswered, read from the syncs that wait for it. Temporal alone knows."""

from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client

from activities.queues import account_queue
from connectors.errors import Unavailable

# In an outage every sync waits for the same; a few of them tell. They are asked about one by one.
LOOKED_AT = 5


@dataclass(frozen=True)
class Waiting:
    """Syncs that wait for a system. `in_vain_since` is when the oldest call that has failed was first tried."""

    in_vain_since: datetime | None


async def waiting_for(temporal: Client, connection: str, system: str, until: datetime) -> Waiting | None:
    """Return how a few of the syncs fare that began before `until` and wait for a call to a system; None without any.

    A call that has not failed yet may be the next try of a sync whose last call had no clear end. Raises RPCError.
    """
    asked = (
        f'Connection = "{connection}" AND SyncState = "syncing" AND ExecutionStatus = "Running" '
        f'AND StartTime < "{until.isoformat()}"'
    )
    calls: list[PendingActivityInfo] = []
    async for each in temporal.list_workflows(asked, limit=LOOKED_AT):
        described = await temporal.get_workflow_handle(each.id, run_id=each.run_id).describe()
        calls += described.raw_description.pending_activities
    queue = account_queue(system, connection)
    mine = [call for call in calls if call.activity_options.task_queue.name == queue]
    return Waiting(min((_first_tried(call) for call in mine if _failed(call)), default=None)) if mine else None


def _failed(call: PendingActivityInfo) -> bool:
    """Whether nobody answered the last try. A worker that was ended meanwhile leaves a timeout: no answer either."""
    failure = call.last_failure
    return failure.application_failure_info.type == Unavailable.__name__ or failure.HasField("timeout_failure_info")


def _first_tried(call: PendingActivityInfo) -> datetime:
    """Temporal tells when an activity is given up, and after what time; so it began that much earlier."""
    given_up = call.expiration_time.ToDatetime(UTC)
    return given_up - call.activity_options.schedule_to_close_timeout.ToTimedelta()
