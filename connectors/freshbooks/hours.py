"""The hours of one FreshBooks account: time entries, projects, services, team members, and what an hour costs.

Source: https://www.freshbooks.com/api/time_entries, /api/project, /api/services, /api/team-members
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from connectors.answers import Answer
from connectors.errors import Forbidden, NotFound, Refused
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.business import (
    Business,
    BusinessPage,
    R,
    asking,
    business_page,
    everything,
    member,
    raw_member,
    whole,
    zulu,
)
from connectors.freshbooks.document_models import TeamMember
from connectors.freshbooks.documents import FreshBooksDocuments
from connectors.freshbooks.hour_models import Project, Service, ServiceRate, TeamRate, TimeEntry
from connectors.freshbooks.problems import DIALECT
from connectors.freshbooks.reading import LARGEST_PAGE, paging
from connectors.freshbooks.time_entries import EntryFilter, ReadEntry
from connectors.http import Request

__all__ = ["EntryFilter", "Hours", "ReadEntry"]

ProjectType = Literal["fixed_price", "hourly_rate"]

PROJECT_READ_ONLY = frozenset(
    {"id", "sample", "created_at", "updated_at", "logged_duration", "billed_amount", "billed_status", "retainer_id"}
    | {"group", "group_id"}
)


class Hours:
    """The hours of one account. Never retries; raises `connectors.errors`. It shares the caller, and every wait, of the
    account's FreshBooksApi.

    Without `business_id` the first call of all looks it up, with one more request.
    """

    def __init__(self, freshbooks: FreshBooksApi, business_id: int | None = None) -> None:
        self._business = Business(freshbooks, business_id)
        self._documents = FreshBooksDocuments(freshbooks.account)

    async def time_entries_page(self, filters: EntryFilter, page: int) -> BusinessPage[TimeEntry]:
        """Return one page of entries, newest first. Every hit is checked again: go on while `has_more`, and remove
        duplicates by id, for what is logged or billed meanwhile moves the rest from page to page.

        Source: https://www.freshbooks.com/api/time_entries
        """
        url = await self._business.url("timetracking", "time_entries")
        query = [*filters.query(), *paging(page, LARGEST_PAGE)]
        request = Request(f"list time entries, page {page}", "GET", url, query)
        found = await self._business.call(request, business_page("time_entries", TimeEntry))
        fitting = [each for each in found.items if filters.fits(each)]
        return replace(found, items=fitting)

    async def time_entry(self, entry_id: int) -> ReadEntry | None:
        """Return an entry, None if it does not exist or is deleted: whether FreshBooks shows those is not documented.

        Source: https://www.freshbooks.com/api/time_entries
        """
        url = await self._business.url("timetracking", f"time_entries/{entry_id}")
        request = Request(f"read time entry {entry_id}", "GET", url)
        try:
            raw, entry = await self._business.call(request, raw_member("time_entry", TimeEntry))
        except NotFound:
            return None
        return None if entry.active is False else ReadEntry(entry, raw)

    async def mark_billed(self, read: ReadEntry, *, billed: bool = True) -> TimeEntry:
        """Tell FreshBooks whether an entry is billed, and return it as it is then. Safe to repeat.

        Write it right after reading it: the whole entry is replaced, and FreshBooks takes no condition, so a change of
        somebody else in between would be lost. Sends nothing if there is nothing to do. Raises Refused for a running
        timer, and if FreshBooks does not do what it took. Source: https://www.freshbooks.com/api/time_entries
        """
        entry_id, state = read.entry.id, "billed" if billed else "not billed"
        if not read.entry.is_logged:
            text = f"time entry {entry_id} is a timer that still runs, so it cannot be marked as {state}"
            raise Refused(DIALECT.system, f"{text}: stop it in FreshBooks, then retry")
        if read.entry.billed is billed:
            return read.entry
        url = await self._business.url("timetracking", f"time_entries/{entry_id}")
        body = {"time_entry": read.values({"billed": billed})}
        request = Request(f"mark time entry {entry_id} as {state}", "PUT", url, json=body)
        entry = await self._business.call(request, member("time_entry", TimeEntry))
        if entry.billed is not billed:
            text = f"FreshBooks took the change of time entry {entry_id} and does not show it as {state}"
            raise Refused(DIALECT.system, f"{text}: mark it there by hand")
        return entry

    async def projects_page(
        self, page: int, *, updated_since: datetime | None = None, client_id: int | None = None
    ) -> BusinessPage[Project]:
        """Return one page of projects, the oldest first. `updated_since` is aware. Hits of other clients are left out,
        so go on while `has_more`; remove duplicates by id. Source: https://www.freshbooks.com/api/project
        """
        url = await self._business.url("projects", "projects")
        # By age, so that a new project does not push others over the edge of a page that is read already.
        filters = {"updated_since": zulu(updated_since), "client_id": client_id, "sort": "created_at"}
        request = Request(f"list projects, page {page}", "GET", url, [*asking(filters), *paging(page, LARGEST_PAGE)])
        found = await self._business.call(request, business_page("projects", Project))
        fitting = [each for each in found.items if client_id is None or each.client_id == client_id]
        return replace(found, items=fitting)

    async def projects(self) -> list[Project]:
        """Return all projects: as many requests as there are pages."""
        return list((await everything("projects", self.projects_page, lambda each: each.id)).values())

    async def project(self, project_id: int) -> Project:
        """Return a project. Raises NotFound. Source: https://www.freshbooks.com/api/project"""
        return (await self._read_project(project_id))[1]

    async def create_project(
        self, *, title: str, client_id: int, project_type: ProjectType, description: str
    ) -> Project:
        """Create a project of a client and return it. Raises UnknownOutcome if that may or may not have happened.

        FreshBooks refuses no duplicate and searches no text: put our reference into `description`, and look among the
        client's projects first. Source: https://www.freshbooks.com/api/project
        """
        if not title.strip():
            raise ValueError("a project needs a title")
        values = {"title": title, "client_id": client_id, "project_type": project_type, "description": description}
        url = await self._business.url("projects", "project")
        request = Request("create a project", "POST", url, json={"project": values}, repeatable=False)
        return await self._business.call(request, member("project", Project))

    async def update_project(self, project_id: int, changes: Mapping[str, Any]) -> Project:
        """Change the fields given, keep the rest, and return the project as it is then: compare it with what you sent.

        The project is read first, and written whole: nobody documents what becomes of fields that are left out. Raises
        ValueError for fields that cannot be written, and for an empty title. Source: https://www.freshbooks.com/api/project
        """
        stray = sorted(PROJECT_READ_ONLY & changes.keys())
        if stray or not changes or not (changes.get("title", "as it was") or "").strip():
            raise ValueError(f"project {project_id}: give fields, without {stray or 'an empty title'}")
        raw, project = await self._read_project(project_id)
        services = {"services": [{"id": each.id} for each in project.services]} if project.services else {}
        values = whole(raw, PROJECT_READ_ONLY, {**services, **changes})
        url = await self._business.url("projects", f"project/{project_id}")
        request = Request(f"update project {project_id}", "PUT", url, json={"project": values})
        return await self._business.call(request, member("project", Project))

    async def _read_project(self, project_id: int) -> tuple[dict[str, Any], Project]:
        url = await self._business.url("projects", f"project/{project_id}")
        request = Request(f"read project {project_id}", "GET", url)
        return await self._business.call(request, raw_member("project", Project))

    async def services(self) -> list[Service]:
        """Return all services. Source: https://www.freshbooks.com/api/services"""
        return await self._comments("services", Service, lambda each: each.id, has_meta=True)

    async def service_rates(self) -> list[ServiceRate]:
        """Return the rates of services, which have a currency that is not said. Raises Forbidden rather than nothing:
        without them work would be billed at another price. Source: https://www.freshbooks.com/api/services
        """
        return await self._comments("service_rates", ServiceRate, lambda each: each.service_id, has_meta=False)

    async def team_rates(self) -> list[TeamRate]:
        """Return the rates of team members, none where FreshBooks has none for this business, its plan or this user.

        How that is answered is not documented, so every NotFound and Forbidden means none.
        Source: https://www.freshbooks.com/api/team-members
        """
        try:
            return await self._comments("team_member_rates", TeamRate, lambda each: each.identity_id, has_meta=False)
        except (NotFound, Forbidden):
            return []

    async def _comments(self, plural: str, model: type[R], key: Callable[[R], Hashable], *, has_meta: bool) -> list[R]:
        url, what = await self._business.url("comments", plural), plural.replace("_", " ")
        read = business_page(plural, model, has_meta=has_meta)

        async def page_at(number: int) -> BusinessPage[R]:
            request = Request(f"list {what}, page {number}", "GET", url, paging(number, LARGEST_PAGE))
            return await self._business.call(request, read)

        return list((await everything(what, page_at, key)).values())

    async def team_members(self) -> list[TeamMember]:
        """Return all who work in the business, those who left too (`active` False)."""
        business_id = await self._business.id()
        found = await everything(
            "team members",
            lambda number: self._documents.team_members(business_id, page=number),
            lambda each: each.uuid,
        )
        return list(found.values())

    async def time_zone(self) -> ZoneInfo:
        """Return the time zone of the business, in which its days begin and end.

        Raises Refused if FreshBooks names none that we know. Source: https://www.freshbooks.com/api/users
        """
        business_id = await self._business.id()
        url = await self._business.auth_url()
        name = await self._business.call(Request(f"read business {business_id}", "GET", url), _time_zone)
        try:
            return ZoneInfo(name)
        except (ValueError, KeyError, OSError):  # its own error is a KeyError; a name can also lead to a folder
            text = f"FreshBooks says no time zone that we know for business {business_id}"
            raise Refused(DIALECT.system, f"{text}: state `time_zone` in the settings of billing") from None


def _time_zone(answer: Answer) -> str:
    return str(answer.json()["response"].get("timezone") or "")
