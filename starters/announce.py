"""Tells record workflows that their record may have changed, starting those that do not run."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy

from runtime.queues import WORKFLOW_QUEUE
from store.records import RecordKey
from store.store import Store
from workflows.billing import TimeEntriesToInvoice
from workflows.billing_models import BillingRequest, BillingWish
from workflows.bulk import BulkCreates
from workflows.clients import ClientUpsert
from workflows.desk import HOURS, PAYMENTS, PROJECTS
from workflows.hooks import CallbackVerification
from workflows.models import (
    CAPSULE,
    BulkRequest,
    CallbackRequest,
    Change,
    ClientUpsertRequest,
    ListedParty,
    PartyFromClientRequest,
)
from workflows.opportunities import OpportunityToEstimate
from workflows.opportunity_models import OpportunityRequest
from workflows.parties import PartyFromClient
from workflows.payment_models import PaymentRequest
from workflows.payments import PaymentReconciliation
from workflows.project_models import ProjectRequest
from workflows.projects import OpportunityToProject
from workflows.search_attributes import CONNECTION, FLOW, RECORD_KEY, SYNC_STATE, SYNCING

CLIENTS_FLOW, OPPORTUNITIES_FLOW = "clients", "opportunities"
DOCUMENT_FLOWS = frozenset({"estimates", "invoices"})
"""Whose links tie an opportunity to its document: news of either side are news of the opportunity."""
OPPORTUNITIES = {"capsule": ("capsule-opportunity", "Capsule opportunity"), "zoho_crm": ("zoho-crm-deal", "Zoho deal")}
RECORDS = {"capsule": ("capsule-party", "Capsule party"), "zoho_crm": ("zoho-crm-record", "Zoho CRM record")}
"""How ids and people name the parties of each CRM."""
# A webhook's sender waits for us: two seconds, then the change goes to the inbox.
RPC_TIMEOUT = timedelta(seconds=2)


def client_upsert_id(connection: str, party_id: int, crm: str = CAPSULE) -> str:
    """Return the id of the one workflow that may sync a party."""
    return f"client-upsert/{connection}/{RECORDS[crm][0]}-{party_id}"


def party_from_client_id(connection: str, client_id: int) -> str:
    """Return the id of the one workflow that may find or make the party of a client."""
    return f"client-upsert/{connection}/freshbooks-client-{client_id}"


def opportunity_id(connection: str, record_id: int, crm: str = CAPSULE) -> str:
    """Return the id of the one workflow that may sync an opportunity and its documents."""
    return f"opportunity-to-estimate/{connection}/{OPPORTUNITIES[crm][0]}-{record_id}"


def project_id(connection: str, record_id: int, crm: str = CAPSULE) -> str:
    """Return the id of the one workflow that may open the project of an opportunity, and show it there."""
    return f"opportunity-to-project/{connection}/{OPPORTUNITIES[crm][0]}-{record_id}"


def payment_id(connection: str, record_id: int) -> str:
    """Return the id of the one workflow that may judge a payment."""
    return f"payment-reconciliation/{connection}/freshbooks-payment-{record_id}"


def billing_id(connection: str, client_id: int) -> str:
    """Return the id of the one workflow that may bill a client's hours."""
    return f"time-entries-to-invoice/{connection}/freshbooks-client-{client_id}"


