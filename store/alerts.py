"""Alerts: the outbox of what people are told.

A row is written together with the hold that it is about, or by the alert watch. Every channel is told once, unless it
is over before. A channel is one address of the settings, known here by its number alone.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Index, Row, Select, String, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from store.database import Database
from store.tables import Table

HOLD, WATCH, REPORT = "hold", "watch", "report"
MISMATCHES = "mismatches"
KEPT = timedelta(days=90)
# After a longer break, such as a night in which nothing ran, whatever is late gets its usual time to catch up.
LONGEST_BREAK = timedelta(minutes=5)


class AlertRow(Table):
    """One thing that people are told. Over once `ended_at` is set."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open",
            "key",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]  # what it is about: the id of the held workflow, or the name of the incident
    source: Mapped[str] = mapped_column(String(10))  # hold, watch, report
    connection: Mapped[str] = mapped_column(String(40))  # empty: the whole installation
    reason: Mapped[str] = mapped_column(String(40))
    since: Mapped[datetime]
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class TellingRow(Table):
    """An alert that a channel has taken, and whether it was told the end of it too."""

    __tablename__ = "alert_tellings"

    alert_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    told_at: Mapped[datetime]
    end_told_at: Mapped[datetime | None]


class WatchRow(Table):
    """The alert watch itself: since when it has looked without a break, and when last. There is one row."""

    __tablename__ = "alert_watch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    began_at: Mapped[datetime]
    looked_at: Mapped[datetime]


@dataclass(frozen=True)
class Incident:
    """What the alert watch found wrong. `key` stays the same for as long as it lasts.

    It is no news while people know the cause already: then it goes on if it was told, and is not told if it was not.
    """

    key: str
    connection: str
    reason: str
    since: datetime
    is_news: bool = True


@dataclass(frozen=True)
class Alert:
    """One alert as it may be shown anywhere."""

    id: int
    key: str
    source: str
    connection: str
    reason: str
    since: datetime
    opened_at: datetime


@dataclass(frozen=True)
class Group:
    """What becomes one message: alerts of one connection and reason. `open` counts also those told before.

    With `over`, their end is the news.
    """

    connection: str
    reason: str
    alerts: tuple[Alert, ...]
    open: int
    over: bool = False


@dataclass(frozen=True)
class Rhythm:
    """How alerts are gathered: so long before the first message, and so long between two of the same group."""

    group_for: timedelta
    quiet_for: timedelta


async def hold_opened(session: AsyncSession, workflow_id: str, connection: str, reason: str, now: datetime) -> None:
    """Let people be told of a hold, in the transaction that opens it or changes its reason."""
    await hold_closed(session, workflow_id, now)
    session.add(
        AlertRow(
            key=workflow_id, source=HOLD, connection=connection, reason=reason, since=now, opened_at=now, ended_at=None
        )
    )


async def hold_closed(session: AsyncSession, workflow_id: str, now: datetime) -> None:
    """Nobody needs to be told of a hold any more, in the transaction that closes it."""
    still_open = (AlertRow.key == workflow_id, AlertRow.source == HOLD, AlertRow.ended_at.is_(None))
    await session.execute(update(AlertRow).where(*still_open).values(ended_at=now))


async def report_alert(
    session: AsyncSession, place: str, report_id: str, connection: str, now: datetime, *, new: bool
) -> None:
    """Let people be told of a report with new mismatches, in the transaction that finishes it.

    The report before of the same place, a connection's flow, needs nobody any more.
    """
    before = (AlertRow.source == REPORT, AlertRow.key.startswith(f"{MISMATCHES}/{place}/", autoescape=True))
    await session.execute(update(AlertRow).where(*before, AlertRow.ended_at.is_(None)).values(ended_at=now))
    if new:
        key = f"{MISMATCHES}/{place}/{report_id}"
        row = AlertRow(
            key=key, source=REPORT, connection=connection, reason=MISMATCHES, since=now, opened_at=now, ended_at=None
        )
        session.add(row)


