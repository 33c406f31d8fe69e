"""Creates that waited and go on: their parties are read together, so that each need not be read by itself."""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic

from temporalio import activity

from activities.client_sweeps import AnnounceClient
from activities.crm import Crm
from activities.errors import temporal_errors
from activities.models import PartySide
from activities.party_sides import PartyMapping, PartySides
from activities.sides import CLIENTS_FLOW
from activities.sweeps import Announce
from activities.upkeep_models import BulkCount, BulkFlow
from store.records import RecordKey
from store.store import Store

PRIORITY = 5
# So many are at work at once: enough to use up an account's quota, and few enough that what people and webhooks
# announce meanwhile is begun at once, not after a hundred thousand creates.
AT_WORK = 25
LOOK_SECONDS = 0.3
# A record that is announced has its intent within this time, or has found that nothing is to be created.
BEGUN_SECONDS = 3.0
# One that takes longer, because a system is down or its quota is used up, keeps the others waiting no more.
LONGEST_SECONDS = 30.0
# What is left of the batch then goes on with the next call, long before Temporal takes this one for lost.
CALL_SECONDS = 45.0


class WaitingActivities:
    """The creates of one connection that wait. `at_work` is how many are let go at once."""

    def __init__(
        self,
        crm: Crm,
        mapping: PartyMapping,
        store: Store,
        announce: Announce,
        announce_client: AnnounceClient,
        *,
        at_work: int = AT_WORK,
    ) -> None:
        self._crm, self._store, self._sides = crm, store, PartySides(crm, mapping, store)
        self._announce, self._announce_client, self._at_work = announce, announce_client, at_work

    @activity.defn
    async def let_go(self, flow: BulkFlow) -> BulkCount:
        """Let some of them go on, a few at a time. Safe to repeat: one that was announced twice makes an idle pass.

        Those that a person `approved` count no more against the limit of creates.
        """
        with temporal_errors():
            batch = await self._store.waiting.oldest(flow.connection, CLIENTS_FLOW, flow.count)
            ids = [int(key.record_id) for key in batch if key.side == "crm"]
            sides = await self._sides.of_many(flow.connection, await self._crm.read_many(ids))
            return BulkCount(count=await self._let_go(flow, batch, sides), limit=0)

    async def _let_go(self, flow: BulkFlow, batch: Sequence[RecordKey], sides: Mapping[int, PartySide]) -> int:
        """Announce one after the other while there is room, and return how many were."""
        ends_at, begun = monotonic() + CALL_SECONDS, dict[RecordKey, float]()
        left = list(batch)
        while True:
            room = max(0, self._at_work - len(await self._busy(begun)))
            now, left = left[:room], left[room:]
            for key in now:
                await self._tell(flow, key, sides)
                begun[key] = monotonic()
            await self._store.waiting.forget(now)
            # The next call does not know of those that this one has begun.
            is_calm = not left and len(await self._busy(begun)) <= self._at_work // 2
            if is_calm or monotonic() > ends_at:
                return len(begun)
            await asyncio.sleep(LOOK_SECONDS)

    async def _busy(self, begun: Mapping[RecordKey, float]) -> set[RecordKey]:
        now = monotonic()
        lately = [key for key, at in begun.items() if now - at < LONGEST_SECONDS]
        new = {key for key in lately if now - begun[key] < BEGUN_SECONDS}
        links = await self._linked(lately)
        return (await self._store.waiting.at_work(lately) | new) - links

    async def _linked(self, keys: Sequence[RecordKey]) -> set[RecordKey]:
        """Return those that have their partner by now."""
        if not keys:
            return set()
        parties = [each for each in keys if each.side == "crm"]
        found = await self._store.sightings.of(
            keys[0].connection, CLIENTS_FLOW, "crm", [each.record_id for each in parties]
        )
        return {each for each in parties if each.record_id in found}

    async def _tell(self, flow: BulkFlow, key: RecordKey, sides: Mapping[int, PartySide]) -> None:
        cause = "approved in bulk" if flow.approved else "first sweep"
        if flow.approved:
            await self._store.intents.approve(key)
        if key.side == "crm":
            party_id = int(key.record_id)
            await self._announce(flow.connection, party_id, cause, PRIORITY, sides.get(party_id))
        else:
            await self._announce_client(flow.connection, key.record_id, cause, PRIORITY)
