"""FreshBooks' payments and credit notes, as far as we read them.

Source: https://www.freshbooks.com/api/payments
"""

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from connectors.freshbooks.document_models import Day, DocumentLine, Money
from connectors.freshbooks.models import EasternInstant, Numbered
from connectors.models import Rows

PAYMENT_TYPES = frozenset(
    {"Check", "Credit", "Cash", "Bank Transfer", "Credit Card", "Debit", "PayPal", "2Checkout", "VISA", "MASTERCARD"}
    | {"DISCOVER", "AMEX", "DINERS", "JCB", "ACH", "Other"}
)
"""What `type` of a payment may be."""


def _reference(value: Any) -> Any:
    return None if value in (0, "0", "") else value


Reference = Annotated[int | None, BeforeValidator(_reference)]
"""The id of another record; 0 and an empty text are none."""


class Payment(Numbered):
    """Money that came in for an invoice. `amount` is exact; nobody documents a negative one, but it is read.

    `date` is a day of the business, `updated` US Eastern on the wire and UTC here. `overpaymentid` and `creditid` name
    credit notes: the one that this payment made, and the one that it was paid from.
    """

    id: int = Field(validation_alias=AliasChoices("id", "logid"))
    accounting_systemid: str | None = None
    invoiceid: Reference = None
    clientid: Reference = None
    amount: Money | None = None
    date: Day = None
    type: str | None = None
    note: str | None = None
    from_credit: bool | None = None
    creditid: Reference = None
    overpaymentid: Reference = None
    bulk_paymentid: Reference = None
    orderid: str | None = None
    transactionid: str | None = None
    gateway: str | None = None
    updated: EasternInstant = None
    vis_state: int | None = None


class Credit(Numbered):
    """A credit note: what a client has in hand. `amount` is what it is over, `paid` what of it was used.

    `credit_type` is `goodwill`, `overpayment`, `prepayment` or a word that is not documented.
    """

    id: int = Field(validation_alias=AliasChoices("id", "creditid"))
    accounting_systemid: str | None = None
    clientid: Reference = None
    create_date: Day = None
    credit_number: str | None = None
    credit_type: str | None = None
    currency_code: str | None = None
    amount: Money | None = None
    paid: Money | None = None
    status: str | None = None
    display_status: str | None = None
    payment_status: str | None = None
    payment_type: str | None = None
    notes: str | None = None
    terms: str | None = None
    lines: Rows[DocumentLine] | None = None
    updated: EasternInstant = None
    vis_state: int | None = None
