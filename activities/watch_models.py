"""What the sweeps of clients, the upkeep of webhooks and the checks are asked, and what they answer."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from activities.sweep_models import SweptPage


class ClientPage(BaseModel):
    """One page of the clients that changed since an instant; None lists them all.

    `deleted` asks for deleted clients alone: FreshBooks leaves them out of its other lists. `began` is when this pass
    over the list began.
    """

    connection: str
    since: datetime | None = None
    deleted: bool = False
    page: int = 1
    priority: int = 3
    began: datetime


class SweptClients(SweptPage):
    """What a page held, and which of its clients were deleted since the pass began, or shortly before."""

    deleted_lately: list[int] = Field(default_factory=list)


class DeletionsPage(BaseModel):
    """One page of the parties that were deleted after an instant."""

    connection: str
    since: datetime
    page: int = 1
    priority: int = 3


class Blindness(BaseModel):
    """Since when the alert watch could not look; or that it can again."""

    since: datetime
    over: bool = False


class CatchUp(BaseModel):
    """The systems of a connection whose webhooks were missing, so that something may have gone unheard."""

    connection: str
    systems: list[str]


class AccountName(BaseModel):
    """One account of a connection."""

    connection: str
    system: str


class Finding(BaseModel):
    """One thing that a check found. `text` says what is wrong and what to do, or what was found."""

    level: Literal["ok", "note", "warning", "wrong"]
    text: str


class Findings(BaseModel):
    """What a check found."""

    findings: list[Finding] = Field(default_factory=list)


class TokenFindings(Findings):
    """What is known of an account's token; `usable` is False if only a person can help."""

    usable: bool = True
