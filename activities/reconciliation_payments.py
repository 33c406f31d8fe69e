"""Invoices against their payments: everything that a bookkeeper would mark in red. Pure."""

from collections.abc import Mapping, Sequence

from mapping.allocations import Payment
from mapping.payment_troubles import Finding, PaymentTrouble
from mapping.payments import Difference, Invoice, InvoiceBalance, PaymentRules, reconcile
from store.reconciliation_models import AmountSum, Drift, Mismatch, MismatchKind

KINDS: Mapping[PaymentTrouble, MismatchKind] = {
    PaymentTrouble.UNAPPLIED: "unapplied-payment",
    PaymentTrouble.ORPHAN: "orphaned-link",
    PaymentTrouble.WRONG_CURRENCY: "currency",
    PaymentTrouble.WRONG_CLIENT: "field-drift",
    PaymentTrouble.DUPLICATE: "duplicate",
    PaymentTrouble.OVER_REFUNDED: "amount",
}


def compare_payments(invoices: Sequence[Invoice], payments: Sequence[Payment], rules: PaymentRules) -> list[Mismatch]:
    """Return every payment that counts towards no invoice, and every invoice that shows other numbers than it must."""
    reckoned = reconcile(invoices, payments, rules)
    return [
        *map(_of_finding, reckoned.findings),
        *(_of_balance(each) for each in reckoned.balances if each.differences),
    ]


def sums_of(invoices: Sequence[Invoice]) -> tuple[AmountSum, ...]:
    """Return how many invoices there are of each currency and status, and what they come to, in minor units."""
    counted: dict[tuple[str, str], tuple[int, int]] = {}
    for each in invoices:
        if not each.is_deleted:
            place = (each.amount.currency, "draft" if each.is_draft else each.payment_status)
            count, minor = counted.get(place, (0, 0))
            counted[place] = (count + 1, minor + each.amount.minor)
    return tuple(
        AmountSum("books", currency, status, count, minor)
        for (currency, status), (count, minor) in sorted(counted.items())
    )


def _of_finding(finding: Finding) -> Mismatch:
    ids = [f"payment:{finding.payment_id}"]
    ids += [f"payment:{finding.first_id}"] if finding.first_id is not None else []
    ids += [f"invoice:{finding.invoice_id}"] if finding.invoice_id is not None else []
    kind = KINDS[finding.trouble]
    return Mismatch(0, kind, "unknown", "person", books_ids=tuple(ids), explanation=finding.reason())


def _of_balance(balance: InvoiceBalance) -> Mismatch:
    drifts = tuple(Drift(each.field, str(each.must), str(each.shown)) for each in balance.differences)
    return Mismatch(
        number=0,
        kind=_kind_of(balance.differences),
        cause="unknown",
        repair="person",
        books_ids=(f"invoice:{balance.invoice.id}",),
        drifts=drifts,
        explanation=balance.reason(),
    )


def _kind_of(differences: Sequence[Difference]) -> MismatchKind:
    return "status" if {each.field for each in differences} == {"payment_status"} else "amount"