class Announcer:
    """Signals with start: one request to Temporal, durable once it returns. Raises RPCError if it cannot be reached."""

    def __init__(self, temporal: Client, store: Store, crms: Mapping[str, str], projects: Collection[str] = ()) -> None:
        """`crms` is the CRM of each connection. A connection that left the settings is taken for one with Capsule.

        `projects` are the connections whose opportunities become projects too.
        """
        self._temporal, self._store, self._crms, self._projects = temporal, store, crms, projects

    async def party_changed(
        self, connection: str, party_id: int, cause: str, priority: int, side: ListedParty | None = None
    ) -> None:
        """Announce a party; `priority` is 1 if a person waits, 2 for a webhook, 3 for a sweep, 5 for a backfill.

        `side` is the party as a list has just shown it.
        """
        change = Change(system=self._crm(connection), cause=cause, priority=priority, party=side)
        await self._signal(connection, party_id, change)

    async def client_changed(self, connection: str, client_id: str, cause: str, priority: int) -> None:
        """Announce a FreshBooks client: to the party it is linked to, else to a workflow that finds or makes one."""
        change = Change(system="freshbooks", cause=cause, priority=priority)
        party_id = await self._store.links.crm_id_of(connection, CLIENTS_FLOW, client_id)
        if party_id is not None:
            await self._signal(connection, int(party_id), change)
        else:
            await self._signal_client(connection, int(client_id), change)

    async def payment_changed(self, connection: str, record_id: int, cause: str, priority: int) -> None:
        """Announce a FreshBooks payment."""
        await self._temporal.start_workflow(
            PaymentReconciliation.run,
            PaymentRequest(connection=connection, payment_id=record_id),
            id=payment_id(connection, record_id),
            task_queue=WORKFLOW_QUEUE,
            start_signal="changed",
            start_signal_args=[Change(system="freshbooks", cause=cause, priority=priority)],
            search_attributes=_attributes(connection, f"freshbooks-payment-{record_id}", PAYMENTS),
            static_summary=f"FreshBooks payment {record_id} → its invoice ({connection})",
            priority=Priority(priority_key=priority, fairness_key=connection),
            rpc_timeout=RPC_TIMEOUT,
        )

    async def record_created(self, key: RecordKey, cause: str, priority: int) -> None:
        """Announce a record that was created, unless it has its partner: then we made it, or have seen it since."""
        if not await self._store.links.is_active(key):
            await self.record_changed(key, cause, priority)

    async def opportunity_changed(
        self, connection: str, record_id: int, cause: str, priority: int, system: str | None = None
    ) -> None:
        """Announce an opportunity; `system` is the one that told of it, the CRM unless it is given."""
        crm = self._crm(connection)
        named, title = OPPORTUNITIES[crm]
        await self._temporal.start_workflow(
            OpportunityToEstimate.run,
            OpportunityRequest(connection=connection, opportunity_id=record_id, crm=crm),
            id=opportunity_id(connection, record_id, crm),
            task_queue=WORKFLOW_QUEUE,
            start_signal="changed",
            start_signal_args=[Change(system=system or crm, cause=cause, priority=priority)],
            search_attributes=_attributes(connection, f"{named}-{record_id}", OPPORTUNITIES_FLOW),
            static_summary=f"{title} {record_id} → FreshBooks estimate and invoice ({connection})",
            priority=Priority(priority_key=priority, fairness_key=connection),
            rpc_timeout=RPC_TIMEOUT,
        )

    async def project_changed(self, connection: str, record_id: int, cause: str, priority: int) -> None:
        """Announce an opportunity to the workflow of its project."""
        crm = self._crm(connection)
        named, title = OPPORTUNITIES[crm]
        await self._temporal.start_workflow(
            OpportunityToProject.run,
            ProjectRequest(connection=connection, opportunity_id=record_id, crm=crm),
            id=project_id(connection, record_id, crm),
            task_queue=WORKFLOW_QUEUE,
            start_signal="changed",
            start_signal_args=[Change(system=crm, cause=cause, priority=priority)],
            search_attributes=_attributes(connection, f"{named}-{record_id}", PROJECTS),
            static_summary=f"{title} {record_id} → FreshBooks project ({connection})",
            priority=Priority(priority_key=priority, fairness_key=connection),
            rpc_timeout=RPC_TIMEOUT,
        )

    async def document_changed(self, key: RecordKey, cause: str, priority: int) -> None:
        """Announce an estimate or an invoice to its opportunity. One that belongs to none is nobody's business."""
        owner = await self._store.links.crm_id_of(key.connection, key.flow, key.record_id)
        if owner is not None:
            await self.opportunity_changed(key.connection, int(owner), cause, priority, "freshbooks")

    async def record_changed(self, key: RecordKey, cause: str, priority: int) -> None:
        """Announce a record of either side."""
        if key.flow == PAYMENTS:
            await self.payment_changed(key.connection, int(key.record_id), cause, priority)
        elif key.flow == PROJECTS:
            await self.project_changed(key.connection, int(key.record_id), cause, priority)
        elif key.flow in DOCUMENT_FLOWS and key.side == "books":
            await self.document_changed(key, cause, priority)
        elif key.flow == OPPORTUNITIES_FLOW or key.flow in DOCUMENT_FLOWS:
            await self.opportunity_changed(key.connection, int(key.record_id), cause, priority)
            if key.flow == OPPORTUNITIES_FLOW and key.connection in self._projects:
                await self.project_changed(key.connection, int(key.record_id), cause, priority)
        elif key.side == "books":
            await self.client_changed(key.connection, key.record_id, cause, priority)
        else:
            await self.party_changed(key.connection, int(key.record_id), cause, priority)

    async def billing_wanted(self, connection: str, client_id: int, wish: BillingWish) -> None:
        """Have a client's hours billed up to a day."""
        await self._temporal.start_workflow(
            TimeEntriesToInvoice.run,
            BillingRequest(connection=connection, client_id=client_id),
            id=billing_id(connection, client_id),
            task_queue=WORKFLOW_QUEUE,
            start_signal="bill",
            start_signal_args=[wish],
            search_attributes=_attributes(connection, f"freshbooks-client-{client_id}", HOURS),
            static_summary=f"hours of FreshBooks client {client_id} → invoice ({connection})",
            priority=Priority(priority_key=wish.priority, fairness_key=connection),
            rpc_timeout=RPC_TIMEOUT,
        )

    async def creates_wait(self, connection: str) -> None:
        """Ask a person about the creates that go beyond the limit, unless somebody has been asked already."""
        attributes = [
            SearchAttributePair(CONNECTION, connection),
            SearchAttributePair(FLOW, CLIENTS_FLOW),
            SearchAttributePair(SYNC_STATE, SYNCING),
        ]
        await self._temporal.start_workflow(
            BulkCreates.run,
            BulkRequest(connection=connection, crm=self._crm(connection)),
            id=f"bulk-creates/{connection}/{CLIENTS_FLOW}",
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes(attributes),
            static_summary=f"more creates than the limit allows ({connection})",
            rpc_timeout=RPC_TIMEOUT,
        )

    async def handshake(self, connection: str, callback_id: str, verifier: str) -> None:
        """Answer the handshake of a FreshBooks callback."""
        await self._store.callbacks.offer(connection, callback_id, verifier)
        await self._temporal.start_workflow(
            CallbackVerification.run,
            CallbackRequest(connection=connection, callback_id=int(callback_id)),
            id=f"callback-verification/{connection}/freshbooks-callback-{callback_id}",
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"verify FreshBooks callback {callback_id} of {connection}",
            rpc_timeout=RPC_TIMEOUT,
        )

    async def _signal(self, connection: str, party_id: int, change: Change) -> None:
        crm = self._crm(connection)
        named, title = RECORDS[crm]
        await self._temporal.start_workflow(
            ClientUpsert.run,
            ClientUpsertRequest(connection=connection, party_id=party_id, crm=crm),
            id=client_upsert_id(connection, party_id, crm),
            task_queue=WORKFLOW_QUEUE,
            start_signal="changed",
            start_signal_args=[change],
            search_attributes=_attributes(connection, f"{named}-{party_id}"),
            static_summary=f"{title} {party_id} → FreshBooks client ({connection})",
            priority=Priority(priority_key=change.priority, fairness_key=connection),
            rpc_timeout=RPC_TIMEOUT,
        )

    async def _signal_client(self, connection: str, client_id: int, change: Change) -> None:
        await self._temporal.start_workflow(
            PartyFromClient.run,
            PartyFromClientRequest(connection=connection, client_id=client_id, crm=self._crm(connection)),
            id=party_from_client_id(connection, client_id),
            task_queue=WORKFLOW_QUEUE,
            start_signal="changed",
            start_signal_args=[change],
            search_attributes=_attributes(connection, f"freshbooks-client-{client_id}"),
            static_summary=f"FreshBooks client {client_id} → {RECORDS[self._crm(connection)][1]} ({connection})",
            priority=Priority(priority_key=change.priority, fairness_key=connection),
            rpc_timeout=RPC_TIMEOUT,
        )

    def _crm(self, connection: str) -> str:
        return self._crms.get(connection, CAPSULE)


def _attributes(connection: str, record: str, flow: str = CLIENTS_FLOW) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(CONNECTION, connection),
            SearchAttributePair(FLOW, flow),
            SearchAttributePair(SYNC_STATE, SYNCING),
            SearchAttributePair(RECORD_KEY, record),
        ]
    )
