"""The tables of plans: what was listed for them, what they would do, and how far that has been done."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables import Table


class PlanRow(Table):
    """One plan: what a sync of all records of a flow would do."""

    __tablename__ = "plans"

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    connection: Mapped[str] = mapped_column(String(40), index=True)
    flow: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))  # listing, ready, failed, applying, stopped, applied, forgotten
    mapping_version: Mapped[str] = mapped_column(String(64))
    two_way: Mapped[bool]
    summary: Mapped[str] = mapped_column(Text)  # JSON: numbers, and what went wrong; no values
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]


class PlanStagedRow(Table):
    """One record as a system listed it for a plan."""

    __tablename__ = "plan_staged"

    plan_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    side: Mapped[str] = mapped_column(String(10), primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class PlanItemRow(Table):
    """What a plan would do to one pair of records. Pairs that are in step are only counted."""

    __tablename__ = "plan_items"
    __table_args__ = (Index(None, "plan_id", "state", "action", "number"),)

    plan_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(String(20))  # link, update, create, doubtful, conflict, skip
    side: Mapped[str] = mapped_column(String(10))  # which system would be written: books, crm, both, or empty
    reason: Mapped[str] = mapped_column(String(40))  # of a skip: deleted, unmappable, …; else empty
    party_id: Mapped[str | None]
    client_id: Mapped[str | None]
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))  # planned, announced, done, moved, held, skipped, failed
    announced_at: Mapped[datetime | None]
    sealed_detail: Mapped[bytes] = mapped_column(LargeBinary)