class Alerts:
    """The alerts of the whole installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def looked(self) -> datetime:
        """Take note that the watch looks, and return since when it has done so without a break."""
        now = datetime.now(UTC)
        async with self._database.writing() as session:
            row = await session.get(WatchRow, 1, with_for_update=True)
            if row is None:
                row = WatchRow(id=1, began_at=now, looked_at=now)
                session.add(row)
            if now - row.looked_at > LONGEST_BREAK:
                row.began_at = now
            row.looked_at = now
            return row.began_at

    async def last_look(self) -> datetime | None:
        """Return when the watch last looked, None if it never did."""
        async with self._database.reading() as session:
            row = await session.get(WatchRow, 1)
            return row.looked_at if row else None

    async def observe(self, incidents: Sequence[Incident]) -> None:
        """Take note of all that the watch found: an incident opens one alert, which ends with it. Safe to repeat."""
        watched = (AlertRow.source == WATCH, AlertRow.ended_at.is_(None))
        async with self._database.reading() as session:
            known = set(await session.scalars(select(AlertRow.key).where(*watched)))
        over = known - {each.key for each in incidents}
        new = [each for each in incidents if each.is_news and each.key not in known]
        if not over and not new:
            return
        now = datetime.now(UTC)
        try:
            async with self._database.writing() as session:
                await session.execute(update(AlertRow).where(*watched, AlertRow.key.in_(over)).values(ended_at=now))
                session.add_all(_incident_row(each, now) for each in new)
        except IntegrityError:
            return  # another watch saw the same at the same moment

    async def began(self, incident: Incident) -> None:
        """Take note of one incident beside what the watch found. It ends when the watch looks again. Safe to repeat."""
        going_on = (AlertRow.key == incident.key, AlertRow.ended_at.is_(None))
        async with self._database.reading() as session:
            if await session.scalar(select(AlertRow.id).where(*going_on)) is not None:
                return
        with suppress(IntegrityError):  # another process saw the same at the same moment
            async with self._database.writing() as session:
                session.add(_incident_row(incident, datetime.now(UTC)))

    async def listed(self) -> Sequence[tuple[Alert, dict[int, datetime]]]:
        """Return the open alerts, oldest first, with when each channel was told."""
        told: dict[int, dict[int, datetime]] = {}
        still_open = AlertRow.ended_at.is_(None)
        tellings = select(TellingRow).join(AlertRow, AlertRow.id == TellingRow.alert_id).where(still_open)
        async with self._database.reading() as session:
            for row in await session.scalars(tellings):
                told.setdefault(row.alert_id, {})[row.channel] = row.told_at
            rows = await session.scalars(select(AlertRow).where(still_open).order_by(AlertRow.id))
            return [(_alert(row), told.get(row.id, {})) for row in rows]

    async def due(self, channel: int, rhythm: Rhythm) -> list[Group]:
        """Return what a channel is to be told now, the longest waiting first. What is over already is left out."""
        now = datetime.now(UTC)
        async with self._database.reading() as session:
            rows = [*await session.execute(_open_with_telling(channel))]
            lately = {
                (connection, reason)
                for connection, reason in await session.execute(_told_since(channel, now - rhythm.quiet_for))
            }
            over = [_alert(row) for row in await session.scalars(_over_untold(channel))]
        groups = [
            group
            for place, members in _grouped(rows).items()
            if place not in lately and (group := _due_group(members, now - rhythm.group_for))
        ]
        return sorted([*groups, *_over_groups(over)], key=lambda group: group.alerts[0].id)

    async def told(self, channel: int, group: Group) -> None:
        """Take note that a channel has taken a message. Safe to repeat."""
        now, ids = datetime.now(UTC), {alert.id for alert in group.alerts}
        mine = (TellingRow.channel == channel, TellingRow.alert_id.between(min(ids), max(ids)))
        async with self._database.writing() as session:
            if group.over:
                await session.execute(
                    update(TellingRow).where(*mine, TellingRow.alert_id.in_(ids)).values(end_told_at=now)
                )
                return
            known = set(await session.scalars(select(TellingRow.alert_id).where(*mine)))
            new = [{"alert_id": each, "channel": channel, "told_at": now, "end_told_at": None} for each in ids - known]
            if new:
                await session.execute(insert(TellingRow), new)

    async def forget_old(self) -> None:
        """Delete what has been over for 90 days."""
        old = select(AlertRow.id).where(AlertRow.ended_at < datetime.now(UTC) - KEPT)
        async with self._database.writing() as session:
            await session.execute(delete(TellingRow).where(TellingRow.alert_id.in_(old)))
            await session.execute(delete(AlertRow).where(AlertRow.id.in_(old)))


OpenRow = tuple[AlertRow, datetime | None]


def _open_with_telling(channel: int) -> Select[AlertRow, datetime]:
    mine = (TellingRow.alert_id == AlertRow.id) & (TellingRow.channel == channel)
    return (
        select(AlertRow, TellingRow.told_at)
        .outerjoin(TellingRow, mine)
        .where(AlertRow.ended_at.is_(None))
        .order_by(AlertRow.id)
    )


def _told_since(channel: int, since: datetime) -> Select[str, str]:
    return (
        select(AlertRow.connection, AlertRow.reason)
        .join(TellingRow, TellingRow.alert_id == AlertRow.id)
        .where(TellingRow.channel == channel, TellingRow.told_at > since)
        .distinct()
    )


def _over_untold(channel: int) -> Select[AlertRow]:
    """The ends of incidents that the channel was told of; not while the same goes wrong again."""
    again = aliased(AlertRow)
    return (
        select(AlertRow)
        .join(TellingRow, TellingRow.alert_id == AlertRow.id)
        .where(TellingRow.channel == channel, TellingRow.end_told_at.is_(None))
        .where(AlertRow.source == WATCH, AlertRow.ended_at.is_not(None))
        .where(~select(again.id).where(again.key == AlertRow.key, again.ended_at.is_(None)).exists())
        .order_by(AlertRow.id)
    )


def _grouped(rows: Iterable[Row[AlertRow, datetime]]) -> dict[tuple[str, str], list[OpenRow]]:
    groups: dict[tuple[str, str], list[OpenRow]] = {}
    for row, told_at in rows:
        groups.setdefault((row.connection, row.reason), []).append((row, told_at))
    return groups


def _due_group(members: Sequence[OpenRow], opened_until: datetime) -> Group | None:
    """Return the message about what the channel does not know yet, None while it may wait."""
    new = tuple(_alert(row) for row, told_at in members if told_at is None)
    if not new or new[0].opened_at > opened_until:
        return None
    return Group(new[0].connection, new[0].reason, new, len(members))


def _over_groups(over: Sequence[Alert]) -> list[Group]:
    places = dict.fromkeys((alert.connection, alert.reason) for alert in over)
    return [
        Group(*place, tuple(alert for alert in over if (alert.connection, alert.reason) == place), 0, over=True)
        for place in places
    ]


def _incident_row(incident: Incident, now: datetime) -> AlertRow:
    return AlertRow(
        key=incident.key,
        source=WATCH,
        connection=incident.connection,
        reason=incident.reason,
        since=incident.since,
        opened_at=now,
        ended_at=None,
    )


def _alert(row: AlertRow) -> Alert:
    return Alert(row.id, row.key, row.source, row.connection, row.reason, row.since, row.opened_at)
