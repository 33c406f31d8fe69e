"""What starters tell workflows, and what they answer. Tolerant on purpose: a signal that does not decode is lost."""

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from activities.models import PartySide

ListedParty: TypeAlias = PartySide
"""A party as a list has just shown it."""
CAPSULE = "capsule"  # the CRM of requests from before there was another


class Expected(BaseModel):
    """What a plan that a person approved says of one record. A pass that would do anything else writes nothing.

    `action` is link, update, create or hold; `digest` is the keyed fingerprint of what would be written.
    """

    plan_id: str
    item: int
    action: str
    client_id: int | None = None
    digest: str = ""


class Change(BaseModel):
    """News that a record may differ. A hint: the record is fetched before anything is decided.

    `party` is the exception, a party as a list has just shown it: it counts unless somebody has looked at it since.
    """

    system: str
    cause: str
    priority: int = 3
    expected: Expected | None = None
    party: ListedParty | None = None


class Resolution(BaseModel):
    """What a person decided about a hold.

    `crm` and `books` settle a conflict for that side; `pick` needs the client, or the party where parties are to be
    chosen from; `create` makes a new record in spite of the candidates; `approve` and `reject` answer a question.
    """

    choice: Literal["retry", "skip", "crm", "books", "pick", "create", "approve", "reject"]
    client_id: int | None = None
    party_id: int | None = None

    @property
    def side(self) -> Literal["crm", "books"] | None:
        """The side for which a conflict is settled, if this settles one."""
        return self.choice if self.choice == "crm" or self.choice == "books" else None  # noqa: PLR1714 - narrows the type


class Choice(BaseModel):
    """What a person chose in the course of a pass: the client for all of it, a side for the next attempt only."""

    client_id: int | None = None
    create: bool = False
    side: Literal["crm", "books"] | None = None
    party_id: int | None = None
    approved: bool = False

    def after(self, resolution: Resolution) -> "Choice":
        """Return what is chosen once a further hold has been decided."""
        if resolution.choice == "pick":
            return Choice(client_id=resolution.client_id, party_id=resolution.party_id)
        if resolution.choice == "create":
            return Choice(create=True)
        return self.model_copy(update={"side": resolution.side, "approved": resolution.choice == "approve"})


class ClientUpsertRequest(BaseModel):
    """One party. Waiting changes and a person's choice travel along when a long-lived run continues as a new one."""

    connection: str
    party_id: int
    changes: list[Change] = Field(default_factory=list)
    choice: Choice = Field(default_factory=Choice)
    crm: str = CAPSULE


class ClientUpsertResult(BaseModel):
    """How it ended: created, updated, adopted, in-step, skipped, gone, or not-carried (a change of the books only)."""

    outcome: str
    client_id: int | None = None
    passes: int = 0


class PartyFromClientRequest(BaseModel):
    """One client of the books that no party is linked to."""

    connection: str
    client_id: int
    changes: list[Change] = Field(default_factory=list)
    choice: Choice = Field(default_factory=Choice)
    crm: str = CAPSULE


class PartyFromClientResult(BaseModel):
    """How it ended: created, adopted, forwarded, skipped, gone, waiting, or not-carried."""

    outcome: str
    party_id: int | None = None
    passes: int = 0


class BulkRequest(BaseModel):
    """One connection whose creates go beyond the limit."""

    connection: str
    crm: str = CAPSULE


class BulkResult(BaseModel):
    """How it ended, and how many creates were let go or left out."""

    outcome: str
    released: int = 0


class DuplicateCheckRequest(BaseModel):
    """One connection. The rest is how far a long run has come when it continues as a new one."""

    connection: str
    began_at: datetime | None = None
    system: str = "freshbooks"
    page: int = 1
    read: int = 0
    crm: str = CAPSULE


class DuplicateCheckResult(BaseModel):
    """How many marks were read, and how many stand on more than one record."""

    read: int
    twice: int


class SearchLagRequest(BaseModel):
    """A client that was just created: how soon does a search by our reference show it?"""

    connection: str
    party_id: int
    client_id: int
    reference: str
    created_at: datetime
    crm: str = CAPSULE


