"""What each client owes in each currency, proven to the minor unit, and for how long it has been due.

Source: https://www.freshbooks.com/api/payments (overpayments become credit notes; payments may come from credit)
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from mapping.allocations import Allocation, Payment
from mapping.money import Money, total
from mapping.payments import InvoiceBalance, OverpaidShown, Reconciled


class CreditKind(StrEnum):
    """Where a credit note comes from, in FreshBooks' words. An `overpayment` is money that a payment has brought in."""

    GOODWILL = "goodwill"
    OVERPAYMENT = "overpayment"
    PREPAYMENT = "prepayment"


@dataclass(frozen=True)
class Credit:
    """A credit note as FreshBooks shows it."""

    id: int
    client_id: int
    amount: Money
    kind: CreditKind
    is_deleted: bool = False


class Bucket(StrEnum):
    """For how many days something has been due, by the business's date. On its due day it is not."""

    NOT_DUE = "not-due"
    TO_30 = "1-30"
    TO_60 = "31-60"
    TO_90 = "61-90"
    OVER_90 = "over-90"


_LAST_DAYS = {Bucket.NOT_DUE: 0, Bucket.TO_30: 30, Bucket.TO_60: 60, Bucket.TO_90: 90}


@dataclass(frozen=True)
class Statement:
    """One client in one currency. `client_id` is None for payments that name neither a client nor a known invoice.

    `paid` and `credited` are what money and credits pay of invoices. `received` is all money less what was given back,
    `granted` all credit that is no overpayment. `overpaid` is what payments brought beyond their invoices: credit notes
    should come to the same, `overpayment_credits`, which is None where FreshBooks makes none for it.
    """

    client_id: int | None
    currency: str
    invoiced: Money
    paid: Money
    credited: Money
    outstanding: Money
    received: Money
    granted: Money
    overpaid: Money
    overpayment_credits: Money | None
    ageing: Mapping[Bucket, Money]

    @property
    def unapplied(self) -> Money:
        """What the client has paid or been granted that pays no invoice yet: money to apply, or to give back."""
        return self.received + self.granted - self.paid - self.credited

    @property
    def balance(self) -> Money:
        """What the client owes when all is said and done; below zero, what is owed to the client."""
        return self.outstanding - self.unapplied

    @property
    def is_proven(self) -> bool:
        """Whether invoices less payments less credits are what is outstanding, and its ages come to the same."""
        by_age = total(self.ageing.values(), self.currency)
        return self.invoiced - self.paid - self.credited == self.outstanding == by_age

    def reasons(self) -> list[str]:
        """Return what a person has to look at, fit for logs: it holds no amounts."""
        whose = "payments without a client" if self.client_id is None else f"client {self.client_id}"
        found = []
        if not self.is_proven:
            found.append(f"the invoices of {whose} in {self.currency} do not come to what is outstanding: read again")
        if self.overpayment_credits is not None and self.overpaid != self.overpayment_credits:
            found.append(
                f"what was overpaid by {whose} in {self.currency} is not what its overpayment credit notes come to: "
                "look for one that was deleted, or for a payment that was changed"
            )
        if self.unapplied.minor < 0:
            found.append(
                f"more was credited or given back in {self.currency} for {whose} than there was: look for a deleted one"
            )
        return found


def bucket_of(due: date | None, today: date) -> Bucket:
    """Return how long something has been due. `today` is the business's date."""
    days = 0 if due is None else (today - due).days
    return next((bucket for bucket, last in _LAST_DAYS.items() if days <= last), Bucket.OVER_90)


def statements(reconciled: Reconciled, credit_notes: Sequence[Credit], today: date) -> list[Statement]:
    """Return a statement for each client and currency with an invoice, a payment or a credit note, in this order.

    Credit notes that were deleted count for nothing. `today` is the business's date.
    """
    owner = {each.invoice.id: each.invoice.client_id for each in reconciled.balances}
    shares: dict[_Key, _Share] = defaultdict(_Share)
    for balance in reconciled.balances:
        shares[balance.invoice.client_id, balance.invoice.amount.currency].balances.append(balance)
    for allocation in reconciled.allocations:
        payment = allocation.payment
        shares[owner[payment.invoice_id or 0], payment.amount.currency].allocations.append(allocation)
    for payment in reconciled.astray:
        client_id = payment.client_id or owner.get(payment.invoice_id or 0)
        shares[client_id, payment.amount.currency].astray.append(payment)
    for credit in credit_notes:
        if not credit.is_deleted:
            shares[credit.client_id, credit.amount.currency].credits.append(credit)
    ordered = sorted(shares, key=lambda key: (key[0] is None, key[0] or 0, key[1]))
    with_credits = reconciled.rules.overpaid_shown is OverpaidShown.CAPPED
    return [shares[key].statement(*key, today, with_credits=with_credits) for key in ordered]


_Key = tuple[int | None, str]


@dataclass
class _Share:
    """What belongs to one client in one currency."""

    balances: list[InvoiceBalance] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)
    astray: list[Payment] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)

    def statement(self, client_id: int | None, currency: str, today: date, *, with_credits: bool) -> Statement:
        """Return what all of it comes to."""
        money = [each for each in self.allocations if not each.payment.from_credit]
        spent = [each for each in self.allocations if each.payment.from_credit]
        received = [each.payment for each in money] + [each for each in self.astray if not each.from_credit]
        given = [each for each in self.credits if each.kind is not CreditKind.OVERPAYMENT]
        kept = [each for each in self.credits if each.kind is CreditKind.OVERPAYMENT]
        return Statement(
            client_id=client_id,
            currency=currency,
            invoiced=total((each.invoice.amount for each in self.balances), currency),
            paid=total((each.applied for each in money), currency),
            credited=total((each.applied for each in spent), currency),
            outstanding=total((each.outstanding for each in self.balances), currency),
            received=total((each.amount for each in received), currency),
            granted=total((each.amount for each in given), currency),
            overpaid=total((each.over for each in money if each.over.minor > 0), currency),
            overpayment_credits=total((each.amount for each in kept), currency) if with_credits else None,
            ageing=_ageing(self.balances, currency, today),
        )


def _ageing(balances: Iterable[InvoiceBalance], currency: str, today: date) -> dict[Bucket, Money]:
    """Return what is outstanding by age, for every bucket. The customer has not got a draft, so it is not due."""
    found = {bucket: total((), currency) for bucket in Bucket}
    for each in balances:
        bucket = Bucket.NOT_DUE if each.invoice.is_draft else bucket_of(each.invoice.due, today)
        found[bucket] += each.outstanding
    return found
