"""What workflows and activities tell each other. Fields are only ever added, with defaults: old runs live on."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from mapping.plan import ClientPlan, FieldWrite
from mapping.values import Value


class PartyKey(BaseModel):
    """One Capsule party of one connection."""

    connection: str
    party_id: int


class ClientKey(BaseModel):
    """One FreshBooks client of one connection."""

    connection: str
    client_id: int


class OpenCreate(BaseModel):
    """The intent to create a client: reserved before anything is looked up, let alone sent."""

    intent_id: int
    reference: str
    fence: int
    in_doubt: bool = False
    settle_until: datetime | None = None


class Standing(BaseModel):
    """Where a party stands before a pass: its client and what was last seen, or the intent to create one."""

    client_id: int | None = None
    crm_seen: str | None = None
    books_seen: str | None = None
    mapping_version: str | None = None
    current_mapping: str
    two_way: bool = False
    create: OpenCreate | None = None


class PartySide(BaseModel):
    """What Capsule says now, in the fields of the mapping. `exists` is False once the party was deleted."""

    exists: bool
    is_organisation: bool = False
    values: dict[str, Value] = Field(default_factory=dict)
    fingerprint: str = ""
    changed_at: datetime | None = None


class ClientSide(BaseModel):
    """What FreshBooks says now of one client, in the fields of the mapping."""

    client_id: int
    exists: bool = True
    visible: bool = True
    values: dict[str, Value] = Field(default_factory=dict)
    fingerprint: str = ""
    reference: str | None = None
    changed_at: datetime | None = None


class LookForClient(BaseModel):
    """Search for clients that may be the party's: by email address if one is given, else by our reference."""

    key: PartyKey
    email: str | None = None
    reference: str


class Found(BaseModel):
    """The clients that a search found, each checked on our side."""

    clients: list[ClientSide] = Field(default_factory=list)


class PlanClient(BaseModel):
    """Everything a plan is made of. `candidates` counts only while the party has no client."""

    key: PartyKey
    party: PartySide
    client: ClientSide | None = None
    candidates: list[ClientSide] = Field(default_factory=list)
    create: OpenCreate | None = None
    chosen: int | None = None
    create_anyway: bool = False
    take: Literal["crm", "books"] | None = None  # how a person settled a conflict


class PlannedPass(BaseModel):
    """The plan, and what both sides agree on once it is done."""

    plan: ClientPlan
    next_base: dict[str, Value] = Field(default_factory=dict)
    client: ClientSide | None = None
    create: OpenCreate | None = None
    candidate_ids: list[int] = Field(default_factory=list)


class WriteClient(BaseModel):
    """One write of a plan, with what the books and the audit log need to know about it."""

    key: PartyKey
    client_id: int | None = None
    writes: list[FieldWrite]
    next_base: dict[str, Value]
    party_fingerprint: str
    client_fingerprint: str = ""
    mapping_version: str
    cause: str
    adopted: bool = False
    create: OpenCreate | None = None


class ClientWritten(BaseModel):
    """The client that a write left behind."""

    client_id: int


class OpenHold(BaseModel):
    """A hold to be listed. The evidence may quote values; it is stored sealed."""

    key: PartyKey
    reason: str
    evidence: dict[str, object] = Field(default_factory=dict)


class SweepPage(BaseModel):
    """One page of the parties that changed since an instant; None lists them all."""

    connection: str
    since: datetime | None = None
    page: int = 1
    priority: int = 3


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
    """The webhooks of ours that a system has. `allowed` is False if the token may not manage webhooks."""

    allowed: bool = True
    events: list[str] = Field(default_factory=list)
    unverified: list[int] = Field(default_factory=list)


class NewHook(BaseModel):
    """A webhook to register."""

    connection: str
    event: str


class Callback(BaseModel):
    """One FreshBooks callback."""

    connection: str
    callback_id: int


class ConnectionName(BaseModel):
    """One connection."""

    connection: str


class Identity(BaseModel):
    """Whom a token speaks for, in words for an operator; without personal data."""

    text: str
    ok: bool = True
