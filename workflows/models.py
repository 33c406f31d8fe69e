"""What starters tell workflows, and what they answer. Tolerant on purpose: a signal that does not decode is lost."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class Change(BaseModel):
    """News that a record may differ. A hint: the record is always fetched before anything is decided."""

    system: str
    cause: str
    priority: int = 3


class Resolution(BaseModel):
    """What a person decided about a hold.

    `crm` and `books` settle a conflict for that side; `pick` needs the client; `create` makes a new client in spite of
    the candidates.
    """

    choice: Literal["retry", "skip", "crm", "books", "pick", "create"]
    client_id: int | None = None

    @property
    def side(self) -> Literal["crm", "books"] | None:
        """The side for which a conflict is settled, if this settles one."""
        return self.choice if self.choice == "crm" or self.choice == "books" else None  # noqa: PLR1714 - narrows the type


class Choice(BaseModel):
    """What a person chose in the course of a pass: the client for all of it, a side for the next attempt only."""

    client_id: int | None = None
    create: bool = False
    side: Literal["crm", "books"] | None = None

    def after(self, resolution: Resolution) -> "Choice":
        """Return what is chosen once a further hold has been decided."""
        if resolution.choice == "pick":
            return Choice(client_id=resolution.client_id)
        if resolution.choice == "create":
            return Choice(create=True)
        return self.model_copy(update={"side": resolution.side})


class ClientUpsertRequest(BaseModel):
    """One party. Waiting changes and a person's choice travel along when a long-lived run continues as a new one."""

    connection: str
    party_id: int
    changes: list[Change] = Field(default_factory=list)
    choice: Choice = Field(default_factory=Choice)


class ClientUpsertResult(BaseModel):
    """How it ended: created, updated, adopted, in-step, skipped, gone, or not-carried (a change of the books only)."""

    outcome: str
    client_id: int | None = None
    passes: int = 0


class SweepRequest(BaseModel):
    """One connection's parties. The rest is how far a long run has come when it continues as a new one."""

    connection: str
    since: datetime | None = None
    started_at: datetime | None = None
    page: int = 1
    announced: int = 0
    listed: int = 0
    passes: int = 1
    deleted: list[int] = Field(default_factory=list)


class SweepResult(BaseModel):
    """How many parties were listed in how many passes over the list, and how many differed."""

    listed: int
    announced: int
    passes: int


class ConnectionRequest(BaseModel):
    """One connection."""

    connection: str


class CallbackRequest(BaseModel):
    """One FreshBooks callback whose handshake has arrived."""

    connection: str
    callback_id: int


class HookReport(BaseModel):
    """What each system says of our webhooks: kept, created, or not allowed for this token."""

    created: list[str] = Field(default_factory=list)
    kept: list[str] = Field(default_factory=list)
    not_allowed: list[str] = Field(default_factory=list)


class CheckReport(BaseModel):
    """Who we are to each system, and what is wrong, both in words for an operator."""

    passed: list[str] = Field(default_factory=list)
    failed: list[str] = Field(default_factory=list)
