"""Payments against invoices: what each invoice must show, what it does show, and every payment that needs a look.

What is paid beyond what an invoice asks becomes a credit note of type `overpayment` in FreshBooks.
Source: https://www.freshbooks.com/api/payments, /api/invoices (`outstanding` is `amount` less `paid`)
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from mapping.allocations import Allocation, Payment, allocate, in_order, sums
from mapping.money import Money
from mapping.payment_troubles import Finding, PaymentTrouble, duplicates


class PaidStatus(StrEnum):
    """How far an invoice is paid, in FreshBooks' words for `payment_status`. Its `auto-paid` counts as paid."""

    UNPAID = "unpaid"
    PARTIAL = "partial"
    PAID = "paid"


class Standing(StrEnum):
    """What an invoice's payments come to. `under` lacks so little that all of it was meant to be paid.

    `refunded` had money given back, and is not fully paid any more.
    """

    UNPAID = "unpaid"
    PARTIAL = "partial"
    UNDER = "under"
    PAID = "paid"
    OVER = "over"
    REFUNDED = "refunded"


class OverpaidShown(StrEnum):
    """What FreshBooks shows as paid of an invoice that was overpaid, which nobody says: its amount, or everything."""

    CAPPED = "capped"
    COUNTED = "counted"


@dataclass(frozen=True)
class Invoice:
    """An invoice as FreshBooks shows it. `due` is None where it has no due date; drafts are never due."""

    id: int
    client_id: int
    amount: Money
    paid: Money
    outstanding: Money
    payment_status: str
    due: date | None = None
    is_draft: bool = False
    is_deleted: bool = False


@dataclass(frozen=True)
class PaymentRules:
    """How payments are judged. An invoice that lacks at most `under_percent` of its amount was paid too little."""

    under_percent: Decimal = Decimal(2)
    overpaid_shown: OverpaidShown = OverpaidShown.CAPPED


DEFAULT_RULES = PaymentRules()


@dataclass(frozen=True)
class Difference:
    """Something that an invoice shows otherwise than it must: `paid`, `outstanding` or `payment_status`."""

    field: str
    must: Money | PaidStatus
    shown: Money | str

    @property
    def minor(self) -> int | None:
        """By how many minor units it shows more than it must; None for a status, or for another currency."""
        if not isinstance(self.must, Money) or not isinstance(self.shown, Money):
            return None
        return self.shown.minor - self.must.minor if self.shown.currency == self.must.currency else None


@dataclass(frozen=True)
class InvoiceBalance:
    """What an invoice must show. `applied` is what counts of its payments, `refunded` what was paid and given back.

    `over` is what was paid too much; below zero, what was given back without ever having been paid.
    """

    invoice: Invoice
    applied: Money
    refunded: Money
    over: Money
    outstanding: Money
    status: PaidStatus
    standing: Standing
    differences: tuple[Difference, ...]

    def reason(self) -> str:
        """Return what is wrong and what to do, fit for logs: it holds no amounts. "" if nothing is wrong."""
        if not self.differences:
            return ""
        fields = " and ".join(each.field for each in self.differences)
        todo = "look for a payment that was changed or deleted, or entered without its invoice"
        return f"invoice {self.invoice.id} shows other {fields} than its payments come to: {todo}"

    def amounts(self) -> str:
        """Return what must be and what is shown, with the numbers, for the evidence of a hold alone."""
        told = [f"{each.field} must be {each.must}, FreshBooks shows {each.shown}" for each in self.differences]
        return f"invoice {self.invoice.id}: {'; '.join(told)}" if told else ""


@dataclass(frozen=True)
class Reconciled:
    """The balances of all invoices that are not deleted, what became of their payments, and what needs a look.

    `astray` are the payments that count towards no invoice.
    """

    balances: tuple[InvoiceBalance, ...]
    allocations: tuple[Allocation, ...]
    astray: tuple[Payment, ...]
    findings: tuple[Finding, ...]
    rules: PaymentRules


