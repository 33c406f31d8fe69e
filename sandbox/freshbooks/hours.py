"""Puts time entries, projects, services and rates together: their addresses, and what people do."""

from sandbox.calls import Operation
from sandbox.freshbooks.account import Account
from sandbox.freshbooks.project_write import ProjectWriter
from sandbox.freshbooks.projects import Projects
from sandbox.freshbooks.services import SERVICE_RATE, TEAM_MEMBER_RATE, Rates, Services
from sandbox.freshbooks.time_entries import TimeEntries
from sandbox.freshbooks.time_entry_write import TimeEntryWriter
from sandbox.hands import Hands

TRACKING, PROJECTS, COMMENTS = (
    f"/{family}/business/{{business}}" for family in ("timetracking", "projects", "comments")
)


class Hours:
    """All that the account knows of work and what it costs."""

    def __init__(self, account: Account) -> None:
        self._entries, self._projects, self._services = (
            TimeEntryWriter(account),
            ProjectWriter(account),
            Services(account),
        )
        self._rates = {kind.name: Rates(account, kind) for kind in (SERVICE_RATE, TEAM_MEMBER_RATE)}
        self._account = account

    def operations(self) -> list[Operation]:
        """Return what the API answers."""
        return [*self._of_entries(), *self._of_projects(), *self._of_services(), *self._of_rates()]

    def hands(self) -> dict[str, Hands]:
        """Return what people do in FreshBooks' web interface."""
        entries, projects, services = self._entries, self._projects, self._services
        deeds = {"stop": entries.stop, "bill": entries.bill}
        return {
            "time_entry": Hands(entries.by_hand, entries.edit, entries.remove, deeds),
            "project": Hands(projects.by_hand, projects.edit, projects.remove),
            "service": Hands(services.by_hand, services.edit, services.remove),
            **{name: Hands(rates.add, rates.edit, rates.remove) for name, rates in self._rates.items()},
        }

    def _of_entries(self) -> list[Operation]:
        entries, path = TimeEntries(self._account, self._entries), f"{TRACKING}/time_entries"
        read, write, one = "user:time_entries:read", "user:time_entries:write", f"{path}/{{id}}"
        return [
            Operation("GET", path, entries.index, read),
            Operation("POST", path, entries.create, write),
            Operation("GET", one, entries.get, read),
            Operation("PUT", one, entries.update, write),
            Operation("DELETE", one, entries.delete, write),
        ]

    def _of_projects(self) -> list[Operation]:
        """Only the list is in the plural, though creating and reading has been seen there too."""
        projects, many, single = Projects(self._account, self._projects), f"{PROJECTS}/projects", f"{PROJECTS}/project"
        read, write = "user:projects:read", "user:projects:write"
        return [
            Operation("GET", many, projects.index, read),
            *(Operation("POST", path, projects.create, write) for path in (single, many)),
            *(Operation("GET", f"{path}/{{id}}", projects.get, read) for path in (single, many)),
            Operation("PUT", f"{single}/{{id}}", projects.update, write),
            Operation("DELETE", f"{single}/{{id}}", projects.delete, write),
        ]

    def _of_services(self) -> list[Operation]:
        services, read, write = self._services, "user:billable_items:read", "user:billable_items:write"
        return [
            Operation("GET", f"{COMMENTS}/services", services.index, read),
            Operation("POST", f"{COMMENTS}/service", services.create, write),
            Operation("GET", f"{COMMENTS}/service/{{id}}", services.get, read),
        ]

    def _of_rates(self) -> list[Operation]:
        of_services, of_people = self._rates["service_rate"], self._rates["team_member_rate"]
        path, read, write = f"{COMMENTS}/service/{{id}}/rate", "user:billable_items:read", "user:billable_items:write"
        return [
            Operation("GET", path, of_services.get, read),
            Operation("POST", path, of_services.create, write),
            Operation("PUT", path, of_services.update, write),
            Operation("GET", f"{COMMENTS}/service_rates", of_services.index, read),
            Operation("GET", f"{COMMENTS}/team_member_rates", of_people.index, "user:teams:read"),
            Operation("PUT", f"{COMMENTS}/team_member_rate/{{id}}", of_people.put, "user:teams:write"),
        ]
