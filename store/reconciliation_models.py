"""What a comparison of both sides came to, as data: the engine fills it, pages and commands show it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

MismatchKind = Literal[
    "missing-left",
    "missing-right",
    "field-drift",
    "duplicate",
    "orphaned-link",
    "amount",
    "status",
    "currency",
    "unapplied-payment",
    "stale-hook",
    "cursor-gap",
]
"""Left is the CRM, right the books: `missing-left` is a record of the books that the CRM lacks."""

Cause = Literal["unknown", "held", "in-doubt", "skipped-by-rule", "excluded", "edited-after"]
"""Why the two differ, where that is known. `unknown` is the only one that nobody is at work on."""

Repair = Literal["sync", "person", "none"]
"""`sync`: the record's own workflow mends it. `person`: a machine must not decide. `none`: nothing needs to be done."""

ReportState = Literal["running", "paused", "done", "failed", "given-up"]


@dataclass(frozen=True)
class Drift:
    """One field that differs, with what each side says of it, as text. None: the side says nothing."""

    name: str
    crm: str | None
    books: str | None


@dataclass(frozen=True)
class Mismatch:
    """One difference between the sides. `number` counts from 1, in an order that is the same each time."""

    number: int
    kind: MismatchKind
    cause: Cause
    repair: Repair
    crm_ids: tuple[str, ...] = ()
    books_ids: tuple[str, ...] = ()
    name: str = ""
    drifts: tuple[Drift, ...] = ()
    explanation: str = ""
    is_new: bool = True


@dataclass(frozen=True)
class SideCount:
    """How one side was read: how many records on how many pages, and whether that was all that the system has."""

    side: Literal["crm", "books"]
    system: str
    records: int
    pages: int
    is_complete: bool


@dataclass(frozen=True)
class AmountSum:
    """How many records of one currency and status there are on a side, and what they come to in minor units."""

    side: Literal["crm", "books"]
    currency: str
    status: str
    count: int
    minor: int


@dataclass(frozen=True)
class ReportHead:
    """A report without its mismatches. Holds no values of records, only numbers."""

    id: str
    connection: str
    flow: str
    state: ReportState
    started_at: datetime
    ended_at: datetime | None
    sides: tuple[SideCount, ...] = ()
    in_step: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    causes: dict[str, int] = field(default_factory=dict)
    new_mismatches: int = 0
    sums: tuple[AmountSum, ...] = ()
    repaired: int = 0
    content_hash: str = ""
    explanation: str = ""

    @property
    def mismatches(self) -> int:
        """How many differences there are, of every kind."""
        return sum(self.counts.values())

    @property
    def is_complete(self) -> bool:
        """Whether both sides were read to their ends."""
        return bool(self.sides) and all(each.is_complete for each in self.sides)

    @property
    def took(self) -> timedelta | None:
        """How long it took, once it has ended."""
        return self.ended_at - self.started_at if self.ended_at else None
