"""What starters tell the workflows of projects, and what they answer. Tolerant, as those of clients are."""

from datetime import datetime

from pydantic import BaseModel, Field

from workflows.models import CAPSULE, Change


class ProjectRequest(BaseModel):
    """The project of one opportunity. What waits travels along when a long run continues as a new one.

    `anyway` is that a person wants the project although another has its title.
    """

    connection: str
    opportunity_id: int
    changes: list[Change] = Field(default_factory=list)
    crm: str = CAPSULE
    anyway: bool = False


class ProjectResult(BaseModel):
    """How it ended: opened, adopted, shown, in-step, not-due, orphaned or skipped."""

    outcome: str
    project_id: int | None = None


class ProjectSweepRequest(BaseModel):
    """One connection's projects. The rest is how far a long run has come when it continues."""

    connection: str
    crm: str = CAPSULE
    since: datetime | None = None
    started_at: datetime | None = None
    part: int = 0
    page: int = 1
    listed: int = 0
    announced: int = 0
