"""What workflows and activities tell each other about one pair.

Fields are only ever added, with defaults: old runs live on.
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, Field

from mapping.plan import ClientPlan, FieldWrite
from mapping.values import Value


class PartyKey(BaseModel):
    """One party of one connection."""

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
    touched_at: datetime | None = None


class Standing(BaseModel):
    """Where a party stands before a pass: its client and what was last seen, or the intent to create one."""

    client_id: int | None = None
    crm_seen: str | None = None
    books_seen: str | None = None
    mapping_version: str | None = None
    current_mapping: str
    two_way: bool = False
    create: OpenCreate | None = None
    state: str = "active"  # of the link: active, orphaned, tombstoned
    merged_into: int | None = None  # the party that is left after a merge in the CRM
    writes_lately: int = 0  # in the last ten minutes, on either side
    turns_lately: int = 0  # how often the side that was written changed meanwhile
    settle_time: timedelta = timedelta(0)  # after a lost answer of the CRM
    looked_at: datetime | None = None  # when an earlier pass last knew better than a list read before


class PartySide(BaseModel):
    """What the CRM says now, in the fields of the mapping. `exists` is False once the party was deleted."""

    exists: bool
    is_organisation: bool = False
    values: dict[str, Value] = Field(default_factory=dict)
    fingerprint: str = ""
    changed_at: datetime | None = None
    created_at: datetime | None = None
    partner_hint: int | None = None  # the client for which we created this party, by the reference it carries
    books_only: list[str] = Field(default_factory=list)  # fields that a party of this kind cannot take over
    silent: list[str] = Field(default_factory=list)  # fields that it cannot even hold: it does not say they are empty
    read_at: datetime | None = None
    stands_alone: bool | None = True  # False: its people are its clients; None: it is too early to say
    left_out: str = ""  # why the mapping does not sync it; then it says nothing, and has no client of its own to get
    unmet: list[str] = Field(default_factory=list)  # fields whose condition it does not meet: they are left alone


class ClientSide(BaseModel):
    """What FreshBooks says now of one client, in the fields of the mapping."""

    client_id: int
    exists: bool = True
    visible: bool = True
    archived: bool = False
    values: dict[str, Value] = Field(default_factory=dict)
    fingerprint: str = ""
    reference: str | None = None
    changed_at: datetime | None = None
    created_at: datetime | None = None
    read_at: datetime | None = None


class LookForClient(BaseModel):
    """Search for clients that may be the party's: by email address, by name, or by our reference."""

    key: PartyKey
    email: str | None = None
    name: str | None = None
    is_firm: bool = False
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
    """The plan, what both sides agree on once the books are written, and once the CRM is written as well."""

    plan: ClientPlan
    next_base: dict[str, Value] = Field(default_factory=dict)
    final_base: dict[str, Value] = Field(default_factory=dict)
    client: ClientSide | None = None
    create: OpenCreate | None = None
    candidate_ids: list[int] = Field(default_factory=list)
    digest: str = ""
    orphan: bool = False  # the client was deleted by a person


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
    client_read_at: datetime | None = None  # when the plan's client was read; a write that waited longer reads it again
    times: dict[str, datetime] = Field(default_factory=dict)  # when both records were created and changed


class ClientWritten(BaseModel):
    """The client that a write left behind."""

    client_id: int
    fingerprint: str = ""
    measure_lag: bool = False  # whether to find out how soon a search shows it


class WriteParty(BaseModel):
    """What the CRM takes over from the books, named by field of the client, and what both agree on then."""

    key: PartyKey
    client_id: int
    writes: list[FieldWrite]
    next_base: dict[str, Value]
    party_fingerprint: str  # of the party that the plan was made for: if it has moved since, nothing is written
    client_fingerprint: str
    mapping_version: str
    cause: str
    times: dict[str, datetime] = Field(default_factory=dict)  # when both records were created and changed


class HeldRecord(BaseModel):
    """What is held where it is neither party nor client: a record of the books, in the flow that looks after it."""

    flow: str
    record_id: int


class OpenHold(BaseModel):
    """A hold to be listed. The evidence may quote values; it is stored sealed.

    `client` is given instead of a party where a client of the books has none yet.
    """

    key: PartyKey
    client: ClientKey | None = None
    subject: str | None = None  # what is held where it is no record: all creates of a flow, say
    opportunity_id: int | None = None
    record: HeldRecord | None = None
    reason: str
    evidence: dict[str, object] = Field(default_factory=dict)


class ConnectionName(BaseModel):
    """One connection."""

    connection: str


class AlertsSeen(BaseModel):
    """What one look of the alert watch found, and whom to tell of it now."""

    open: int = 0
    due: list[int] = Field(default_factory=list)  # channels, by number
    failing: list[str] = Field(default_factory=list)  # channels that do not take messages, in words
    anybody_told: bool = True
    heartbeat: bool = False


class ChannelNumber(BaseModel):
    """One channel of the alerts, by its place in the settings, from 1."""

    number: int


class AlertsSent(BaseModel):
    """How many messages a channel has taken, and what was wrong with it if something was."""

    messages: int = 0
    problem: str = ""


class ChannelTrial(BaseModel):
    """What became of a test message."""

    channel: str
    problem: str = ""


class ChannelTrials(BaseModel):
    """What became of a test message, for every channel."""

    trials: list[ChannelTrial] = Field(default_factory=list)


class AccountKey(BaseModel):
    """One account of one connection."""

    connection: str
    system: str


class Consent(BaseModel):
    """Whether an account waits for a person's consent, and why; `remedy` is what to do about it."""

    needed: bool
    reason: str = ""
    remedy: str = ""
