"""The tables of reconciliations. What is said of people stands sealed; the rest is numbers, states and ids."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables import Table


class ReconciliationRow(Table):
    """One comparison of both sides."""

    __tablename__ = "reconciliations"
    __table_args__ = (Index(None, "connection", "flow", "started_at"),)

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    connection: Mapped[str] = mapped_column(String(40))
    flow: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))  # running, paused, done, failed, given-up
    mapping_version: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    progress: Mapped[str] = mapped_column(Text)  # JSON: how far each list has been read; numbers alone
    summary: Mapped[str] = mapped_column(Text)  # JSON: what it came to; numbers alone
    content_hash: Mapped[str] = mapped_column(String(64))
    explanation: Mapped[str] = mapped_column(Text)  # what went wrong, without values


class MismatchRow(Table):
    """One difference of a report."""

    __tablename__ = "mismatches"
    __table_args__ = (Index(None, "report_id", "kind", "number"),)

    report_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))
    cause: Mapped[str] = mapped_column(String(20))
    repair: Mapped[str] = mapped_column(String(10))  # sync, person, none
    fingerprint: Mapped[str] = mapped_column(String(64))  # the same in two reports that find the same difference
    is_new: Mapped[bool]
    announced_at: Mapped[datetime | None]
    sealed_detail: Mapped[bytes] = mapped_column(LargeBinary)  # ids, names and values; empty once it was forgotten
