"""What a billing report asks of FreshBooks, and what it looks at of the records whose connectors name them so."""

from dataclasses import dataclass
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from connectors.answers import Page
from connectors.freshbooks.document_models import Invoice, TeamMember
from connectors.freshbooks.hour_models import Project, Service, TimeEntry
from connectors.freshbooks.models import Client
from connectors.freshbooks.payment_models import Payment
from connectors.freshbooks.time_entries import EntryFilter

R = TypeVar("R")


class HoursLists(Protocol):
    """The time of one business: `Hours`. Pages count from 1."""

    async def time_zone(self) -> ZoneInfo:
        """Return the business's time zone."""

    async def time_entries_page(self, filters: EntryFilter, page: int) -> Page[TimeEntry]:
        """Return one page of everybody's time entries that are as asked for."""

    async def projects_page(self, page: int) -> Page[Project]:
        """Return one page of all projects, finished ones too."""

    async def services(self) -> list[Service]:
        """Return all services."""

    async def team_members(self) -> list[TeamMember]:
        """Return all who log time, or did."""


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
