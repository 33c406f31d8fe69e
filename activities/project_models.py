"""What workflows and activities tell each other about projects. Fields are only ever added, with defaults.

An amount is decimal text ("1250.50") by its currency, because JSON has no exact numbers.
"""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from activities.models import OpenCreate


class ProjectKey(BaseModel):
    """The project of one opportunity."""

    connection: str
    opportunity_id: int


class ProjectStanding(BaseModel):
    """Where a project stands before a pass: its id, or the intent to create it. `opens`: one may be opened."""

    version: str
    opens: bool = True
    project_id: int | None = None
    state: str = "active"
    create: OpenCreate | None = None
    settle_time: timedelta = timedelta(0)


class WonOpportunity(BaseModel):
    """What the CRM says of an opportunity, as far as a project needs it. `title` is what its project is called."""

    exists: bool
    is_won: bool = False
    title: str = ""
    party_ids: list[int] = Field(default_factory=list)


class OpenProject(BaseModel):
    """A project that is to be opened, looked for, or, with `project_id`, taken over."""

    key: ProjectKey
    client_id: int | None = None
    title: str
    create: OpenCreate
    cause: str
    version: str
    project_id: int | None = None


class ProjectsFound(BaseModel):
    """The client's projects that matter: `ours` carries our reference, `same_title` only the name."""

    ours: int | None = None
    same_title: int | None = None


class ProjectOpened(BaseModel):
    """The project as it is then."""

    project_id: int


class ProjectRef(BaseModel):
    """One linked project."""

    key: ProjectKey
    project_id: int


class ProjectFacts(BaseModel):
    """What FreshBooks says of a project. `billed` is by currency, before tax."""

    exists: bool = True
    seconds: int = 0
    budget_seconds: int | None = None
    billed: dict[str, str] = Field(default_factory=dict)
    fingerprint: str = ""


class ShowProject(BaseModel):
    """Tell an opportunity of its project."""

    key: ProjectKey
    project_id: int
    facts: ProjectFacts
    cause: str
    version: str


class ProjectShown(BaseModel):
    """The names of the custom fields that were written."""

    written: list[str] = Field(default_factory=list)


class EndProject(BaseModel):
    """A person deleted the project, and another leaves it at that."""

    key: ProjectKey
    cause: str
    version: str


class ProjectsPage(BaseModel):
    """One page of a list that a sweep reads, of what changed since an instant."""

    connection: str
    since: datetime | None = None
    page: int = 1
    priority: int = 3
