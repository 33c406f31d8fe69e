"""Periods of billing: runs of whole days of the business's time zone, of which every instant belongs to exactly one.

FreshBooks gives the start of a time entry in UTC; on which day, and so in which period, it falls is decided by the
clock on the business's wall. Source: https://www.freshbooks.com/api/time_entries
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
MONDAY = date(2024, 1, 1)


class NotUtc(ValueError):
    """An instant without a time zone, or in another than UTC: on which day it falls would be a guess."""


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included. None stands for an end that no closing day has set yet."""

    first: date | None
    last: date | None

    def __contains__(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def __str__(self) -> str:
        return f"{self.first or ''}..{self.last or ''}"

    def starts_at(self, zone: ZoneInfo) -> datetime | None:
        """Return the first instant, in UTC; None if the period has no first day."""
        return None if self.first is None else midnight(self.first, zone)

    def ends_at(self, zone: ZoneInfo) -> datetime | None:
        """Return the instant, in UTC, at which the period is over and the next one begins; None if it is open."""
        return None if self.last is None else midnight(self.last + ONE_DAY, zone)

    def has_ended(self, now: datetime, zone: ZoneInfo) -> bool:
        """Return whether its last day is over. Raises NotUtc."""
        return self.last is not None and self.last < local_day(now, zone)


@dataclass(frozen=True)
class EveryWeeks:
    """Periods of so many whole weeks, one of which begins on the anchor. Raises ValueError for less than a week."""

    weeks: int = 1
    anchor: date = MONDAY

    def __post_init__(self) -> None:
        if self.weeks < 1:
            raise ValueError("a period is one week at least")

    def period_of(self, day: date) -> Period:
        """Return the period that has this day, before the anchor too."""
        length = timedelta(weeks=self.weeks)
        first = self.anchor + (day - self.anchor) // length * length
        return Period(first, first + length - ONE_DAY)


@dataclass(frozen=True)
class Monthly:
    """The months of the calendar."""

    def period_of(self, day: date) -> Period:
        """Return the month that has this day."""
        first = day.replace(day=1)
        in_next_month = first + timedelta(days=31)
        return Period(first, in_next_month.replace(day=1) - ONE_DAY)


@dataclass(frozen=True)
class ClosingDays:
    """Periods that end with the given days, in any order. Whatever is before the first of them belongs to it.

    What comes after the last one is a period without an end, so that nothing of it is billed until somebody says when
    it closes. Raises ValueError without any day, or with one twice.
    """

    days: tuple[date, ...]

    def __post_init__(self) -> None:
        if not self.days or len(set(self.days)) < len(self.days):
            raise ValueError("give one closing day at least, and each of them once")
        object.__setattr__(self, "days", tuple(sorted(self.days)))

    def period_of(self, day: date) -> Period:
        """Return the period that has this day."""
        place = bisect_left(self.days, day)
        first = self.days[place - 1] + ONE_DAY if place else None
        return Period(first, self.days[place] if place < len(self.days) else None)


Calendar: TypeAlias = EveryWeeks | Monthly | ClosingDays


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the day on which an instant falls at the business. Raises NotUtc for anything but UTC.

    >>> local_day(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    datetime.date(2026, 4, 1)
    """
    if instant.utcoffset() != timedelta(0):
        raise NotUtc("an instant is in UTC: convert it where it is read")
    return instant.astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a day begins at the business.

    Where clocks go forward at midnight, that is when they do; where they go back, the first of the two midnights.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def period_of(instant: datetime, calendar: Calendar, zone: ZoneInfo) -> Period:
    """Return the one period to which an instant belongs. Raises NotUtc."""
    return calendar.period_of(local_day(instant, zone))


def latest_ended(calendar: Calendar, now: datetime, zone: ZoneInfo) -> Period | None:
    """Return the last period that is over, None if none is: what a run of billing is about. Raises NotUtc."""
    running = period_of(now, calendar, zone)
    return None if running.first is None else calendar.period_of(running.first - ONE_DAY)
