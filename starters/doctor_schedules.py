"""The doctor looks at the schedules: are they all there, not paused, and did their last runs end well and in time?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, ScheduleActionExecutionStartWorkflow, ScheduleDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from runtime.settings import Settings
from starters.findings import Finding, fine, note, warning, wrong
from starters.wanted_schedules import HOOK_UPKEEP, OPPORTUNITY_SWEEP, SWEEPS, Wanted, wanted_schedules

# A run may be late by its jitter, by one that was skipped because the last still ran, and by a deploy.
LATE_AFTER, SLACK = 3, timedelta(minutes=1)
LONG_RUN = timedelta(hours=1)
# What runs by the calendar, such as comparing both sides in full, may take so long at the pace of a small quota.
BY_CALENDAR = timedelta(hours=8)
FAILED = {WorkflowExecutionStatus.FAILED, WorkflowExecutionStatus.TIMED_OUT}
ENDED_BY_SOMEBODY = {WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.CANCELED}


async def examine_schedules(temporal: Client, settings: Settings) -> list[Finding]:
    """Return what is amiss with each schedule, and a line for all that are well."""
    missing: list[str] = []
    findings: list[Finding] = []
    wanted = wanted_schedules(settings)
    for each in wanted:
        described = await _described(temporal, each.id)
        if described is None:
            missing.append(each.id)
        else:
            findings += await _examine(temporal, each, described)
    findings += await _left_over(temporal, settings, wanted)
    if missing:
        return [wrong(f"schedules: {', '.join(missing)} missing; run ledgerline schedules"), *findings]
    return [fine(f"schedules: all {len(wanted)} are there"), *findings]


async def _described(temporal: Client, schedule_id: str) -> ScheduleDescription | None:
    try:
        return await temporal.get_schedule_handle(schedule_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _examine(temporal: Client, wanted: Wanted, described: ScheduleDescription) -> list[Finding]:
    state = described.schedule.state
    if state.paused:
        because = f" ({state.note})" if state.note else ""
        return [warning(f"schedule {wanted.id}: paused{because}; unpause it in the Temporal UI when it may run again")]
    latest = max(described.info.recent_actions, key=lambda each: each.started_at, default=None)
    if latest is None or not isinstance(latest.action, ScheduleActionExecutionStartWorkflow):
        return _punctuality(wanted, described.info.created_at)
    workflow_id = latest.action.workflow_id
    status = await _status(temporal, workflow_id)
    if status is WorkflowExecutionStatus.RUNNING:
        return _duration(wanted, latest.started_at, workflow_id)
    return [*_end(wanted, status, workflow_id), *_punctuality(wanted, latest.started_at)]


async def _status(temporal: Client, workflow_id: str) -> WorkflowExecutionStatus | None:
    """Return how a run stands; None if it is so long ago that Temporal has forgotten it."""
    try:
        return (await temporal.get_workflow_handle(workflow_id).describe()).status
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _end(wanted: Wanted, status: WorkflowExecutionStatus | None, workflow_id: str) -> list[Finding]:
    look = f"read {workflow_id} in the Temporal UI"
    if status in FAILED:
        return [wrong(f"schedule {wanted.id}: its last run failed; {look}, mend it, and trigger the schedule")]
    if status in ENDED_BY_SOMEBODY:
        return [warning(f"schedule {wanted.id}: somebody ended its last run; {look}. The next run starts anew")]
    return []


def _punctuality(wanted: Wanted, last: datetime) -> list[Finding]:
    if not wanted.schedule.spec.intervals:  # by the calendar: Temporal knows when it is due, and makes up for it
        return []
    every, ago = _every(wanted), datetime.now(UTC) - last
    if ago <= LATE_AFTER * every + SLACK:
        return []
    text = f"schedule {wanted.id}: last ran {_minutes(ago)} ago, and should every {_minutes(every)}"
    return [wrong(f"{text}; is Temporal's own worker service up? Trigger the schedule in the Temporal UI")]


def _duration(wanted: Wanted, since: datetime, workflow_id: str) -> list[Finding]:
    running = datetime.now(UTC) - since
    if running <= max(LONG_RUN, LATE_AFTER * _every(wanted)):
        return []
    text = f"schedule {wanted.id}: a run has gone on for {_minutes(running)}, and no other begins meanwhile"
    return [warning(f"{text}; if this is no first sweep of a large account, read {workflow_id} in the Temporal UI")]


async def _left_over(temporal: Client, settings: Settings, wanted: Sequence[Wanted]) -> list[Finding]:
    """Name the schedules that earlier settings asked for."""
    ids = {each.id for each in wanted}
    kinds = dict.fromkeys((*SWEEPS.values(), OPPORTUNITY_SWEEP, HOOK_UPKEEP))
    possible = [f"{kind}/{name}" for name in settings.connections for kind in kinds]
    unwanted = [each for each in possible if each not in ids and await _described(temporal, each) is not None]
    text = "the settings no longer ask for it; delete it in the Temporal UI"
    return [note(f"schedule {each}: {text}") for each in unwanted]


def _every(wanted: Wanted) -> timedelta:
    intervals = wanted.schedule.spec.intervals
    return intervals[0].every if intervals else BY_CALENDAR


def _minutes(time: timedelta) -> str:
    minutes = max(1, int(time.total_seconds() // 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
