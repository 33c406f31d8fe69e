"""FreshBooks' estimates and invoices, and what their lines refer to, as far as we read them.

Source: https://www.freshbooks.com/api/estimates, /api/invoices, /api/items, /api/taxes, /api/staff, /api/team-members
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from connectors.freshbooks.models import EasternInstant, Numbered, UtcInstant
from connectors.models import Record, Rows

NO_DAY = ("", "0000-00-00")
MOST_TAXES = 2


def _day(value: Any) -> Any:
    return None if value in NO_DAY else value


Day = Annotated[date | None, BeforeValidator(_day)]
"""A date without a time; `0000-00-00` and an empty text are none."""


class Money(Record):
    """An amount and its currency. The amount is exact, with as many decimals as FreshBooks wrote."""

    amount: Decimal
    code: str


class DocumentLine(Record):
    """A line of a document. `amount` is quantity times unit cost, before tax and discount; taxes are in percent."""

    lineid: int | None = None
    type: int | None = None
    name: str | None = None
    description: str | None = None
    qty: Decimal | None = None
    unit_cost: Money | None = None
    amount: Money | None = None
    tax_name1: str | None = Field(default=None, alias="taxName1")
    tax_amount1: Decimal | None = Field(default=None, alias="taxAmount1")
    tax_name2: str | None = Field(default=None, alias="taxName2")
    tax_amount2: Decimal | None = Field(default=None, alias="taxAmount2")
    compounded_tax: bool | None = None
    expenseid: int | None = None

    @property
    def taxes(self) -> list[tuple[str, Decimal]]:
        """The taxes that the line really has, as name and percentage."""
        slots = ((self.tax_name1, self.tax_amount1), (self.tax_name2, self.tax_amount2))
        return [(name, percent) for name, percent in slots if name and percent is not None]


class Document(Numbered):
    """What estimates and invoices have in common. The amounts are what FreshBooks computed.

    `lines` is None where they were not asked for. `created_at` and `updated` are US Eastern on the wire and UTC here.
    The names and the address are those that the client had when the document was made.
    """

    accounting_systemid: str | None = None
    customerid: int | None = None
    create_date: Day = None
    currency_code: str | None = None
    language: str | None = None
    notes: str | None = None
    terms: str | None = None
    po_number: str | None = None
    description: str | None = None
    discount_value: Decimal | None = None
    discount_total: Money | None = None
    amount: Money | None = None
    ownerid: int | None = None
    fname: str | None = None
    lname: str | None = None
    organization: str | None = None
    current_organization: str | None = None
    street: str | None = None
    street2: str | None = None
    city: str | None = None
    province: str | None = None
    code: str | None = None
    country: str | None = None
    vat_name: str | None = None
    vat_number: str | None = None
    lines: Rows[DocumentLine] | None = None
    created_at: EasternInstant = None
    updated: EasternInstant = None
    vis_state: int | None = None

    @property
    @abstractmethod
    def number(self) -> str:
        """The number that people see."""

    @property
    @abstractmethod
    def state(self) -> str:
        """How far it has come, in one word of FreshBooks."""


class Estimate(Document):
    """An offer. Its status fields may disagree; `accepted` and `invoiced` are the ones to believe. None is declined."""

    id: int = Field(validation_alias=AliasChoices("id", "estimateid"))
    estimate_number: str | None = None
    accepted: bool | None = None
    invoiced: bool | None = None
    status: int | None = None
    ui_status: str | None = None
    display_status: str | None = None

    @property
    def number(self) -> str:
        """The number that people see."""
        return self.estimate_number or ""

    @property
    def state(self) -> str:
        """`draft`, `sent`, `viewed`, `accepted`, `invoiced` or another word of FreshBooks."""
        word = self.display_status or self.ui_status or ""
        return "invoiced" if self.invoiced else "accepted" if self.accepted else word


class Invoice(Document):
    """An invoice. `due_date` follows from `due_offset_days` and cannot be written. `estimateid` 0 is none."""

    id: int = Field(validation_alias=AliasChoices("id", "invoiceid"))
    invoice_number: str | None = None
    due_offset_days: int | None = None
    due_date: Day = None
    paid: Money | None = None
    outstanding: Money | None = None
    estimateid: int | None = None
    status: int | None = None
    v3_status: str | None = None
    display_status: str | None = None
    payment_status: str | None = None
    date_paid: Day = None

    @property
    def number(self) -> str:
        """The number that people see."""
        return self.invoice_number or ""

    @property
    def state(self) -> str:
        """`draft`, `sent`, `viewed`, `partial`, `paid`, `overdue` or another word of FreshBooks."""
        return self.v3_status or self.display_status or ""


class Item(Numbered):
    """Something that is sold. `sku` is the only exact search key; `tax1` and `tax2` are ids of taxes, 0 is none."""

    id: int = Field(validation_alias=AliasChoices("id", "itemid"))
    name: str | None = None
    description: str | None = None
    unit_cost: Money | None = None
    qty: Decimal | None = None
    inventory: Decimal | None = None
    sku: str | None = None
    tax1: int | None = None
    tax2: int | None = None
    updated: EasternInstant = None
    vis_state: int | None = None


class Tax(Numbered):
    """A tax in percent. Lines name a tax and its percentage, not its id."""

    id: int = Field(validation_alias=AliasChoices("id", "taxid"))
    name: str | None = None
    amount: Decimal | None = None
    number: str | None = None
    compound: bool | None = None
    updated: EasternInstant = None


class StaffMember(Numbered):
    """Somebody whom `ownerid` can name. Real records carry a credential of theirs (`api_token`), which is not read."""

    id: int = Field(validation_alias=AliasChoices("id", "userid"))
    fname: str | None = None
    lname: str | None = None
    display_name: str | None = None
    email: str | None = None
    role: str | None = None
    vis_state: int | None = None


class TeamMember(Record):
    """Somebody who works in the business. `active` is False once they left."""

    uuid: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    business_role_name: str | None = None
    active: bool | None = None
    identity_id: int | None = None
    updated_at: UtcInstant = None


@dataclass(frozen=True)
class LineDraft:
    """A line to be written. Taxes are names and percentages, at most two. Nothing is rounded here.

    Raises ValueError for a third tax, which FreshBooks would drop without a word.
    """

    name: str
    unit_cost: Decimal
    currency: str
    quantity: Decimal = Decimal(1)
    description: str = ""
    taxes: Sequence[tuple[str, Decimal]] = ()

    def __post_init__(self) -> None:
        if len(self.taxes) > MOST_TAXES:
            text = f"a line in FreshBooks has at most {MOST_TAXES} taxes, not {len(self.taxes)}: fold two into one"
            raise ValueError(text)

    def document(self) -> dict[str, Any]:
        """Return the line as FreshBooks takes it."""
        found: dict[str, Any] = {
            "type": 0,
            "name": self.name,
            "description": self.description,
            "qty": plain(self.quantity),
            "unit_cost": {"amount": plain(self.unit_cost), "code": self.currency},
        }
        for slot, (name, percent) in enumerate(self.taxes, 1):
            found |= {f"taxName{slot}": name, f"taxAmount{slot}": plain(percent)}
        return found


def plain(number: Decimal) -> str:
    """Return a number as text without an exponent. Raises ValueError for what is no number."""
    if not number.is_finite():
        raise ValueError("FreshBooks takes finite numbers alone")
    return format(number, "f")
