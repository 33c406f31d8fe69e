"""Parties and clients: the requests of a client sync, one request an activity, each safe to repeat."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.errors import temporal_errors
from activities.models import (
    ClientKey,
    ClientSide,
    ClientWritten,
    Found,
    LookForClient,
    PartyKey,
    PartySide,
    WriteClient,
)
from activities.sides import agreement, client_side, record_key, wire_values
from connectors.capsule.api import CapsuleApi
from connectors.errors import ConsentLost, NotFound, Refused, Unauthorized, UnknownOutcome, Wait
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.models import Client
from mapping.context import Context
from mapping.engine import Template
from store.audit import AuditEntry
from store.intents import FenceLost, Intent
from store.store import Store


class PartyActivities:
    """The parties of one Capsule account."""

    def __init__(self, capsule: CapsuleApi, template: Template, context: Context, store: Store) -> None:
        self._capsule, self._template, self._context, self._store = capsule, template, context, store

    @activity.defn
    async def read_party(self, key: PartyKey) -> PartySide:
        """Return what Capsule says of one party. Only reads."""
        with temporal_errors():
            try:
                party = await self._capsule.get_party(key.party_id)
            except NotFound:
                return PartySide(exists=False)
            values = self._template.crm_values(party.document(), self._context)
            fingerprint = self._store.links.fingerprint(values)
            return PartySide(
                exists=True,
                is_organisation=party.type == "organisation",
                values=values,
                fingerprint=fingerprint,
                changed_at=party.updated_at,
            )


class ClientActivities:
    """The clients of one FreshBooks account. `settle_time` is how long a lost create may still take effect."""

    def __init__(
        self, freshbooks: FreshBooksApi, template: Template, context: Context, store: Store, settle_time: timedelta
    ) -> None:
        self._freshbooks, self._template, self._context = freshbooks, template, context
        self._store, self._settle_time = store, settle_time

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
            intent = _intent(write)
            try:
                sending = await self._store.intents.mark_sending(intent)
            except FenceLost:
                return await self._earlier_attempt(write)
            client = await self._send(write, sending)
            await self._confirm(write, client, "create", sending.id)
            return ClientWritten(client_id=client.id)

    @activity.defn
    async def update_client(self, write: WriteClient) -> ClientWritten:
        """Write the changed fields of one client. Safe to repeat: it sets values, and the same ones again."""
        with temporal_errors():
            if write.client_id is None:
                raise ValueError("an update needs the client's id")
            values = wire_values(write.writes, self._store.intents.reference(record_key(write.key)))
            client = await self._freshbooks.update_client(write.client_id, values)
            await self._confirm(
                write, client, "adopt" if write.adopted else "update", write.create.intent_id if write.create else None
            )
            return ClientWritten(client_id=client.id)

    async def _send(self, write: WriteClient, sending: Intent) -> Client:
        intents = self._store.intents
        try:
            return await self._freshbooks.create_client(wire_values(write.writes, sending.reference, marked=True))
        except UnknownOutcome:
            await intents.doubt(sending, datetime.now(UTC) + self._settle_time)
            raise
        except Refused:
            await intents.refuse(sending)
            raise
        except (Wait, Unauthorized, ConsentLost):  # nothing was written
            await intents.release(sending)
            raise

    async def _earlier_attempt(self, write: WriteClient) -> ClientWritten:
        link = await self._store.links.of_crm(record_key(write.key))
        if link is not None and link.books_id is not None:
            return ClientWritten(client_id=int(link.books_id))
        intent = await self._store.intents.open_one(record_key(write.key))
        if intent is not None and intent.state == "reserved":
            raise FenceLost(f"the create of party {write.key.party_id}'s client was put off: look before trying again")
        raise UnknownOutcome("freshbooks", "an earlier attempt to create this client ended without an answer")

    async def _confirm(self, write: WriteClient, client: Client, action: str, intent_id: int | None) -> None:
        agreed = agreement(write, client.id, self._side(client).fingerprint)
        entry = AuditEntry(
            action=action,
            cause=write.cause,
            mapping_version=write.mapping_version,
            before={each.field: each.before for each in write.writes},
            after={each.field: each.after for each in write.writes},
        )
        await self._store.links.confirm(record_key(write.key), agreed, audit=entry, intent_id=intent_id)

    def _side(self, client: Client) -> ClientSide:
        return client_side(client, self._template, self._context, self._store.links)


def _intent(write: WriteClient) -> Intent:
    if write.create is None:
        raise ValueError("a create needs its intent")
    return Intent(write.create.intent_id, write.create.reference, "reserved", write.create.fence, None, None)
