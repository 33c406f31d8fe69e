"""Listing both sides for a plan: one activity a page, one request each; what was listed is kept sealed in our store."""

from collections.abc import Mapping

from temporalio import activity

from activities.crm import Crm, CrmParty
from activities.errors import temporal_errors
from activities.models import PartySide
from activities.party_sides import PartyMapping, PartySides
from activities.plan_models import StagedClient, StagedPage, StagedParty, StagePage
from activities.sides import client_side
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.models import Client
from mapping.context import Context
from mapping.engine import Template
from mapping.values import IncompleteRecord, UnmappableValue, Value
from store.store import Store


class PartyListing:
    """The parties of one account, for plans."""

    def __init__(self, crm: Crm, mapping: PartyMapping, store: Store) -> None:
        self._crm, self._store, self._sides = crm, store, PartySides(crm, mapping, store)

    @activity.defn
    async def stage_parties(self, asked: StagePage) -> StagedPage:
        """List one page of all parties and keep it. Safe to repeat: a record listed again is written over.

        Now and then a request more is needed, for the names of the account's custom fields.
        """
        with temporal_errors():
            listed = await self._crm.listed(None, asked.page)
            records = {str(party.id): await self._staged(asked.plan.connection, party) for party in listed.items}
            await self._store.plans.staging.put(asked.plan.plan_id, "crm", records)
            return StagedPage(listed=len(listed.items), has_more=listed.has_more)

    async def _staged(self, connection: str, party: CrmParty) -> str:
        staged = StagedParty(side=PartySide(exists=True), name=party.name)
        try:
            side = await self._sides.of(connection, party)
        except (UnmappableValue, IncompleteRecord) as error:
            staged.problem = str(error)
        else:
            staged.side = side.model_copy(update={"values": _filled(side.values), "read_at": None})
            staged.other_emails = list(party.emails)
        return staged.model_dump_json(exclude_defaults=True)


class ClientListing:
    """The clients of one FreshBooks account, for plans."""

    def __init__(self, freshbooks: FreshBooksApi, template: Template, context: Context, store: Store) -> None:
        self._freshbooks, self._template, self._context, self._store = freshbooks, template, context, store

    @activity.defn
    async def stage_clients(self, asked: StagePage) -> StagedPage:
        """List one page of clients and keep it. Safe to repeat: a record listed again is written over."""
        with temporal_errors():
            listed = await self._freshbooks.list_clients(page=asked.page, vis_state=asked.vis_state)
            records = {str(client.id): self._staged(client) for client in listed.items}
            await self._store.plans.staging.put(asked.plan.plan_id, "books", records)
            return StagedPage(listed=len(listed.items), has_more=listed.has_more)

    def _staged(self, client: Client) -> str:
        side = client_side(client, self._template, self._context, self._store.links)
        side.values = _filled(side.values)
        emails = [contact.email for contact in client.contacts if contact.email]
        staged = StagedClient(side=side, name=_name_of_client(client), other_emails=emails)
        return staged.model_dump_json(exclude_defaults=True)


def _filled(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values without the empty ones, which need not be kept a hundred thousand times."""
    return {field: value for field, value in values.items() if value is not None}


def _name_of_client(client: Client) -> str:
    """Return how people call the client: the firm, with whom it is in the books under."""
    person = " ".join(part for part in (client.fname, client.lname) if part)
    both = ", ".join(part for part in (client.organization, person) if part)
    return both or client.email or f"client {client.id}"
