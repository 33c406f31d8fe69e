"""What FreshBooks says about hours: the entries of a client that are not billed, and what they cost.

Source: https://www.freshbooks.com/api/time_entries, /api/project, /api/services, /api/team-members
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic

from activities.billing_rules import BillingRules
from activities.queues import FRESHBOOKS
from connectors.errors import Refused
from connectors.freshbooks import hour_models as said
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.hours import Hours
from connectors.freshbooks.models import DELETED
from connectors.freshbooks.time_entries import EntryFilter
from mapping.hours import BilledClient, HoursFacts
from mapping.line_words import Names
from mapping.money import Money
from mapping.rates import Rates, hourly_rate
from mapping.time_entries import Project, TimeEntry
from mapping.values import UnmappableValue

# A bill may rest on rates that are this old: a run over many clients reads them a few times, not once for each.
DIRECTORY_LIVES = timedelta(seconds=20)
MOST_PAGES = 2000


@dataclass(frozen=True)
class Directory:
    """The projects, services and people of an account, with their rates."""

    projects: dict[int, Project] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    project_rates: dict[int, Money] = field(default_factory=dict)
    service_rates: dict[int, Money] = field(default_factory=dict)
    staff_rates: dict[int, Money] = field(default_factory=dict)

    def client_of(self, entry: said.TimeEntry) -> int | None:
        """Return whose time it is: what the entry says, or else its project."""
        project = self.projects.get(entry.project_id or 0)
        return entry.client_id or (project.client_id if project is not None else None)

    def projects_of(self, client_id: int) -> list[int]:
        """Return the projects of a client."""
        return sorted(each.id for each in self.projects.values() if each.client_id == client_id)


class HoursBooks:
    """One account's hours. Only reads."""

    def __init__(self, hours: Hours, freshbooks: FreshBooksApi, rules: BillingRules) -> None:
        self._hours, self._freshbooks, self._rules = hours, freshbooks, rules
        self._directory, self._known_until = Directory(), 0.0

    async def client(self, client_id: int) -> BilledClient:
        """Return who is billed. Raises Refused for a client that was deleted, or has no currency."""
        client = await self._freshbooks.get_client(client_id)
        if client.vis_state == DELETED:
            text = f"client {client_id} was deleted, and has hours to bill: restore it, or mark them as billed"
            raise Refused(FRESHBOOKS, text)
        if not client.currency_code:
            raise Refused(FRESHBOOKS, f"client {client_id} has no currency: give it one in FreshBooks, then retry")
        return BilledClient(client_id, client.currency_code)

    async def unbilled(self, client_id: int, until: datetime) -> list[TimeEntry]:
        """Return the entries of a client that began before an instant and are not billed, running timers too.

        Time may name only a project: so those of the client's projects are read as well.
        """
        projects = (await self.directory()).projects_of(client_id)
        filters = [EntryFilter(billed=False, client_id=client_id, started_to=until, include_unlogged=True)]
        filters += [
            EntryFilter(billed=False, project_id=each, started_to=until, include_unlogged=True) for each in projects
        ]
        found: list[said.TimeEntry] = []
        for each in filters:
            found += await self._all(each)
        return [as_entry(each) for each in found]

    async def page(self, until: datetime, page: int) -> tuple[list[said.TimeEntry], bool]:
        """Return one page of everybody's entries that are not billed, and whether there are more."""
        listed = await self._hours.time_entries_page(EntryFilter(billed=False, billable=True, started_to=until), page)
        return list(listed.items), listed.has_more

    async def facts(self, client: BilledClient, entries: list[TimeEntry]) -> HoursFacts:
        """Return the entries with what is known of their projects and of their price."""
        directory, rules = await self.directory(), self._rules
        business = rules.business_rate.get(client.currency)
        own = rules.client_rates.get(client.id)
        rates = Rates(
            services=directory.service_rates,
            projects=directory.project_rates,
            staff=directory.staff_rates,
            clients={client.id: Money(own, client.currency)} if own is not None else {},
            business=Money(business, client.currency) if business is not None else None,
        )
        return HoursFacts(entries, directory.projects, rates, directory.names)

    async def directory(self) -> Directory:
        """Return projects, services and people with their rates; read again now and then."""
        if monotonic() > self._known_until:
            self._directory = await self._read()
            self._known_until = monotonic() + DIRECTORY_LIVES.total_seconds()
        return self._directory

    def forget(self) -> None:
        """Read projects and rates anew when they are asked for next: somebody has just put one right."""
        self._known_until = 0.0

    async def _read(self) -> Directory:
        projects = await self._hours.projects()
        services, people = await self._hours.services(), await self._hours.team_members()
        names = Names(
            {each.id: each.title or "" for each in projects},
            {each.id: each.name or "" for each in services},
            {
                each.identity_id: " ".join(filter(None, (each.first_name, each.last_name)))
                for each in people
                if each.identity_id is not None
            },
        )
        return Directory(
            projects={each.id: _project(each) for each in projects},
            names=names,
            project_rates=self._rates((each.id, each.rate, "project") for each in projects),
            service_rates=self._rates(
                (each.service_id, each.rate, "service") for each in await self._hours.service_rates()
            ),
            staff_rates=self._rates(
                (each.identity_id, each.rate, "team member") for each in await self._hours.team_rates()
            ),
        )

    def _rates(self, given: Iterable[tuple[int, Decimal | None, str]]) -> dict[int, Money]:
        rates: dict[int, Money] = {}
        for number, rate, kind in given:
            try:
                known = hourly_rate(rate, self._rules.rates_currency)
            except UnmappableValue as error:
                raise Refused(FRESHBOOKS, f"the rate of {kind} {number}: {error.reason}") from None
            rates |= {number: known} if known is not None else {}
        return rates

    async def _all(self, wanted: EntryFilter) -> list[said.TimeEntry]:
        found: list[said.TimeEntry] = []
        for number in range(1, MOST_PAGES + 1):
            listed = await self._hours.time_entries_page(wanted, number)
            found += listed.items
            if not listed.has_more:
                return found
        raise Refused(FRESHBOOKS, f"the list of time entries has more than {MOST_PAGES} pages: it seems not to end")


def as_entry(entry: said.TimeEntry) -> TimeEntry:
    """Return an entry as billing sees it. Raises Refused for one without a start."""
    if entry.started_at is None:
        raise Refused(FRESHBOOKS, f"time entry {entry.id} does not say when it began: correct it in FreshBooks")
    return TimeEntry(
        id=entry.id,
        started_at=entry.started_at,
        seconds=entry.duration,
        is_billable=bool(entry.billable),
        is_billed=bool(entry.billed),
        client_id=entry.client_id or None,
        project_id=entry.project_id or None,
        service_id=entry.service_id or None,
        person_id=entry.identity_id,
        retainer_id=entry.retainer_id or None,
        note=entry.note,
        is_running=entry.is_logged is False,
        is_deleted=entry.active is False,
    )


def _project(project: said.Project) -> Project:
    return Project(project.id, project.client_id or None, project.project_type, project.billing_method)
