"""What the workflows of plans and their activities tell each other. Fields are only ever added, with defaults."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from activities.models import ClientSide, PartySide


class PlanName(BaseModel):
    """One plan of one connection."""

    plan_id: str
    connection: str


class NewPlan(BaseModel):
    """A plan to be made; what it holds of people is kept until `expires_at`."""

    plan: PlanName
    expires_at: datetime


class StagePage(BaseModel):
    """One page to be listed for a plan. `vis_state` 1 lists deleted clients; None the active and archived ones."""

    plan: PlanName
    page: int
    vis_state: int | None = None


class StagedPage(BaseModel):
    """How many records a page held, and whether another one follows."""

    listed: int
    has_more: bool


class StagedParty(BaseModel):
    """One party as it was listed. `problem` says why the mapping cannot turn it into a client, without values."""

    side: PartySide
    name: str = ""
    other_emails: list[str] = Field(default_factory=list)
    problem: str = ""


class StagedClient(BaseModel):
    """One client as it was listed."""

    side: ClientSide
    name: str = ""
    other_emails: list[str] = Field(default_factory=list)


class FailedPlan(BaseModel):
    """A plan that could not be made, and why, in words for a person."""

    plan: PlanName
    text: str


class ApplyStart(BaseModel):
    """A plan to be applied. `allow_creates` is how many creates a person has agreed to; None if nobody was asked."""

    plan: PlanName
    allow_creates: int | None = None


class ApplyAnswer(BaseModel):
    """Whether a plan may be applied. `refusal` says why not and what to do; `finished` that nothing is left to do."""

    refusal: str = ""
    finished: bool = False


class ApplyProgress(BaseModel):
    """How it goes: items that were announced just now, and those announced before that were not heard of yet."""

    announced: int
    outstanding: int
    stopped: bool = False


class SettledItem(BaseModel):
    """What came of one item of a plan: told by the workflow of its record."""

    plan_id: str
    item: int
    outcome: Literal["done", "moved", "held", "skipped", "failed"]
