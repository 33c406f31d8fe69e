"""Walking over all that was listed of both sides, page by page, so that memory does not grow with the firm's records.

What is slow without waiting for anything (unsealing, comparing) is done in a thread: the worker's other work goes on
meanwhile.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
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

    `as_agreed` are those whose pair is in step by its fingerprints: nothing of it needs a closer look.
    """

    parties: Parties
    links: Mapping[int, Link]
    clients: Clients
    as_agreed: Set[int]


class Watcher:
    """Is shown every record that was listed, before the first pair is looked at. This one looks away."""

    def met_client(self, client: StagedClient, owner: int | None) -> None:
        """Take note of a client, and of the party that it is linked to."""

    def met_party(self, party_id: int, party: StagedParty) -> None:
        """Take note of a party. All clients come before the first party."""


class PairWalk:
    """The records that were staged under one name. `beat` is called after every page.

    Whoever watches wants differences, and no remarks about records that are as they should be.
    """

    def __init__(
        self, store: Store, name: str, rules: Rules, beat: Callable[[], object], watcher: Watcher | None = None
    ) -> None:
        self._store, self._name, self._rules, self._beat = store, name, rules, beat
        self._watcher = watcher or Watcher()
        self.survey = Survey(rules.reference_of, remarks=watcher is None)
        self.listed: Counter[str] = Counter()

    async def meet(self) -> None:
        """Look at everybody once: who may be whose partner shows only when all are known."""
        async for page in self._pages("books"):
            clients = await asyncio.to_thread(self._opened_clients, page)
            owners = await self._owners(page)
            await asyncio.to_thread(self._meet_clients, clients, owners)
        async for page in self._pages("crm"):
            parties = await asyncio.to_thread(self._opened_parties, page)
            linked = await self._linked(page)
            await asyncio.to_thread(self._meet_parties, parties, linked)

    async def party_pages(self) -> AsyncIterator[PartyPage]:
        """Give all parties, in the order of their ids as text. After `meet`."""
        async for page in self._pages("crm"):
            parties = await asyncio.to_thread(self._opened_parties, page)
            links = await self._links_of(page)
            wanted = {int(each.link.books_id) for each in links.values() if each.link.books_id}
            for party_id, party in parties.items():
                if party_id not in links and party.side.stands_alone is not False:
                    wanted |= wanted_clients(self.survey, party_id, party)
            staged = await self._store.plans.staging.several(self._name, "books", [str(each) for each in wanted])
            yield await asyncio.to_thread(self._party_page, parties, links, staged)

    def _party_page(self, parties: Parties, sealed: Mapping[int, SealedLink], staged: Sequence[Staged]) -> PartyPage:
        clients = self._opened_clients(staged)
        agreed = {each for each, found in sealed.items() if self._is_as_agreed(parties[each], found.link, clients)}
        place = (self._rules.connection, CLIENTS_FLOW)
        opened = self._store.plans.staging.opened_link
        links = {each: opened(*place, found) if each not in agreed else found.link for each, found in sealed.items()}
        return PartyPage(parties, links, clients, agreed)

    def _is_as_agreed(self, party: StagedParty, link: Link, clients: Clients) -> bool:
        """Return whether both say what they said when they last agreed: by the fingerprints, as a pass looks at it."""
        client = clients.get(int(link.books_id or 0))
        if party.problem or party.side.left_out or client is None or link.state != "active":
            return False
        seen = (link.crm_seen, link.books_seen, link.mapping_version)
        living = client.side.exists and client.side.visible and not client.side.archived
        return living and seen == (party.side.fingerprint, client.side.fingerprint, self._rules.template.version)

    async def client_pages(self) -> AsyncIterator[Clients]:
        """Give the clients whose party was not listed: of the others, the party tells. After `meet`."""
        async for page in self._pages("books"):
            owners = await self._owners(page)
            parties = await self._store.plans.staging.several(self._name, "crm", list(owners.values()))
            here = {each.record_id for each in parties}
            left = [each for each in page if owners.get(each.record_id) not in here]
            yield await asyncio.to_thread(self._opened_clients, left)

    def _meet_clients(self, clients: Clients, owners: Mapping[str, str]) -> None:
        for client_id, client in clients.items():
            owner = owners.get(str(client_id))
            self.survey.add_client(client, int(owner) if owner is not None else None)
            self._watcher.met_client(client, int(owner) if owner is not None else None)
        self.listed["clients"] += len(clients)

    def _meet_parties(self, parties: Parties, linked: set[str]) -> None:
        for party_id, party in parties.items():
            if str(party_id) not in linked and not party.problem and party.side.stands_alone is not False:
                self.survey.add_party(party_id, party)
            self._watcher.met_party(party_id, party)
        self.listed["parties"] += len(parties)

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
        opened = self._store.plans.staging.opened
        return {int(each.record_id): StagedClient.model_validate(opened(self._name, "books", each)) for each in staged}

    def _opened_parties(self, staged: Sequence[Staged]) -> dict[int, StagedParty]:
        opened = self._store.plans.staging.opened
        return {int(each.record_id): StagedParty.model_validate(opened(self._name, "crm", each)) for each in staged}

    async def _owners(self, clients: Sequence[Staged]) -> dict[str, str]:
        ids = [each.record_id for each in clients]
        return await self._store.links.owners(self._rules.connection, CLIENTS_FLOW, ids)

    async def _linked(self, parties: Sequence[Staged]) -> set[str]:
        ids = [each.record_id for each in parties]
        return set(await self._store.links.seen(self._rules.connection, CLIENTS_FLOW, ids))

    async def _links_of(self, parties: Sequence[Staged]) -> dict[int, SealedLink]:
        ids = [each.record_id for each in parties]
        found = await self._store.plans.staging.links(self._rules.connection, CLIENTS_FLOW, ids)
        return {int(each.link.crm_id): each for each in found}
