"""Firms whose won opportunities become FreshBooks projects: what tests see and change of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle

from runtime.billing import BillingFlow
from runtime.projects import ProjectsFlow
from runtime.queues import WORKFLOW_QUEUE
from starters.announce import billing_id, project_id
from store.holds import OpenHold
from store.store import Store
from tests.attended import attended
from tests.pipelines import Pipeline, sell
from tests.sandboxes import FRESHBOOKS, NUMBERS, Firm, open_firm
from tests.timesheets import Billing, make_service
from tests.workflows.office import PATIENCE, Office, until
from workflows.models import Resolution, SweepResult
from workflows.project_models import ProjectResult, ProjectSweepRequest
from workflows.projects import OpportunityToProject, ProjectSweep

FIELDS = {"hours": "Hours", "budget": "Budget", "billed": "Billed"}


class Engagements:
    """Those who sell, those who work, and the project between them."""

    def __init__(self, office: Office, service_id: int) -> None:
        self.office, self.firm = office, office.firm
        self.pipeline, self.timesheet = Pipeline(office), Billing(office, service_id)
        self._begun: set[str] = set()

    async def win(self) -> int:
        """Enter an opportunity (Website rebuild, 1250.50 EUR) of somebody new that is won already; return its id."""
        return await self.pipeline.enter("won")

    def projects(self) -> list[dict[str, Any]]:
        """Return every project that FreshBooks holds, oldest first."""
        return self.firm.sandbox.freshbooks_service.records.all("project")

    async def shown(self, record_id: int) -> dict[str, str]:
        """Return what the opportunity shows of its project."""
        found = await self.pipeline.sales.fields(record_id)
        return {name: found[name] for name in FIELDS.values() if name in found}

    async def announce(self, record_id: int, rank: int = 2) -> None:
        """Tell the project's workflow that something may have changed."""
        self._begun.add(project_id(self.firm.name, record_id, self.firm.connection.crm))
        await self.office.announcer.project_changed(self.firm.name, record_id, "a test", rank)

    async def sync(self, record_id: int) -> ProjectResult:
        """Announce, and wait for the end."""
        await self.announce(record_id)
        return await self.result(record_id)

    async def result(self, record_id: int) -> ProjectResult:
        """Wait until nothing is pending, and return how it ended."""
        return await asyncio.wait_for(self.workflow(record_id).result(), PATIENCE)

    def workflow(self, record_id: int) -> "WorkflowHandle[OpportunityToProject, ProjectResult]":
        """Return the latest run of a project's workflow."""
        workflow_id = project_id(self.firm.name, record_id, self.firm.connection.crm)
        return self.office.temporal.get_workflow_handle(workflow_id, result_type=ProjectResult)

    async def hold(self, record_id: int, reason: str) -> OpenHold:
        """Return the project's hold, once a person is waited for with this reason."""

        async def listed() -> OpenHold | None:
            wanted = ("projects", str(record_id), reason)
            found = await self.firm.store.holds.listed()
            return next((each for each in found if (each.flow, each.record_id, each.reason) == wanted), None)

        found: OpenHold = await until(listed)
        return found

    async def resolve(self, record_id: int, choice: str) -> None:
        """Decide a hold, as a person does."""
        decided = Resolution.model_validate({"choice": choice})
        await self.workflow(record_id).execute_update("resolve", decided, result_type=str)

    async def start_sweep(self) -> "WorkflowHandle[ProjectSweep, SweepResult]":
        """Start a sweep, as the schedule does."""
        request = ProjectSweepRequest(connection=self.firm.name, crm=self.firm.connection.crm)
        return await self.office.temporal.start_workflow(
            ProjectSweep.run, request, id=f"project-sweep/{self.firm.name}", task_queue=WORKFLOW_QUEUE
        )

    async def sweep(self) -> SweepResult:
        """Sweep, and wait for the end."""
        return await asyncio.wait_for((await self.start_sweep()).result(), PATIENCE)

    async def until_shown(self, record_id: int, **wanted: str) -> None:
        """Wait until the opportunity shows this, whoever was told to write it."""
        self._begun.add(project_id(self.firm.name, record_id, self.firm.connection.crm))

        async def seen() -> bool:
            return wanted.items() <= (await self.shown(record_id)).items()

        await until(seen)

    async def log(self, hours: float, project: dict[str, Any], **fields: Any) -> int:
        """Log time on a project, and return the entry's id."""
        return await self.timesheet.log(project["client_id"], hours, project_id=project["id"], **fields)

    async def bill(self, client_id: int, until_day: date = date(2026, 3, 31)) -> None:
        """Bill the client's hours."""
        self._begun.add(billing_id(self.firm.name, client_id))
        await self.timesheet.bill(client_id, until_day)

    async def change(self, kind: str, record_id: int, **fields: Any) -> None:
        """Change something in FreshBooks by hand."""
        await self.timesheet.change_record(kind, record_id, **fields)

    async def delete_project(self, project: int) -> None:
        """Delete a project in FreshBooks by hand."""
        url = f"{FRESHBOOKS}/_sandbox/records/project/{project}"
        (await self.firm.http.delete(url)).raise_for_status()

    def field_writes(self) -> int:
        """Return how often an opportunity was written to."""
        return sum(n for route, n in self.firm.crm_service.requests.items() if route.startswith("PUT "))

    async def close(self) -> None:
        """End what still runs."""
        self.office._begun |= self._begun
        await self.pipeline.close()


def opens_projects(firm: Firm, **flow: Any) -> None:
    """Let a firm open projects and bill hours from now on."""
    sell(firm, invoice="none", estimate_from=[], milestones={})
    billing = BillingFlow.model_validate({"rates_currency": "EUR", "time_zone": "Europe/Berlin"})
    projects = ProjectsFlow.model_validate({"fields": FIELDS, **flow})
    connection = firm.connection.model_copy(update={"billing": billing, "projects": projects})
    firm.settings = firm.settings.model_copy(update={"connections": {firm.name: connection}})
    firm.__post_init__()


async def engaged(office: Office) -> Engagements:
    """Return the people of a firm whose workers run, with the fields that show a project."""
    engagements = Engagements(office, await make_service(office.firm))
    for name in FIELDS.values():
        await engagements.pipeline.sales.new_field(name)
    return engagements


OpenEngagements = Callable[..., AbstractAsyncContextManager[Engagements]]
"""Gives a firm that opens projects with these settings."""


@asynccontextmanager
async def open_engagements(
    temporal: Client, store: Store, data: Path, crm: str, **flow: Any
) -> AsyncIterator[Engagements]:
    """Give a firm whose won opportunities become projects; run its workers."""
    async with open_firm(store, data, f"firm-{next(NUMBERS)}", crm=crm) as firm:
        opens_projects(firm, **flow)
        office = Office(temporal, firm)
        async with attended(office):
            engagements = await engaged(office)
            yield engagements
        await engagements.close()
