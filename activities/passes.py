"""The steps of a pass that touch only our own store: local activities, shared by all connections."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Protocol

from temporalio import activity

from activities.errors import ByConnection, temporal_errors
from activities.models import ClientKey, OpenCreate, OpenHold, PartyKey, PlanClient, PlannedPass, Standing, WriteClient
from activities.parting_models import Farewell, FarewellPolicy, FollowMerge
from activities.party_models import AnnounceParty, ClaimParty, ClientStanding, PartyPlan, PlanParty
from activities.planning import party_plan_digest, plan_digest, plan_for_client, plan_without_client, plan_without_party
from activities.sides import CLIENTS_FLOW, agreement, audit_entry, client_key, hold_key, record_key
from activities.upkeep_models import NotedLag
from activities.write_once import WriteOnce
from mapping.engine import Template
from store.links import Link
from store.records import RecordKey
from store.store import Store

LATELY = timedelta(minutes=10)
BULK_WINDOW = timedelta(hours=1)
# The clocks of two machines may differ so much; a list that is not clearly younger than a pass is not believed.
CLOCKS_APART = timedelta(seconds=30)


@dataclass(frozen=True)
class ClientRules:
    """How one connection's clients are synced: its mapping, and how creates are made in either system."""

    template: Template
    in_books: WriteOnce
    in_crm: WriteOnce
    bulk_limit: int
    delete_limit: int
    archives: bool
    """Whether the client of a deleted party is archived."""


class Announcements(Protocol):
    """Tells workflows what they should look at. Each returns once Temporal has accepted it."""

    def party_changed(self, connection: str, party_id: int, cause: str, priority: int) -> Awaitable[None]:
        """Let the workflow of a party make a pass; `priority` runs from 1, first, to 5."""

    def creates_wait(self, connection: str) -> Awaitable[None]:
        """Ask a person about the creates that go beyond the limit, unless somebody has been asked already."""


