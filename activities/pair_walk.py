"""Walking over all that was listed of both sides, page by page, so that memory does not grow with the firm's records.

What is slow without waiting for anything (unsealing, comparing) is done in a thread: the worker's other work goes on
meanwhile.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from activities.plan_items import Rules
from activities.plan_models import StagedClient, StagedParty
from activities.plan_survey import Clients, Survey, wanted_clients
from activities.sides import CLIENTS_FLOW
from store.links import Link
from store.plan_staging import SealedLink, Side, Staged
from store.store import Store

PAGE = 200

Parties = Mapping[int, StagedParty]


@dataclass(frozen=True)
class PartyPage:
    """Some parties, with the links that they have and the clients that may have to be named with them.

    So many more are `in_step` by the fingerprints of both sides: nothing of them needs a closer look.
    """

    parties: Parties
    links: Mapping[int, Link]
    clients: Clients
    in_step: int


class Watcher:
    """Is shown every record that was listed, before the first pair is looked at. This one looks away."""

    def met_client(self, client: StagedClient, owner: int | None) -> None:
        """Take note of a client, and of the party that it is linked to."""

    def met_party(self, party_id: int, party: StagedParty) -> None:
        """Take note of a party. All clients come before the first party."""


class PairWalk:
    """The records that were staged under one name. `beat` is called after every page.

    A pair whose both sides say what they said when they last agreed is met, counted, and not looked at again.

    Whoever watches wants differences, and no remarks about records that are as they should be.
    """

    def __init__(
        self, store: Store, name: str, rules: Rules, beat: Callable[[], object], watcher: Watcher | None = None
    ) -> None:
        self._store, self._name, self._rules, self._beat = store, name, rules, beat
        self._watcher = watcher or Watcher()
        self.survey = Survey(rules.reference_of, remarks=watcher is None)
        self.listed: Counter[str] = Counter()
        self._living: dict[int, bytes] = {}
        self._as_agreed: set[int] = set()

    async def meet(self) -> None:
        """Look at everybody once: who may be whose partner shows only when all are known."""
        async for page in self._pages("books"):
            clients = await asyncio.to_thread(self._opened_clients, page)
            owners = await self._owners(page)
            await asyncio.to_thread(self._meet_clients, clients, owners)
        async for page in self._pages("crm"):
            parties = await asyncio.to_thread(self._opened_parties, page)
            links = await self._links_of(page)
            await asyncio.to_thread(self._meet_parties, parties, links)
        self._living.clear()

    async def party_pages(self) -> AsyncIterator[PartyPage]:
        """Give all parties, in the order of their ids as text. After `meet`."""
        async for page in self._pages("crm"):
            rest = [each for each in page if int(each.record_id) not in self._as_agreed]
            parties = await asyncio.to_thread(self._opened_parties, rest)
            links = await self._links_of(rest)
            wanted = {int(each.link.books_id) for each in links.values() if each.link.books_id}
            for party_id, party in parties.items():
                if party_id not in links and party.side.stands_alone is not False:
                    wanted |= wanted_clients(self.survey, party_id, party)
            staged = await self._store.plans.staging.several(self._name, "books", [str(each) for each in wanted])
            in_step = len(page) - len(rest)
            yield await asyncio.to_thread(self._party_page, parties, links, staged, in_step)

    async def client_pages(self) -> AsyncIterator[Clients]:
        """Give the clients whose party was not listed: of the others, the party tells. After `meet`."""
        async for page in self._pages("books"):
            owners = await self._owners(page)
            here = await self._store.plans.staging.known(self._name, "crm", list(owners.values()))
            left = [each for each in page if owners.get(each.record_id) not in here]
            yield await asyncio.to_thread(self._opened_clients, left)

    def _party_page(
        self, parties: Parties, sealed: Mapping[int, SealedLink], staged: Sequence[Staged], in_step: int
    ) -> PartyPage:
        place, opened = (self._rules.connection, CLIENTS_FLOW), self._store.plans.staging.opened_link
        links = {each: opened(*place, found) for each, found in sealed.items()}
        return PartyPage(parties, links, self._opened_clients(staged), in_step)

    def _meet_clients(self, clients: Clients, owners: Mapping[str, str]) -> None:
        for client_id, client in clients.items():
            owner = owners.get(str(client_id))
            self.survey.add_client(client, int(owner) if owner is not None else None)
            self._watcher.met_client(client, int(owner) if owner is not None else None)
            if client.side.exists and client.side.visible and not client.side.archived:
                self._living[client_id] = bytes.fromhex(client.side.fingerprint)
        self.listed["clients"] += len(clients)

    def _meet_parties(self, parties: Parties, links: Mapping[int, SealedLink]) -> None:
        for party_id, party in parties.items():
            sealed = links.get(party_id)
            if sealed is None and not party.problem and party.side.stands_alone is not False:
                self.survey.add_party(party_id, party)
            if sealed is not None and self._is_as_agreed(party, sealed.link):
                self._as_agreed.add(party_id)
            self._watcher.met_party(party_id, party)
        self.listed["parties"] += len(parties)

    def _is_as_agreed(self, party: StagedParty, link: Link) -> bool:
        """Return whether both say what they said when they last agreed: by the fingerprints, as a pass looks at it."""
        client = self._living.get(int(link.books_id or 0))
        if party.problem or party.side.left_out or client is None or link.state != "active":
            return False
        seen = (link.crm_seen, link.books_seen, link.mapping_version)
        return seen == (party.side.fingerprint, client.hex(), self._rules.template.version)

    async def _pages(self, side: Side) -> AsyncIterator[Sequence[Staged]]:
        after, page = "", True
        while page:
            found = await self._store.plans.staging.page(self._name, side, after, PAGE)
            if found:
                yield found
                after = found[-1].record_id
                self._beat()
            page = len(found) == PAGE

    def _opened_clients(self, staged: Sequence[Staged]) -> dict[int, StagedClient]:
        said = self._store.plans.staging.opened_json
        return {
            int(each.record_id): StagedClient.model_validate_json(said(self._name, "books", each)) for each in staged
        }

    def _opened_parties(self, staged: Sequence[Staged]) -> dict[int, StagedParty]:
        said = self._store.plans.staging.opened_json
        return {int(each.record_id): StagedParty.model_validate_json(said(self._name, "crm", each)) for each in staged}

    async def _owners(self, clients: Sequence[Staged]) -> dict[str, str]:
        ids = [each.record_id for each in clients]
        return await self._store.links.owners(self._rules.connection, CLIENTS_FLOW, ids)

    async def _links_of(self, parties: Sequence[Staged]) -> dict[int, SealedLink]:
        ids = [each.record_id for each in parties]
        found = await self._store.plans.staging.links(self._rules.connection, CLIENTS_FLOW, ids)
        return {int(each.link.crm_id): each for each in found}
