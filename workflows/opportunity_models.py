"""What starters tell the workflows of opportunities, and what they answer. Tolerant, as those of clients are."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from workflows.models import CAPSULE, Change


class OpportunityChoice(BaseModel):
    """What a person chose in the course of a pass: the digest of what was approved, that it may be written on, and for
    the next attempt only which side is right where both have changed.
    """

    approved: str = ""
    breaks: bool = False
    side: Literal["crm", "books"] | None = None


class OpportunityRequest(BaseModel):
    """One opportunity. Waiting changes and a person's choice travel along when a long run continues as a new one."""

    connection: str
    opportunity_id: int
    changes: list[Change] = Field(default_factory=list)
    choice: OpportunityChoice = Field(default_factory=OpportunityChoice)
    crm: str = CAPSULE


class OpportunityResult(BaseModel):
    """How it ended: what was done ("estimate create, invoice send"), in-step, skipped, or rejected by a person."""

    outcome: str
    passes: int = 0


class OpportunitySweepRequest(BaseModel):
    """One connection's opportunities and their documents. The rest is how far a long run has come when it continues.

    `part` counts the lists that were read to their ends, `deleted` what was seen deleted since the sweep began.
    """

    connection: str
    crm: str = CAPSULE
    since: datetime | None = None
    started_at: datetime | None = None
    part: int = 0
    page: int = 1
    passes: int = 1
    deleted: int = 0
    listed: int = 0
    announced: int = 0