def reconcile(
    invoices: Sequence[Invoice], payments: Sequence[Payment], rules: PaymentRules = DEFAULT_RULES
) -> Reconciled:
    """Return what payments come to. Deleted ones count for nothing; the order of either list makes no difference.

    Nothing is converted and nothing written off: what does not fit is a finding. A suspected duplicate counts, because
    FreshBooks counts it.
    """
    known = {each.id: each for each in invoices if not each.is_deleted}
    live = in_order(each for each in payments if not each.is_deleted)
    astray: list[Payment] = []
    findings: list[Finding] = []
    of_invoice: dict[int, list[Payment]] = defaultdict(list)
    for payment in live:
        trouble = _astray(payment, known)
        if trouble is not None:
            astray.append(payment)
            findings.append(Finding(trouble, payment.id, payment.invoice_id or None))
        elif payment.invoice_id is not None:
            of_invoice[payment.invoice_id].append(payment)
    found = {number: allocate(known[number].amount, of_invoice[number]) for number in sorted(known)}
    allocations = [each for part in found.values() for each in part]
    findings += [*duplicates(live), *_over_refunds(allocations)]
    balances = [_balance(known[number], part, rules) for number, part in found.items()]
    return Reconciled(tuple(balances), tuple(allocations), tuple(astray), tuple(findings), rules)


def _astray(payment: Payment, invoices: Mapping[int, Invoice]) -> PaymentTrouble | None:
    """Return why a payment counts towards no invoice, None if it does."""
    if not payment.invoice_id:
        return PaymentTrouble.UNAPPLIED
    invoice = invoices.get(payment.invoice_id)
    if invoice is None:
        return PaymentTrouble.ORPHAN
    if payment.amount.currency != invoice.amount.currency:
        return PaymentTrouble.WRONG_CURRENCY
    is_other = payment.client_id is not None and payment.client_id != invoice.client_id
    return PaymentTrouble.WRONG_CLIENT if is_other else None


def _over_refunds(allocations: Sequence[Allocation]) -> Iterator[Finding]:
    for each in allocations:
        if each.over.minor < 0:
            yield Finding(PaymentTrouble.OVER_REFUNDED, each.payment.id, each.payment.invoice_id)


def _balance(invoice: Invoice, allocations: Sequence[Allocation], rules: PaymentRules) -> InvoiceBalance:
    applied, refunded, over = sums(allocations, invoice.amount.currency)
    standing = _standing(invoice.amount, applied, refunded, over, rules)
    status = _status(invoice.amount, applied)
    return InvoiceBalance(
        invoice=invoice,
        applied=applied,
        refunded=refunded,
        over=over,
        outstanding=invoice.amount - applied,
        status=status,
        standing=standing,
        differences=tuple(_differences(invoice, applied, over, status, rules)),
    )


def _status(amount: Money, applied: Money) -> PaidStatus:
    if applied >= amount:
        return PaidStatus.PAID
    return PaidStatus.PARTIAL if applied.minor else PaidStatus.UNPAID


def _standing(amount: Money, applied: Money, refunded: Money, over: Money, rules: PaymentRules) -> Standing:
    if over.minor > 0:
        return Standing.OVER
    if applied >= amount:
        return Standing.PAID
    if refunded.minor:
        return Standing.REFUNDED
    if not applied.minor:
        return Standing.UNPAID
    lacks_little = (amount.minor - applied.minor) * 100 <= amount.minor * rules.under_percent
    return Standing.UNDER if lacks_little else Standing.PARTIAL


def _differences(
    invoice: Invoice, applied: Money, over: Money, status: PaidStatus, rules: PaymentRules
) -> Iterator[Difference]:
    """Give what the invoice shows otherwise than it must."""
    counts_all = rules.overpaid_shown is OverpaidShown.COUNTED and over.minor > 0
    paid = applied + over if counts_all else applied
    outstanding = invoice.amount - paid
    if invoice.paid != paid:
        yield Difference("paid", paid, invoice.paid)
    if invoice.outstanding != outstanding:
        yield Difference("outstanding", outstanding, invoice.outstanding)
    # Of an invoice over nothing, or less, nobody says what its status is.
    if invoice.amount.minor > 0 and _known(invoice.payment_status) != status:
        yield Difference("payment_status", status, invoice.payment_status)


def _known(status: str) -> str:
    return "paid" if status == "auto-paid" else status
