"""The steps of a project's pass that touch only our own store: local activities, shared by all connections."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from temporalio import activity

from activities.errors import ByConnection, temporal_errors
from activities.models import OpenCreate
from activities.project_models import EndProject, OpenProject, ProjectKey, ProjectStanding
from activities.sides import audit_entry
from activities.write_once import WriteOnce
from store.records import RecordKey
from store.store import Store

PROJECTS_FLOW = "projects"


@dataclass(frozen=True)
class ProjectRules:
    """One connection's rules. `fields` are the custom fields by what they show; `version` changes with any of it."""

    version: str
    opens: bool
    title: str
    fields: Mapping[str, str] = field(default_factory=dict)


def project_record(key: ProjectKey) -> RecordKey:
    """Return the name under which the store knows the project of an opportunity."""
    return RecordKey(key.connection, PROJECTS_FLOW, str(key.opportunity_id))


class ProjectPassActivities:
    """What a pass over a project knows."""

    def __init__(self, store: Store, rules: Mapping[str, ProjectRules], once: Mapping[str, WriteOnce]) -> None:
        self._store, self._rules, self._once = store, ByConnection(rules), ByConnection(once)

    @activity.defn
    async def begin_project(self, key: ProjectKey) -> ProjectStanding:
        """Return where a project stands. Only reads, but for a lost attempt."""
        rules, once, record = self._rules[key.connection], self._once[key.connection], project_record(key)
        standing = ProjectStanding(
            version=rules.version, opens=rules.opens, settle_time=await once.settle_time(key.connection)
        )
        link = await self._store.links.of_crm(record)
        if link is not None and link.books_id is not None:
            return standing.model_copy(update={"project_id": int(link.books_id), "state": link.state})
        has_intent = await self._store.intents.open_one(record) is not None
        return standing.model_copy(update={"create": await once.open(record) if has_intent else None})

    @activity.defn
    async def reserve_project(self, key: ProjectKey) -> OpenCreate:
        """Return the intent to open a project, made now if there is none. Safe to repeat."""
        return await self._once[key.connection].open(project_record(key))

    @activity.defn
    async def reopen_project(self, step: OpenProject) -> OpenCreate:
        """Return the intent usable again: after the wait no project was found."""
        with temporal_errors():
            return await self._once[step.key.connection].reopen(step.create)

    @activity.defn
    async def drop_project(self, key: ProjectKey) -> None:
        """No project is to be opened any more. Safe to repeat."""
        await self._store.intents.drop(project_record(key))

    @activity.defn
    async def end_project(self, ended: EndProject) -> None:
        """The project was deleted in FreshBooks: no other one takes its place. Safe to repeat."""
        entry = audit_entry("orphaned", ended.cause, ended.version, side="books")
        await self._store.links.set_state(project_record(ended.key), "orphaned", audit=entry)
