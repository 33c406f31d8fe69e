"""The steps of an opportunity's pass that touch only our own store: local activities, shared by all connections."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.document_planning import Planner
from activities.document_rules import FLOWS, DocumentRules
from activities.errors import ByConnection, temporal_errors
from activities.models import OpenCreate
from activities.opportunity_models import (
    ClientFound,
    DocumentKey,
    DocumentStanding,
    EndDocument,
    FindClient,
    Kind,
    OpportunityKey,
    OpportunityPlan,
    OpportunityStanding,
    PlanDocuments,
    SettleDocument,
)
from activities.sides import CLIENTS_FLOW, audit_entry
from activities.write_once import WriteOnce
from store.links import Agreement
from store.records import RecordKey
from store.store import Store

LATELY = timedelta(minutes=10)


def document_record(key: DocumentKey) -> RecordKey:
    """Return the name under which the store knows the sync of an opportunity's document."""
    return RecordKey(key.connection, FLOWS[key.kind], str(key.opportunity_id))


class OpportunityPassActivities:
    """What a pass over an opportunity knows and plans."""

    def __init__(self, store: Store, rules: Mapping[str, DocumentRules], once: Mapping[str, WriteOnce]) -> None:
        self._store, self._rules, self._once = store, ByConnection(rules), ByConnection(once)

    @activity.defn
    async def begin_opportunity(self, key: OpportunityKey) -> OpportunityStanding:
        """Return where an opportunity stands. Only reads."""
        rules, since = self._rules[key.connection], datetime.now(UTC) - LATELY
        written = [
            await self._store.audit.sides_written(key.connection, flow, str(key.opportunity_id), since)
            for flow in FLOWS.values()
        ]
        return OpportunityStanding(
            version=rules.version,
            estimate=await self._standing(key, "estimate"),
            invoice=await self._standing(key, "invoice"),
            invoices=rules.invoice != "none",
            numbers={kind: rules.number(kind, key.opportunity_id) for kind in FLOWS},
            settle_time=await self._once[key.connection].settle_time(key.connection),
            writes_lately=sum(len(sides) for sides in written),
        )

    @activity.defn
    async def reserve_document(self, key: DocumentKey) -> OpenCreate:
        """Return the intent to create a document, made now if there is none. Safe to repeat."""
        return await self._once[key.connection].open(document_record(key))

    @activity.defn
    async def drop_document(self, key: DocumentKey) -> None:
        """No such document is to be created any more. Safe to repeat."""
        await self._store.intents.drop(document_record(key))

    @activity.defn
    async def find_client(self, asked: FindClient) -> ClientFound:
        """Return the client of the first party that has a living one. Only reads."""
        for party_id in asked.party_ids:
            link = await self._store.links.of_crm(RecordKey(asked.connection, CLIENTS_FLOW, str(party_id)))
            if link is not None and link.books_id is not None and link.state == "active":
                return ClientFound(client_id=int(link.books_id), party_id=party_id)
        return ClientFound()

    @activity.defn
    async def plan_documents(self, asked: PlanDocuments) -> OpportunityPlan:
        """Return what this pass would write, and why. An intent whose doubt is settled becomes usable again."""
        with temporal_errors():
            rules = self._rules[asked.key.connection]
            plan = Planner(asked, rules, self._store.links.fingerprint).plan()
            for document in plan.documents:
                create = asked.standing.of(document.kind).create
                if document.action == "create" and create is not None and create.in_doubt:
                    plan.reopened[document.kind] = await self._once[asked.key.connection].reopen(create)
            if plan.hold_reason is None and not plan.needs_client:
                await self._give_up(asked, plan)
            return plan

    @activity.defn
    async def settle_document(self, settled: SettleDocument) -> None:
        """Save what both sides agree on when nothing has to be written. Safe to repeat: it sets values."""
        with temporal_errors():
            agreed = Agreement(
                books_id=str(settled.document_id),
                base=settled.base,
                crm_seen=settled.crm_seen,
                books_seen=settled.books_seen,
                mapping_version=settled.version,
            )
            await self._store.links.agree(document_record(settled.key), agreed)

    @activity.defn
    async def end_document(self, farewell: EndDocument) -> None:
        """Say how a document's link stands although nothing is written to either side. Safe to repeat."""
        entry = audit_entry(farewell.state, farewell.cause, farewell.version, side="books")
        await self._store.links.set_state(document_record(farewell.key), farewell.state, audit=entry)

    async def _give_up(self, asked: PlanDocuments, plan: OpportunityPlan) -> None:
        """End the doubt about creates that left nothing behind, and are not wanted any more."""
        for kind, found in asked.found.items():
            create = asked.standing.of(kind).create
            wanted = any(each.kind == kind for each in plan.documents)
            if (
                create is None
                or not create.in_doubt
                or wanted
                or any(each.reference == create.reference for each in found)
            ):
                continue
            await self._once[asked.key.connection].reopen(create)
            await self._store.intents.drop(document_record(DocumentKey(**asked.key.model_dump(), kind=kind)))

    async def _standing(self, key: OpportunityKey, kind: Kind) -> DocumentStanding:
        record = document_record(DocumentKey(**key.model_dump(), kind=kind))
        link = await self._store.links.of_crm(record)
        if link is None or link.books_id is None:
            has_intent = await self._store.intents.open_one(record) is not None
            create = await self._once[key.connection].open(record) if has_intent else None
            return DocumentStanding(create=create)
        return DocumentStanding(
            document_id=int(link.books_id),
            base=link.base,
            state=link.state,
            crm_seen=link.crm_seen,
            books_seen=link.books_seen,
            version=link.mapping_version or "",
        )
