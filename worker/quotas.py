"""Each account's quota: the meter that its requests pass, and the pace at which Temporal gives its queue to workers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    UpdateTaskQueueConfigRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from activities.queues import account_queue
from activities.quotas import AccountMeter
from connectors.http import TokenSource
from connectors.metering import MeteredToken
from runtime.quota import BULK_RANK, Budget, smooth_pace
from runtime.settings import Connection, Settings
from store.quotas import AccountQuota
from store.store import Store
from worker.tokens import provider_of

log = structlog.get_logger()

LOOK_EVERY = 2.0
# An account that nothing was sent to for so long keeps its pace: most of many accounts are idle most of the time.
BUSY_FOR = timedelta(seconds=60)
# The server gives out less than it is told to, workers pause, and a quota that is left over is no use to anybody.
CATCH_UP = 1.15
# While no bulk work waits people and webhooks need not go at the pace of an hour's average, unless much is used.
BRISK, MUCH = 10, 0.5
# A pace is changed only if it differs by more than this, so that workers do not contradict each other all the time.
SAME_PACE = 0.03
# However little is left, a person is not to wait behind bulk work for more than a second before being let through.
LEAST_PACE = 1.0
SOON = 10  # the part of a window after which bulk work shall have used what there is to use


@dataclass(frozen=True)
class Backlog:
    """How much bulk work waits on a queue, and the pace that the server keeps; None if it was never told one."""

    bulk: int
    pace: float | None


def metered(store: Store, name: str, connection: Connection, system: str, token: TokenSource) -> MeteredToken:
    """Return the way into one of a connection's accounts, every request counted."""
    title = provider_of(connection, system).title
    return MeteredToken(token, AccountMeter(account_quota(store, name, connection, system), title))


def account_quota(store: Store, name: str, connection: Connection, system: str) -> AccountQuota:
    """Return the quota of one of a connection's accounts, as the settings have it."""
    return store.quotas.of(name, system, connection.accounts[system].allowance)


def pace_for(budget: Budget, backlog: Backlog, at: datetime) -> float:
    """Return how many requests a second to let through: evenly what bulk work may use, more while none of it waits."""
    smooth = smooth_pace(budget)
    if not backlog.bulk and budget.used(at) < MUCH * budget.limit:
        # Bulk work that turns up now goes at this pace until the next look: that must not cost much of a window.
        return min(max(budget.limit / 20 / LOOK_EVERY, smooth), BRISK * smooth)
    soon = budget.allowance.window / SOON
    seconds = soon.total_seconds()
    shared = (budget.room(at, BULK_RANK) + budget.leaving(at, soon)) / seconds
    return max(min(shared, _of_the_rest(budget, at), CATCH_UP * smooth), min(LEAST_PACE, smooth))


def _of_the_rest(budget: Budget, at: datetime) -> float:
    """Return the pace that spreads what the provider said is left over the rest of its window."""
    if budget.left is None or budget.left_until is None or at >= budget.left_until:
        return float("inf")
    rest = max(budget.left_until - at, timedelta(seconds=LOOK_EVERY))
    return max(budget.left - budget.reserve, 0) / rest.total_seconds()


class QuotaPaces:
    """Adapts the pace of every account's queue to what is left of its quota. All worker processes may do it."""

    def __init__(self, temporal: Client, settings: Settings, store: Store) -> None:
        self._temporal, self._store = temporal, store
        self._quotas: Mapping[tuple[str, str], AccountQuota] = {
            (name, system): account_quota(store, name, connection, system)
            for name, connection in settings.connections.items()
            for system in connection.accounts
        }

    @asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """Adapt the paces until the block ends."""
        work = asyncio.create_task(self._keep_up())
        try:
            yield
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def adapt(self) -> None:
        """Look at every account once. One that cannot be adapted keeps its pace until the next look."""
        await self._adapt_all(self._quotas)

    async def _adapt_busy(self) -> None:
        try:
            busy = await self._store.quotas.used_since(datetime.now(UTC) - BUSY_FOR)
        except (SQLAlchemyError, OSError) as error:
            log.warning("the paces cannot be adapted yet", reason=type(error).__name__)
            return
        await self._adapt_all(busy & self._quotas.keys())

    async def _adapt_all(self, places: Iterable[tuple[str, str]]) -> None:
        for name, system in places:
            queue, quota = account_queue(system, name), self._quotas[name, system]
            try:
                await self._adapt(queue, quota)
            except (RPCError, SQLAlchemyError, OSError) as error:
                log.warning("the pace of a queue cannot be adapted yet", queue=queue, reason=type(error).__name__)

    async def _keep_up(self) -> None:
        await self.adapt()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._adapt_busy()

    async def _adapt(self, queue: str, quota: AccountQuota) -> None:
        standing, backlog = await quota.standing(), await self._backlog(queue)
        wanted = pace_for(standing.budget, backlog, standing.at)
        if backlog.pace is None or abs(wanted - backlog.pace) > SAME_PACE * backlog.pace:
            await self._set(queue, wanted, f"{standing.used} of {standing.limit} requests used, {backlog.bulk} wait")

    async def _backlog(self, queue: str) -> Backlog:
        request = DescribeTaskQueueRequest(
            namespace=self._temporal.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            report_stats=True,
            report_config=True,
        )
        return _read(await self._temporal.workflow_service.describe_task_queue(request))

    async def _set(self, queue: str, per_second: float, reason: str) -> None:
        limit = UpdateTaskQueueConfigRequest.RateLimitUpdate(
            rate_limit=RateLimit(requests_per_second=per_second), reason=reason
        )
        request = UpdateTaskQueueConfigRequest(
            namespace=self._temporal.namespace,
            identity=self._temporal.identity,
            task_queue=queue,
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            update_queue_rate_limit=limit,
        )
        await self._temporal.workflow_service.update_task_queue_config(request)


def _read(found: DescribeTaskQueueResponse) -> Backlog:
    waiting = found.stats_by_priority_key.items()
    bulk = sum(stats.approximate_backlog_count for rank, stats in waiting if rank >= BULK_RANK)
    told = found.config.queue_rate_limit.rate_limit.requests_per_second
    return Backlog(bulk, told or None)
