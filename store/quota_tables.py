"""The table of quotas."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables import Table


class QuotaRow(Table):
    """What one account allows, what all processes together took of it, and until when nothing may be sent.

    `spent` counts requests by the number of their slice (`runtime/quota.py`).
    """

    __tablename__ = "quotas"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    system: Mapped[str] = mapped_column(String(40), primary_key=True)
    requests: Mapped[int]
    window_seconds: Mapped[int]
    granted: Mapped[int | None]
    spent: Mapped[dict[str, Any]] = mapped_column(JSON)
    left: Mapped[int | None]
    left_until: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]
