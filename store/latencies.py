"""How long it takes from the webhook of a change to its write on the other side: of what happened, not of a probe."""

import math
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from store.database import Database
from store.lags import Spread
from store.news import NewsRow
from store.tables import AuditRow

CLIENTS_FLOW = "clients"
# A webhook after which nothing had to be written leaves no row; a write long after it has another cause.
AT_MOST = timedelta(minutes=15)
LATEST = 1000
WEBHOOK = " webhook "  # in every cause that the receiver announces


class Latencies:
    """The latencies of all connections' clients, from what webhooks told last and what was written after it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spread(self, connection: str, system: str, since: datetime) -> Spread | None:
        """Return how long writes took that webhooks of a system led to, None if there was none since then."""
        async with self._database.reading() as session:
            rows = (await session.execute(_writes(connection, system, since))).all()
        found = sorted(written - told for told, written in rows if written - told <= AT_MOST)
        if not found:
            return None
        half, most = (found[math.ceil(part * len(found)) - 1] for part in (0.5, 0.95))
        return Spread(half, most, len(found))


def _writes(connection: str, system: str, since: datetime) -> Any:
    """Return when each record was told of last, and the first write to its partner after that."""
    told, written = func.min(NewsRow.told_at), func.min(AuditRow.at)
    query = select(told, written).join(AuditRow, _same_pair(system)).group_by(NewsRow.record_id)
    here = (NewsRow.connection == connection, NewsRow.system == system, NewsRow.told_at >= since)
    return query.where(*here).order_by(written.desc()).limit(LATEST)


def _same_pair(system: str) -> ColumnElement[bool]:
    """Return which writes belong to a record that was told of: those to the other side, after it was told."""
    own, written_side = (AuditRow.books_id, "crm") if system == "freshbooks" else (AuditRow.crm_id, "books")
    return (
        (AuditRow.connection == NewsRow.connection)
        & (AuditRow.flow == CLIENTS_FLOW)
        & (own == NewsRow.record_id)
        & (AuditRow.side == written_side)
        & AuditRow.cause.contains(WEBHOOK)
        & (AuditRow.at >= NewsRow.told_at)
    )
