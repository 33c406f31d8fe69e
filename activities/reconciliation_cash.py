"""Listing invoices and payments for a reconciliation: one activity a page, one request each."""

from datetime import date
from typing import Any

from temporalio import activity

from activities.errors import temporal_errors
from activities.payment_sides import as_invoice, as_payment
from activities.payments import PaymentBooks
from activities.reconciliation_models import ListedPage, LookAtMoney, MoneyPage
from connectors.errors import NotFound, Refused
from connectors.freshbooks.document_models import Invoice as SaidInvoice
from connectors.freshbooks.payment_models import Payment as SaidPayment
from mapping.allocations import Payment
from mapping.money import Money
from mapping.payments import Invoice
from store.store import Store


class ReconciledCash:
    """The invoices and payments of one FreshBooks account."""

    def __init__(self, books: PaymentBooks, store: Store) -> None:
        self._invoices, self._payments, self._reports = books.invoices, books.payments, store.reconciliations

    @activity.defn
    async def list_cash(self, asked: MoneyPage) -> ListedPage:
        """Stage one page of invoices or of payments. Safe to repeat: a page counts once, a record is written over."""
        name = asked.report.report_id
        with temporal_errors():
            if asked.listing == "invoices":
                invoices = await self._invoices.list_page(page=asked.page)
                records, has_more = dict(map(_of_invoice, invoices.items)), invoices.has_more
            else:
                payments = await self._payments.list_page(page=asked.page)
                records, has_more = dict(map(_of_payment, payments.items)), payments.has_more
            await self._reports.staging.put(name, "books", records)
            await self._reports.advance(name, asked.listing, asked.page, len(records), has_more=has_more)
            return ListedPage(listed=len(records), has_more=has_more)

    @activity.defn
    async def look_at_invoice_again(self, asked: LookAtMoney) -> None:
        """Stage one invoice as it is now, with its payments. Safe to repeat."""
        number = int(asked.record.partition(":")[2])
        with temporal_errors():
            try:
                records = [_of_invoice(await self._invoices.get(number))]
            except NotFound:
                await self._reports.unstage(asked.report.report_id, "books", [asked.record])
                return
            records += map(_of_payment, await self._payments.of_invoice(number))
            await self._reports.staging.put(asked.report.report_id, "books", dict(records))


def staged_invoice(said: dict[str, Any]) -> Invoice:
    """Return an invoice as it was staged."""
    known: dict[str, Any] = {name: each for name, each in said.items() if name != "currency"}
    known |= {name: Money.parse(said[name], said["currency"]) for name in ("amount", "paid", "outstanding")}
    return Invoice(**known)


def staged_payment(said: dict[str, Any]) -> Payment:
    """Return a payment as it was staged."""
    known = {**said, "amount": Money.parse(said["amount"], said["currency"]), "day": date.fromisoformat(said["day"])}
    del known["currency"]
    return Payment(**known)


def _of_invoice(said: SaidInvoice) -> tuple[str, dict[str, Any]]:
    key = f"invoice:{said.id}"
    try:
        known = as_invoice(said)
    except Refused as error:
        return key, {"problem": str(error)}
    return key, {
        "id": known.id,
        "client_id": known.client_id,
        "currency": known.amount.currency,
        "amount": known.amount.format(),
        "paid": known.paid.format(),
        "outstanding": known.outstanding.format(),
        "payment_status": known.payment_status,
        "is_draft": known.is_draft,
        "is_deleted": known.is_deleted,
    }


def _of_payment(said: SaidPayment) -> tuple[str, dict[str, Any]]:
    key = f"payment:{said.id}"
    try:
        known = as_payment(said)
    except Refused as error:
        return key, {"problem": str(error)}
    return key, {
        "id": known.id,
        "amount": known.amount.format(),
        "currency": known.amount.currency,
        "day": known.day.isoformat(),
        "invoice_id": known.invoice_id,
        "client_id": known.client_id,
        "reference": known.reference,
        "bulk_id": known.bulk_id,
        "from_credit": known.from_credit,
        "is_deleted": known.is_deleted,
    }
