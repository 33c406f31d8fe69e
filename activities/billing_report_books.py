"""What a billing report asks of FreshBooks, and what it looks at of the records whose connectors name them so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from connectors.answers import Page
from connectors.freshbooks.document_models import Invoice, TeamMember
from connectors.freshbooks.models import Client
from connectors.freshbooks.payment_models import Payment

R = TypeVar("R")


@dataclass(frozen=True)
class LoggedTime:
    """A time entry. `started_at` is in UTC, `duration` in seconds; `active` is False once it was deleted."""

    id: int
    started_at: datetime | None
    duration: int | None
    is_logged: bool | None = True
    identity_id: int | None = None
    client_id: int | None = None
    project_id: int | None = None
    service_id: int | None = None
    billable: bool | None = None
    billed: bool | None = None
    active: bool | None = None


@dataclass(frozen=True)
class NamedProject:
    """A project."""

    id: int
    title: str | None
    client_id: int | None = None


@dataclass(frozen=True)
class NamedService:
    """A service."""

    id: int
    name: str | None


class HoursLists(Protocol):
    """The time of one business. A method is one request; pages count from 1 and have up to 100 records."""

    async def time_zone(self) -> str:
        """Return the IANA name of the business's time zone."""

    async def time_entries(self, started_from: datetime, started_to: datetime, page: int) -> Page[LoggedTime]:
        """Return one page of everybody's time entries that began between two instants, running ones too."""

    async def projects(self, page: int) -> Page[NamedProject]:
        """Return one page of all projects, finished ones too."""

    async def services(self, page: int) -> Page[NamedService]:
        """Return one page of all services."""

    async def people(self, page: int) -> Page[TeamMember]:
        """Return one page of all who log time."""


class Lists(Protocol[R]):
    """Whoever lists all records of one kind, without deleted ones: `PaymentApi`, or `FreshBooksDocuments.invoices`."""

    async def list_page(self, *, page: int) -> Page[R]:
        """Return one page."""


class Clients(Protocol):
    """Whoever can read a client: `FreshBooksApi`."""

    async def get_client(self, client_id: int) -> Client:
        """Return one client."""


@dataclass(frozen=True)
class ReportBooks:
    """The connectors of one account that a report reads."""

    clients: Clients
    invoices: Lists[Invoice]
    payments: Lists[Payment]
    hours: HoursLists