class PassActivities:
    """What a pass knows, plans and confirms."""

    def __init__(self, store: Store, rules: Mapping[str, ClientRules], announce: Announcements) -> None:
        self._store, self._rules, self._announce = store, ByConnection(rules), announce

    @activity.defn
    async def begin_pass(self, key: PartyKey) -> Standing:
        """Return where the party stands. A party without a client gets an intent before anything is looked up."""
        rules, record, began = self._rules[key.connection], record_key(key), datetime.now(UTC)
        link = await self._store.links.of_crm(record)
        standing = Standing(current_mapping=rules.template.version, two_way=rules.template.is_two_way)
        if link is None or link.books_id is None:
            merged_into = await self._store.links.merged_into(record)
            if merged_into is not None:
                return standing.model_copy(update={"merged_into": int(merged_into)})
            create = await rules.in_books.open(record)
            touched = create.touched_at if create.touched_at and create.touched_at < began else None
            return standing.model_copy(update={"create": create, "looked_at": touched})
        since = datetime.now(UTC) - LATELY
        sides = await self._store.audit.sides_written(key.connection, CLIENTS_FLOW, record.record_id, since)
        return standing.model_copy(
            update={
                "client_id": int(link.books_id),
                "crm_seen": link.crm_seen,
                "books_seen": link.books_seen,
                "mapping_version": link.mapping_version,
                "state": link.state,
                "writes_lately": len(sides),
                "turns_lately": sum(one != other for one, other in pairwise(sides)),
                "settle_time": await rules.in_crm.settle_time(key.connection),
                "looked_at": link.updated_at + CLOCKS_APART,
            }
        )

    @activity.defn
    async def plan_client(self, asked: PlanClient) -> PlannedPass:
        """Return what this pass would write, and why. An intent whose doubt is settled becomes usable again."""
        with temporal_errors():
            rules = self._rules[asked.key.connection]
            if asked.client is not None:
                link = await self._store.links.of_crm(record_key(asked.key))
                planned = plan_for_client(asked, asked.client, link.base if link else None, rules.template)
            else:
                planned = plan_without_client(asked, await self._owners(asked), rules.template)
            if planned.plan.action == "create" and asked.create and asked.create.in_doubt:
                planned.create = await rules.in_books.reopen(asked.create)
            planned.digest = plan_digest(planned.plan, self._store.keys.fingerprint)
            return planned

    @activity.defn
    async def settle_link(self, write: WriteClient) -> None:
        """Save what both sides agree on when nothing has to be written. Safe to repeat: it sets values."""
        with temporal_errors():
            if write.client_id is None:
                raise ValueError("a link needs the client's id")
            agreed = agreement(write, write.client_id, write.client_fingerprint)
            entry = audit_entry("adopt", write.cause, write.mapping_version, side="books")
            await self._store.links.confirm(
                record_key(write.key),
                agreed,
                audit=entry if write.adopted else None,
                intent_id=write.create.intent_id if write.create else None,
            )

    @activity.defn
    async def begin_client(self, key: ClientKey) -> ClientStanding:
        """Return where a client of the books stands. One without a party gets an intent before we look for one."""
        rules = self._rules[key.connection]
        link = await self._store.links.of_books(key.connection, CLIENTS_FLOW, str(key.client_id))
        standing = ClientStanding(current_mapping=rules.template.version, two_way=rules.template.is_two_way)
        if link is not None:
            return standing.model_copy(update={"party_id": int(link.crm_id), "state": link.state})
        if not standing.two_way or rules.template.when is not None:  # its party might be left out: nobody asked for it
            return standing
        return standing.model_copy(update={"create": await rules.in_crm.open(client_key(key))})

    @activity.defn
    async def plan_party(self, asked: PlanParty) -> PartyPlan:
        """Return what becomes of a client without a party. An intent whose doubt is settled becomes usable again."""
        with temporal_errors():
            maker = await self._maker(asked)
            links = await self._links_of(asked)
            planned = plan_without_party(asked, maker, links)
            if planned.action == "create" and asked.create.in_doubt:
                planned.create = await self._rules[asked.key.connection].in_crm.reopen(asked.create)
            planned.digest = party_plan_digest(planned, asked.client.values, self._store.keys.fingerprint)
            return planned

    @activity.defn
    async def claim_party(self, claim: ClaimParty) -> None:
        """Tie a client to a party; the party's workflow then compares the two. Safe to repeat."""
        with temporal_errors():
            tied = RecordKey(claim.key.connection, CLIENTS_FLOW, str(claim.party_id))
            intent_id = claim.create.intent_id if claim.create else None
            template = self._rules[claim.key.connection].template
            entry = audit_entry("adopt", "found for a client of the books", template.version, side="crm")
            await self._store.links.claim(tied, str(claim.key.client_id), intent_id=intent_id, audit=entry)

    @activity.defn
    async def drop_intent(self, key: PartyKey | ClientKey) -> None:
        """Nothing is to be created for this record any more. Safe to repeat."""
        record = record_key(key) if isinstance(key, PartyKey) else client_key(key)
        await self._store.intents.drop(record)
        await self._store.waiting.forget([record])

    @activity.defn
    async def end_link(self, farewell: Farewell) -> None:
        """Say how a link stands although nothing is written to either side. Safe to repeat."""
        entry = audit_entry(farewell.action, farewell.cause, farewell.mapping_version, side="books")
        await self._store.links.set_state(record_key(farewell.key), farewell.state, audit=entry)

    @activity.defn
    async def follow_merge(self, merge: FollowMerge) -> None:
        """Let the link follow its party into the one that is left of it. Safe to repeat."""
        with temporal_errors():
            entry = audit_entry("merge", merge.cause, merge.mapping_version, side="crm")
            await self._store.links.follow_merge(record_key(merge.key), str(merge.now_party_id), entry)

    @activity.defn
    async def announce_party(self, asked: AnnounceParty) -> None:
        """Let the workflow of a party make a pass. Safe to repeat: a second pass finds nothing to do."""
        await self._announce.party_changed(asked.key.connection, asked.key.party_id, asked.cause, asked.priority)

    @activity.defn
    async def reserve_anew(self, key: PartyKey) -> OpenCreate:
        """Return an intent to create another client for a party whose client a person deleted. Safe to repeat."""
        return await self._rules[key.connection].in_books.open(record_key(key))

    @activity.defn
    async def admit_create(self, key: PartyKey | ClientKey) -> bool:
        """Return whether one more may be created now; else the record waits and a person is asked. Safe to repeat."""
        record = record_key(key) if isinstance(key, PartyKey) else client_key(key)
        limit = self._rules[key.connection].bulk_limit
        if await self._store.intents.admit(record, limit, datetime.now(UTC) - BULK_WINDOW):
            return True
        await self._store.waiting.add([record])
        await self._announce.creates_wait(key.connection)
        return False

    @activity.defn
    async def farewell_policy(self, key: PartyKey) -> FarewellPolicy:
        """Return what becomes of the client of a deleted party. Only reads."""
        rules, today = self._rules[key.connection], datetime.now(UTC) - timedelta(days=1)
        gone = await self._store.links.state_count(key.connection, CLIENTS_FLOW, "tombstoned", today)
        archives = rules.archives and not await self._was_left_out(record_key(key), rules.template)
        return FarewellPolicy(archive=archives, today=gone, limit=rules.delete_limit)

    @activity.defn
    async def note_lag(self, noted: NotedLag) -> None:
        """Keep how soon a search showed a new record. A repeat counts it twice, which does no harm."""
        await self._store.lags.note(noted.connection, noted.system, timedelta(seconds=noted.seconds))

    @activity.defn
    async def open_hold(self, hold: OpenHold) -> None:
        """List a workflow that waits for a person. Safe to repeat: a workflow has one hold."""
        workflow_id = activity.info().workflow_id
        await self._store.holds.open(str(workflow_id), hold_key(hold), hold.reason, hold.evidence)

    @activity.defn
    async def close_hold(self) -> None:
        """Take the workflow off the list. Safe to repeat."""
        await self._store.holds.close(str(activity.info().workflow_id))

    async def _was_left_out(self, record: RecordKey, template: Template) -> bool:
        """Return whether the mapping left a party out when it was last seen: then it had said nothing at all."""
        link = await self._store.links.of_crm(record)
        silence = self._store.links.fingerprint(dict.fromkeys(template.rules))
        return template.when is not None and link is not None and link.crm_seen == silence

    async def _owners(self, asked: PlanClient) -> dict[int, str]:
        ids = [str(each.client_id) for each in asked.candidates]
        owners = await self._store.links.owners(asked.key.connection, CLIENTS_FLOW, ids)
        return {int(client): party for client, party in owners.items() if party != str(asked.key.party_id)}

    async def _maker(self, asked: PlanParty) -> RecordKey | None:
        """Return the record for which we once meant to create this client, by the reference in its note."""
        if asked.client.reference is None:
            return None
        return await self._store.intents.owner_of(asked.key.connection, CLIENTS_FLOW, asked.client.reference)

    async def _links_of(self, asked: PlanParty) -> dict[int, Link]:
        keys = [RecordKey(asked.key.connection, CLIENTS_FLOW, str(each.party_id)) for each in asked.candidates]
        if asked.chosen is not None:
            keys.append(RecordKey(asked.key.connection, CLIENTS_FLOW, str(asked.chosen)))
        links = {int(key.record_id): await self._store.links.of_crm(key) for key in keys}
        return {party_id: link for party_id, link in links.items() if link is not None}
