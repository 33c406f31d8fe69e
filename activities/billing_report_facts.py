"""What a billing report is computed from, and how it is gathered page by page. Fields are only ever added.

Amounts are whole minor units of their currency, durations are seconds, days are those of the firm's time zone.
"""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class By(StrEnum):
    """What hours are summed by."""

    CLIENT = "client"
    PROJECT = "project"
    SERVICE = "service"
    PERSON = "person"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReportEntry(_Fact):
    """A logged time entry. One with a timer that still runs is none yet."""

    id: int
    day: date
    seconds: int
    is_billable: bool = True
    is_billed: bool = False
    client_id: int | None = None
    project_id: int | None = None
    service_id: int | None = None
    person_id: int | None = None


class ReportInvoice(_Fact):
    """An invoice that is not deleted. `status` is FreshBooks' word for how far it has come by now."""

    id: int
    number: str
    client_id: int
    day: date
    currency: str
    minor: int
    status: str = ""
    due: date | None = None
    is_draft: bool = False
    client_name: str = ""


class ReportPayment(_Fact):
    """A payment that is not deleted. One from credit is no new money; below zero, money is given back."""

    id: int
    day: date
    currency: str
    minor: int
    invoice_id: int | None = None
    client_id: int | None = None
    from_credit: bool = False


class Names(BaseModel):
    """What people call the records, by id. A record without a name is shown by its id."""

    client: dict[int, str] = Field(default_factory=dict)
    project: dict[int, str] = Field(default_factory=dict)
    service: dict[int, str] = Field(default_factory=dict)
    person: dict[int, str] = Field(default_factory=dict)

    def of(self, by: By, record_id: int | None) -> str:
        """Return what to call a record: "no project" where there is none."""
        if record_id is None:
            return f"no {by.value}"
        names: dict[int, str] = getattr(self, by.value)
        return names.get(record_id) or f"{by.value} {record_id}"


class ReportFacts(BaseModel):
    """All that a report is computed from. Entries, invoices and payments may lie outside the period too.

    `bills` are the invoices that we made, by id, with their time entries. `project_clients` is whose a project is.
    """

    connection: str
    first: date
    last: date
    zone: str
    made_at: datetime
    today: date
    entries_from: date
    entries: list[ReportEntry] = Field(default_factory=list)
    invoices: list[ReportInvoice] = Field(default_factory=list)
    payments: list[ReportPayment] = Field(default_factory=list)
    bills: dict[int, list[int]] = Field(default_factory=dict)
    project_clients: dict[int, int] = Field(default_factory=dict)
    names: Names = Field(default_factory=Names)
    unreadable: list[str] = Field(default_factory=list)

    def owner_of(self, entry: ReportEntry) -> int | None:
        """Return whose time it is: an entry that names no client belongs to the one of its project."""
        return entry.client_id if entry.client_id is not None else self.project_clients.get(entry.project_id or 0)


class ReadForReport(BaseModel):
    """One page of what a report needs, of the days from `first` to `last` where days matter."""

    connection: str
    first: date
    last: date
    zone: str = "UTC"
    page: int = 1


class EntriesRead(BaseModel):
    """One page of time entries. `running` have a timer that still runs."""

    entries: list[ReportEntry] = Field(default_factory=list)
    running: int = 0
    has_more: bool = False


class InvoicesRead(BaseModel):
    """One page of invoices, and those that cannot be counted, each in words."""

    invoices: list[ReportInvoice] = Field(default_factory=list)
    unreadable: list[str] = Field(default_factory=list)
    has_more: bool = False


class PaymentsRead(BaseModel):
    """One page of payments, and those that cannot be counted, each in words."""

    payments: list[ReportPayment] = Field(default_factory=list)
    unreadable: list[str] = Field(default_factory=list)
    has_more: bool = False


class NamesRead(BaseModel):
    """One page of names, by id. `clients` is whose each project is."""

    names: dict[int, str] = Field(default_factory=dict)
    clients: dict[int, int] = Field(default_factory=dict)
    has_more: bool = False


class BillsOf(BaseModel):
    """Which of these invoices did we make, of which time entries?"""

    connection: str
    invoice_ids: list[int]


class BillsFound(BaseModel):
    """The time entries of each invoice that we made, by its id."""

    entries: dict[int, list[int]] = Field(default_factory=dict)


class ReportPlace(BaseModel):
    """The firm's time zone, and which day it is there."""

    zone: str
    today: date


class PlaceAsked(BaseModel):
    """Which day is it where the firm is?"""

    connection: str


class ClientAsked(BaseModel):
    """What is this client called?"""

    connection: str
    client_id: int
