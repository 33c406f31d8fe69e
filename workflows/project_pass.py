"""One attempt at a project: open it if the opportunity is won and has none, then show on it what FreshBooks says."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.models import HeldRecord, OpenCreate, OpenHold, PartyKey
    from activities.project_models import (
        OpenProject,
        ProjectKey,
        ProjectOpened,
        ProjectsFound,
        ProjectStanding,
        WonOpportunity,
    )
    from workflows.desk import PROJECTS, show
    from workflows.models import Resolution
    from workflows.project_calls import ProjectCalls
    from workflows.project_models import ProjectResult
    from workflows.search_attributes import IN_DOUBT, SYNCING

# A client is made by its own workflow. We look again ever more rarely, and then ask a person what is wrong.
FIRST_LOOK, LONGEST_LOOK, CLIENT_PATIENCE = timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=10)
Ask = Callable[[OpenHold, str], Awaitable[Resolution]]


class Again(Exception):
    """A person decided, or something moved while we looked: make another attempt."""


class Left(Exception):
    """A person leaves the project alone."""


class ProjectPass:
    """A pass over one project. `anyway` is that a person wants it although another has its title."""

    def __init__(self, key: ProjectKey, calls: ProjectCalls, ask: Ask, *, anyway: bool) -> None:
        self._key, self._calls, self._ask = key, calls, ask
        self.anyway = anyway
        self.settle_time = timedelta(0)

    async def attempt(self) -> ProjectResult:
        """Make one attempt. Raises Again, Left, and FailureError for what an activity could not do."""
        standing = await self._calls.begin()
        self.settle_time = standing.settle_time
        if standing.project_id is not None:
            if standing.state != "active":
                return ProjectResult(outcome="orphaned", project_id=standing.project_id)
            return await self._shown(standing.project_id, standing.version, "")
        await self._settle(standing.create)
        opportunity = await self._calls.read_won()
        if not (standing.opens and opportunity.is_won):
            return await self._not_due(standing, opportunity)
        client_id = await self._client(opportunity)
        create = await self._calls.reserve()
        await self._settle(create)
        step = self._step(standing, opportunity, create, client_id)
        found = await self._calls.look(step)
        opened = await self._adopted(step, found) if found.ours is not None else await self._opened(step, found)
        outcome = "adopted" if found.ours is not None else "opened"
        return await self._shown(opened.project_id, standing.version, outcome)

    async def _not_due(self, standing: ProjectStanding, opportunity: WonOpportunity) -> ProjectResult:
        """Open nothing; but what a lost create has left is looked for although it is not due any more."""
        create = standing.create
        if create is None:
            return ProjectResult(outcome="not-due")
        if create.in_doubt:
            step = self._step(standing, opportunity, create, None)
            found = await self._calls.look(step)
            if found.ours is not None:
                return ProjectResult(outcome="adopted", project_id=(await self._adopted(step, found)).project_id)
            await self._calls.reopen(step)
        await self._calls.drop()
        return ProjectResult(outcome="not-due")

    async def _opened(self, step: OpenProject, found: ProjectsFound) -> ProjectOpened:
        if found.same_title is not None and not self.anyway:
            await self._same_title(step, found.same_title)
        if step.create.in_doubt:
            step = step.model_copy(update={"create": await self._calls.reopen(step)})
        return await self._calls.open(step)

    async def _adopted(self, step: OpenProject, found: ProjectsFound) -> ProjectOpened:
        return await self._calls.adopt(step.model_copy(update={"project_id": found.ours}))

    async def _shown(self, project_id: int, version: str, outcome: str) -> ProjectResult:
        """Show on the opportunity what FreshBooks says."""
        facts = await self._calls.facts(project_id)
        if not facts.exists:
            return await self._deleted(project_id, version)
        told = await self._calls.show(project_id, facts, version)
        return ProjectResult(outcome=outcome or ("shown" if told.written else "in-step"), project_id=project_id)

    async def _same_title(self, step: OpenProject, project_id: int) -> None:
        text = (
            f"project {project_id} of this client has the title that the project of opportunity "
            f"{self._key.opportunity_id} would have: put {step.create.reference} into its description and `retry` to "
            "have it taken over, or `approve` a second one"
        )
        decided = await self._decided(self.held("duplicate-found", {"explanation": text}), text)
        self.anyway = decided.choice == "approve"
        raise Again

    async def _deleted(self, project_id: int, version: str) -> ProjectResult:
        text = (
            f"project {project_id} of opportunity {self._key.opportunity_id} was deleted in FreshBooks: `retry` looks "
            "once more, `skip` leaves the opportunity without a project"
        )
        decided = await self._ask(self.held("conflict", {"explanation": text}), text)
        if decided.choice != "skip":
            raise Again
        await self._calls.end(version)
        return ProjectResult(outcome="orphaned", project_id=project_id)

    async def _client(self, opportunity: WonOpportunity) -> int:
        """Return the client of the opportunity's party, once it has one. Asks a person if that takes too long."""
        found = await self._calls.client(opportunity.party_ids)
        if found.client_id is not None:
            return found.client_id
        began, wait = workflow.now(), FIRST_LOOK
        for party_id in opportunity.party_ids:
            await self._calls.announce_party(party_id)
        show(SYNCING, "waiting for the client of the opportunity's party")
        while opportunity.party_ids and workflow.now() - began <= CLIENT_PATIENCE:
            found = await self._calls.client(opportunity.party_ids)
            if found.client_id is not None:
                return found.client_id
            await workflow.sleep(wait, summary="until the party has its client")
            wait = min(2 * wait, LONGEST_LOOK)
        text = (
            f"the party of opportunity {self._key.opportunity_id} has no client in FreshBooks: look whether its own "
            "sync is held (`ledgerline holds list`), or give the opportunity another party, then retry"
        )
        await self._decided(self.held("missing-parent", {"explanation": text}), text)
        raise Again

    async def _settle(self, create: OpenCreate | None) -> None:
        """Wait until a create whose answer was lost can no longer take effect unseen."""
        if create is None or not create.in_doubt or create.settle_until is None:
            return
        wait = create.settle_until - workflow.now()
        if wait > timedelta(0):
            show(IN_DOUBT, f"the project was not answered; looking again in {wait.total_seconds():.0f} s")
            await workflow.sleep(wait, summary="until the lost create has settled")
        show(SYNCING, "looking for what a lost create may have left")

    def _step(
        self, standing: ProjectStanding, opportunity: WonOpportunity, create: OpenCreate, client_id: int | None
    ) -> OpenProject:
        return OpenProject(
            key=self._key,
            client_id=client_id,
            title=opportunity.title,
            create=create,
            cause=self._calls.cause,
            version=standing.version,
        )

    async def _decided(self, hold: OpenHold, text: str) -> Resolution:
        """Ask a person. One who leaves the project alone ends the intent too, or it would be taken up again."""
        decided = await self._ask(hold, text)
        if decided.choice == "skip":
            create = (await self._calls.begin()).create
            if create is not None and not create.in_doubt:
                await self._calls.drop()
            raise Left
        return decided

    def held(self, reason: str, evidence: dict[str, object]) -> OpenHold:
        """Return a hold of this project."""
        return OpenHold(
            key=PartyKey(connection=self._key.connection, party_id=0),
            record=HeldRecord(flow=PROJECTS, record_id=self._key.opportunity_id),
            reason=reason,
            evidence=evidence,
        )
