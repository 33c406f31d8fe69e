"""Opportunities: the requests of their sync to the CRM, each safe to repeat."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from temporalio import activity

from activities.differences import announce_all, difference, tell_all
from activities.document_rules import FLOWS
from activities.errors import temporal_errors
from activities.opportunity_crm import CrmOpportunity, OpportunityCrm
from activities.opportunity_models import (
    DocumentKey,
    DocumentSide,
    MoveOpportunity,
    OpportunityKey,
    OpportunitySide,
    OpportunityWritten,
    WriteBack,
)
from activities.opportunity_passes import document_record
from activities.opportunity_sides import OpportunityRules, opportunity_side
from activities.sides import audit_entry, record_times
from activities.sweep_models import SweepPage, SweptPage
from activities.watch_models import DeletionsPage
from connectors.errors import NotFound
from mapping.plan import FieldWrite
from mapping.values import Value
from store.audit import AuditEntry
from store.intents import FenceLost
from store.links import Agreement
from store.news import Difference
from store.store import Store

WORDS: Mapping[str, str] = {
    "name": "from the line of the estimate, which a person changed",
    "amount": "from the lines of the estimate before tax, which a person changed",
    "milestone": "from the estimate's status, by opportunities.milestones",
}
INVOICE_SHOWN = "from the invoice, by opportunities.invoice_fields"
"""How what is written to an opportunity was made, as the audit log says it."""
Announce = Callable[[str, int, str, int], Awaitable[None]]
"""Tells the workflow of an opportunity: connection, id, cause, priority."""


class OpportunityActivities:
    """The opportunities of one account."""

    def __init__(self, crm: OpportunityCrm, rules: OpportunityRules, store: Store, announce: Announce) -> None:
        self._crm, self._rules, self._store, self._announce = crm, rules, store, announce

    @activity.defn
    async def read_opportunity(self, key: OpportunityKey) -> OpportunitySide:
        """Return what the CRM says of one opportunity. Only reads."""
        with temporal_errors():
            try:
                return await self._side(await self._crm.read(key.opportunity_id))
            except NotFound:
                return OpportunitySide(exists=False)

    @activity.defn
    async def write_opportunity(self, write: MoveOpportunity) -> OpportunityWritten:
        """Carry to the opportunity what people changed in its estimate, or move it to the milestone that it has won.

        It is read again: if it has moved since the plan was made, nothing is written. Safe to repeat: it sets values.
        """
        with temporal_errors():
            now = await self._crm.read(write.key.opportunity_id)
            side = await self._side(now)
            if side.fingerprint != write.seen and not _is_done(side, write):
                raise FenceLost(f"opportunity {now.id} changed meanwhile: look again")
            values = {each.field: each.after for each in write.writes}
            if values:
                amount = Decimal(str(values["amount"])) if values.get("amount") is not None else None
                await self._crm.write(now, str(values["name"]) if values.get("name") else None, amount)
            if write.milestone:
                await self._crm.move(now, write.milestone)
            after = await self._side(await self._crm.read(now.id))
            await self._note_down(write, side, after)
            return OpportunityWritten(opportunity=after)

    @activity.defn
    async def write_back(self, told: WriteBack) -> None:
        """Show the invoice on the opportunity: in its custom fields, and once in a note with our marker.

        Safe to repeat: fields are set, and a note of this marker is looked for first.
        """
        with temporal_errors():
            opportunity = await self._crm.read(told.key.opportunity_id)
            shown = {
                self._rules.invoice_fields[name]: text
                for name, text in shown_of_invoice(told.invoice).items()
                if name in self._rules.invoice_fields
            }
            different = {name: text for name, text in shown.items() if str(opportunity.fields.get(name) or "") != text}
            if different:
                await self._crm.write_fields(opportunity.id, different)
            if self._rules.writes_note:
                await self._crm.note(opportunity.id, told.reference, _note(told))
            await self._remember(told, opportunity, different)

    @activity.defn
    async def sweep_opportunities(self, page: SweepPage) -> SweptPage:
        """List one page of changed opportunities and announce those that differ. Safe to repeat."""
        with temporal_errors():
            listed = await self._crm.listed(page.since, page.page)
            found = [each for each in [await self._difference(page.connection, one) for one in listed.items] if each]
            tell = self._teller(page.connection, "sweep" if page.since else "first sweep", page.priority)
            if page.since:
                await announce_all(self._store.news, page.connection, self._stream, found, tell)
            else:
                await tell_all([each.record_id for each in found], tell)
            return SweptPage(listed=len(listed.items), announced=len(found), has_more=listed.has_more)

    @activity.defn
    async def sweep_gone_opportunities(self, page: DeletionsPage) -> SweptPage:
        """List one page of deleted opportunities and announce those with a document. Safe to repeat."""
        with temporal_errors():
            listed = await self._crm.gone(page.since, page.page)
            ids = [str(each.id) for each in listed.deleted]
            linked = {
                each for flow in FLOWS.values() for each in await self._store.links.seen(page.connection, flow, ids)
            }
            gone = [each for each in listed.deleted if str(each.id) in linked]
            found = [difference(each.id, self._store.links, each.at, "deleted") for each in gone]
            tell = self._teller(page.connection, "sweep: deleted", page.priority)
            announced = await announce_all(self._store.news, page.connection, self._stream, found, tell)
            return SweptPage(listed=len(ids), announced=announced, has_more=listed.has_more)

    @property
    def _stream(self) -> str:
        return f"{self._crm.system}.opportunities"

    async def _side(self, opportunity: CrmOpportunity) -> OpportunitySide:
        return opportunity_side(opportunity, await self._crm.milestones(), self._rules, self._store.links)

    async def _difference(self, connection: str, opportunity: CrmOpportunity) -> Difference | None:
        """Return what differs from what was last seen. What has no document and needs none is none of our business."""
        side = await self._side(opportunity)
        seen = [
            found[str(opportunity.id)]
            for flow in FLOWS.values()
            if (found := await self._store.links.seen(connection, flow, [str(opportunity.id)]))
        ]
        wanted = (side.state == "open" and side.is_due) or side.state == "won"
        if all(each == (side.fingerprint, self._rules.version) for each in seen) and (seen or not wanted):
            return None
        state = f"{side.fingerprint} {self._rules.version}"
        return difference(opportunity.id, self._store.links, opportunity.changed_at, state)

    def _teller(self, connection: str, cause: str, priority: int) -> Callable[[str], Awaitable[None]]:
        async def tell(record_id: str) -> None:
            await self._announce(connection, int(record_id), cause, priority)

        return tell

    async def _note_down(self, write: MoveOpportunity, before: OpportunitySide, after: OpportunitySide) -> None:
        moved = [FieldWrite(field="milestone", before=None, after=write.milestone)] if write.milestone else []
        times = record_times(
            crm_created=before.created_at,
            crm_changed=before.changed_at,
            books_created=write.document_created_at,
            books_changed=write.document_changed_at,
        )
        entry = _entry("update", write, [*write.writes, *moved], times)
        key = DocumentKey(**write.key.model_dump(), kind="estimate")
        await self._confirm(key, entry, write.next_base, after.fingerprint)

    async def _remember(self, told: WriteBack, opportunity: CrmOpportunity, written: dict[str, str]) -> None:
        """Save what the opportunity was told, so that it is not told again."""
        writes = [FieldWrite(field=name, before=None, after=text) for name, text in written.items()]
        times = record_times(
            crm_created=opportunity.created_at,
            crm_changed=opportunity.changed_at,
            books_created=told.invoice.created_at,
            books_changed=told.invoice.changed_at,
        )
        entry = _entry("tell", told, writes, times)
        key = DocumentKey(**told.key.model_dump(), kind="invoice")
        await self._confirm(key, entry, {"told": told.invoice.fingerprint})

    async def _confirm(
        self, key: DocumentKey, entry: AuditEntry, more: Mapping[str, Value], crm_seen: str | None = None
    ) -> None:
        record = document_record(key)
        link = await self._store.links.of_crm(record)
        if link is None or link.books_id is None:
            return
        agreed = Agreement(
            books_id=link.books_id,
            base={**(link.base or {}), **more},
            crm_seen=crm_seen or link.crm_seen or "",
            books_seen=link.books_seen or "",
            mapping_version=link.mapping_version or "",
        )
        await self._store.links.agree(record, agreed, audit=entry)


def _is_done(side: OpportunitySide, write: MoveOpportunity) -> bool:
    """Return whether an earlier attempt has written it all."""
    written = all(side.values.get(each.field) == each.after for each in write.writes)
    return written and write.milestone in ("", side.milestone)


def _entry(
    action: str, asked: MoveOpportunity | WriteBack, writes: Sequence[FieldWrite], times: Mapping[str, datetime]
) -> AuditEntry:
    request = f"PUT opportunity {asked.key.opportunity_id}"
    entry = audit_entry(action, asked.cause, asked.version, writes, side="crm", request=request, times=times)
    return replace(entry, rules={each.field: WORDS.get(each.field, INVOICE_SHOWN) for each in writes})


def shown_of_invoice(invoice: DocumentSide) -> dict[str, str]:
    """Return what custom fields show of an invoice, by what the settings call it."""
    return {
        "id": str(invoice.document_id),
        "number": invoice.number,
        "amount": invoice.total,
        "paid": invoice.paid,
        "outstanding": invoice.outstanding or invoice.total,
        "currency": invoice.currency,
        "status": invoice.status if invoice.visible else "void",
        "link": invoice.link,
    }


def _note(told: WriteBack) -> str:
    """Return the note. Its marker is how it is found again, so there is one for each invoice."""
    invoice = told.invoice
    return f"Invoice {invoice.number} in FreshBooks: {invoice.total} {invoice.currency} [{told.reference}]"
