"""What workflows and activities tell each other about payments. Fields are only ever added, with defaults."""

from datetime import datetime

from pydantic import BaseModel, Field


class PaymentKey(BaseModel):
    """One FreshBooks payment of one connection."""

    connection: str
    payment_id: int


class PaymentJudged(BaseModel):
    """What a payment comes to beside its invoice.

    `fingerprint` is of the payment and of what its invoice shows; `verdict` one word: how far the invoice is paid, or
    what is wrong with the payment. A hold's evidence has the numbers.
    """

    fingerprint: str
    verdict: str
    invoice_id: int | None = None
    hold_reason: str | None = None
    explanation: str = ""
    evidence: dict[str, object] = Field(default_factory=dict)


class PaymentStanding(BaseModel):
    """How a payment was last judged; empty if it never was."""

    fingerprint: str = ""
    verdict: str = ""


class SettlePayment(BaseModel):
    """Note how a payment was judged, and let the opportunity of its invoice be told."""

    key: PaymentKey
    judged: PaymentJudged
    cause: str
    priority: int


class PaymentsPage(BaseModel):
    """One page of the payments that changed since an instant, None: of all; of those that were `deleted`, if so said.

    Asked of invoices it means those that were deleted since.
    """

    connection: str
    since: datetime | None = None
    page: int = 1
    priority: int = 3
    deleted: bool = False


class LedgerPage(BaseModel):
    """One page of the invoices, payments or credits of a whole account."""

    connection: str
    part: str  # invoices, payments, credits
    page: int = 1


class ClientSum(BaseModel):
    """What one client's documents come to in one currency, in minor units.

    `shown_paid` and `outstanding` are what invoices show; `paid` is what payments come to, `overpaid` what of it became
    credit notes because it was more than an invoice asked for.
    """

    client_id: int
    currency: str
    invoiced: int = 0
    shown_paid: int = 0
    outstanding: int = 0
    paid: int = 0
    overpaid: int = 0

    def plus(self, other: "ClientSum") -> "ClientSum":
        """Return both together; they are of the same client and currency."""
        parts = ("invoiced", "shown_paid", "outstanding", "paid", "overpaid")
        return self.model_copy(update={each: getattr(self, each) + getattr(other, each) for each in parts})

    @property
    def is_proven(self) -> bool:
        """Return whether what was invoiced, less what payments (those from credits, too) paid of it, is outstanding."""
        return self.invoiced - self.shown_paid == self.outstanding and self.paid - self.overpaid == self.shown_paid


class LedgerSums(BaseModel):
    """What one page comes to, by client and currency."""

    sums: list[ClientSum] = Field(default_factory=list)
    listed: int = 0
    has_more: bool = False
