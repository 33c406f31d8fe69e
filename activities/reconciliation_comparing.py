"""Comparing both staged sides: what a pass would have to do with each pair, as mismatches of one report."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from activities.pair_walk import PairWalk, PartyPage, Watcher
from activities.plan_items import ItemMaker, Rules
from activities.plan_models import StagedClient, StagedParty
from activities.plan_survey import Clients
from activities.reconciliation_findings import Finder
from activities.reconciliation_models import Report
from activities.reconciliation_recording import Recorder
from activities.sides import CLIENTS_FLOW
from mapping.comparison import Twins
from store.reconciliation_models import Mismatch
from store.store import Store

LINKS_AT_ONCE = 500


@dataclass(frozen=True)
class Comparison:
    """What was found: numbers, the hash of it all, and the records that changed while they were listed."""

    in_step: int
    parties: int
    clients: int
    counts: dict[str, int]
    causes: dict[str, int]
    new_mismatches: int
    content_hash: str
    edited_parties: list[int]
    edited_clients: list[int]


class TwinWatch(Watcher):
    """Sees to it that records of one side that stand for the same are found, linked or not."""

    def __init__(self) -> None:
        self.parties, self.clients = Twins(), Twins()
        self.living_clients = 0

    def met_client(self, client: StagedClient, owner: int | None) -> None:
        """Take in a client, unless it was deleted or archived: that is how people end a duplicate."""
        del owner
        self.living_clients += client.side.visible
        if client.side.visible and not client.side.archived:
            marks = [client.side.reference] if client.side.reference else []
            self.clients.add(client.side.client_id, client.side.values, marks)

    def met_party(self, party_id: int, party: StagedParty) -> None:
        """Take in a party that has, or should have, a client of its own."""
        if not party.problem and party.side.stands_alone is not False and not party.side.left_out:
            marks = [str(party.side.partner_hint)] if party.side.partner_hint else []
            self.parties.add(party_id, party.side.values, marks)


class Comparer:
    """Compares what was staged for one report. `beat` is called after every page."""

    def __init__(self, store: Store, report: Report, rules: Rules, finder: Finder, beat: Callable[[], object]) -> None:
        self._store, self._report, self._finder = store, report, finder
        self._twins = TwinWatch()
        self._walk = PairWalk(store, report.report_id, rules, beat, self._twins)
        self._maker = ItemMaker(rules, self._walk.survey)
        self._recorder, self._in_step = Recorder(store, report), 0
        self._edited: dict[str, set[str]] = {"crm": set(), "books": set()}
        self._twin_parties: set[int] = set()
        self._twin_clients: dict[int, tuple[int, ...]] = {}
        self._told: set[tuple[int, ...]] = set()

    async def compare(self, silent_ways: Sequence[Mismatch] = ()) -> Comparison:
        """Add all mismatches, always in the same order, and return the rest. What an attempt left is made anew.

        `silent_ways` come last: webhooks and sweeps that bring no changes.
        """
        await self._recorder.begin()
        await self._walk.meet()
        self._pair_twins()
        async for page in self._walk.party_pages():
            await self._add(await asyncio.to_thread(self._of_parties, page))
        async for clients in self._walk.client_pages():
            await self._add(await self._of_clients(clients))
        await self._add_links_without_records()
        await self._add([*self._of_twins(), *silent_ways])
        return self._comparison()

    def _pair_twins(self) -> None:
        self._twin_parties = {each for group in self._twins.parties.groups() for each in group}
        self._twin_clients = {each: group for group in self._twins.clients.groups() for each in group}
        self._twins.parties.close()
        self._twins.clients.close()

    def _of_parties(self, page: PartyPage) -> list[Mismatch]:
        self._in_step += page.in_step
        found = [self._of_party(each, party, page) for each, party in page.parties.items()]
        return [each for each in found if each is not None]

    def _of_party(self, party_id: int, party: StagedParty, page: PartyPage) -> Mismatch | None:
        item = self._maker.for_party(party_id, party, page.links.get(party_id), page.clients)
        if item is None:
            self._in_step += 1
            return None
        if item.action in ("create", "doubtful") and party_id in self._twin_parties:
            return None  # which of the two is to have the client is decided first
        found = self._finder.of_party(item, party, page.links.get(party_id), page.clients)
        if found is not None and found.kind == "duplicate":
            self._told |= {self._twin_clients[int(each)] for each in found.books_ids if int(each) in self._twin_clients}
        return found

    async def _of_clients(self, clients: Clients) -> list[Mismatch]:
        ids = [str(each) for each in clients]
        states = await self._store.sightings.of(self._report.connection, CLIENTS_FLOW, "books", ids)
        links = {int(each): sighting.link_state for each, sighting in states.items()}
        found = [self._of_client(each, client, links.get(each)) for each, client in clients.items()]
        return [each for each in found if each is not None]

    def _of_client(self, client_id: int, client: StagedClient, link_state: str | None) -> Mismatch | None:
        item = self._maker.for_client(client)
        if item is None or (item.action == "create" and client_id in self._twin_clients):
            return None
        if item.reason == "undecided" and item.party_id in self._twin_parties:
            return self._finder.of_twins_client(item, client)
        return self._finder.of_client(item, client, link_state)

    async def _add_links_without_records(self) -> None:
        after, page = 0, True
        while page:
            links = await self._store.reconciliations.facts.links_without_records(
                self._report.report_id, self._report.connection, CLIENTS_FLOW, after, LINKS_AT_ONCE
            )
            await self._add([self._finder.both_gone((each.crm_id, each.books_id, each.updated_at)) for each in links])
            after = links[-1].id if links else after
            page = len(links) == LINKS_AT_ONCE

    def _of_twins(self) -> list[Mismatch]:
        parties = [self._finder.twins("crm", group) for group in self._twins.parties.groups()]
        clients = [self._finder.twins("books", each) for each in self._twins.clients.groups() if each not in self._told]
        return [*parties, *clients]

    async def _add(self, found: Iterable[Mismatch]) -> None:
        listed = list(found)
        await self._recorder.add(listed)
        for each in listed:
            if each.cause == "edited-after":
                self._edited["crm"].update(each.crm_ids)
                self._edited["books"].update(each.books_ids)

    def _comparison(self) -> Comparison:
        parties, clients = self._walk.listed["parties"], self._twins.living_clients
        totals = {"in_step": self._in_step, "parties": parties, "clients": clients}
        return Comparison(
            **totals,
            counts=dict(self._recorder.counts),
            causes=dict(self._recorder.causes),
            new_mismatches=self._recorder.new,
            content_hash=self._recorder.closed(totals),
            edited_parties=sorted(map(int, self._edited["crm"])),
            edited_clients=sorted(map(int, self._edited["books"])),
        )
