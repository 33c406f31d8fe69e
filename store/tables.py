"""The tables. Columns named `sealed_…` hold encrypted JSON; everything else is ids, states and instants.

Ids of records are text, in the words of their system: some systems count, others do not.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Index, LargeBinary, MetaData, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

OPEN_STATES = ("reserved", "sending", "in-doubt")
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC. SQLite keeps no zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive instants: they would mean another time on another machine."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return it aware."""
        del dialect
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: dict[Any, Any] = {datetime: Instant(), str: String(255)}  # noqa: RUF012 - SQLAlchemy's own way


class LinkRow(Table):
    """The lasting tie between a CRM record and a books record, and what both last agreed on."""

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("connection", "flow", "crm_id"),
        UniqueConstraint("connection", "flow", "books_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(String(40))
    flow: Mapped[str] = mapped_column(String(40))
    crm_id: Mapped[str]
    books_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(String(20))  # pending, active, orphaned, tombstoned
    sealed_base: Mapped[bytes | None] = mapped_column(LargeBinary)
    crm_seen: Mapped[str | None] = mapped_column(String(64))
    books_seen: Mapped[str | None] = mapped_column(String(64))
    mapping_version: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class IntentRow(Table):
    """Saved before a request that creates something, so that a lost answer can be resolved."""

    __tablename__ = "intents"
    __table_args__ = (
        # At most one open intent for a record: two workers cannot both be about to create it.
        Index(
            "uq_intents_open",
            "connection",
            "flow",
            "side",
            "record_id",
            unique=True,
            sqlite_where=text("state IN ('reserved', 'sending', 'in-doubt')"),
            postgresql_where=text("state IN ('reserved', 'sending', 'in-doubt')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(String(40))
    flow: Mapped[str] = mapped_column(String(40))
    side: Mapped[str] = mapped_column(String(10))  # whose record the new one is to be the partner of: crm, books
    record_id: Mapped[str]
    reference: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(20))  # reserved, sending, in-doubt, done, refused, dropped
    fence: Mapped[int]
    admission: Mapped[str] = mapped_column(String(10))  # empty, counted (for the limit), approved (by a person)
    admitted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    settle_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CursorRow(Table):
    """How far a sweep has read one stream of changes."""

    __tablename__ = "cursors"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    stream: Mapped[str] = mapped_column(String(60), primary_key=True)
    read_until: Mapped[datetime]
    updated_at: Mapped[datetime]


class InboxRow(Table):
    """A change that could not be handed to Temporal yet."""

    __tablename__ = "inbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(String(40))
    system: Mapped[str] = mapped_column(String(40))
    event: Mapped[str] = mapped_column(String(80))
    record_id: Mapped[str]
    received_at: Mapped[datetime]
    attempts: Mapped[int]  # at handing it over that failed although Temporal could be reached
    due_at: Mapped[datetime | None]
    problem: Mapped[str]


class CallbackRow(Table):
    """A FreshBooks callback: its verifier signs every later delivery, once FreshBooks has accepted it back."""

    __tablename__ = "callbacks"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    callback_id: Mapped[str] = mapped_column(primary_key=True)
    sealed_verifier: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_offer: Mapped[bytes | None] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime]


class HoldRow(Table):
    """A sync that waits for a person. Open while `closed_at` is empty."""

    __tablename__ = "holds"

    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(String(40), index=True)
    flow: Mapped[str] = mapped_column(String(40))
    side: Mapped[str] = mapped_column(String(10))
    record_id: Mapped[str]
    reason: Mapped[str] = mapped_column(String(40))
    sealed_evidence: Mapped[bytes] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class AuditRow(Table):
    """One write, or one link, and what caused it. Rows are only ever added; each vouches for the one before."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "crm_id", "connection", "flow", "at"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # one more than the row before, always
    at: Mapped[datetime]
    connection: Mapped[str] = mapped_column(String(40))
    flow: Mapped[str] = mapped_column(String(40))
    crm_id: Mapped[str]
    books_id: Mapped[str]
    side: Mapped[str] = mapped_column(String(10))  # which system was written: crm, books
    action: Mapped[str] = mapped_column(String(20))  # create, adopt, update, erase, …
    cause: Mapped[str]
    workflow_id: Mapped[str]
    fields: Mapped[str] = mapped_column(Text)  # as many as the mapping has, custom ones included
    mapping_version: Mapped[str] = mapped_column(String(64))
    request: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    # Empty in the rows of the first version, which precede the chain.
    key_id: Mapped[str | None] = mapped_column(String(40))
    values_commit: Mapped[bytes | None] = mapped_column(LargeBinary)
    prev_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class AuditValuesRow(Table):
    """What a row of the audit log wrote. Apart from it, because it may be erased and the log may not be changed."""

    __tablename__ = "audit_values"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AliasRow(Table):
    """A CRM record that was merged into another: news of the old one is news of the one that is left."""

    __tablename__ = "aliases"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    flow: Mapped[str] = mapped_column(String(40), primary_key=True)
    crm_id: Mapped[str] = mapped_column(primary_key=True)
    now_crm_id: Mapped[str]
    created_at: Mapped[datetime]


class WaitingCreateRow(Table):
    """A record whose partner is not created before a person has agreed to creating that many."""

    __tablename__ = "waiting_creates"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    flow: Mapped[str] = mapped_column(String(40), primary_key=True)
    side: Mapped[str] = mapped_column(String(10), primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class LagRow(Table):
    """How long after its creation a record was first found by a search."""

    __tablename__ = "lags"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(String(40))
    system: Mapped[str] = mapped_column(String(40))
    seconds: Mapped[float]
    at: Mapped[datetime]


class MarkRow(Table):
    """A mark of ours on a record of either system, as a nightly check saw it."""

    __tablename__ = "marks"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    system: Mapped[str] = mapped_column(String(40), primary_key=True)
    reference: Mapped[str] = mapped_column(String(64), primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    accepted: Mapped[bool]
