"""The projects of one Capsule account. Its addresses and keys call them kases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.answers import Page
from connectors.capsule.calls import Calls
from connectors.capsule.models import DeletionPage, FieldDefinition
from connectors.capsule.opportunity_rules import on_the_wire
from connectors.capsule.project_models import Project
from connectors.capsule.reading import LARGEST_PAGE, deleted, ids_text, one, page_of, paging, since_text, some

EMBED = ("embed", "tags,fields,party")
STATUSES = ("OPEN", "CLOSED")


class CapsuleProjects:
    """Projects of one account. One method is one request; never retries. Raises the errors of `connectors.errors`.

    `calls` are those of the account's `CapsuleApi`. Source: https://developer.capsulecrm.com/v2/models/project
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def project(self, project_id: int) -> Project:
        """Return a project with its tags, custom fields and party. Raises NotFound."""
        return await self._calls.get(
            f"read project {project_id}", f"/kases/{project_id}", one("kase", Project), [EMBED]
        )

    async def projects(self, ids: Sequence[int]) -> list[Project]:
        """Return one to ten projects. Raises NotFound if any one of them is gone."""
        listed = ids_text(ids, "projects")
        read = some("kase", "kases", Project)
        return await self._calls.get(f"read projects {listed}", f"/kases/{listed}", read, [EMBED])

    async def changed_projects(self, since: datetime | None, page: int, per_page: int = LARGEST_PAGE) -> Page[Project]:
        """Return one page of those created or changed since an aware instant, of all without one.

        Whether the instant itself is included is not documented: let cursors overlap. Deletions do not appear here.
        Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api
        """
        query = [EMBED, *paging(page, per_page), *([("since", since_text(since))] if since else [])]
        read = page_of("kases", Project, per_page)
        return await self._calls.get(f"list projects, page {page}", "/kases", read, query)

    async def deleted_projects(self, since: datetime, *, page: int = 1) -> DeletionPage:
        """Return one page of those deleted since an aware instant, and of those our user lost sight of."""
        query = [("since", since_text(since)), *paging(page, LARGEST_PAGE)]
        doing = f"list deleted projects, page {page}"
        return await self._calls.get(doing, "/kases/deleted", deleted("kases"), query)

    async def filter_projects(
        self, conditions: Sequence[Mapping[str, Any]], page: int, per_page: int = LARGEST_PAGE
    ) -> Page[Project]:
        """Return one page of the projects that fulfil every condition (`field`, `operator`, `value`).

        Raises ValueError without conditions. Check the hits: an index may be late.
        Source: https://developer.capsulecrm.com/v2/operations/Filter
        """
        if not conditions or not all(each.get("field") and each.get("operator") for each in conditions):
            raise ValueError("a filter without conditions would return every project: give a field and an operator")
        body = {"filter": {"conditions": [dict(each) for each in conditions]}}
        query, read = [EMBED, *paging(page, per_page)], page_of("kases", Project, per_page)
        doing, path = f"filter projects, page {page}", "/kases/filters/results"
        return await self._calls.send(doing, "POST", path, read, query, body=body)

    async def projects_of_party(self, party_id: int, *, page: int = 1) -> Page[Project]:
        """Return one page of up to 100 projects of a party. Raises NotFound."""
        return await self._under(f"party {party_id}", f"/parties/{party_id}/kases", page)

    async def projects_of_opportunity(self, opportunity_id: int, *, page: int = 1) -> Page[Project]:
        """Return one page of up to 100 projects of an opportunity. Raises NotFound."""
        return await self._under(f"opportunity {opportunity_id}", f"/opportunities/{opportunity_id}/kases", page)

    async def update_project(self, project_id: int, changes: Mapping[str, Any]) -> Project:
        """Change the keys given, leave the rest, and return the project as it is then. Safe to repeat.

        Custom fields go by `{"definition": {"id": …}, "value": …}`; `owner` without `team` clears the team. Raises
        ValueError for a status other than OPEN and CLOSED, and for `closedOn`, which Capsule sets itself.
        Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
        """
        if not changes or "closedOn" in changes:
            raise ValueError(f"project {project_id}: give changes, without closedOn")
        if changes.get("status", "OPEN") not in STATUSES:
            raise ValueError(f"project {project_id}: status is OPEN or CLOSED")
        doing, path, body = f"update project {project_id}", f"/kases/{project_id}", {"kase": on_the_wire(changes)}
        return await self._calls.send(doing, "PUT", path, one("kase", Project), [EMBED], body=body)

    async def project_fields(self, *, page: int = 1) -> Page[FieldDefinition]:
        """Return one page of up to 100 custom fields of projects; parties have others of the same ids.

        Source: https://developer.capsulecrm.com/v2/operations/Custom_Field
        """
        read = page_of("definitions", FieldDefinition, LARGEST_PAGE)
        path, query = "/kases/fields/definitions", paging(page, LARGEST_PAGE)
        return await self._calls.get("list custom fields of projects", path, read, query)

    async def _under(self, parent: str, path: str, page: int) -> Page[Project]:
        read = page_of("kases", Project, LARGEST_PAGE)
        return await self._calls.get(f"list projects of {parent}", path, read, [EMBED, *paging(page, LARGEST_PAGE)])
