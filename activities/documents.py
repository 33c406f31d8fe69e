"""Estimates and invoices: the requests of an opportunity's sync to FreshBooks, one step an activity, safe to repeat."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from time import monotonic

from temporalio import activity

from activities.client_sweeps import first_day
from activities.crash_points import crash_point
from activities.differences import announce_new, difference
from activities.document_rules import FLOWS
from activities.document_sides import DocumentSettings, Staff, document_side, drafts, wire_values
from activities.errors import temporal_errors
from activities.models import OpenCreate
from activities.opportunity_models import (
    DocumentPlan,
    DocumentRef,
    DocumentsFound,
    DocumentSide,
    DocumentsPage,
    DocumentWritten,
    Kind,
    LookForDocument,
    WriteDocument,
)
from activities.opportunity_passes import document_record
from activities.queues import FRESHBOOKS
from activities.sides import audit_entry, record_times
from activities.sweep_models import SweptPage
from activities.write_once import WriteOnce
from connectors.errors import NotFound, Refused, UnknownOutcome
from connectors.freshbooks.document_models import Document, Estimate, Invoice
from connectors.freshbooks.documents import DocumentApi, FreshBooksDocuments
from connectors.freshbooks.models import ACTIVE, ARCHIVED, DELETED
from mapping.money import Money
from mapping.totals import compare
from store.intents import FenceLost
from store.links import Agreement
from store.news import Difference
from store.records import RecordKey
from store.store import Store

AnyApi = DocumentApi[Estimate] | DocumentApi[Invoice]
# Staff change a few times a year; somebody new is known after this long.
STAFF_LIVES = timedelta(minutes=10)
MOST_PAGES = 50
WITHDRAWN: dict[Kind, int] = {"estimate": ARCHIVED, "invoice": DELETED}
"""An estimate that was lost is archived; an invoice that is not due is void, which FreshBooks calls deleted."""


class DocumentActivities:
    """The estimates and invoices of one FreshBooks account."""

    def __init__(
        self,
        documents: FreshBooksDocuments,
        settings: DocumentSettings,
        store: Store,
        once: WriteOnce,
        announce: Callable[[RecordKey, str, int], Awaitable[None]],
    ) -> None:
        self._documents, self._settings = documents, settings
        self._store, self._once, self._announce = store, once, announce
        self._staff, self._staff_until = Staff(), 0.0

    @activity.defn
    async def read_document(self, asked: DocumentRef) -> DocumentSide:
        """Return what FreshBooks says of one document. Only reads."""
        with temporal_errors():
            try:
                return await self._side(await self._api(asked.key.kind).get(asked.document_id))
            except NotFound:
                return DocumentSide(document_id=asked.document_id, exists=False)

    @activity.defn
    async def look_for_document(self, search: LookForDocument) -> DocumentsFound:
        """Return the documents of this number, deleted ones too. Only reads."""
        with temporal_errors():
            api = self._api(search.key.kind)
            found: dict[int, Document] = {}
            for vis_state in (None, DELETED):
                found |= {each.id: each for each in await api.find_by_number(search.number, vis_state=vis_state)}
            is_first = False
            if search.client_id is not None:
                listed = await api.list_page(page=1, per_page=1, client_id=search.client_id)
                is_first = not listed.items and not listed.has_more
            return DocumentsFound(documents=[await self._side(each) for each in found.values()], is_first=is_first)

    @activity.defn
    async def write_document(self, write: WriteDocument) -> DocumentWritten:
        """Take one step of a plan: create, change, archive, restore, accept or send one document.

        Safe to repeat: a create takes its intent before the request, so a second attempt sends nothing; everything
        else sets values.
        """
        with temporal_errors():
            if write.plan.action == "create":
                return await self._create(write)
            document_id = _known(write.plan)
            crash_point("before-put")
            side = await self._side(await self._step(write, document_id))
            crash_point("after-put")
            if write.plan.action == "update":
                side = await self._as_written(write, side)
            await self._confirm(write, side, None)
            return DocumentWritten(document=side, mismatch=_mismatch(write.plan, side))

    @activity.defn
    async def sweep_documents(self, page: DocumentsPage) -> SweptPage:
        """List one page of changed documents and announce those that differ from what was last seen.

        One that belongs to no opportunity is nobody's business. Safe to repeat.
        """
        with temporal_errors():
            if page.since is None:  # everything that is linked is compared by the sweep of opportunities
                return SweptPage(listed=0, announced=0, has_more=False)
            flow, api = FLOWS[page.kind], self._api(page.kind)
            found: list[Document] = []
            listed = await api.list_page(page=page.page, updated_min=first_day(page.since))
            found.extend(listed.items)
            different = await self._different(page, flow, found)

            async def tell(document_id: str) -> None:
                await self._announce(RecordKey(page.connection, flow, document_id, "books"), "sweep", page.priority)

            stream = f"{FRESHBOOKS}.{flow}"
            announced = await announce_new(self._store.news, page.connection, stream, different, tell)
            return SweptPage(listed=len(found), announced=announced, has_more=listed.has_more)

    async def _different(self, page: DocumentsPage, flow: str, found: Sequence[Document]) -> list[Difference]:
        ids = [str(each.id) for each in found]
        seen = await self._store.sightings.of(page.connection, flow, "books", ids)
        different = []
        for each in found:
            sighting = seen.get(str(each.id))
            side = await self._side(each)
            if sighting is not None and sighting.fingerprint != side.fingerprint:
                different.append(difference(each.id, self._store.links, each.updated, side.fingerprint))
        return different

    async def _create(self, write: WriteDocument) -> DocumentWritten:
        create = _intent(write.create)
        kind, plan = write.key.kind, write.plan
        values = wire_values(kind, plan, create.reference, await self._known_staff(), self._settings, new=True)
        lines = drafts(plan.lines or (), str(values["currency_code"]))
        api = self._api(kind)

        async def send() -> Document:
            return await api.create(values, lines)

        try:
            document = await self._once.send(write.key.connection, create, send)
        except FenceLost:
            return await self._earlier_attempt(write)
        crash_point("after-post")
        side = await self._side(document)
        await self._confirm(write, side, create.intent_id)
        return DocumentWritten(document=side, mismatch=_mismatch(plan, side))

    async def _earlier_attempt(self, write: WriteDocument) -> DocumentWritten:
        record, kind = document_record(write.key), write.key.kind
        link = await self._store.links.of_crm(record)
        if link is not None and link.books_id is not None:
            side = await self._side(await self._api(kind).get(int(link.books_id)))
            return DocumentWritten(document=side, mismatch=_mismatch(write.plan, side))
        intent = await self._store.intents.open_one(record)
        if intent is not None and intent.state == "reserved":
            text = f"the create of the {kind} of opportunity {write.key.opportunity_id} was put off"
            raise FenceLost(f"{text}: look before trying again")
        raise UnknownOutcome(FRESHBOOKS, f"an earlier attempt to create this {kind} ended without an answer")

    async def _step(self, write: WriteDocument, document_id: int) -> Document:
        kind, plan, api = write.key.kind, write.plan, self._api(write.key.kind)
        match plan.action:
            case "archive":
                return await api.set_visibility(document_id, WITHDRAWN[kind])
            case "restore":
                return await api.set_visibility(document_id, ACTIVE)
            case "accept":
                return await self._documents.estimates.accept(document_id)
            case "send":
                return await self._documents.invoices.mark_as_sent(document_id)
            case "adopt":
                return await api.get(document_id)
            case _:
                return await self._update(write, document_id)

    async def _update(self, write: WriteDocument, document_id: int) -> Document:
        kind, plan, api = write.key.kind, write.plan, self._api(write.key.kind)
        values = wire_values(kind, plan, "", await self._known_staff(), self._settings, new=False)
        if plan.lines is not None:
            currency = str(plan.next_base.get("currency"))
            return await api.replace_lines(document_id, drafts(plan.lines, currency), values)
        return await api.update(document_id, values) if values else await api.get(document_id)

    async def _as_written(self, write: WriteDocument, side: DocumentSide) -> DocumentSide:
        """Return the document once it says what was written. FreshBooks was seen to answer 200 and change nothing."""
        kept = [each.field for each in write.plan.writes if side.values.get(each.field) == each.before != each.after]
        if not set(kept) - {"owner"}:
            return side
        again = await self._side(await self._api(write.key.kind).get(side.document_id))
        left = [each.field for each in write.plan.writes if again.values.get(each.field) == each.before]
        if set(left) - {"owner"}:
            what = f"{write.key.kind} {side.document_id}"
            raise Refused(
                FRESHBOOKS, f"FreshBooks accepted the change of {what} and did not make it: look at it, then retry"
            )
        return again

    async def _confirm(self, write: WriteDocument, side: DocumentSide, intent_id: int | None) -> None:
        plan, record = write.plan, document_record(write.key)
        agreed = Agreement(
            books_id=str(side.document_id),
            base={**plan.next_base, "status": _agreed_status(plan, side)},
            # What an answer was lost of is linked, and not yet compared: whoever looks next finds it due.
            crm_seen="" if plan.action == "adopt" else write.crm_seen,
            books_seen=side.fingerprint,
            mapping_version=write.version,
        )
        request = f"{'POST' if plan.action == 'create' else 'PUT'} {plan.kind} {side.document_id}: {plan.action}"
        times = record_times(
            crm_created=write.opportunity_created_at,
            crm_changed=write.opportunity_changed_at,
            books_created=write.document_created_at or side.created_at,
            books_changed=write.document_changed_at or side.changed_at,
        )
        entry = audit_entry(
            plan.action, write.cause, write.version, plan.writes, side="books", request=request, times=times
        )
        written = {each.field for each in plan.writes}
        entry = replace(entry, rules={field: words for field, words in plan.rules.items() if field in written})
        if plan.action == "archive":
            await self._store.links.agree(record, agreed)
            await self._store.links.set_state(record, "tombstoned", audit=entry)
            return
        intent = intent_id or (write.create.intent_id if plan.action == "adopt" and write.create else None)
        await self._store.links.confirm(record, agreed, audit=entry, intent_id=intent)
        crash_point("after-confirm")

    async def _side(self, document: Document) -> DocumentSide:
        staff = await self._known_staff()
        return document_side(document, document.id, staff, self._settings, self._store.links)

    def _api(self, kind: Kind) -> AnyApi:
        return self._documents.estimates if kind == "estimate" else self._documents.invoices

    async def _known_staff(self) -> Staff:
        if monotonic() > self._staff_until:
            emails: dict[int, str] = {}
            for page in range(1, MOST_PAGES + 1):
                listed = await self._documents.staff(page=page)
                emails |= {each.id: each.email.strip().casefold() for each in listed.items if each.email}
                if not listed.has_more:
                    break
            self._staff, self._staff_until = Staff(emails), monotonic() + STAFF_LIVES.total_seconds()
        return self._staff


def _agreed_status(plan: DocumentPlan, side: DocumentSide) -> str:
    """Return the status that both sides know of then.

    What the customer did while we wrote, or before we found what a lost answer had left, is news that the opportunity
    has yet to hear: only a step that sets the status itself settles it.
    """
    known = plan.next_base.get("status")
    return str(known) if plan.action in {"adopt", "update", "restore"} and known is not None else side.status


def _known(plan: DocumentPlan) -> int:
    if plan.document_id is None:
        raise ValueError(f"to {plan.action} a document takes its id")
    return plan.document_id


def _intent(create: OpenCreate | None) -> OpenCreate:
    if create is None:
        raise ValueError("a create needs its intent")
    return create


def _mismatch(plan: DocumentPlan, side: DocumentSide) -> str:
    """Return how the total differs from the predicted one, without amounts; "" if it does not."""
    if not plan.predicted:
        return ""
    predicted = Money.parse(plan.predicted, str(plan.next_base.get("currency")))
    different = compare(predicted, Decimal(side.total or "0"), side.currency)
    return different.reason(f"{plan.kind} {side.document_id}") if different else ""
