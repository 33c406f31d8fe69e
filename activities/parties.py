"""Parties: the requests of a client sync to Capsule, each safe to repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from temporalio import activity

from activities.errors import temporal_errors
from activities.models import PartyKey, PartySide, WriteParty
from activities.parting_models import AskFate, Fate
from activities.party_models import CreateParty, FoundParties, LookForParty, PartyCandidate, PartyWritten
from activities.sides import CLIENTS_FLOW, audit_entry, client_key, party_side, record_key, still_due
from activities.write_once import WriteOnce
from connectors.capsule.api import CapsuleApi
from connectors.capsule.models import DeletedParties, Party
from connectors.capsule.reading import appends
from connectors.errors import NotFound, Refused, UnknownOutcome
from mapping.context import Context
from mapping.engine import Template
from mapping.party_changes import party_changes, party_draft
from mapping.plan import FieldWrite
from store.audit import AuditEntry
from store.intents import FenceLost
from store.links import Agreement
from store.records import RecordKey
from store.store import Store

# A custom field that was deleted must not look empty for long: that would empty it in the books.
DEFINITIONS_LIVE = timedelta(minutes=1)
MOST_PAGES = 50
# How long before we last saw a party we look for its deletion: clocks differ, and `since` is exclusive.
BEFORE_LAST_SEEN = timedelta(days=1)


@dataclass(frozen=True)
class PartyMapping:
    """How parties are read and written: the rules, their defaults, and the custom field that carries our reference."""

    template: Template
    context: Context
    reference_field: str


class PartyActivities:
    """The parties of one Capsule account."""

    def __init__(self, capsule: CapsuleApi, mapping: PartyMapping, store: Store, once: WriteOnce) -> None:
        self._capsule, self._mapping, self._store, self._once = capsule, mapping, store, once
        self._field_ids: dict[str, int] = {}
        self._field_ids_until = 0.0

    @activity.defn
    async def read_party(self, key: PartyKey) -> PartySide:
        """Return what Capsule says of one party. Only reads."""
        with temporal_errors():
            try:
                party = await self._capsule.get_party(key.party_id)
            except NotFound:
                return PartySide(exists=False)
            side = await self._side(party)
            reference = self._reference(party)
            if reference is not None:
                side.partner_hint = await self._client_of(key.connection, reference)
            return side

    @activity.defn
    async def look_for_party(self, search: LookForParty) -> FoundParties:
        """Return the parties that may already be a client's. Only reads."""
        with temporal_errors():
            if search.email:
                hits = await self._by_email(search.email)
            else:
                hits = await self.by_reference(search.reference)
            return FoundParties(parties=[self._candidate(hit) for hit in hits])

    @activity.defn
    async def update_party(self, write: WriteParty) -> PartyWritten:
        """Carry what people changed in the books to the party: it is read again, and only those fields are written.

        A field that says neither what the plan saw nor what it writes has moved meanwhile: then nothing is written.

        Safe to repeat: rows are changed by their ids. A new row could be added twice, so a second attempt that would
        add one says that the outcome of the first is unknown.
        """
        with temporal_errors():
            party = await self._capsule.get_party(write.key.party_id)
            due = still_due(write.writes, (await self._side(party)).values, f"party {party.id}")
            values = {each.field: each.after for each in due}
            template, context = self._mapping.template, self._mapping.context
            changes = party_changes(template, party.document(), values, context, await self._definitions())
            if appends(changes) and activity.info().attempt > 1:
                raise UnknownOutcome("capsule", f"an earlier attempt to add to party {party.id} was not answered")
            changed = await self._capsule.update_party(party.id, changes) if changes else party
            await self._confirm(write, await self._side(changed))
            return PartyWritten(party_id=party.id)

    @activity.defn
    async def create_party(self, write: CreateParty) -> PartyWritten:
        """Create the party of a client that people entered in the books, once; and tie the two together.

        Safe to repeat: the intent is taken before the request, so a second attempt sends nothing.
        """
        with temporal_errors():
            key = client_key(write.key)
            try:
                party = await self._once.send(key.connection, write.create, lambda: self._create(write))
            except FenceLost:
                return await self._earlier_attempt(key, write)
            tied = RecordKey(key.connection, CLIENTS_FLOW, str(party.id))
            entry = self._created(write, party.id)
            await self._store.links.claim(tied, key.record_id, intent_id=write.create.intent_id, audit=entry)
            return PartyWritten(party_id=party.id)

    @activity.defn
    async def party_fate(self, asked: AskFate) -> Fate:
        """Return what became of a party that is not found any more. Only reads."""
        with temporal_errors():
            link = await self._store.links.of_crm(record_key(asked.key))
            seen = link.updated_at if link else datetime.now(UTC)
            listed = await self._gone_since(seen - BEFORE_LAST_SEEN)
            if any(asked.key.party_id in page.restricted for page in listed):
                return Fate(fate="hidden")
            if not any(each.id == asked.key.party_id for page in listed for each in page.deleted):
                return Fate(fate="unknown")
            email = link.base.get("email") if link and link.base else None
            heirs = [hit.id for hit in await self._by_email(str(email))] if email else []
            return Fate(fate="deleted", heirs=await self._linked(asked.key.connection, heirs))

    async def _side(self, party: Party) -> PartySide:
        mapping = self._mapping
        ids = await self._definitions()
        return party_side(party, mapping.template, mapping.context, self._store.links, ids)

    def _candidate(self, party: Party) -> PartyCandidate:
        email = self._mapping.template.crm_values(party.document(), self._mapping.context).get("email")
        return PartyCandidate(
            party_id=party.id,
            email=email if isinstance(email, str) else None,
            reference=self._reference(party),
        )

    def _reference(self, party: Party) -> str | None:
        named = (each.value for each in party.fields or () if each.definition and each.definition.name == self._field)
        return next((str(value) for value in named if value), None)

    @property
    def _field(self) -> str:
        return self._mapping.reference_field

    async def _client_of(self, connection: str, reference: str) -> int | None:
        owner = await self._store.intents.owner_of(connection, CLIENTS_FLOW, reference)
        return int(owner.record_id) if owner is not None and owner.side == "books" else None

    async def _create(self, write: CreateParty) -> Party:
        ids = await self._definitions()
        if self._field not in ids:  # a person may have made it a moment ago
            self._field_ids_until = 0.0
            ids = await self._definitions()
        if self._field not in ids:
            text = f'make a text custom field "{self._field}" for people and organisations in Capsule, then retry'
            raise Refused("capsule", f"a party for client {write.key.client_id} cannot carry our reference: {text}")
        employer_id = await self._employer(write)
        template, context = self._mapping.template, self._mapping.context
        draft = party_draft(template, write.values, context, ids, employer_id=employer_id)
        reference = {"definition": {"id": ids[self._field]}, "value": write.create.reference}
        return await self._capsule.create_party({**draft, "fields": [*draft.get("fields", ()), reference]})

    async def _employer(self, write: CreateParty) -> int | None:
        """Return the organisation that a person's client names, if Capsule has exactly one of that name."""
        name = write.values.get("organization")
        if not name or not (write.values.get("fname") or write.values.get("lname")):
            return None
        found = await self._filtered(
            {"field": "name", "operator": "is", "value": name},
            {"field": "type", "operator": "is", "value": "organisation"},
        )
        exact = [each.id for each in found if (each.name or "").casefold() == str(name).casefold()]
        return exact[0] if len(exact) == 1 else None

    async def _earlier_attempt(self, key: RecordKey, write: CreateParty) -> PartyWritten:
        link = await self._store.links.of_books(key.connection, CLIENTS_FLOW, key.record_id)
        if link is not None:
            return PartyWritten(party_id=int(link.crm_id))
        intent = await self._store.intents.open_one(key)
        if intent is not None and intent.state == "reserved":
            raise FenceLost(f"the party of client {write.key.client_id} was put off: look before trying again")
        raise UnknownOutcome("capsule", "an earlier attempt to create this party ended without an answer")

    async def _confirm(self, write: WriteParty, side: PartySide) -> None:
        # A field that is not ours to write may have moved since the plan: then the party is not as we have seen it.
        planned = {**side.values, **{each.field: each.before for each in write.writes}}
        alone = self._store.links.fingerprint(planned) == write.party_fingerprint
        agreed = Agreement(
            books_id=str(write.client_id),
            base=write.next_base,
            crm_seen=side.fingerprint if alone else "",
            books_seen=write.client_fingerprint,
            mapping_version=write.mapping_version,
        )
        entry = audit_entry(
            "update",
            write.cause,
            write.mapping_version,
            write.writes,
            side="crm",
            request=f"PUT party {write.key.party_id}",
            rules=self._mapping.template.rules,
        )
        await self._store.links.confirm(record_key(write.key), agreed, audit=entry)

    def _created(self, write: CreateParty, party_id: int) -> AuditEntry:
        said = {field: value for field, value in write.values.items() if value is not None}
        return audit_entry(
            "create",
            write.cause,
            write.mapping_version,
            [FieldWrite(field=field, before=None, after=value) for field, value in said.items()],
            side="crm",
            request=f"POST party {party_id}",
            rules=self._mapping.template.rules,
        )

    async def _by_email(self, email: str) -> Sequence[Party]:
        """Return the parties with this address; how `is` treats case is not documented, so each hit is compared."""
        found = await self._filtered({"field": "email", "operator": "is", "value": email})
        wanted = email.strip().casefold()
        return [
            party
            for party in found
            if any((row.address or "").strip().casefold() == wanted for row in party.email_addresses)
        ]

    async def by_reference(self, reference: str) -> Sequence[Party]:
        """Return the parties that carry a reference of ours."""
        ids = await self._definitions()
        if self._field not in ids:
            return []
        found = await self._filtered({"field": f"custom:{ids[self._field]}", "operator": "is", "value": reference})
        return [party for party in found if self._reference(party) == reference]

    async def marked(self, page: int) -> tuple[list[tuple[str, str]], bool]:
        """Return one page of the parties that carry a reference of ours, (reference, id), and whether there is more."""
        ids = await self._definitions()
        if self._field not in ids:
            return [], False
        condition = {"field": f"custom:{ids[self._field]}", "operator": "is not", "value": None}
        listed = await self._capsule.filter_parties([condition], page=page)
        found = ((self._reference(party), str(party.id)) for party in listed.items)
        return [(reference, party_id) for reference, party_id in found if reference], listed.has_more

    async def _filtered(self, *conditions: Mapping[str, Any]) -> list[Party]:
        found: list[Party] = []
        for page in range(1, MOST_PAGES + 1):
            listed = await self._capsule.filter_parties(conditions, page=page)
            found.extend(listed.items)
            if not listed.has_more:
                break
        return found

    async def _gone_since(self, since: datetime) -> list[DeletedParties]:
        pages: list[DeletedParties] = []
        for page in range(1, MOST_PAGES + 1):
            pages.append(await self._capsule.deleted_parties(since, page=page))
            if not pages[-1].has_more:
                break
        return pages

    async def _linked(self, connection: str, party_ids: Sequence[int]) -> dict[int, int | None]:
        links = {party_id: await self._store.links.of_crm(self._key(connection, party_id)) for party_id in party_ids}
        return {party_id: int(link.books_id) if link and link.books_id else None for party_id, link in links.items()}

    def _key(self, connection: str, party_id: int) -> RecordKey:
        return RecordKey(connection, CLIENTS_FLOW, str(party_id))

    async def _definitions(self) -> dict[str, int]:
        """Return the ids of the custom fields of parties by name; read again every minute."""
        if monotonic() > self._field_ids_until:
            ids: dict[str, int] = {}
            for page in range(1, MOST_PAGES + 1):
                listed = await self._capsule.party_field_definitions(page=page)
                ids.update({each.name: min(each.id, ids.get(each.name, each.id)) for each in listed.items if each.name})
                if not listed.has_more:
                    break
            self._field_ids = ids
            self._field_ids_until = monotonic() + DEFINITIONS_LIVE.total_seconds()
        return self._field_ids
