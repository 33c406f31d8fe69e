"""Creates that waited and go on: their parties are read together, so that each need not be read by itself."""

from temporalio import activity

from activities.client_sweeps import AnnounceClient
from activities.crm import Crm
from activities.errors import temporal_errors
from activities.party_sides import PartyMapping, PartySides
from activities.sides import CLIENTS_FLOW
from activities.sweeps import Announce
from activities.upkeep_models import BulkCount, BulkFlow
from store.store import Store

PRIORITY = 5


class WaitingActivities:
    """The creates of one connection that wait."""

    def __init__(
        self, crm: Crm, mapping: PartyMapping, store: Store, announce: Announce, announce_client: AnnounceClient
    ) -> None:
        self._crm, self._store, self._sides = crm, store, PartySides(crm, mapping, store)
        self._announce, self._announce_client = announce, announce_client

    @activity.defn
    async def let_go(self, flow: BulkFlow) -> BulkCount:
        """Let some of them go on. Safe to repeat: one that was announced twice makes an idle pass.

        Those that a person `approved` count no more against the limit of creates.
        """
        with temporal_errors():
            batch = await self._store.waiting.oldest(flow.connection, CLIENTS_FLOW, flow.count)
            if flow.approved:
                for key in batch:
                    await self._store.intents.approve(key)
            ids = [int(key.record_id) for key in batch if key.side == "crm"]
            sides = await self._sides.of_many(flow.connection, await self._crm.read_many(ids))
            cause = "approved in bulk" if flow.approved else "first sweep"
            for key in batch:
                if key.side == "crm":
                    party_id = int(key.record_id)
                    await self._announce(flow.connection, party_id, cause, PRIORITY, sides.get(party_id))
                else:
                    await self._announce_client(flow.connection, key.record_id, cause, PRIORITY)
            await self._store.waiting.forget(batch)
            return BulkCount(count=len(batch), limit=0)
