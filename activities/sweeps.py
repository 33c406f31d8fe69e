"""Sweeps: list what changed, compare with what was last seen, and announce only what differs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from temporalio import activity

from activities.crm import Crm, CrmParty
from activities.differences import announce_all, difference, tell_all
from activities.errors import temporal_errors
from activities.models import PartySide
from activities.party_sides import PartyMapping, PartySides
from activities.sides import CLIENTS_FLOW
from activities.sweep_models import (
    DeletedSince,
    Deletions,
    PeoplePage,
    Stream,
    SweepEnd,
    SweepPage,
    SweepStart,
    SweptPage,
)
from activities.watch_models import DeletionsPage
from connectors.answers import Page
from connectors.errors import NotFound
from mapping.values import IncompleteRecord, UnmappableValue
from store.news import Difference
from store.records import RecordKey
from store.store import Store

# Read again what changed shortly before the cursor: clocks differ, `since` may be exclusive, seconds are whole.
OVERLAP = timedelta(minutes=5)


class Announce(Protocol):
    """Tells the workflow of a record that the record may differ. `priority` runs from 1, first, to 5."""

    def __call__(
        self, connection: str, party_id: int, cause: str, priority: int, side: PartySide | None = None
    ) -> Awaitable[None]:
        """Return once Temporal has accepted it. `side` is the party as a list has just shown it."""


class SweepActivities:
    """The sweeps of the parties of one account."""

    def __init__(self, crm: Crm, mapping: PartyMapping, store: Store, announce: Announce) -> None:
        self._crm, self._template, self._context = crm, mapping.template, mapping.context
        self._store, self._announce, self._sides = store, announce, PartySides(crm, mapping, store)

    @activity.defn
    async def sweep_parties(self, page: SweepPage) -> SweptPage:
        """List one page of changed parties and announce those that differ from what was last seen.

        Safe to repeat: announcing a party twice makes one pass that finds nothing to do.
        """
        with temporal_errors():
            listed = await self._crm.listed(page.since, page.page)
            different = await self._different(page.connection, listed.items)
            sides = await self._sides_of(page.connection, different, listed)
            tell = self._teller(page.connection, "sweep" if page.since else "first sweep", page.priority, sides)
            if page.since:
                await announce_all(self._store.news, page.connection, self._crm.system, different, tell)
            else:  # everything is news to a first sweep, and nothing of it says how good webhooks are
                covered = {str(party_id) for party_id, side in sides.items() if side.stands_alone is False}
                await tell_all(await self._known(page, [each.record_id for each in different], covered), tell)
            return SweptPage(listed=len(listed.items), announced=len(different), has_more=listed.has_more)

    @activity.defn
    async def sweep_deletions(self, page: DeletionsPage) -> SweptPage:
        """List one page of deleted parties and announce those that are linked. Safe to repeat, as `sweep_parties` is.

        Parties that our user may no longer see are no deletions, and are not announced.
        """
        with temporal_errors():
            listed = await self._crm.gone(page.since, page.page)
            ids = [str(each.id) for each in listed.deleted]
            seen = await self._store.sightings.of(page.connection, CLIENTS_FLOW, "crm", ids)
            linked = {record_id for record_id, sighting in seen.items() if sighting.link_state != "tombstoned"}
            gone = [each for each in listed.deleted if str(each.id) in linked]
            found = [difference(each.id, self._store.links, each.at, "deleted") for each in gone]
            tell = self._teller(page.connection, "sweep: deleted", page.priority)
            announced = await announce_all(self._store.news, page.connection, self._crm.system, found, tell)
            return SweptPage(listed=len(ids), announced=announced, has_more=listed.has_more)

    @activity.defn
    async def announce_people(self, page: PeoplePage) -> SweptPage:
        """List one page of an organisation's people and announce those whose employer's name is news to us.

        A CRM does not touch a person when the employer is renamed, so no webhook and no sweep says so. Safe to
        repeat, as `sweep_parties` is.
        """
        with temporal_errors():
            employer = page.organisation
            try:
                listed = await self._crm.people_of(employer.party_id, page.page)
            except NotFound:
                return SweptPage(listed=0, announced=0, has_more=False)
            different = await self._different(employer.connection, listed.items)
            sides = await self._sides_of(employer.connection, different, listed)
            tell = self._teller(employer.connection, "employer renamed", page.priority, sides)
            await tell_all([each.record_id for each in different], tell)
            return SweptPage(listed=len(listed.items), announced=len(different), has_more=listed.has_more)

    @activity.defn
    async def deleted_parties(self, asked: DeletedSince) -> Deletions:
        """Return the parties that were deleted after an instant. Only reads."""
        with temporal_errors():
            deleted = await self._crm.gone(asked.since, 1)
            return Deletions(party_ids=[each.id for each in deleted.deleted], has_more=deleted.has_more)

    async def _different(self, connection: str, parties: Sequence[CrmParty]) -> list[Difference]:
        seen = await self._store.links.seen(connection, CLIENTS_FLOW, [str(party.id) for party in parties])
        found = {party.id: self._difference(party, seen.get(str(party.id))) for party in parties}
        return [each for each in found.values() if each]

    async def _known(self, page: SweepPage, ids: Sequence[str], covered: Set[str]) -> Sequence[str]:
        """Return those that have a client; the others wait until all of them have been counted, or never get one."""
        if not page.keep_creates:
            return ids
        seen = await self._store.links.seen(page.connection, CLIENTS_FLOW, ids)
        single = [RecordKey(page.connection, CLIENTS_FLOW, each) for each in ids if each not in seen.keys() | covered]
        await self._store.waiting.add(single)
        return [each for each in ids if each in seen]

    def _difference(self, party: CrmParty, seen: tuple[str | None, str | None] | None) -> Difference | None:
        version = self._template.version
        try:
            values = self._template.said(party.document, self._context)
        except (UnmappableValue, IncompleteRecord):  # its own workflow says what is wrong with it
            return difference(party.id, self._store.links, party.changed_at, f"cannot be mapped by {version}")
        fingerprint = self._store.links.fingerprint(values)
        if seen == (fingerprint, version):
            return None
        return difference(party.id, self._store.links, party.changed_at, f"{fingerprint} {version}")

    async def _sides_of(
        self, connection: str, different: Sequence[Difference], listed: Page[CrmParty]
    ) -> dict[int, PartySide]:
        """Return the parties to be announced as the list shows them: so none of them need be read again."""
        ids = {each.record_id for each in different}
        return await self._sides.of_many(connection, [party for party in listed.items if str(party.id) in ids])

    def _teller(
        self, connection: str, cause: str, priority: int, sides: Mapping[int, PartySide] = MappingProxyType({})
    ) -> Callable[[str], Awaitable[None]]:
        async def tell(party_id: str) -> None:
            await self._announce(connection, int(party_id), cause, priority, sides.get(int(party_id)))

        return tell


class CursorActivities:
    """Where sweeps begin and how far they have read: local activities, shared by all connections."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn
    async def begin_sweep(self, stream: Stream) -> SweepStart:
        """Return from when on to read; everything, if the stream was never read to its end. Only reads."""
        cursor = await self._store.cursors.read(stream.connection, stream.name)
        return SweepStart(since=cursor - OVERLAP if cursor else None, started_at=datetime.now(UTC))

    @activity.defn
    async def end_sweep(self, end: SweepEnd) -> None:
        """Move the cursor, now that everything up to it has been announced. Safe to repeat: it never goes back."""
        await self._store.cursors.advance(end.stream.connection, end.stream.name, end.read_until)
        await self._store.news.forget_old(end.stream.connection)
