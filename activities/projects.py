"""Projects of won opportunities: the requests of their sync to FreshBooks, one step an activity, safe to repeat.

Source: https://www.freshbooks.com/api/project, /api/time_entries
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.crash_points import crash_point
from activities.differences import tell_all
from activities.errors import temporal_errors
from activities.project_books import ProjectBooks
from activities.project_models import (
    OpenProject,
    ProjectFacts,
    ProjectOpened,
    ProjectRef,
    ProjectsFound,
    ProjectsPage,
)
from activities.project_passes import PROJECTS_FLOW, project_record
from activities.queues import FRESHBOOKS
from activities.sides import audit_entry
from activities.sweep_models import SweptPage
from activities.write_once import WriteOnce
from connectors.errors import NotFound, Refused, UnknownOutcome
from connectors.freshbooks.hour_models import Project
from connectors.freshbooks.hours import EntryFilter, Hours, ProjectType
from mapping.plan import FieldWrite
from mapping.values import tidy
from store.intents import FenceLost
from store.links import Agreement
from store.records import RecordKey
from store.store import Store

MOST_PAGES = 500
# Whatever no list tells of, an invoice that was made void for one, is seen after this long.
LOOKED_AT_EVERY = timedelta(days=1)
AnnounceProject = Callable[[RecordKey, str, int], Awaitable[None]]
"""Tells the workflow of an opportunity's project: the record in the flow of projects, cause, priority."""


@dataclass(frozen=True)
class ProjectAccount:
    """One account: its hours, what is read of them, and of which type its new projects are."""

    hours: Hours
    books: ProjectBooks
    project_type: ProjectType


