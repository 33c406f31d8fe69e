"""Listing both sides for a reconciliation: one activity a page, one request each, and our store knows the next page."""

from temporalio import activity

from activities.errors import temporal_errors
from activities.plan_listing import ClientListing, PartyListing
from activities.plan_models import StagePage
from activities.reconciliation_models import BOOKS, CRM, DELETED, ListedPage, ListPage, LookAgain
from activities.sweeps import OVERLAP
from connectors.errors import NotFound
from connectors.freshbooks.models import DELETED as VIS_DELETED


class ReconciledParties(PartyListing):
    """The parties of one account."""

    @activity.defn
    async def list_parties(self, asked: ListPage) -> ListedPage:
        """Stage one page of all parties. Safe to repeat: a page counts once, and a record is written over."""
        report = asked.report
        staged = await self.stage_parties(StagePage(plan=report.staged_as, page=asked.page))
        await self._store.reconciliations.advance(
            report.report_id, CRM, asked.page, staged.listed, has_more=staged.has_more
        )
        return ListedPage(listed=staged.listed, has_more=staged.has_more)

    @activity.defn
    async def look_at_party_again(self, asked: LookAgain) -> None:
        """Stage one party as it is now, or forget it if it is gone. Safe to repeat."""
        name, record_id = asked.report.report_id, str(asked.record_id)
        with temporal_errors():
            try:
                party = await self._crm.read(asked.record_id)
            except NotFound:
                await self._store.reconciliations.unstage(name, "crm", [record_id])
                return
            record = await self._staged(asked.report.connection, party)
            await self._store.reconciliations.staging.put(name, "crm", {record_id: record})


class ReconciledClients(ClientListing):
    """The clients of one FreshBooks account."""

    @activity.defn
    async def list_clients(self, asked: ListPage) -> ListedPage:
        """Stage one page of clients. Safe to repeat, as `list_parties` is.

        Active and archived clients that are deleted while we list leave their list, and the rows behind them move up:
        those of the deleted that were deleted since this pass began are named.
        """
        report, vis_state = asked.report, VIS_DELETED if asked.deleted else None
        with temporal_errors():
            listed = await self._freshbooks.list_clients(page=asked.page, vis_state=vis_state)
            records = {str(client.id): self._staged(client) for client in listed.items}
            await self._store.reconciliations.staging.put(report.report_id, "books", records)
            await self._store.reconciliations.advance(
                report.report_id,
                DELETED if asked.deleted else BOOKS,
                asked.page,
                len(listed.items),
                has_more=listed.has_more,
            )
        lately = [
            each.id for each in listed.items if each.updated is not None and each.updated >= asked.began - OVERLAP
        ]
        return ListedPage(
            listed=len(listed.items), has_more=listed.has_more, deleted_lately=lately if asked.deleted else []
        )

    @activity.defn
    async def look_at_client_again(self, asked: LookAgain) -> None:
        """Stage one client as it is now, or forget it if it is gone. Safe to repeat."""
        name, record_id = asked.report.report_id, str(asked.record_id)
        with temporal_errors():
            try:
                client = await self._freshbooks.get_client(asked.record_id)
            except NotFound:
                await self._store.reconciliations.unstage(name, "books", [record_id])
                return
            await self._store.reconciliations.staging.put(name, "books", {record_id: self._staged(client)})
