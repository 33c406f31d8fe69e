"""What sweeps and webhooks say.

Fields are only ever added, with defaults: old runs live on.
"""

from datetime import datetime

from pydantic import BaseModel, Field

from activities.models import PartyKey


class SweepPage(BaseModel):
    """One page of the parties that changed since an instant; None lists them all.

    With `keep_creates`, parties without a client wait until all of them have been counted.
    """

    connection: str
    since: datetime | None = None
    page: int = 1
    priority: int = 3
    keep_creates: bool = False


class PeoplePage(BaseModel):
    """One page of an organisation's people."""

    organisation: PartyKey
    page: int = 1
    priority: int = 3


class SweptPage(BaseModel):
    """What a page held: how many parties, and how many of them differ from what was last seen."""

    listed: int
    announced: int
    has_more: bool


class DeletedSince(BaseModel):
    """Ask which parties were deleted after an instant."""

    connection: str
    since: datetime


class Deletions(BaseModel):
    """The parties that were deleted; with `has_more`, more of them than a page holds."""

    party_ids: list[int] = Field(default_factory=list)
    has_more: bool = False


class Stream(BaseModel):
    """One stream of changes that a sweep reads."""

    connection: str
    name: str


class SweepStart(BaseModel):
    """Where a sweep begins to read. `since` already lies before the cursor by the overlap."""

    since: datetime | None
    started_at: datetime


class SweepEnd(BaseModel):
    """How far a sweep has read."""

    stream: Stream
    read_until: datetime


class HookList(BaseModel):
    """The webhooks of ours that a system has. `allowed` is False if the token may not manage webhooks.

    Those `expiring` end soon unless they are registered again.
    """

    allowed: bool = True
    events: list[str] = Field(default_factory=list)
    expiring: list[str] = Field(default_factory=list)
    unverified: list[int] = Field(default_factory=list)


class NewHook(BaseModel):
    """A webhook to register."""

    connection: str
    event: str


class Callback(BaseModel):
    """One FreshBooks callback."""

    connection: str
    callback_id: int


class Identity(BaseModel):
    """Whom a token speaks for, in words for an operator; without personal data."""

    text: str
    ok: bool = True
