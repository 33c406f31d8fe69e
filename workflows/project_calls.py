"""The steps of a project as its workflow takes them: each request on its account's queue, with its line in the UI."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.models import OpenCreate, PartyKey
    from activities.opportunity_models import ClientFound, FindClient
    from activities.opportunity_passes import OpportunityPassActivities
    from activities.party_models import AnnounceParty
    from activities.passes import PassActivities
    from activities.project_crm import ProjectCrmActivities
    from activities.project_models import (
        EndProject,
        OpenProject,
        ProjectFacts,
        ProjectKey,
        ProjectOpened,
        ProjectRef,
        ProjectsFound,
        ProjectShown,
        ProjectStanding,
        ShowProject,
        WonOpportunity,
    )
    from activities.project_passes import ProjectPassActivities as Store
    from activities.projects import ProjectActivities
    from activities.queues import FRESHBOOKS
    from workflows.options import STORE_CALL, api_call


class ProjectCalls:
    """The requests of one project. `rank` runs from 1, a person waits, to 5, a backfill."""

    def __init__(self, key: ProjectKey, crm: str) -> None:
        self._key, self._crm = key, crm
        self.rank = 5
        self.cause = ""

    async def begin(self) -> ProjectStanding:
        """Return where the project stands."""
        return await workflow.execute_local_activity_method(Store.begin_project, self._key, **STORE_CALL)

    async def read_won(self) -> WonOpportunity:
        """Return what the CRM says of the opportunity."""
        call = self._in_crm(f"read opportunity {self._key.opportunity_id}")
        return await workflow.execute_activity_method(ProjectCrmActivities.read_won, self._key, **call)

    async def client(self, party_ids: list[int]) -> ClientFound:
        """Return the client of the first of these parties that has one."""
        asked = FindClient(connection=self._key.connection, party_ids=party_ids)
        return await workflow.execute_local_activity_method(OpportunityPassActivities.find_client, asked, **STORE_CALL)

    async def announce_party(self, party_id: int) -> None:
        """Let the workflow of a party make a pass, so that it gets its client."""
        key = PartyKey(connection=self._key.connection, party_id=party_id)
        cause = f"project of opportunity {self._key.opportunity_id}"
        asked = AnnounceParty(key=key, cause=cause, priority=self.rank)
        await workflow.execute_local_activity_method(PassActivities.announce_party, asked, **STORE_CALL)

    async def reserve(self) -> OpenCreate:
        """Return the intent, reserved before anything is looked up."""
        return await workflow.execute_local_activity_method(Store.reserve_project, self._key, **STORE_CALL)

    async def reopen(self, step: OpenProject) -> OpenCreate:
        """Return the intent usable again: after the wait no project was found."""
        return await workflow.execute_local_activity_method(Store.reopen_project, step, **STORE_CALL)

    async def drop(self) -> None:
        """No project is to be opened any more."""
        await workflow.execute_local_activity_method(Store.drop_project, self._key, **STORE_CALL)

    async def look(self, step: OpenProject) -> ProjectsFound:
        """Return the projects that matter for this one."""
        call = self._in_books(f"look for the project of opportunity {self._key.opportunity_id}")
        return await workflow.execute_activity_method(ProjectActivities.look_for_project, step, **call)

    async def open(self, step: OpenProject) -> ProjectOpened:
        """Open the project."""
        call = self._in_books(f"open a project for client {step.client_id}")
        return await workflow.execute_activity_method(ProjectActivities.open_project, step, **call)

    async def adopt(self, step: OpenProject) -> ProjectOpened:
        """Take over a project that carries our reference."""
        call = self._in_books(f"take over project {step.project_id}")
        return await workflow.execute_activity_method(ProjectActivities.adopt_project, step, **call)

    async def facts(self, project_id: int) -> ProjectFacts:
        """Return hours, budget and value billed."""
        asked = ProjectRef(key=self._key, project_id=project_id)
        call = self._in_books(f"read project {project_id} and its hours")
        return await workflow.execute_activity_method(ProjectActivities.read_project, asked, **call)

    async def show(self, project_id: int, facts: ProjectFacts, version: str) -> ProjectShown:
        """Show on the opportunity what differs."""
        told = ShowProject(key=self._key, project_id=project_id, facts=facts, cause=self.cause, version=version)
        call = self._in_crm(f"tell opportunity {self._key.opportunity_id} of project {project_id}")
        return await workflow.execute_activity_method(ProjectCrmActivities.show_project, told, **call)

    async def end(self, version: str) -> None:
        """The project was deleted, and a person leaves it at that."""
        ended = EndProject(key=self._key, cause=self.cause, version=version)
        await workflow.execute_local_activity_method(Store.end_project, ended, **STORE_CALL)

    def _in_crm(self, summary: str) -> workflow.ActivityConfig:
        return api_call(self._crm, self._key.connection, self.rank, summary)

    def _in_books(self, summary: str) -> workflow.ActivityConfig:
        return api_call(FRESHBOOKS, self._key.connection, self.rank, summary)
