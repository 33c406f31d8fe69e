"""Creates that wait because there are too many of them at once: local activities, shared by all connections."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

from temporalio import activity

from activities.sides import CLIENTS_FLOW
from activities.upkeep_models import BulkCount, BulkFlow
from store.records import RecordKey
from store.store import Store

APPROVED_PRIORITY = 5


class AnnounceRecord(Protocol):
    """Tells the workflow of a record, of either side, that the record may differ."""

    def __call__(self, key: RecordKey, cause: str, priority: int) -> Awaitable[None]:
        """Return once Temporal has accepted it."""


class Ask(Protocol):
    """Asks a person about the creates of a connection that wait, unless somebody has been asked already."""

    def __call__(self, connection: str) -> Awaitable[None]:
        """Return once Temporal has accepted it."""


class BulkActivities:
    """What waits, and what becomes of it. `limits` are the creates that each connection allows within an hour."""

    def __init__(self, store: Store, limits: Mapping[str, int], announce: AnnounceRecord, ask: Ask) -> None:
        self._store, self._limits, self._announce, self._ask = store, limits, announce, ask

    @activity.defn
    async def waiting(self, flow: BulkFlow) -> BulkCount:
        """Return how many creates wait. Only reads."""
        count = await self._store.waiting.count(flow.connection, CLIENTS_FLOW)
        return BulkCount(count=count, limit=self._limits[flow.connection])

    @activity.defn
    async def let_pass(self, flow: BulkFlow) -> BulkCount:
        """Let some of them go on because they are few enough; each still counts against the limit. Safe to repeat."""
        batch = await self._batch(flow)
        for key in batch:
            await self._announce(key, "first sweep", APPROVED_PRIORITY)
        await self._store.waiting.forget(batch)
        return BulkCount(count=len(batch), limit=self._limits[flow.connection])

    @activity.defn
    async def ask(self, flow: BulkFlow) -> None:
        """Ask a person about those that wait. Safe to repeat: one question is open at a time."""
        await self._ask(flow.connection)

    @activity.defn
    async def release(self, flow: BulkFlow) -> BulkCount:
        """Let some of them go on, approved. Safe to repeat: one that was announced twice makes an idle pass."""
        batch = await self._batch(flow)
        for key in batch:
            await self._store.intents.approve(key)
            await self._announce(key, "approved in bulk", APPROVED_PRIORITY)
        await self._store.waiting.forget(batch)
        return BulkCount(count=len(batch), limit=self._limits[flow.connection])

    @activity.defn
    async def leave_out(self, flow: BulkFlow) -> BulkCount:
        """Forget some of them, until they change again. Safe to repeat."""
        batch = await self._batch(flow)
        for key in batch:
            await self._store.intents.drop(key)
        await self._store.waiting.forget(batch)
        return BulkCount(count=len(batch), limit=self._limits[flow.connection])

    async def _batch(self, flow: BulkFlow) -> Sequence[RecordKey]:
        return await self._store.waiting.oldest(flow.connection, CLIENTS_FLOW, flow.count)
