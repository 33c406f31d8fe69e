"""Hours and their invoices: the requests of billing to FreshBooks, one step an activity, safe to repeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from temporalio import activity

from activities.billing_books import HoursBooks, as_entry
from activities.billing_models import (
    BillingDays,
    BillingMoment,
    BillPlan,
    BillStep,
    EntriesChecked,
    EntryMarked,
    EntryStep,
    InvoiceMade,
    InvoicesFound,
    ListUnbilled,
    OpenBill,
    PlanBill,
    UnbilledPage,
)
from activities.billing_passes import bill_record
from activities.billing_planning import Billable, plan_of
from activities.billing_rules import BillingRules
from activities.crash_points import crash_point
from activities.document_sides import drafts
from activities.errors import temporal_errors
from activities.models import OpenCreate
from activities.opportunity_models import Line
from activities.queues import FRESHBOOKS
from activities.sides import audit_entry
from activities.write_once import WriteOnce
from connectors.errors import Refused, UnknownOutcome
from connectors.freshbooks.document_models import Invoice
from connectors.freshbooks.documents import InvoiceApi
from connectors.freshbooks.hours import Hours
from connectors.freshbooks.models import ACTIVE, DELETED
from mapping.money import Money
from mapping.periods import latest_ended, midnight
from mapping.plan import FieldWrite
from mapping.time_entries import TimeEntry
from mapping.totals import compare
from store.intents import FenceLost
from store.links import Agreement
from store.store import Store

BILLING_STREAM = "billing"


@dataclass(frozen=True)
class BillingBooks:
    """What an account is asked about hours: the entries themselves, what they cost, and the invoices."""

    hours: Hours
    books: HoursBooks
    invoices: InvoiceApi


class BillingActivities:
    """The bills of one FreshBooks account."""

    def __init__(self, account: BillingBooks, rules: BillingRules, store: Store, once: WriteOnce) -> None:
        self._hours, self._books, self._invoices = account.hours, account.books, account.invoices
        self._rules, self._store, self._once = rules, store, once
        self._zone = rules.zone

    @activity.defn
    async def billing_days(self, moment: BillingMoment) -> BillingDays:
        """Return the last period that is over. Only reads."""
        with temporal_errors():
            zone = await self._own_zone()
            period = latest_ended(self._rules.calendar, moment.at, zone)
            ended_at = period.ends_at(zone) if period is not None else None
            if period is None or period.last is None or ended_at is None:
                return BillingDays()
            done_until = await self._store.cursors.read(moment.connection, BILLING_STREAM)
            if moment.once and done_until is not None and done_until >= ended_at:
                return BillingDays()
            return BillingDays(first=period.first, until=period.last + timedelta(days=1), ended_at=ended_at)

    @activity.defn
    async def list_unbilled(self, asked: ListUnbilled) -> UnbilledPage:
        """Return the clients of one page of entries that are not billed. Only reads."""
        with temporal_errors():
            end = await self._end_of(asked.until)
            entries, has_more = await self._books.page(end, asked.page)
            directory = await self._books.directory()
            clients = {directory.client_of(each) for each in entries}
            known = sorted(each for each in clients if each is not None)
            return UnbilledPage(client_ids=known, listed=len(entries), has_more=has_more)

    @activity.defn
    async def plan_bill(self, asked: PlanBill) -> BillPlan:
        """Return what the next bill of a client holds. Only reads."""
        with temporal_errors():
            client_id, connection = asked.key.client_id, asked.key.connection
            client = await self._books.client(client_id)
            entries = await self._books.unbilled(client_id, await self._end_of(asked.until))
            taken = await self._store.bills.taken(connection, sorted({each.id for each in entries}))
            invoices = await self._invoices.list_page(page=1, per_page=1, client_id=client_id)
            known = Billable(
                client,
                await self._books.facts(client, entries),
                frozenset(taken),
                not invoices.items and not invoices.has_more,
                await self._own_zone(),
            )
            plan = plan_of(asked, known, self._rules, self._fingerprint)
            if plan.hold_reason is not None:  # whoever puts a rate right wants it to be seen at once
                self._books.forget()
            return plan

    @activity.defn
    async def check_entries(self, step: BillStep) -> EntriesChecked:
        """Return the entries of a bill that are not what they were when they were claimed. Only reads."""
        with temporal_errors():
            plan = step.bill.plan
            now = await self._books.unbilled(plan.key.client_id, await self._end_of(plan.until))
            found = {each.id: self._fingerprint(each) for each in now}
            return EntriesChecked(changed=sorted(id_ for id_, was in plan.entries.items() if found.get(id_) != was))

    @activity.defn
    async def look_for_bill(self, step: BillStep) -> InvoicesFound:
        """Return the invoices of a bill's number, deleted ones too. Only reads."""
        with temporal_errors():
            found: dict[int, Invoice] = {}
            for vis_state in (None, DELETED):
                listed = await self._invoices.find_by_number(step.bill.number, vis_state=vis_state)
                found |= {each.id: each for each in listed}
            ours = [each.id for each in found.values() if each.po_number == _intent(step.bill).reference]
            foreign = [each.id for each in found.values() if each.id not in ours and each.vis_state == ACTIVE]
            return InvoicesFound(ours=min(ours, default=None), foreign=min(foreign, default=None))

    @activity.defn
    async def create_bill(self, step: BillStep) -> InvoiceMade:
        """Make the invoice of a bill. Safe to repeat: it takes its intent before the request."""
        with temporal_errors():
            bill, create = step.bill, _intent(step.bill)
            values, lines = await self._values(bill, create), drafts(_lines(bill), bill.plan.currency)

            async def send() -> Invoice:
                return await self._invoices.create(values, lines)

            try:
                invoice = await self._once.send(bill.plan.key.connection, create, send)
            except FenceLost:
                return await self._earlier_attempt(step)
            crash_point("after-post")
            return await self._confirm(step, invoice, "create", create.intent_id)

    @activity.defn
    async def adopt_bill(self, step: BillStep) -> InvoiceMade:
        """Take over the invoice that a lost create has left; one that is ours already is only read. Safe to repeat."""
        with temporal_errors():
            invoice = await self._invoices.get(_known(step.bill))
            if invoice.vis_state != ACTIVE:
                text = f"invoice {invoice.id} of this bill was deleted or archived: restore it, then retry"
                raise Refused(FRESHBOOKS, text)
            if step.bill.create is None:
                return _made(step.bill, invoice)
            return await self._confirm(step, invoice, "adopt", step.bill.create.intent_id)

    @activity.defn
    async def send_bill(self, step: BillStep) -> InvoiceMade:
        """Mark the invoice as sent: from then on it counts. Safe to repeat."""
        with temporal_errors():
            crash_point("before-put")
            invoice = await self._invoices.mark_as_sent(_known(step.bill))
            crash_point("after-put")
            return await self._confirm(step, invoice, "send", None)

    @activity.defn
    async def mark_entry(self, step: EntryStep) -> EntryMarked:
        """Tell FreshBooks that an entry is billed, unless somebody changed it meanwhile. Safe to repeat."""
        with temporal_errors():
            entry_id = step.entry.entry_id
            read = await self._hours.time_entry(entry_id)
            if read is None and not step.anyway:
                return EntryMarked(outcome="gone")
            if (
                read is not None
                and not step.anyway
                and self._fingerprint(as_entry(read.entry)) != step.entry.fingerprint
            ):
                return EntryMarked(outcome="changed")
            if read is not None and not read.entry.billed:
                crash_point("before-put")
                await self._hours.mark_billed(read)
                crash_point("after-put")
            await self._store.bills.marked(step.bill_id, entry_id)
            return EntryMarked(outcome="marked")

    async def _earlier_attempt(self, step: BillStep) -> InvoiceMade:
        """Return what an attempt of which Temporal knows nothing has made."""
        record = bill_record(step.bill.plan.key.connection, step.bill.bill_id)
        link = await self._store.links.of_crm(record)
        if link is not None and link.books_id is not None:
            return _made(step.bill, await self._invoices.get(int(link.books_id)))
        intent = await self._store.intents.open_one(record)
        if intent is not None and intent.state == "reserved":
            raise FenceLost(f"the create of invoice {step.bill.number} was put off: look before trying again")
        raise UnknownOutcome(FRESHBOOKS, "an earlier attempt to create this invoice ended without an answer")

    async def _confirm(self, step: BillStep, invoice: Invoice, action: str, intent_id: int | None) -> InvoiceMade:
        plan = step.bill.plan
        made = _made(step.bill, invoice)
        agreed = Agreement(
            books_id=str(invoice.id),
            base={
                "status": invoice.state,
                "number": invoice.number,
                "total": made.total,
                "currency": plan.currency,
                "mismatch": made.mismatch,
            },
            crm_seen=plan.digest,
            books_seen="",
            mapping_version=plan.version,
        )
        request = f"{'PUT' if action == 'send' else 'POST'} invoice {invoice.id}: {action}"
        entries = ", ".join(str(each) for each in sorted(plan.entries))
        said = {"total": plan.predicted, "time entries": entries} if action != "send" else {}
        writes = [FieldWrite(field=field, before=None, after=value) for field, value in said.items()]
        entry = audit_entry(action, step.cause, plan.version, writes, side="books", request=request)
        record = bill_record(plan.key.connection, step.bill.bill_id)
        await self._store.links.confirm(record, agreed, audit=entry, intent_id=intent_id)
        await self._store.bills.invoiced(step.bill.bill_id, invoice.id)
        crash_point("after-confirm")
        return made

    async def _values(self, bill: OpenBill, create: OpenCreate) -> dict[str, object]:
        return {
            "customerid": bill.plan.key.client_id,
            "create_date": await self._today(),
            "currency_code": bill.plan.currency,
            "invoice_number": bill.number,
            "po_number": create.reference,
            "due_offset_days": self._rules.due_days,
        }

    async def _today(self) -> date:
        return datetime.now(await self._own_zone()).date()

    async def _end_of(self, until: date) -> datetime:
        return midnight(until, await self._own_zone())

    async def _own_zone(self) -> ZoneInfo:
        """Return the firm's time zone: that of the settings, or what FreshBooks says."""
        if self._zone is None:
            self._zone = await self._hours.time_zone()
        return self._zone

    def _fingerprint(self, entry: TimeEntry) -> str:
        return self._store.links.fingerprint({"entry": entry.content()})


def _lines(bill: OpenBill) -> Sequence[Line]:
    return [each.line for each in bill.plan.lines]


def _made(bill: OpenBill, invoice: Invoice) -> InvoiceMade:
    """Return the invoice as FreshBooks computed it, compared with what was predicted."""
    currency = invoice.currency_code or bill.plan.currency
    total = invoice.amount.amount if invoice.amount else Decimal(0)
    different = compare(Money.parse(bill.plan.predicted, bill.plan.currency), total, currency)
    mismatch = different.reason(f"invoice {invoice.id}") if different else ""
    return InvoiceMade(invoice_id=invoice.id, status=invoice.state, total=f"{total:f}", mismatch=mismatch)


def _known(bill: OpenBill) -> int:
    if bill.invoice_id is None:
        raise ValueError(f"bill {bill.bill_id} has no invoice yet")
    return bill.invoice_id


def _intent(bill: OpenBill) -> OpenCreate:
    if bill.create is None:
        raise ValueError(f"bill {bill.bill_id} has no intent yet")
    return bill.create
