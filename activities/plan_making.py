"""Making a plan of what was listed: page by page, so that memory does not grow with the firm's records.

What is slow without waiting for anything (unsealing, comparing, sealing) is done in a thread: the worker's other work
goes on meanwhile.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from activities.plan_costs import AccountQuotas, cost_of
from activities.plan_items import ItemMaker, Rules
from activities.plan_models import StagedClient, StagedParty
from activities.plan_survey import Clients, Survey, wanted_clients
from activities.queues import FRESHBOOKS
from activities.sides import CLIENTS_FLOW
from store.links import Link
from store.plan_staging import Side, Staged
from store.plans import NewItem
from store.store import Store

PAGE = 200

Parties = Mapping[int, StagedParty]
Row = dict[str, Any]


class PlanMaker:
    """Makes one plan. `beat` is called after every page."""

    def __init__(
        self, store: Store, plan_id: str, rules: Rules, quotas: AccountQuotas, beat: Callable[[], object]
    ) -> None:
        self._store, self._plan_id, self._rules, self._quotas, self._beat = store, plan_id, rules, quotas, beat
        self._crm = next(system for system in quotas if system != FRESHBOOKS)
        self._survey = Survey(rules.reference_of)
        self._maker = ItemMaker(rules, self._survey)
        self._number = 0
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._listed: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()

    async def make(self) -> dict[str, Any]:
        """Add all items, and return the summary: numbers alone. What an earlier attempt left is made anew."""
        await self._store.plans.clear_items(self._plan_id)
        await self._survey_clients()
        await self._survey_parties()
        await self._plan_parties()
        await self._plan_clients()
        return await self._summary()

    async def _survey_clients(self) -> None:
        async for page in self._pages("books"):
            clients = await asyncio.to_thread(self._opened_clients, page)
            owners = await self._owners(page)
            await asyncio.to_thread(self._meet_clients, clients, owners)

    def _meet_clients(self, clients: Clients, owners: Mapping[str, str]) -> None:
        for client_id, client in clients.items():
            owner = owners.get(str(client_id))
            self._survey.add_client(client, int(owner) if owner is not None else None)
        self._listed["clients"] += len(clients)

    async def _survey_parties(self) -> None:
        async for page in self._pages("crm"):
            parties = await asyncio.to_thread(self._opened_parties, page)
            linked = await self._linked(page)
            single = {party_id: each for party_id, each in parties.items() if str(party_id) not in linked}
            await asyncio.to_thread(self._meet_parties, single)
            self._listed["parties"] += len(parties)

    def _meet_parties(self, parties: Parties) -> None:
        for party_id, party in parties.items():
            if not party.problem and party.side.stands_alone is not False:
                self._survey.add_party(party_id, party)

    async def _plan_parties(self) -> None:
        async for page in self._pages("crm"):
            parties = await asyncio.to_thread(self._opened_parties, page)
            links = await self._links_of(page)
            wanted = {int(link.books_id) for link in links.values() if link.books_id}
            for party_id, party in parties.items():
                if party_id not in links and party.side.stands_alone is not False:
                    wanted |= wanted_clients(self._survey, party_id, party)
            staged = await self._store.plans.staging.several(self._plan_id, "books", [str(each) for each in wanted])
            await self._store.plans.add(await asyncio.to_thread(self._party_rows, parties, links, staged))

    def _party_rows(self, parties: Parties, links: Mapping[int, Link], staged: Sequence[Staged]) -> list[Row]:
        clients = self._opened_clients(staged)
        made = [self._maker.for_party(each, party, links.get(each), clients) for each, party in parties.items()]
        return self._rows(made)

    async def _plan_clients(self) -> None:
        async for page in self._pages("books"):
            owners = await self._owners(page)
            parties = await self._store.plans.staging.several(self._plan_id, "crm", list(owners.values()))
            here = {each.record_id for each in parties}
            left = [each for each in page if owners.get(each.record_id) not in here]
            await self._store.plans.add(await asyncio.to_thread(self._client_rows, left))

    def _client_rows(self, staged: Sequence[Staged]) -> list[Row]:
        """Clients whose party was listed are left out: the party tells of both."""
        clients = self._opened_clients(staged)
        return self._rows([self._maker.for_client(each) for each in clients.values()], pairs=False)

    def _rows(self, made: Sequence[NewItem | None], *, pairs: bool = True) -> list[Row]:
        rows = []
        for item in made:
            if item is not None:
                self._number += 1
                rows.append(self._store.plans.row(self._plan_id, self._number, item))
                self._counts[item.action, item.side, item.reason] += 1
                self._calls.update(cost_of(item, self._crm))
            elif pairs:
                self._counts["in-step", "", ""] += 1
        return rows

    async def _summary(self) -> dict[str, Any]:
        counts = [
            {"action": action, "side": side, "reason": reason, "count": count}
            for (action, side, reason), count in sorted(self._counts.items())
        ]
        return {
            "listed": dict(self._listed),
            "counts": counts,
            "calls": dict(self._calls),
            "seconds": {system: await self._seconds(system) for system in self._quotas},
        }

    async def _seconds(self, system: str) -> int:
        """Return how long the requests to a system take, other work and a wait that it asked for included."""
        standing = await self._quotas[system].standing()
        return round(standing.forecast(self._calls[system]).total_seconds())

    async def _pages(self, side: Side) -> AsyncIterator[Sequence[Staged]]:
        after, page = "", True
        while page:
            found = await self._store.plans.staging.page(self._plan_id, side, after, PAGE)
            if found:
                yield found
                after = found[-1].record_id
                self._beat()
            page = len(found) == PAGE

    def _opened_clients(self, staged: Sequence[Staged]) -> dict[int, StagedClient]:
        opened = self._store.plans.staging.opened
        return {
            int(each.record_id): StagedClient.model_validate(opened(self._plan_id, "books", each)) for each in staged
        }

    def _opened_parties(self, staged: Sequence[Staged]) -> dict[int, StagedParty]:
        opened = self._store.plans.staging.opened
        return {int(each.record_id): StagedParty.model_validate(opened(self._plan_id, "crm", each)) for each in staged}

    async def _owners(self, clients: Sequence[Staged]) -> dict[str, str]:
        ids = [each.record_id for each in clients]
        return await self._store.links.owners(self._rules.connection, CLIENTS_FLOW, ids)

    async def _linked(self, parties: Sequence[Staged]) -> set[str]:
        ids = [each.record_id for each in parties]
        return set(await self._store.links.seen(self._rules.connection, CLIENTS_FLOW, ids))

    async def _links_of(self, parties: Sequence[Staged]) -> dict[int, Link]:
        ids = [each.record_id for each in parties]
        found = await self._store.plans.staging.links(self._rules.connection, CLIENTS_FLOW, ids)
        return {int(crm_id): link for crm_id, link in found.items()}
