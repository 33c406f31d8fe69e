"""Creates left open, and marks of ours that more than one record carries."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.bulk import AnnounceRecord
from activities.crm import Crm
from activities.errors import temporal_errors
from activities.models import ConnectionName
from activities.queues import FRESHBOOKS
from activities.upkeep_models import DoubleMarks, MarkedPage, MarkedTwice, MarkPage, MarkRun
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.models import DELETED
from mapping.reference import references
from store.store import Store

OPEN_TOO_LONG = timedelta(minutes=15)
SWEEP_PRIORITY = 3


class MarkActivities:
    """What the store knows of creates and marks: local activities, shared by all connections."""

    def __init__(self, store: Store, announce: AnnounceRecord) -> None:
        self._store, self._announce = store, announce

    @activity.defn
    async def announce_left_open(self, asked: ConnectionName) -> int:
        """Announce the records whose creates have been open for a quarter of an hour, except those that are held.

        Safe to repeat: a record that is announced twice makes an idle pass.
        """
        held = {(each.side, each.record_id) for each in await self._store.holds.listed()}
        left = await self._store.intents.left_open(asked.connection, datetime.now(UTC) - OPEN_TOO_LONG)
        due = [key for key in left if (key.side, key.record_id) not in held]
        waiting = await self._store.waiting.among(due)
        for key in due:
            if key not in waiting:
                await self._announce(key, "open intent", SWEEP_PRIORITY)
        return len(due)

    @activity.defn
    async def marked_twice(self, run: MarkRun) -> DoubleMarks:
        """Return the marks that this run saw on more than one record, and forget those that it did not see."""
        found = await self._store.marks.twice(run.connection, run.began_at)
        marks = [
            MarkedTwice(connection=run.connection, system=system, reference=reference, record_ids=list(record_ids))
            for (system, reference), record_ids in found.items()
        ]
        return DoubleMarks(marks=marks)

    @activity.defn
    async def accept(self, twice: MarkedTwice) -> None:
        """A person accepted that these records carry one mark. Safe to repeat."""
        await self._store.marks.accept(twice.connection, twice.system, twice.reference)


class ClientMarkActivities:
    """The marks on the clients of one FreshBooks account."""

    def __init__(self, freshbooks: FreshBooksApi, store: Store) -> None:
        self._freshbooks, self._store = freshbooks, store

    @activity.defn
    async def read_client_marks(self, page: MarkPage) -> MarkedPage:
        """Note the marks on one page of clients. Safe to repeat."""
        with temporal_errors():
            listed = await self._freshbooks.list_clients(page=page.page)
        marks = [(mark, str(client.id)) for client in listed.items for mark in set(references(client.note))]
        await self._store.marks.note(page.connection, FRESHBOOKS, marks)
        return MarkedPage(marks=len(marks), has_more=listed.has_more)

    @activity.defn
    async def clients_marked(self, twice: MarkedTwice) -> MarkedTwice:
        """Return which clients carry a mark now. Only reads."""
        with temporal_errors():
            found = await self._freshbooks.find_clients_by_note(twice.reference)
        living = sorted(client.id for client in found if client.vis_state != DELETED)
        return twice.model_copy(update={"record_ids": [str(each) for each in living]})


class PartyMarkActivities:
    """The marks on the parties of one account."""

    def __init__(self, crm: Crm, store: Store) -> None:
        self._crm, self._store = crm, store

    @activity.defn
    async def read_party_marks(self, page: MarkPage) -> MarkedPage:
        """Note the marks on one page of the parties that have any. Safe to repeat."""
        with temporal_errors():
            marks, has_more = await self._crm.marks(page.page)
        await self._store.marks.note(page.connection, self._crm.system, marks)
        return MarkedPage(marks=len(marks), has_more=has_more)

    @activity.defn
    async def parties_marked(self, twice: MarkedTwice) -> MarkedTwice:
        """Return which parties carry a mark now. Only reads."""
        with temporal_errors():
            found = await self._crm.with_reference(twice.reference)
        return twice.model_copy(update={"record_ids": sorted(str(each.id) for each in found)})
