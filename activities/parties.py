"""Parties: the requests of a client sync to the CRM, each safe to repeat."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.crm import Crm, CrmParty, GonePage
from activities.errors import temporal_errors
from activities.models import PartyKey, PartySide, WriteParty
from activities.parting_models import AskFate, Fate
from activities.party_models import CreateParty, FoundParties, LookForParty, PartyCandidate, PartyWritten
from activities.party_sides import PartyMapping, PartySides
from activities.sides import CLIENTS_FLOW, audit_entry, client_key, party_side, record_key, still_due
from activities.write_once import WriteOnce
from connectors.errors import NotFound, UnknownOutcome
from mapping.party_changes import party_changes, party_draft
from mapping.plan import FieldWrite
from store.audit import AuditEntry
from store.intents import FenceLost
from store.links import Agreement
from store.records import RecordKey
from store.store import Store

MOST_PAGES = 50
# How long before we last saw a party we look for its deletion: clocks differ, and `since` is exclusive.
BEFORE_LAST_SEEN = timedelta(days=1)


class PartyActivities:
    """The parties of one account."""

    def __init__(self, crm: Crm, mapping: PartyMapping, store: Store, once: WriteOnce) -> None:
        self._crm, self._mapping, self._store, self._once = crm, mapping, store, once
        self._sides = PartySides(crm, mapping, store)

    @activity.defn
    async def read_party(self, key: PartyKey) -> PartySide:
        """Return what the CRM says of one party. Only reads."""
        with temporal_errors():
            try:
                party = await self._crm.read(key.party_id)
            except NotFound:
                return PartySide(exists=False)
            return await self._sides.of(key.connection, party)

    @activity.defn
    async def look_for_party(self, search: LookForParty) -> FoundParties:
        """Return the parties that may already be a client's. Only reads."""
        with temporal_errors():
            if search.email:
                hits = await self._crm.with_email(search.email)
            else:
                hits = await self._crm.with_reference(search.reference)
            return FoundParties(parties=[self._candidate(hit) for hit in hits])

    @activity.defn
    async def update_party(self, write: WriteParty) -> PartyWritten:
        """Carry what people changed in the books to the party: it is read again, and only those fields are written.

        A field that says neither what the plan saw nor what it writes has moved meanwhile: then nothing is written.

        Safe to repeat: rows are changed by their ids. A new row could be added twice, so a second attempt that would
        add one says that the outcome of the first is unknown.
        """
        with temporal_errors():
            party = await self._crm.read(write.key.party_id)
            due = still_due(write.writes, (await self._side(party)).values, f"party {party.id}")
            values = {each.field: each.after for each in due}
            template, context = self._mapping.template, self._mapping.context
            changes = party_changes(template, party.document, values, context, await self._crm.field_ids())
            if self._crm.adds(changes) and activity.info().attempt > 1:
                raise UnknownOutcome(
                    self._crm.system, f"an earlier attempt to add to party {party.id} was not answered"
                )
            changed = await self._crm.update(party.id, changes) if changes else party
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
            if any(asked.key.party_id in page.hidden for page in listed):
                return Fate(fate="hidden")
            if not any(each.id == asked.key.party_id for page in listed for each in page.deleted):
                return Fate(fate="unknown")
            email = link.base.get("email") if link and link.base else None
            heirs = [hit.id for hit in await self._crm.with_email(str(email))] if email else []
            return Fate(fate="deleted", heirs=await self._linked(asked.key.connection, heirs))

    async def _side(self, party: CrmParty) -> PartySide:
        mapping = self._mapping
        ids = await self._crm.field_ids()
        return party_side(party, mapping.template, mapping.context, self._store.links, ids)

    def _candidate(self, party: CrmParty) -> PartyCandidate:
        email = self._mapping.template.crm_values(party.document, self._mapping.context).get("email")
        return PartyCandidate(
            party_id=party.id,
            email=email if isinstance(email, str) else None,
            reference=party.reference,
        )

    async def _create(self, write: CreateParty) -> CrmParty:
        employer_id = await self._employer(write)
        template, context = self._mapping.template, self._mapping.context
        draft = party_draft(template, write.values, context, await self._crm.field_ids(), employer_id=employer_id)
        return await self._crm.create(draft, write.create.reference, write.key.client_id)

    async def _employer(self, write: CreateParty) -> int | None:
        """Return the organisation that a person's client names, if it is clear which one that is."""
        name = write.values.get("organization")
        if not name or not (write.values.get("fname") or write.values.get("lname")):
            return None
        return await self._crm.employer(str(name))

    async def _earlier_attempt(self, key: RecordKey, write: CreateParty) -> PartyWritten:
        link = await self._store.links.of_books(key.connection, CLIENTS_FLOW, key.record_id)
        if link is not None:
            return PartyWritten(party_id=int(link.crm_id))
        intent = await self._store.intents.open_one(key)
        if intent is not None and intent.state == "reserved":
            raise FenceLost(f"the party of client {write.key.client_id} was put off: look before trying again")
        raise UnknownOutcome(self._crm.system, "an earlier attempt to create this party ended without an answer")

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
            times=write.times,
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

    async def _gone_since(self, since: datetime) -> list[GonePage]:
        pages: list[GonePage] = []
        for page in range(1, MOST_PAGES + 1):
            pages.append(await self._crm.gone(since, page))
            if not pages[-1].has_more:
                break
        return pages

    async def _linked(self, connection: str, party_ids: Sequence[int]) -> dict[int, int | None]:
        links = {party_id: await self._store.links.of_crm(self._key(connection, party_id)) for party_id in party_ids}
        return {party_id: int(link.books_id) if link and link.books_id else None for party_id, link in links.items()}

    def _key(self, connection: str, party_id: int) -> RecordKey:
        return RecordKey(connection, CLIENTS_FLOW, str(party_id))
