"""Making a plan of what was listed: page by page, so that memory does not grow with the firm's records."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from activities.pair_walk import PairWalk, PartyPage
from activities.plan_costs import AccountQuotas, cost_of
from activities.plan_items import ItemMaker, Rules
from activities.plan_survey import Clients
from activities.queues import FRESHBOOKS
from store.plans import NewItem
from store.store import Store

Row = dict[str, Any]


class PlanMaker:
    """Makes one plan. `beat` is called after every page."""

    def __init__(
        self, store: Store, plan_id: str, rules: Rules, quotas: AccountQuotas, beat: Callable[[], object]
    ) -> None:
        self._store, self._plan_id, self._quotas = store, plan_id, quotas
        self._crm = next(system for system in quotas if system != FRESHBOOKS)
        self._walk = PairWalk(store, plan_id, rules, beat)
        self._maker = ItemMaker(rules, self._walk.survey)
        self._number = 0
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._calls: Counter[str] = Counter()

    async def make(self) -> dict[str, Any]:
        """Add all items, and return the summary: numbers alone. What an earlier attempt left is made anew."""
        await self._store.plans.clear_items(self._plan_id)
        await self._walk.meet()
        async for page in self._walk.party_pages():
            await self._store.plans.add(await asyncio.to_thread(self._party_rows, page))
        async for clients in self._walk.client_pages():
            await self._store.plans.add(await asyncio.to_thread(self._client_rows, clients))
        return await self._summary()

    def _party_rows(self, page: PartyPage) -> list[Row]:
        if page.in_step:
            self._counts["in-step", "", ""] += page.in_step
        return self._rows(
            [
                self._maker.for_party(each, party, page.links.get(each), page.clients)
                for each, party in page.parties.items()
            ]
        )

    def _client_rows(self, clients: Clients) -> list[Row]:
        """Clients whose party was listed are left out: the party tells of both."""
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
            "listed": dict(self._walk.listed),
            "counts": counts,
            "calls": dict(self._calls),
            "seconds": {system: await self._seconds(system) for system in self._quotas},
        }

    async def _seconds(self, system: str) -> int:
        """Return how long the requests to a system take, other work and a wait that it asked for included."""
        standing = await self._quotas[system].standing()
        return round(standing.forecast(self._calls[system]).total_seconds())
