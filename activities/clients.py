"""Clients: the requests of a client sync to FreshBooks, one request an activity, each safe to repeat."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.crash_points import crash_point
from activities.errors import temporal_errors
from activities.models import ClientKey, ClientSide, ClientWritten, Found, LookForClient, WriteClient
from activities.parting_models import Farewell
from activities.sides import (
    agreement,
    audit_entry,
    client_side,
    record_key,
    record_times,
    still_due,
    wire_values,
)
from activities.write_once import WriteOnce
from connectors.errors import NotFound, UnknownOutcome
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.models import Client
from mapping.context import Context
from mapping.engine import Template
from mapping.plan import FieldWrite
from store.intents import FenceLost
from store.store import Store

# One create in twenty is followed by a measurement of how soon a search shows it.
MEASURED = 20
# What was read within this time has not waited in a queue since.
FRESH = timedelta(seconds=10)


class ClientActivities:
    """The clients of one FreshBooks account."""

    def __init__(
        self, freshbooks: FreshBooksApi, template: Template, context: Context, store: Store, once: WriteOnce
    ) -> None:
        self._freshbooks, self._template, self._context = freshbooks, template, context
        self._store, self._once = store, once

    @activity.defn
    async def read_client(self, key: ClientKey) -> ClientSide:
        """Return what FreshBooks says of one client. Only reads."""
        with temporal_errors():
            try:
                return self._side(await self._freshbooks.get_client(key.client_id))
            except NotFound:
                return ClientSide(client_id=key.client_id, exists=False)

    @activity.defn
    async def look_for_client(self, search: LookForClient) -> Found:
        """Return the clients that may already be the party's. Only reads."""
        with temporal_errors():
            if search.email:
                hits = await self._freshbooks.find_clients_by_email(search.email)
            elif search.name:
                hits = await self._freshbooks.find_clients_like(search.name, firms=search.is_firm)
            else:
                hits = await self._freshbooks.find_clients_by_note(search.reference)
            return Found(clients=[self._side(hit) for hit in hits])

    @activity.defn
    async def create_client(self, write: WriteClient) -> ClientWritten:
        """Create the party's client, once.

        Safe to repeat: the intent is taken before the request, so a second attempt sends nothing; it returns what the
        first confirmed, or says that the outcome is unknown.
        """
        with temporal_errors():
            create = write.create
            if create is None:
                raise ValueError("a create needs its intent")
            values = wire_values(write.writes, create.reference, marked=True)
            try:
                client = await self._once.send(
                    write.key.connection, create, lambda: self._freshbooks.create_client(values)
                )
            except FenceLost:
                return await self._earlier_attempt(write)
            crash_point("after-post")
            side = await self._confirm(write, client, "create", create.intent_id)
            return ClientWritten(
                client_id=client.id,
                fingerprint=side.fingerprint,
                measure_lag=create.intent_id % MEASURED == MEASURED - 1,
            )

    @activity.defn
    async def update_client(self, write: WriteClient) -> ClientWritten:
        """Write the changed fields of one client. Safe to repeat: it sets values, and the same ones again.

        A write that had to wait in the queue reads the client again: people may have changed the same fields meanwhile.
        """
        with temporal_errors():
            if write.client_id is None:
                raise ValueError("an update needs the client's id")
            writes = await self._still_due(write, write.client_id)
            values = wire_values(writes, self._store.intents.reference(record_key(write.key)))
            crash_point("before-put")
            client = await self._freshbooks.update_client(write.client_id, values)
            crash_point("after-put")
            side = await self._confirm(write, client, "update", None)
            return ClientWritten(client_id=client.id, fingerprint=self._seen(write, side, "update"))

    @activity.defn
    async def set_visibility(self, farewell: Farewell) -> ClientWritten:
        """Archive a client whose party was deleted, or bring it back with its party. Safe to repeat."""
        with temporal_errors():
            if farewell.vis_state is None:
                raise ValueError("say what becomes of the client")
            client = await self._freshbooks.set_client_visibility(farewell.client_id, farewell.vis_state)
            entry = audit_entry(
                farewell.action,
                farewell.cause,
                farewell.mapping_version,
                side="books",
                request=f"PUT client {farewell.client_id}: vis_state {farewell.vis_state}",
            )
            await self._store.links.set_state(record_key(farewell.key), farewell.state, audit=entry)
            return ClientWritten(client_id=client.id)

    async def _still_due(self, write: WriteClient, client_id: int) -> list[FieldWrite]:
        if write.client_read_at is None or datetime.now(UTC) - write.client_read_at < FRESH:
            return write.writes
        now = self._side(await self._freshbooks.get_client(client_id))
        return still_due(write.writes, now.values, f"client {client_id}") or write.writes

    async def _earlier_attempt(self, write: WriteClient) -> ClientWritten:
        link = await self._store.links.of_crm(record_key(write.key))
        if link is not None and link.books_id is not None:
            return ClientWritten(client_id=int(link.books_id))
        intent = await self._store.intents.open_one(record_key(write.key))
        if intent is not None and intent.state == "reserved":
            raise FenceLost(f"the create of party {write.key.party_id}'s client was put off: look before trying again")
        raise UnknownOutcome("freshbooks", "an earlier attempt to create this client ended without an answer")

    async def _confirm(self, write: WriteClient, client: Client, action: str, intent_id: int | None) -> ClientSide:
        side = self._side(client)
        agreed = agreement(write, client.id, self._seen(write, side, action))
        entry = audit_entry(
            action,
            write.cause,
            write.mapping_version,
            write.writes,
            side="books",
            request=f"{'POST' if action == 'create' else 'PUT'} client {client.id}",
            rules=self._template.rules,
            times={**record_times(books_created=side.created_at, books_changed=side.changed_at), **write.times},
        )
        await self._store.links.confirm(record_key(write.key), agreed, audit=entry, intent_id=intent_id)
        crash_point("after-confirm")
        return side

    def _seen(self, write: WriteClient, side: ClientSide, action: str) -> str:
        """Return the fingerprint to be known again: none if a person edited other fields since the plan was made.

        The plan may be a day old, if the CRM was away. Taken for seen, such an edit would never be carried over.
        """
        if action == "create":
            return side.fingerprint
        planned = {**side.values, **{each.field: each.before for each in write.writes}}
        alone = self._store.links.fingerprint(planned) == write.client_fingerprint
        return side.fingerprint if alone else ""

    def _side(self, client: Client) -> ClientSide:
        return client_side(client, self._template, self._context, self._store.links)