class SearchLagResult(BaseModel):
    """After how many seconds a search showed it; None if it never did while we looked."""

    seconds: float | None


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
    keep_creates: bool = False  # a first sweep weighs what it would create before it lets any of it go on
    deletions_page: int | None = 1  # the next page of deleted parties; None once all of them are read
    crm: str = CAPSULE


class ClientSweepRequest(BaseModel):
    """One connection's clients. The rest is how far a long run has come when it continues as a new one.

    `in_deleted` says which of the two lists is being read, `began` when this pass over them began. `deleted` are the
    clients of which it saw that they were deleted meanwhile, `known_deleted` those that earlier passes saw.
    """

    connection: str
    since: datetime | None = None
    started_at: datetime | None = None
    began: datetime | None = None
    in_deleted: bool = False
    page: int = 1
    pages: int = 0
    announced: int = 0
    listed: int = 0
    passes: int = 1
    known_deleted: list[int] = Field(default_factory=list)
    deleted: list[int] = Field(default_factory=list)
    crm: str = CAPSULE


class SweepResult(BaseModel):
    """How many records were listed in how many passes over the list, and how many differed."""

    listed: int
    announced: int
    passes: int


class ConnectionRequest(BaseModel):
    """One connection, and whether its opportunities are synced and its payments reconciled."""

    connection: str
    crm: str = CAPSULE
    opportunities: bool = False
    payments: bool = False


class CallbackRequest(BaseModel):
    """One FreshBooks callback whose handshake has arrived."""

    connection: str
    callback_id: int


class HookReport(BaseModel):
    """What each system says of our webhooks: kept, renewed because they would have ended, created, or not allowed.

    `caught_up` are the schedules of the sweeps that were started because a webhook had been missing.
    """

    created: list[str] = Field(default_factory=list)
    kept: list[str] = Field(default_factory=list)
    renewed: list[str] = Field(default_factory=list)
    not_allowed: list[str] = Field(default_factory=list)
    caught_up: list[str] = Field(default_factory=list)


class CheckRequest(BaseModel):
    """One connection to be checked; `webhooks` says whether providers can reach us at all, `opportunities` and
    `payments` whether the connection looks after them.
    """

    connection: str
    webhooks: bool = False
    crm: str = CAPSULE
    opportunities: bool = False
    payments: bool = False


class CheckReport(BaseModel):
    """What was found, in words for an operator: all is well, what is wrong, what may become so, what to know."""

    passed: list[str] = Field(default_factory=list)
    failed: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class ConsentRequest(BaseModel):
    """One account that needs a person's consent."""

    connection: str
    system: str


class AlertWatchRequest(BaseModel):
    """How often the alert watch looks."""

    every: timedelta = timedelta(seconds=30)


class AlertWatchResult(BaseModel):
    """What one run of the watch came to: how often it looked, and how many messages were taken.

    `blind_since` is set if it could not look in the end; `blindness_told` says whether people know.
    """

    looks: int
    messages: int
    blind_since: datetime | None = None
    blindness_told: bool = False


class AlertTestResult(BaseModel):
    """What became of a test message, by channel: empty if it was taken, else what was wrong."""

    channels: dict[str, str] = Field(default_factory=dict)


class PlanRequest(BaseModel):
    """A plan to be made. The rest is how far a long run has come when it continues as a new one; page 0 is the end."""

    connection: str
    plan_id: str
    keep: timedelta = timedelta(days=7)
    expires_at: datetime | None = None
    parties_page: int = 1
    clients_page: int = 1
    deleted_page: int = 1
    crm: str = CAPSULE


class ApplyRequest(BaseModel):
    """A plan to be applied. `allow_creates` is the number of creates that a person has agreed to."""

    connection: str
    plan_id: str
    allow_creates: int | None = None


class ApplyResult(BaseModel):
    """How it ended: applied, stopped (by a person), or refused, with the text that says why and what to do."""

    outcome: Literal["applied", "stopped", "refused"]
    text: str = ""
