"""What workflows and activities tell each other about billing hours. Fields are only ever added, with defaults."""

from datetime import date, datetime, timedelta

from pydantic import BaseModel, Field

from activities.models import OpenCreate
from activities.opportunity_models import Line


class BillKey(BaseModel):
    """The hours of one FreshBooks client. One workflow bills them, one bill at a time."""

    connection: str
    client_id: int


class PlanBill(BaseModel):
    """What would a bill of this client hold?

    Days are the firm's: `first` is the first that is billed, None for everything before; `until` the first that is not.
    """

    key: BillKey
    until: date
    first: date | None = None
    approved: str = ""  # the digest of what a person has approved
    asks: bool = True  # a preview shows what would be held, and asks nobody


class LeftOut(BaseModel):
    """Time entries that are not billed, and why."""

    entry_ids: list[int]
    reason: str


class BillLine(BaseModel):
    """A line of the invoice, with the time entries that it stands for."""

    line: Line
    entry_ids: list[int]
    seconds: int  # as they were logged
    hours: str  # as they are billed
    projects: dict[int, int] = Field(default_factory=dict)  # the seconds of each project in it; 0: of none


class BillPlan(BaseModel):
    """What a bill holds, or why a person is asked. `explanation` has ids and counts, never values."""

    key: BillKey
    until: date
    version: str
    currency: str = ""
    lines: list[BillLine] = Field(default_factory=list)
    entries: dict[int, str] = Field(default_factory=dict)  # ids with the fingerprints of what is billed
    left_out: list[LeftOut] = Field(default_factory=list)
    predicted: str = ""  # the total that FreshBooks will compute
    is_first_invoice: bool = False
    digest: str = ""  # of what an approval is bound to
    hold_reason: str | None = None
    explanation: str = ""
    evidence: dict[str, object] = Field(default_factory=dict)
    escalate_after: timedelta | None = None
    expire_after: timedelta | None = None


class MarkedEntry(BaseModel):
    """A time entry of a bill. `fingerprint` is of what was billed."""

    entry_id: int
    fingerprint: str
    is_marked: bool = False


class OpenBill(BaseModel):
    """A bill whose entries are claimed: what is left to do for it can be done any number of times."""

    bill_id: int
    number: str
    plan: BillPlan
    entries: list[MarkedEntry]
    invoice_id: int | None = None
    is_final: bool = False  # whether the invoice is marked as sent
    is_sent: bool = False
    create: OpenCreate | None = None


class BillStanding(BaseModel):
    """Where the billing of a client stands before a pass."""

    bill: OpenBill | None = None
    settle_time: timedelta = timedelta(0)
    is_mismatched: bool = False  # its invoice came to another total than was predicted


class BillClaimed(BaseModel):
    """The bill, or None if another one has one of its entries by now."""

    bill: OpenBill | None = None


class BillStep(BaseModel):
    """One step of a bill, and what caused it."""

    bill: OpenBill
    cause: str


class InvoicesFound(BaseModel):
    """The invoices that have a bill's number. `ours` carries our reference; a foreign one has taken the number."""

    ours: int | None = None
    foreign: int | None = None


class InvoiceMade(BaseModel):
    """The invoice of a bill, as FreshBooks answered."""

    invoice_id: int
    status: str
    total: str
    mismatch: str = ""  # how the total differs from the predicted one: no amounts


class EntryStep(BaseModel):
    """Tell FreshBooks that an entry is billed."""

    key: BillKey
    bill_id: int
    entry: MarkedEntry
    anyway: bool = False  # a person agreed to what was changed since


class EntryMarked(BaseModel):
    """What became of an entry: marked, changed (it says something else than what was billed), or gone."""

    outcome: str


class EntriesChecked(BaseModel):
    """The entries of a bill that say something else by now, or are gone, or were billed by somebody else."""

    changed: list[int] = Field(default_factory=list)


class ListUnbilled(BaseModel):
    """One page of the time entries that are not billed yet."""

    connection: str
    until: date
    page: int = 1


class UnbilledPage(BaseModel):
    """The clients with entries on a page."""

    client_ids: list[int] = Field(default_factory=list)
    listed: int = 0
    has_more: bool = False


class AnnounceBilling(BaseModel):
    """Let the workflow of a client bill its hours."""

    key: BillKey
    until: date
    first: date | None = None
    cause: str
    priority: int


class BillingMoment(BaseModel):
    """Which period is over at this instant? `once` leaves out one that a run was made for before."""

    connection: str
    at: datetime
    once: bool = False


class BillingDays(BaseModel):
    """The days of the last period that is over: `until` is the first that is not billed, None if there is no period.

    `ended_at` is the instant at which the period was over.
    """

    first: date | None = None
    until: date | None = None
    ended_at: datetime | None = None
