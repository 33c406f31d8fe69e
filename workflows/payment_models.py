"""What starters tell the workflows of payments, and what they answer. Tolerant, as those of clients are."""

from datetime import datetime

from pydantic import BaseModel, Field

from activities.payment_models import ClientSum
from workflows.models import Change


class PaymentRequest(BaseModel):
    """One FreshBooks payment. Waiting changes travel along when a long run continues as a new one."""

    connection: str
    payment_id: int
    changes: list[Change] = Field(default_factory=list)


class PaymentResult(BaseModel):
    """How it ended: the verdict, in-step if it was known already, or skipped by a person."""

    outcome: str


class PaymentSweepRequest(BaseModel):
    """One connection's payments. The rest is how far a long run has come when it continues."""

    connection: str
    since: datetime | None = None
    started_at: datetime | None = None
    page: int = 1
    listed: int = 0
    announced: int = 0
    part: int = 0


class ProofRequest(BaseModel):
    """One connection's invoices, payments and credits. The rest is how far a run has come when it continues."""

    connection: str
    part: int = 0
    page: int = 1
    listed: int = 0
    sums: list[ClientSum] = Field(default_factory=list)


class ProofResult(BaseModel):
    """How many records were added up, for how many clients and currencies, and where the sums do not meet."""

    listed: int = 0
    proven: int = 0
    unproven: list[ClientSum] = Field(default_factory=list)
