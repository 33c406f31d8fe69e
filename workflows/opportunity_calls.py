"""The steps of an opportunity's sync as its workflow takes them: each request on its account's queue, in turn, with its
line in the Temporal UI.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.documents import DocumentActivities
    from activities.models import PartyKey
    from activities.opportunities import OpportunityActivities
    from activities.opportunity_models import (
        DocumentKey,
        DocumentRef,
        DocumentsFound,
        DocumentSide,
        DocumentWritten,
        Kind,
        LookForDocument,
        MoveOpportunity,
        OpportunityKey,
        OpportunitySide,
        WriteBack,
        WriteDocument,
    )
    from activities.party_models import AnnounceParty
    from activities.passes import PassActivities
    from activities.queues import FRESHBOOKS
    from workflows.options import STORE_CALL, api_call


class OpportunityCalls:
    """The requests of one opportunity. `rank` runs from 1, a person waits, to 5, a backfill."""

    def __init__(self, key: OpportunityKey, crm: str) -> None:
        self._key, self.crm = key, crm
        self.rank = 5

    async def read_opportunity(self) -> OpportunitySide:
        """Return what the CRM says of it."""
        summary = f"read opportunity {self._key.opportunity_id}"
        return await workflow.execute_activity_method(
            OpportunityActivities.read_opportunity, self._key, **self._in_crm(summary)
        )

    async def read_document(self, kind: Kind, document_id: int) -> DocumentSide:
        """Return what FreshBooks says of an estimate or an invoice."""
        asked = DocumentRef(key=self.document_key(kind), document_id=document_id)
        return await workflow.execute_activity_method(
            DocumentActivities.read_document, asked, **self._freshbooks(f"read {kind} {document_id}")
        )

    async def look_for_document(self, search: LookForDocument) -> DocumentsFound:
        """Return the documents that have this number."""
        summary = f"look for {search.key.kind} {search.number}"
        return await workflow.execute_activity_method(
            DocumentActivities.look_for_document, search, **self._freshbooks(summary)
        )

    async def write_document(self, write: WriteDocument) -> DocumentWritten:
        """Take one step of a plan."""
        return await workflow.execute_activity_method(
            DocumentActivities.write_document, write, **self._freshbooks(write.plan.explanation)
        )

    async def write_opportunity(self, write: MoveOpportunity) -> None:
        """Write to the opportunity what its documents say."""
        what = ", ".join([*(each.field for each in write.writes), *(["milestone"] if write.milestone else [])])
        summary = f"write opportunity {self._key.opportunity_id}: {what}"
        await workflow.execute_activity_method(OpportunityActivities.write_opportunity, write, **self._in_crm(summary))

    async def write_back(self, write: WriteBack) -> None:
        """Tell the opportunity of its invoice."""
        summary = f"tell opportunity {self._key.opportunity_id} of invoice {write.invoice.document_id}"
        await workflow.execute_activity_method(OpportunityActivities.write_back, write, **self._in_crm(summary))

    async def announce_party(self, party_id: int, cause: str) -> None:
        """Let the workflow of a party make a pass, so that it gets its client."""
        key = PartyKey(connection=self._key.connection, party_id=party_id)
        asked = AnnounceParty(key=key, cause=cause, priority=self.rank)
        await workflow.execute_local_activity_method(PassActivities.announce_party, asked, **STORE_CALL)

    def document_key(self, kind: Kind) -> DocumentKey:
        """Return the name of the opportunity's estimate or invoice."""
        return DocumentKey(connection=self._key.connection, opportunity_id=self._key.opportunity_id, kind=kind)

    def _in_crm(self, summary: str) -> workflow.ActivityConfig:
        return api_call(self.crm, self._key.connection, self.rank, summary)

    def _freshbooks(self, summary: str) -> workflow.ActivityConfig:
        return api_call(FRESHBOOKS, self._key.connection, self.rank, summary)
