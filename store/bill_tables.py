"""The tables of bills, which keep a time entry from being billed twice, and of the payments that were judged."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables import Table


class BillRow(Table):
    """One invoice made of time entries, from the moment its entries are claimed."""

    __tablename__ = "bills"
    __table_args__ = (
        # At most one open bill for a client: two runs cannot both be about to bill it.
        Index(
            "uq_bills_open",
            "connection",
            "client_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(String(40), index=True)
    client_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(20))  # open, done, dropped
    invoice_id: Mapped[str | None]
    sealed_plan: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class BilledEntryRow(Table):
    """A time entry that belongs to a bill. The key is what keeps it out of every other."""

    __tablename__ = "billed_entries"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    bill_id: Mapped[int] = mapped_column(ForeignKey("bills.id"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # of what was billed: an entry that says otherwise was changed
    marked_at: Mapped[datetime | None]  # when FreshBooks was told that it is billed


class PaymentRow(Table):
    """A payment as it was last judged. One that has not changed since is not looked at again."""

    __tablename__ = "payments"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    payment_id: Mapped[str] = mapped_column(primary_key=True)
    invoice_id: Mapped[str | None] = mapped_column(index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(20))
    updated_at: Mapped[datetime]
