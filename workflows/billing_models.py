"""What starters tell the workflows of billing, and what they answer. Tolerant, as those of clients are."""

from datetime import date, datetime
from typing import TypeAlias

from pydantic import BaseModel, Field

from activities.billing_models import BillPlan

PlannedBill: TypeAlias = BillPlan


class BillingWish(BaseModel):
    """Bill a client's hours from `first` on, None for all that were left, up to the day before `until`."""

    until: date
    first: date | None = None
    cause: str = ""
    priority: int = 3


class BillingChoice(BaseModel):
    """What a person chose in the course of a pass."""

    approved: str = ""  # the digest of what was approved
    mismatch: bool = False  # the total that FreshBooks computed is accepted
    changed: bool = False  # entries that were changed since are billed as they were


class BillingRequest(BaseModel):
    """The hours of one client. Wishes and a person's choice travel along when a long run continues as a new one."""

    connection: str
    client_id: int
    wishes: list[BillingWish] = Field(default_factory=list)
    choice: BillingChoice = Field(default_factory=BillingChoice)


class BillingResult(BaseModel):
    """How it ended: invoiced, nothing-to-bill, skipped or rejected; and the invoices that were made."""

    outcome: str
    invoice_ids: list[int] = Field(default_factory=list)


class BillingRunRequest(BaseModel):
    """Bill everybody's hours up to a day; None: those of the last period. The rest is how far a run has come.

    `once` ends at once if a run was made for that period before.
    """

    connection: str
    until: date | None = None
    first: date | None = None
    once: bool = False
    ended_at: datetime | None = None
    cause: str = "schedule"
    priority: int = 3
    only_client: int | None = None
    page: int = 1
    listed: int = 0
    clients: list[int] = Field(default_factory=list)
    known_before: int | None = None  # how many clients were known when the list was begun


class BillingRunResult(BaseModel):
    """How many entries were found, and of which clients."""

    until: date | None = None
    listed: int = 0
    clients: list[int] = Field(default_factory=list)


class PreviewRequest(BaseModel):
    """What would be billed? `client_id` None: of everybody."""

    connection: str
    until: date | None = None
    client_id: int | None = None


class Preview(BaseModel):
    """A plan for each client that has hours. Nothing is written for it."""

    until: date | None = None
    plans: list[PlannedBill] = Field(default_factory=list)
