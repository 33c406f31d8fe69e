"""What a billing report says. Fields are only ever added.

Amounts are whole minor units of their currency, hours are seconds, days are those of the firm's time zone.
"""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, Field

from activities.billing_report_facts import By, Names, ReportPayment


class HoursKind(StrEnum):
    """What became of logged time. `unbilled` may be billed and is not yet."""

    BILLED = "billed"
    UNBILLED = "unbilled"
    NOT_BILLABLE = "not-billable"


class Step(StrEnum):
    """Which wait is measured."""

    TO_INVOICE = "entry-to-invoice"
    TO_CASH = "invoice-to-cash"


class Basis(StrEnum):
    """How we know which invoice an entry is on: our own bill says so, or it is the client's next invoice."""

    KNOWN = "known"
    ESTIMATED = "estimated"


class HoursRow(BaseModel):
    """The time of one client, project, service, person and kind, with the entries that it is made of."""

    client_id: int | None
    project_id: int | None
    service_id: int | None
    person_id: int | None
    kind: HoursKind
    seconds: int
    entry_ids: list[int]

    def place(self, by: By) -> int | None:
        """Return its client, project, service or person."""
        return {
            By.CLIENT: self.client_id,
            By.PROJECT: self.project_id,
            By.SERVICE: self.service_id,
            By.PERSON: self.person_id,
        }[by]


class HoursPart(BaseModel):
    """Some seconds, and the entries that they are made of."""

    seconds: int = 0
    entry_ids: list[int] = Field(default_factory=list)


class HoursSum(BaseModel):
    """The time of one client, project, service or person. `record_id` None is time without one."""

    record_id: int | None
    parts: dict[HoursKind, HoursPart]

    @property
    def seconds(self) -> int:
        """All of it."""
        return sum(each.seconds for each in self.parts.values())


class InvoiceRow(BaseModel):
    """An invoice of the period. `outstanding` is what it lacks at the end of the day `as_of` of the report."""

    id: int
    number: str
    client_id: int
    day: date
    due: date | None
    currency: str
    minor: int
    outstanding: int
    status: str
    is_draft: bool
    entry_ids: list[int]


class AgeRow(BaseModel):
    """What one client owes in one currency that has been due for as long as the bucket says."""

    client_id: int
    currency: str
    bucket: str
    minor: int
    invoice_ids: list[int]


class LagRow(BaseModel):
    """How many days one step took in the month, `2026-03`, in which it ended. A day counts from midnight to midnight.

    `count` is of time entries on their way to an invoice, and of invoices on their way to cash. The median of an even
    number lies between the middle two; at most a tenth of all took longer than `p90`. `unmeasured` entries were logged
    before the report looks. `invoice_ids` are those of the month.
    """

    step: Step
    basis: Basis
    month: str
    count: int
    median: Decimal | None
    p90: int | None
    unmeasured: int = 0
    invoice_ids: list[int] = Field(default_factory=list)


class CurrencySum(BaseModel):
    """What a period comes to in one currency. Nothing is converted, and no two of them are added.

    `received` is money less what was given back; `from_credit` was paid from credit, which is no new money.
    """

    currency: str
    invoiced: int = 0
    drafts: int = 0
    received: int = 0
    from_credit: int = 0
    outstanding: int = 0
    invoice_ids: list[int] = Field(default_factory=list)
    draft_ids: list[int] = Field(default_factory=list)
    payment_ids: list[int] = Field(default_factory=list)
    credit_payment_ids: list[int] = Field(default_factory=list)
    outstanding_ids: list[int] = Field(default_factory=list)


class BillingReport(BaseModel):
    """What the books say of one period. What is outstanding is of the end of the day `as_of`.

    `decimals` is how many each currency has. `notes` say what is missing, by ids alone.
    """

    connection: str
    first: date
    last: date
    zone: str
    made_at: datetime
    as_of: date
    is_over: bool
    hours: list[HoursRow] = Field(default_factory=list)
    invoices: list[InvoiceRow] = Field(default_factory=list)
    payments: list[ReportPayment] = Field(default_factory=list)
    ages: list[AgeRow] = Field(default_factory=list)
    lags: list[LagRow] = Field(default_factory=list)
    sums: list[CurrencySum] = Field(default_factory=list)
    names: Names = Field(default_factory=Names)
    decimals: dict[str, int] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)

    def hours_by(self, by: By) -> list[HoursSum]:
        """Return the hours by client, project, service or person: most hours first, those without one last."""
        found: dict[int | None, dict[HoursKind, HoursPart]] = defaultdict(
            lambda: {kind: HoursPart() for kind in HoursKind}
        )
        for row in self.hours:
            part = found[row.place(by)][row.kind]
            part.seconds += row.seconds
            part.entry_ids += row.entry_ids
        for parts in found.values():
            for part in parts.values():
                part.entry_ids.sort()
        sums = [HoursSum(record_id=record_id, parts=parts) for record_id, parts in found.items()]
        return sorted(sums, key=lambda each: (each.record_id is None, -each.seconds, each.record_id or 0))

    def hours_in_all(self) -> HoursSum:
        """Return the hours of the period, by kind."""
        parts = {kind: HoursPart() for kind in HoursKind}
        for row in self.hours:
            parts[row.kind].seconds += row.seconds
            parts[row.kind].entry_ids += row.entry_ids
        return HoursSum(record_id=None, parts=parts)
