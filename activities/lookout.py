"""What the alert watch looks at: sweeps that do not end, changes that are not handed over, queues that do not drain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.alert_texts import BACKLOG, DEAF, INBOX, OUTAGE, SILENCE
from activities.unanswered import waiting_for
from store.alerts import Incident
from store.store import Store

RPC_TIMEOUT = timedelta(seconds=5)
# A person or a webhook waits for tasks of these ranks. The others may take their hours, as long as they get on.
URGENT = (1, 2)
# So many changes that only sweeps found, and not one that a webhook told of, yesterday and today: nobody tells us.
UNTOLD = 5
# After a break in which nothing of ours looked, webhooks that were dropped meanwhile get a day to be back and tell.
HEARING = timedelta(days=1)


@dataclass(frozen=True)
class WatchedStream:
    """A stream of changes that some sweep reads, and how long no sweep may end before people are told."""

    connection: str
    name: str
    schedule_id: str
    patience: timedelta


@dataclass(frozen=True)
class WatchedQueue:
    """A task queue of Temporal: of workflow tasks, or of one account's activities."""

    name: str
    connection: str = ""
    workflows: bool = False


@dataclass(frozen=True)
class WatchedHooks:
    """A system that is asked to tell us of a connection's changes."""

    connection: str
    system: str


@dataclass(frozen=True)
class WatchedAccount:
    """An account that no sweep reads, and how long syncs may wait for it in vain before people are told."""

    connection: str
    system: str
    patience: timedelta


@dataclass(frozen=True)
class Delay:
    """Something that has gone on for a while, and from when on that is an incident.

    What `lasts` is not over before it is gone, even if it seems to have begun anew.
    """

    incident: Incident
    patience: timedelta
    lasts: bool = False


class Lookout:
    """Looks at all of the installation, through its store and Temporal."""

    def __init__(
        self,
        store: Store,
        temporal: Client,
        streams: Sequence[WatchedStream],
        queues: Sequence[WatchedQueue],
        backlog_after: timedelta,
        *,
        hooks: Sequence[WatchedHooks] = (),
        unswept: Sequence[WatchedAccount] = (),
    ) -> None:
        self._store, self._temporal = store, temporal
        self._streams, self._queues, self._backlog_after, self._hooks = streams, queues, backlog_after, hooks
        self._unswept = unswept

    async def incidents(self, watched_since: datetime) -> list[Incident]:
        """Return all that is wrong now. Nothing is news before the watch itself has run for so long.

        A connection that waits for consent is late, of course: people have been told, so that is no news. Once it has
        consent again its patience begins anew. One cause silences several sweeps: one of a connection is told.

        Raises RPCError or SQLAlchemyError if it cannot see everything: half a look would end what goes on.
        """
        now, consent = datetime.now(UTC), await self._store.signs.consent()
        begun = {name: max(regained, watched_since) for name, regained in consent.items() if regained}
        delays = [*await self._sweeps(now), *await self._inbox(), *await self._backlogs(now), *await self._deaf(now)]
        delays += await self._unanswered(now)
        late = [each for each in delays if each.lasts or now - each.incident.since >= each.patience]
        repeated = _repeated_silences([each.incident for each in late])

        def is_news(delay: Delay) -> bool:
            incident = delay.incident
            begin = max(incident.since, begun.get(incident.connection, watched_since))
            in_consent = consent.get(incident.connection, now) is not None
            return in_consent and now - begin >= delay.patience and incident not in repeated

        return [replace(each.incident, is_news=is_news(each)) for each in late]

    async def _sweeps(self, now: datetime) -> list[Delay]:
        ended, delays = await self._store.signs.sweeps(), []
        for stream in self._streams:
            last = ended.get((stream.connection, stream.name)) or await self._first_sweep_alive(stream)
            incident = Incident(f"silence/{stream.connection}/{stream.name}", stream.connection, SILENCE, last or now)
            delays.append(Delay(incident, stream.patience if last else timedelta(0)))
        return delays

    async def _first_sweep_alive(self, stream: WatchedStream) -> datetime | None:
        """Return the last sign that a first sweep, which may take hours, gets on; None if nothing would start it."""
        try:
            schedule = await self._temporal.get_schedule_handle(stream.schedule_id).describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise
        written = await self._store.signs.last_write(stream.connection)
        return max(filter(None, (schedule.info.created_at, written)))

    async def _inbox(self) -> list[Delay]:
        since = (await self._store.signs.inbox()).since
        return [Delay(Incident(INBOX, "", BACKLOG, since), self._backlog_after)] if since else []

    async def _backlogs(self, now: datetime) -> list[Delay]:
        delays = []
        for queue in self._queues:
            age = longest_wait(await self._stats(queue))
            incident = Incident(f"backlog/{queue.name}", queue.connection, BACKLOG, now - age)
            delays += [Delay(incident, self._backlog_after)] if age else []
        return delays

    async def _deaf(self, now: datetime) -> list[Delay]:
        yesterday = datetime.combine(now.date() - timedelta(days=1), time(), UTC)
        counts = {(each.connection, each.system): each for each in await self._store.news.counts(yesterday.date())}
        delays = []
        for hooks in self._hooks:
            count = counts.get((hooks.connection, hooks.system))
            if count is not None and not count.by_webhook and count.by_sweep >= UNTOLD:
                key = f"{DEAF}/{hooks.connection}/{hooks.system}"
                delays.append(Delay(Incident(key, hooks.connection, DEAF, yesterday), HEARING))
        return delays

    async def _unanswered(self, now: datetime) -> list[Delay]:
        delays = []
        for account in self._unswept:
            name, system = account.connection, account.system
            waiting = await waiting_for(self._temporal, name, system, now - account.patience)
            if waiting is not None:
                incident = Incident(f"{OUTAGE}/{name}/{system}", name, OUTAGE, waiting.in_vain_since or now)
                delays.append(Delay(incident, account.patience, lasts=True))
        return delays

    async def _stats(self, queue: WatchedQueue) -> DescribeTaskQueueResponse:
        workflows, activities = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        asked = DescribeTaskQueueRequest(
            namespace=self._temporal.namespace,
            task_queue=TaskQueue(name=queue.name),
            task_queue_type=workflows if queue.workflows else activities,
            report_stats=True,
        )
        return await self._temporal.workflow_service.describe_task_queue(asked, timeout=RPC_TIMEOUT)


def _repeated_silences(late: Sequence[Incident]) -> list[Incident]:
    """Return the silences of connections in which another sweep has been silent for longer."""
    silences = sorted((each for each in late if each.reason == SILENCE), key=lambda each: each.since)
    longest = {each.connection: each for each in reversed(silences)}
    return [each for each in silences if each is not longest[each.connection]]


def longest_wait(said: DescribeTaskQueueResponse) -> timedelta:
    """Return how long the task has waited for which nobody should have to wait; nothing if there is none.

    That is any task while the queue stands still, and an urgent one while it moves.
    """
    if not said.stats.tasks_dispatch_rate:
        return said.stats.approximate_backlog_age.ToTimedelta()
    urgent = [said.stats_by_priority_key[rank] for rank in URGENT if rank in said.stats_by_priority_key]
    return max((each.approximate_backlog_age.ToTimedelta() for each in urgent), default=timedelta(0))
