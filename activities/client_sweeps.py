"""Sweeps of FreshBooks: list the clients that changed, and announce those that differ from what was last seen.

FreshBooks filters by whole days of the US Eastern calendar, so a change is listed again for up to two days. What was
seen, and what was announced, is known by its fingerprint: those lists cost requests, and announce nothing.
Source: https://www.freshbooks.com/api/parameters, https://www.freshbooks.com/api/clients
"""

from collections.abc import Awaitable, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from temporalio import activity

from activities.differences import announce_new, difference, tell_all
from activities.errors import temporal_errors
from activities.queues import FRESHBOOKS
from activities.sides import CLIENTS_FLOW, client_side
from activities.sweeps import OVERLAP
from activities.watch_models import ClientPage, SweptClients
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.models import DELETED, Client, eastern_day
from mapping.context import Context
from mapping.engine import Template
from store.news import Difference
from store.records import RecordKey
from store.sightings import Sighting
from store.store import Store


class AnnounceClient(Protocol):
    """Tells whoever a client concerns that it may differ: its party's workflow, or one that finds or makes a party."""

    def __call__(self, connection: str, client_id: str, cause: str, priority: int) -> Awaitable[None]:
        """Return once Temporal has accepted it."""


class ClientSweepActivities:
    """The sweeps of one FreshBooks account."""

    def __init__(
        self, freshbooks: FreshBooksApi, template: Template, context: Context, store: Store, announce: AnnounceClient
    ) -> None:
        self._freshbooks, self._template, self._context = freshbooks, template, context
        self._store, self._announce = store, announce

    @activity.defn
    async def sweep_clients(self, page: ClientPage) -> SweptClients:
        """List one page of changed clients and announce those that differ from what was last seen.

        Clients that no party is linked to differ, unless they are deleted. Safe to repeat: announcing a client twice
        makes one pass that finds nothing to do.
        """
        with temporal_errors():
            listed = await self._freshbooks.list_clients(
                page=page.page, updated_min=first_day(page.since), vis_state=DELETED if page.deleted else None
            )
            different = await self._different(page, listed.items)
            return SweptClients(
                listed=len(listed.items),
                announced=await self._announce_all(page, different),
                has_more=listed.has_more,
                deleted_lately=[each.id for each in listed.items if _deleted_after(each, page.began - OVERLAP)],
            )

    async def _different(self, page: ClientPage, clients: Sequence[Client]) -> list[Difference]:
        ids = [str(client.id) for client in clients]
        seen = await self._store.sightings.of(page.connection, CLIENTS_FLOW, "books", ids)
        found = {client.id: self._difference(client, seen.get(str(client.id))) for client in clients}
        return [each for each in found.values() if each]

    def _difference(self, client: Client, seen: Sighting | None) -> Difference | None:
        fingerprint = client_side(client, self._template, self._context, self._store.links).fingerprint
        if _is_as_seen(client, seen, (fingerprint, self._template.version)):
            return None
        state = f"{fingerprint} {self._template.version} {client.vis_state}"
        return difference(client.id, self._store.links, client.updated, state)

    async def _announce_all(self, page: ClientPage, different: Sequence[Difference]) -> int:
        cause = _cause(page)

        async def tell(client_id: str) -> None:
            await self._announce(page.connection, client_id, cause, page.priority)

        if page.since is None:  # everything is news to a first sweep, and nothing of it says how good webhooks are
            await tell_all(await self._known(page, [each.record_id for each in different]), tell)
            return len(different)
        return await announce_new(self._store.news, page.connection, FRESHBOOKS, different, tell)

    async def _known(self, page: ClientPage, ids: Sequence[str]) -> Sequence[str]:
        """Return those that have a party; the others wait until all of them have been counted."""
        seen = await self._store.links.owners(page.connection, CLIENTS_FLOW, ids)
        single = [RecordKey(page.connection, CLIENTS_FLOW, each, "books") for each in ids if each not in seen]
        await self._store.waiting.add(single)
        return [each for each in ids if each in seen]


def first_day(since: datetime | None) -> date | None:
    """Return from which Eastern day on to list, for everything since an instant: the one before is listed again."""
    return eastern_day(since) - timedelta(days=1) if since else None


def _is_as_seen(client: Client, seen: Sighting | None, now: tuple[str, str]) -> bool:
    if client.vis_state == DELETED:
        return seen is None or seen.link_state != "active"
    if seen is None or seen.link_state == "orphaned":  # orphaned, and back again
        return False
    return (seen.fingerprint, seen.mapping_version) == now


def _deleted_after(client: Client, instant: datetime) -> bool:
    return client.vis_state == DELETED and client.updated is not None and client.updated >= instant


def _cause(page: ClientPage) -> str:
    if page.deleted:
        return "sweep: deleted"
    return "sweep" if page.since else "first sweep"
