"""Payments, their invoices and credit notes: what FreshBooks is asked about them. Nothing here writes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from temporalio import activity

from activities.client_sweeps import first_day
from activities.differences import announce_new, difference
from activities.errors import temporal_errors
from activities.payment_models import LedgerPage, LedgerSums, PaymentJudged, PaymentKey, PaymentsPage
from activities.payment_sides import (
    as_invoice,
    as_payment,
    credit_sums,
    invoice_sums,
    payment_sums,
    seen_of,
    shown_of,
)
from activities.sweep_models import SweptPage
from connectors.errors import NotFound
from connectors.freshbooks.credits import CreditApi
from connectors.freshbooks.document_models import Invoice
from connectors.freshbooks.documents import InvoiceApi
from connectors.freshbooks.models import DELETED
from connectors.freshbooks.payment_models import Payment
from connectors.freshbooks.payments import PaymentApi
from mapping.payment_troubles import Finding, PaymentTrouble
from mapping.payments import InvoiceBalance, PaymentRules, reconcile
from store.news import Difference
from store.records import RecordKey
from store.store import Store

PAYMENTS_FLOW = "payments"
GONE = "deleted"
REASONS = {
    PaymentTrouble.UNAPPLIED: "missing-parent",
    PaymentTrouble.ORPHAN: "missing-parent",
    PaymentTrouble.WRONG_CLIENT: "conflict",
    PaymentTrouble.DUPLICATE: "duplicate-found",
}
"""Why a payment is held. What is not named here is about numbers."""


@dataclass(frozen=True)
class PaymentBooks:
    """What an account is asked about."""

    invoices: InvoiceApi
    payments: PaymentApi
    credit_notes: CreditApi


class PaymentActivities:
    """The payments of one FreshBooks account."""

    def __init__(
        self,
        books: PaymentBooks,
        rules: PaymentRules,
        store: Store,
        announce: Callable[[RecordKey, str, int], Awaitable[None]],
    ) -> None:
        self._invoices, self._payments, self._credits = books.invoices, books.payments, books.credit_notes
        self._rules, self._store, self._announce = rules, store, announce

    @activity.defn
    async def judge_payment(self, key: PaymentKey) -> PaymentJudged:
        """Return what a payment comes to beside its invoice and the other payments of it. Only reads."""
        with temporal_errors():
            try:
                payment = await self._payments.get(key.payment_id)
            except NotFound:
                return PaymentJudged(fingerprint=self._store.links.fingerprint({GONE: True}), verdict=GONE)
            invoice = await self._invoice(payment)
            told = PaymentJudged(fingerprint=self._print(payment, invoice), verdict=GONE, invoice_id=payment.invoiceid)
            if payment.vis_state == DELETED:
                return told
            beside = await self._payments.of_invoice(payment.invoiceid) if payment.invoiceid else []
            paid = {each.id: each for each in [*beside, payment]}
            invoices = [] if invoice is None else [as_invoice(invoice)]
            reckoned = reconcile(invoices, [as_payment(each) for each in paid.values()], self._rules)
            finding = next((each for each in reckoned.findings if each.payment_id == payment.id), None)
            balance = reckoned.balances[0] if reckoned.balances else None
            return _judged(told, finding, balance)

    @activity.defn
    async def sweep_payments(self, page: PaymentsPage) -> SweptPage:
        """List one page of changed payments and announce those that were not judged as they are. Safe to repeat.

        One that was deleted before anybody had judged it is no news.
        """
        with temporal_errors():
            listed = await self._payments.list_page(
                page=page.page, updated_min=first_day(page.since), vis_state=DELETED if page.deleted else None
            )
            known = await self._store.payments.of(page.connection, [each.id for each in listed.items])
            different = []
            for each in listed.items:
                seen, judged = self._store.links.fingerprint(seen_of(each)), known.get(each.id)
                if (judged is None and not page.deleted) or (judged and not judged.fingerprint.startswith(seen)):
                    different.append(difference(each.id, self._store.links, each.updated, seen))
            announced = await self._tell_new(page, different)
            return SweptPage(listed=len(listed.items), announced=announced, has_more=listed.has_more)

    @activity.defn
    async def sweep_deleted_invoices(self, page: PaymentsPage) -> SweptPage:
        """List one page of deleted invoices and announce the payments that were judged while these stood.

        FreshBooks leaves such payments as they are, so nothing else tells of them. Safe to repeat.
        """
        with temporal_errors():
            listed = await self._invoices.list_page(
                page=page.page, updated_min=first_day(page.since), vis_state=DELETED
            )
            deleted = {each.id: each for each in listed.items}
            different = []
            for judged in await self._store.payments.of_invoices(page.connection, sorted(deleted)):
                invoice = deleted[judged.invoice_id or 0]
                shown = self._store.links.fingerprint(shown_of(invoice))
                if judged.verdict != GONE and not judged.fingerprint.endswith(shown):
                    different.append(difference(judged.payment_id, self._store.links, invoice.updated, shown))
            announced = await self._tell_new(page, different)
            return SweptPage(listed=len(listed.items), announced=announced, has_more=listed.has_more)

    @activity.defn
    async def sum_page(self, asked: LedgerPage) -> LedgerSums:
        """Return what one page of all invoices, payments or credit notes comes to. Only reads."""
        with temporal_errors():
            match asked.part:
                case "invoices":
                    invoices = await self._invoices.list_page(page=asked.page)
                    sums, count, has_more = invoice_sums(invoices.items), len(invoices.items), invoices.has_more
                case "payments":
                    payments = await self._payments.list_page(page=asked.page)
                    sums, count, has_more = payment_sums(payments.items), len(payments.items), payments.has_more
                case _:
                    notes = await self._credits.list_page(page=asked.page)
                    sums, count, has_more = credit_sums(notes.items), len(notes.items), notes.has_more
            return LedgerSums(sums=sums, listed=count, has_more=has_more)

    async def _tell_new(self, page: PaymentsPage, different: Sequence[Difference]) -> int:
        async def tell(payment_id: str) -> None:
            record = RecordKey(page.connection, PAYMENTS_FLOW, payment_id, "books")
            await self._announce(record, "sweep", page.priority)

        return await announce_new(self._store.news, page.connection, f"freshbooks.{PAYMENTS_FLOW}", different, tell)

    async def _invoice(self, payment: Payment) -> Invoice | None:
        if not payment.invoiceid:
            return None
        try:
            return await self._invoices.get(payment.invoiceid)
        except NotFound:
            return None

    def _print(self, payment: Payment, invoice: Invoice | None) -> str:
        """Return what both are known by: the payment first, so that a sweep of payments can compare its part."""
        links = self._store.links
        return links.fingerprint(seen_of(payment)) + links.fingerprint(shown_of(invoice))


def _judged(told: PaymentJudged, finding: Finding | None, balance: InvoiceBalance | None) -> PaymentJudged:
    """Return the verdict: what is wrong with the payment, or else with its invoice, or how far that is paid."""
    numbers = {} if balance is None else _numbers(balance)
    if finding is not None:
        text = finding.reason()
        reason, verdict = REASONS.get(finding.trouble, "money-mismatch"), finding.trouble.value
    elif balance is not None and balance.differences:
        text, reason, verdict = balance.reason(), "money-mismatch", "differs"
    else:
        return told.model_copy(update={"verdict": balance.standing.value if balance else GONE})
    evidence: dict[str, object] = {"explanation": text, **numbers}
    update = {"verdict": verdict, "hold_reason": reason, "explanation": text, "evidence": evidence}
    return told.model_copy(update=update)


def _numbers(balance: InvoiceBalance) -> dict[str, object]:
    return {
        "invoice": balance.invoice.id,
        "currency": balance.invoice.amount.currency,
        "invoiced": balance.invoice.amount.format(),
        "applied": balance.applied.format(),
        "refunded": balance.refunded.format(),
        "over": balance.over.format(),
        "outstanding": balance.outstanding.format(),
        "differences": balance.amounts(),
    }