class ProjectActivities:
    """The projects of one FreshBooks account."""

    def __init__(self, account: ProjectAccount, store: Store, once: WriteOnce, announce: AnnounceProject) -> None:
        self._hours, self._books, self._type = account.hours, account.books, account.project_type
        self._store, self._once, self._announce = store, once, announce

    @activity.defn
    async def look_for_project(self, step: OpenProject) -> ProjectsFound:
        """Return the project that carries our reference, and one of the same title. Only reads.

        Without a client, which a party may have lost since, all projects are looked through.
        """
        with temporal_errors():
            found: dict[int, Project] = {}
            for page in range(1, MOST_PAGES + 1):
                listed = await self._hours.projects_page(page, client_id=step.client_id)
                found |= {each.id: each for each in listed.items}
                if not listed.has_more:
                    break
            else:
                raise Refused(FRESHBOOKS, f"the list of projects has more than {MOST_PAGES} pages: it seems not to end")
            ours = [each.id for each in found.values() if step.create.reference in (each.description or "").split()]
            same = [each.id for each in found.values() if each.id not in ours and _is_called(each, step.title)]
            linked = await self._store.links.owners(step.key.connection, PROJECTS_FLOW, [str(each) for each in same])
            same = [each for each in same if str(each) not in linked]
            return ProjectsFound(ours=min(ours, default=None), same_title=min(same, default=None))

    @activity.defn
    async def open_project(self, step: OpenProject) -> ProjectOpened:
        """Open the project of an opportunity. Safe to repeat: it takes its intent before the request."""
        with temporal_errors():
            client_id = step.client_id
            if client_id is None:
                raise ValueError("a project is opened for a client")

            async def send() -> Project:
                return await self._hours.create_project(
                    title=step.title,
                    client_id=client_id,
                    project_type=self._type,
                    description=step.create.reference,
                )

            try:
                project = await self._once.send(step.key.connection, step.create, send)
            except FenceLost:
                return await self._earlier_attempt(step)
            crash_point("after-post")
            return await self._confirm(step, project, "create")

    @activity.defn
    async def adopt_project(self, step: OpenProject) -> ProjectOpened:
        """Take over the project that a lost create has left, or that a person gave our reference. Safe to repeat."""
        with temporal_errors():
            if step.project_id is None:
                raise ValueError("to take over a project takes its id")
            return await self._confirm(step, await self._hours.project(step.project_id), "adopt")

    @activity.defn
    async def read_project(self, asked: ProjectRef) -> ProjectFacts:
        """Return hours, budget and value billed of a project. Only reads."""
        with temporal_errors():
            try:
                project = await self._hours.project(asked.project_id)
            except NotFound:
                return ProjectFacts(exists=False)
            return await self._books.facts(asked.key.connection, project)

    @activity.defn
    async def sweep_project_hours(self, page: ProjectsPage) -> SweptPage:
        """List one page of the hours that changed, and announce the linked projects that they are of."""
        with temporal_errors():
            wanted = EntryFilter(updated_since=page.since, include_deleted=True)
            listed = await self._hours.time_entries_page(wanted, page.page)
            projects = sorted({str(each.project_id) for each in listed.items if each.project_id})
            owners = await self._store.links.owners(page.connection, PROJECTS_FLOW, projects)
            await self._tell(page, sorted(set(owners.values())), "sweep: hours changed")
            return SweptPage(listed=len(listed.items), announced=len(owners), has_more=listed.has_more)

    @activity.defn
    async def sweep_projects(self, page: ProjectsPage) -> SweptPage:
        """List one page of all projects, and announce those that differ, or that nobody has looked at for a day."""
        with temporal_errors():
            listed = await self._hours.projects_page(page.page)
            by_id = {str(each.id): each for each in listed.items}
            owners = await self._store.links.owners(page.connection, PROJECTS_FLOW, sorted(by_id))
            due = [owner for id_, owner in owners.items() if await self._is_due(page, by_id[id_])]
            await self._tell(page, sorted(due), "sweep")
            return SweptPage(listed=len(by_id), announced=len(due), has_more=listed.has_more)

    async def _is_due(self, page: ProjectsPage, project: Project) -> bool:
        link = await self._store.links.of_books(page.connection, PROJECTS_FLOW, str(project.id))
        if link is None or link.state != "active":
            return False
        is_old = datetime.now(UTC) - link.updated_at > LOOKED_AT_EVERY
        return is_old or link.books_seen != self._books.fingerprint(project)

    async def _tell(self, page: ProjectsPage, opportunities: list[str], cause: str) -> None:
        async def tell(opportunity_id: str) -> None:
            await self._announce(RecordKey(page.connection, PROJECTS_FLOW, opportunity_id), cause, page.priority)

        await tell_all(opportunities, tell)

    async def _earlier_attempt(self, step: OpenProject) -> ProjectOpened:
        """Return what an attempt of which Temporal knows nothing has made."""
        record = project_record(step.key)
        link = await self._store.links.of_crm(record)
        if link is not None and link.books_id is not None:
            return ProjectOpened(project_id=int(link.books_id))
        intent = await self._store.intents.open_one(record)
        if intent is not None and intent.state == "reserved":
            text = f"the project of opportunity {step.key.opportunity_id} was put off"
            raise FenceLost(f"{text}: look before trying again")
        raise UnknownOutcome(FRESHBOOKS, "an earlier attempt to open this project ended without an answer")

    async def _confirm(self, step: OpenProject, project: Project, action: str) -> ProjectOpened:
        agreed = Agreement(books_id=str(project.id), base={}, crm_seen="", books_seen="", mapping_version=step.version)
        writes = [FieldWrite(field="title", before=None, after=step.title)] if action == "create" else []
        request = f"{'POST' if action == 'create' else 'GET'} project {project.id}: {action}"
        entry = audit_entry(action, step.cause, step.version, writes, side="books", request=request)
        record = project_record(step.key)
        await self._store.links.confirm(record, agreed, audit=entry, intent_id=step.create.intent_id)
        crash_point("after-confirm")
        return ProjectOpened(project_id=project.id)


def _is_called(project: Project, title: str) -> bool:
    """Return whether a project that is under way has this title."""
    if project.complete or project.active is False:
        return False
    return (tidy(project.title or "") or "").casefold() == (tidy(title) or "").casefold()
