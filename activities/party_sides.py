"""Parties as workflows compare them, whoever read them: alone, or with a hundred others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from activities.crm import Crm, CrmParty
from activities.models import PartySide
from activities.sides import CLIENTS_FLOW, party_side
from mapping.context import Context
from mapping.engine import Template
from mapping.values import IncompleteRecord, UnmappableValue
from store.store import Store


@dataclass(frozen=True)
class PartyMapping:
    """How parties are read and written: the rules, and their defaults."""

    template: Template
    context: Context


class PartySides:
    """The parties of one account in the fields of the mapping."""

    def __init__(self, crm: Crm, mapping: PartyMapping, store: Store) -> None:
        self._crm, self._mapping, self._store = crm, mapping, store

    async def of(self, connection: str, party: CrmParty) -> PartySide:
        """Return a party as it was read just now, with the client for which we made it, if we did.

        Raises UnmappableValue or IncompleteRecord.
        """
        mapping, ids = self._mapping, await self._crm.field_ids()
        side = party_side(party, mapping.template, mapping.context, self._store.links, ids)
        side.read_at = datetime.now(UTC)
        if party.reference is not None:
            side.partner_hint = await self._client_of(connection, party.reference)
        return side

    async def of_many(self, connection: str, parties: Sequence[CrmParty]) -> dict[int, PartySide]:
        """Return those of the parties that can be mapped, by their ids; the others' workflows say what is wrong."""
        sides: dict[int, PartySide] = {}
        for party in parties:
            try:
                sides[party.id] = await self.of(connection, party)
            except (UnmappableValue, IncompleteRecord):
                continue
        return sides

    async def _client_of(self, connection: str, reference: str) -> int | None:
        owner = await self._store.intents.owner_of(connection, CLIENTS_FLOW, reference)
        return int(owner.record_id) if owner is not None and owner.side == "books" else None
