"""Listing opportunities and their documents for a reconciliation: one activity a page, one request each."""

from typing import Any

from temporalio import activity

from activities.documents import DocumentActivities
from activities.errors import temporal_errors
from activities.opportunities import OpportunityActivities
from activities.opportunity_crm import CrmOpportunity
from activities.opportunity_models import DocumentSide, Kind
from activities.reconciliation_models import ListedPage, LookAtMoney, MoneyPage
from connectors.errors import NotFound
from connectors.freshbooks.models import DELETED

DOCUMENTS: dict[str, tuple[Kind, int | None]] = {
    "estimates": ("estimate", None),
    "deleted estimates": ("estimate", DELETED),
    "invoices": ("invoice", None),
    "deleted invoices": ("invoice", DELETED),
}
"""Which documents each list has: the kind, and the `vis_state` that is asked for."""


class ReconciledOpportunities(OpportunityActivities):
    """The opportunities of one account."""

    @activity.defn
    async def list_opportunities(self, asked: MoneyPage) -> ListedPage:
        """Stage one page of all opportunities. Safe to repeat: a page counts once, and a record is written over."""
        reports, name = self._store.reconciliations, asked.report.report_id
        with temporal_errors():
            listed = await self._crm.listed(None, asked.page)
            records = {str(each.id): await self._staged(each) for each in listed.items}
            await reports.staging.put(name, "crm", records)
            await reports.advance(name, asked.listing, asked.page, len(records), has_more=listed.has_more)
            return ListedPage(listed=len(records), has_more=listed.has_more)

    @activity.defn
    async def look_at_opportunity_again(self, asked: LookAtMoney) -> None:
        """Stage one opportunity as it is now, or forget it if it is gone. Safe to repeat."""
        reports, name = self._store.reconciliations, asked.report.report_id
        with temporal_errors():
            try:
                record = await self._staged(await self._crm.read(int(asked.record)))
            except NotFound:
                await reports.unstage(name, "crm", [asked.record])
                return
            await reports.staging.put(name, "crm", {asked.record: record})

    async def _staged(self, opportunity: CrmOpportunity) -> dict[str, Any]:
        side = await self._side(opportunity)
        names = self._rules.invoice_fields.items()
        shown = {fact: str(opportunity.fields.get(name) or "") for fact, name in names}
        return {"side": side.model_dump(mode="json"), "shown": shown}


class ReconciledDocuments(DocumentActivities):
    """The estimates and invoices of one FreshBooks account."""

    @activity.defn
    async def list_documents(self, asked: MoneyPage) -> ListedPage:
        """Stage one page of estimates or invoices. Safe to repeat, as `list_opportunities` is."""
        reports, name = self._store.reconciliations, asked.report.report_id
        kind, vis_state = DOCUMENTS[asked.listing]
        with temporal_errors():
            listed = await self._api(kind).list_page(page=asked.page, vis_state=vis_state)
            records = {f"{kind}:{each.id}": _staged(await self._side(each)) for each in listed.items}
            await reports.staging.put(name, "books", records)
            await reports.advance(name, asked.listing, asked.page, len(records), has_more=listed.has_more)
            return ListedPage(listed=len(records), has_more=listed.has_more)

    @activity.defn
    async def look_at_document_again(self, asked: LookAtMoney) -> None:
        """Stage one document as it is now, deleted or not. Safe to repeat."""
        kind, _, number = asked.record.partition(":")
        with temporal_errors():
            try:
                side = await self._side(
                    await self._api("estimate" if kind == "estimate" else "invoice").get(int(number))
                )
            except NotFound:
                side = DocumentSide(document_id=int(number), exists=False)
            staging = self._store.reconciliations.staging
            await staging.put(asked.report.report_id, "books", {asked.record: _staged(side)})


def _staged(side: DocumentSide) -> dict[str, Any]:
    return side.model_dump(mode="json", exclude_defaults=True)
