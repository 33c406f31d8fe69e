"""Sweeps: list what changed, compare with what was last seen, and announce only what differs."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from temporalio import activity

from activities.errors import temporal_errors
from activities.models import DeletedSince, Deletions, PeoplePage, Stream, SweepEnd, SweepPage, SweepStart, SweptPage
from activities.sides import CLIENTS_FLOW
from connectors.capsule.api import CapsuleApi
from connectors.capsule.models import Party
from connectors.errors import NotFound
from mapping.context import Context
from mapping.engine import Template
from mapping.values import IncompleteRecord, UnmappableValue
from store.store import Store

# Read again what changed shortly before the cursor: clocks differ, `since` may be exclusive, seconds are whole.
OVERLAP = timedelta(minutes=5)
AT_ONCE = 10


class Announce(Protocol):
    """Tells the workflow of a record that the record may differ. `priority` runs from 1, first, to 5."""

    def __call__(self, connection: str, party_id: int, cause: str, priority: int) -> Awaitable[None]:
        """Return once Temporal has accepted it."""


class SweepActivities:
    """The sweeps of one Capsule account."""

    def __init__(
        self, capsule: CapsuleApi, template: Template, context: Context, store: Store, announce: Announce
    ) -> None:
        self._capsule, self._template, self._context = capsule, template, context
        self._store, self._announce = store, announce

    @activity.defn
    async def sweep_parties(self, page: SweepPage) -> SweptPage:
        """List one page of changed parties and announce those that differ from what was last seen.

        Safe to repeat: announcing a party twice makes one pass that finds nothing to do.
        """
        with temporal_errors():
            listed = await self._capsule.list_parties(since=page.since, page=page.page)
            different = await self._different(page.connection, listed.items)
            cause = "sweep" if page.since else "first sweep"
            await self._announce_all(page.connection, different, cause, page.priority)
            return SweptPage(listed=len(listed.items), announced=len(different), has_more=listed.has_more)

    @activity.defn
    async def announce_people(self, page: PeoplePage) -> SweptPage:
        """List one page of an organisation's people and announce those whose employer's name is news to us.

        Capsule does not touch a person when the employer is renamed, so no webhook and no sweep says so. Safe to
        repeat, as `sweep_parties` is.
        """
        with temporal_errors():
            employer = page.organisation
            try:
                listed = await self._capsule.people_of(employer.party_id, page.page)
            except NotFound:
                return SweptPage(listed=0, announced=0, has_more=False)
            different = await self._different(employer.connection, listed.items)
            await self._announce_all(employer.connection, different, "employer renamed", page.priority)
            return SweptPage(listed=len(listed.items), announced=len(different), has_more=listed.has_more)

    @activity.defn
    async def deleted_parties(self, asked: DeletedSince) -> Deletions:
        """Return the parties that were deleted after an instant. Only reads."""
        with temporal_errors():
            deleted = await self._capsule.deleted_parties(asked.since)
            return Deletions(party_ids=[each.id for each in deleted.deleted], has_more=deleted.has_more)

    async def _different(self, connection: str, parties: Sequence[Party]) -> list[int]:
        seen = await self._store.links.seen(connection, CLIENTS_FLOW, [str(party.id) for party in parties])
        return [party.id for party in parties if not self._is_as_seen(party, seen.get(str(party.id)))]

    def _is_as_seen(self, party: Party, seen: tuple[str | None, str | None] | None) -> bool:
        try:
            values = self._template.crm_values(party.document(), self._context)
        except (UnmappableValue, IncompleteRecord):
            return False  # its own workflow says what is wrong with it
        return seen == (self._store.links.fingerprint(values), self._template.version)

    async def _announce_all(self, connection: str, party_ids: Sequence[int], cause: str, priority: int) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def announce(party_id: int) -> None:
            async with places:
                await self._announce(connection, party_id, cause, priority)

        await asyncio.gather(*(announce(party_id) for party_id in party_ids))


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
