"""Payments that need a look, told by ids and in words for a person.

Source: https://www.freshbooks.com/api/payments (no two payments are refused for being alike)
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from mapping.allocations import Payment
from mapping.money import Money
from mapping.values import folded


class PaymentTrouble(StrEnum):
    """Why a payment needs a look. The first four count towards no invoice; the others do."""

    UNAPPLIED = "unapplied"
    ORPHAN = "orphan"
    WRONG_CURRENCY = "wrong-currency"
    WRONG_CLIENT = "wrong-client"
    DUPLICATE = "duplicate"
    OVER_REFUNDED = "over-refunded"


_TEXTS = {
    PaymentTrouble.UNAPPLIED: "names no invoice: apply it to one",
    PaymentTrouble.ORPHAN: "is for invoice {invoice}, which is deleted or unknown: restore it, or move the payment",
    PaymentTrouble.WRONG_CURRENCY: "is not in the currency of invoice {invoice}, and nothing here converts: correct it",
    PaymentTrouble.WRONG_CLIENT: "is from another client than invoice {invoice} is for: correct either",
    PaymentTrouble.DUPLICATE: "has reference, amount and date of payment {first}: delete one if it is the same money",
    PaymentTrouble.OVER_REFUNDED: "gives back more than was paid of invoice {invoice}: correct it",
}


@dataclass(frozen=True)
class Finding:
    """A payment that needs a look, its invoice if it names one, and for a duplicate the payment that came first."""

    trouble: PaymentTrouble
    payment_id: int
    invoice_id: int | None = None
    first_id: int | None = None

    def reason(self) -> str:
        """Return what is wrong and what to do, fit for logs."""
        text = _TEXTS[self.trouble].format(invoice=self.invoice_id, first=self.first_id)
        return f"payment {self.payment_id} {text}"


_Alike: TypeAlias = tuple[int | None, str, Money, date]


def duplicates(payments: Sequence[Payment]) -> Iterator[Finding]:
    """Give each payment that has client, reference, amount and date of an earlier one. Payments come in order.

    Without a reference two payments are two; so are parts of one transfer, and what spends a credit.
    """
    seen: dict[_Alike, list[Payment]] = defaultdict(list)
    for payment in payments:
        reference = folded(payment.reference or "")
        if not reference or payment.from_credit:
            continue
        earlier = seen[payment.client_id, reference, payment.amount, payment.day]
        first = next((each for each in earlier if payment.bulk_id is None or each.bulk_id != payment.bulk_id), None)
        if first is not None:
            yield Finding(PaymentTrouble.DUPLICATE, payment.id, payment.invoice_id, first.id)
        earlier.append(payment)
