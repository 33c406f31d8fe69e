"""Creates that waited for a person go on a few at a time."""

import asyncio

from temporalio.testing import ActivityEnvironment

from activities.capsule_crm import CapsuleCrm
from activities.models import PartySide
from activities.party_sides import PartyMapping
from activities.upkeep_models import BulkFlow
from activities.waiting import WaitingActivities
from mapping.context import Context
from tests.sandboxes import Firm
from worker.accounts import clients_template

ROOM = 2


class Hands:
    """Stands for the workflows of parties: each is done with its create a moment after it was told."""

    def __init__(self, firm: Firm) -> None:
        self._firm, self._tasks = firm, list[asyncio.Task[None]]()
        self.at_work = self.most = self.told = 0

    async def party(
        self, connection: str, party_id: int, cause: str, priority: int, side: PartySide | None = None
    ) -> None:
        """Begin with a party."""
        del connection, cause, priority, side
        self.told, self.at_work = self.told + 1, self.at_work + 1
        self.most = max(self.most, self.at_work)
        self._tasks.append(asyncio.create_task(self._create(party_id)))

    async def client(self, connection: str, client_id: str, cause: str, priority: int) -> None:
        """There are none."""

    async def _create(self, party_id: int) -> None:
        await asyncio.sleep(0.2)
        self.at_work -= 1
        await self._firm.store.links.claim(self._firm.record_key(party_id), str(party_id))


async def test_a_backfill_has_only_a_few_creates_at_work_at_once(firm: Firm) -> None:
    """S60, Z138: what a person announces meanwhile need not wait for all of them."""
    for number in range(6):
        party_id = await firm.new_party(name=f"Firm {number}")
        await firm.store.waiting.add([firm.record_key(party_id)])
    mapping = PartyMapping(clients_template(firm.name, firm.connection), Context())
    crm, hands = CapsuleCrm(firm.capsule_api(), "Ledgerline reference"), Hands(firm)
    waiting = WaitingActivities(crm, mapping, firm.store, hands.party, hands.client, at_work=ROOM)
    count = await ActivityEnvironment().run(waiting.let_go, BulkFlow(connection=firm.name, count=100, approved=True))
    assert (count.count, hands.told, hands.most) == (6, 6, ROOM)
    assert await firm.store.waiting.count(firm.name, "clients") == 0
