"""Channels of alerts: who is sending to each at this moment, and which of them do not answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from store.database import Database
from store.tables import Table

# Tried again soon at first, and at most two minutes apart: once a channel answers again, people know within minutes.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=2)


class ChannelRow(Table):
    """One channel, by its number in the settings. Nothing here says where it leads."""

    __tablename__ = "alert_channels"

    channel: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    claimed_until: Mapped[datetime | None]
    failures: Mapped[int]
    failing_since: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(100))


@dataclass(frozen=True)
class FailingChannel:
    """A channel that did not take the last message, and what was wrong with it."""

    channel: int
    since: datetime
    next_try_at: datetime
    problem: str


class Channels:
    """The channels of the whole installation. Every method is one committed transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, channel: int, lease: timedelta) -> datetime | None:
        """Return until when this channel is ours alone; None while another sends, or while it is given a pause."""
        now = datetime.now(UTC)
        try:
            async with self._database.writing() as session:
                row = await session.get(ChannelRow, channel, with_for_update=True)
                if row is None:
                    row = ChannelRow(channel=channel, failures=0, problem="")
                    session.add(row)
                if any(until is not None and until > now for until in (row.claimed_until, row.next_try_at)):
                    return None
                row.claimed_until = now + lease
                return row.claimed_until
        except IntegrityError:  # PostgreSQL: another sender made the row at the same moment
            return None

    async def release(self, channel: int, claim: datetime, problem: str | None) -> None:
        """Give the channel back, with what was wrong if something was. A claim that has run out changes nothing."""
        now = datetime.now(UTC)
        async with self._database.writing() as session:
            row = await session.get(ChannelRow, channel, with_for_update=True)
            if row is None or row.claimed_until != claim:
                return
            row.claimed_until = None
            if problem is None:
                row.failures, row.failing_since, row.next_try_at, row.problem = 0, None, None, ""
                return
            row.next_try_at = now + min(FIRST_PAUSE * 2 ** min(row.failures, 10), LONGEST_PAUSE)
            row.failures, row.failing_since, row.problem = row.failures + 1, row.failing_since or now, problem[:100]

    async def failing(self) -> Sequence[FailingChannel]:
        """Return the channels that did not take the last message."""
        query = select(ChannelRow).where(ChannelRow.failing_since.is_not(None)).order_by(ChannelRow.channel)
        async with self._database.reading() as session:
            return [
                FailingChannel(row.channel, row.failing_since, row.next_try_at, row.problem)
                for row in await session.scalars(query)
                if row.failing_since and row.next_try_at
            ]
