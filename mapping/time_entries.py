"""Time entries as billing sees them, and which of them a run bills, leaves out or cannot read.

Source: https://www.freshbooks.com/api/time_entries, /api/project
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from mapping.periods import Period, local_day
from mapping.rates import HOURLY_METHODS

HOURLY = "hourly_rate"
FLAT = "fixed_price"


@dataclass(frozen=True)
class TimeEntry:
    """Work that somebody logged. `started_at` is in UTC; `seconds` is None while a timer runs.

    `person_id` is FreshBooks' `identity_id`. `is_billed` is also true where a person ticked it by hand.
    """

    id: int
    started_at: datetime
    seconds: int | None
    is_billable: bool = True
    is_billed: bool = False
    client_id: int | None = None
    project_id: int | None = None
    service_id: int | None = None
    person_id: int | None = None
    retainer_id: int | None = None
    note: str | None = None
    is_running: bool = False
    is_deleted: bool = False

    def content(self) -> str:
        """Return what a bill rests on, to be fingerprinted: an entry that says otherwise later was changed.

        Whether it is billed is not in it, for that is what billing changes; nor is its note.
        """
        said = (self.client_id, self.project_id, self.service_id, self.person_id, self.retainer_id)
        started = self.started_at.astimezone(UTC).isoformat()
        return json.dumps([self.id, started, self.seconds, self.is_billable, *said])


@dataclass(frozen=True)
class Project:
    """How a project is charged. `project_type` and `billing_method` are FreshBooks' own words, None if unsaid."""

    id: int
    client_id: int | None = None
    project_type: str | None = HOURLY
    billing_method: str | None = None


class LeftOut(StrEnum):
    """Why a time entry is not billed by this run. All of these are sound; what is not refuses the bill."""

    DELETED = "deleted"
    OTHER_CLIENT = "other-client"
    NO_CLIENT = "no-client"
    UNKNOWN_PROJECT = "unknown-project"
    RUNNING = "timer-running"
    NOT_BILLABLE = "not-billable"
    BILLED = "billed"
    LATER = "after-the-period"
    EARLIER = "before-the-period"
    FLAT_RATE = "flat-rate-project"
    NOT_HOURLY = "project-not-by-the-hour"
    RETAINER = "retainer"
    NO_TIME = "no-time"


EXPLAINED: Mapping[LeftOut, str] = {
    LeftOut.DELETED: "it was deleted",
    LeftOut.OTHER_CLIENT: "it belongs to another client",
    LeftOut.NO_CLIENT: "neither it nor its project has a client: give it one, if it is to be billed",
    LeftOut.UNKNOWN_PROJECT: "it names no client, and its project could not be read: give it a client",
    LeftOut.RUNNING: "its timer is still running: stop it, then bill again",
    LeftOut.NOT_BILLABLE: "it is not billable",
    LeftOut.BILLED: "FreshBooks says that it is billed already",
    LeftOut.LATER: "it is of a later period",
    LeftOut.EARLIER: "it is of an earlier period: bill it by hand, or set from when on late entries are billed",
    LeftOut.FLAT_RATE: "its project has a fixed price, which hours do not change",
    LeftOut.NOT_HOURLY: "its project is charged in a way that is not by the hour",
    LeftOut.RETAINER: "a retainer pays for it",
    LeftOut.NO_TIME: "it has no time",
}
"""Each reason in words, fit for logs: after "time entry 910001 is left out:"."""


@dataclass(frozen=True)
class LeftOutEntry:
    """A time entry that this run does not bill, and why."""

    entry_id: int
    reason: LeftOut


@dataclass(frozen=True)
class Selection:
    """What one run bills: the time of one client in one period, and what was left before it from `late_from` on."""

    client_id: int
    period: Period
    zone: ZoneInfo
    late_from: date | None = None

    def left_out(self, entry: TimeEntry, project: Project | None) -> LeftOut | None:
        """Return why an entry is not billed, None if it is to be. Raises NotUtc."""
        return self._by_owner(entry, project) or _by_state(entry) or self._by_day(entry) or _by_charge(entry, project)

    def _by_owner(self, entry: TimeEntry, project: Project | None) -> LeftOut | None:
        if entry.is_deleted:
            return LeftOut.DELETED
        owners = {each for each in (entry.client_id, project and project.client_id) if each is not None}
        if not owners:
            is_unknown = entry.project_id is not None and project is None
            return LeftOut.UNKNOWN_PROJECT if is_unknown else LeftOut.NO_CLIENT
        return None if self.client_id in owners else LeftOut.OTHER_CLIENT

    def _by_day(self, entry: TimeEntry) -> LeftOut | None:
        day = local_day(entry.started_at, self.zone)
        if day in self.period:
            return None
        if self.period.first is None or day >= self.period.first:
            return LeftOut.LATER
        return None if self.late_from is not None and day >= self.late_from else LeftOut.EARLIER


def once_each(entries: Iterable[TimeEntry]) -> tuple[list[TimeEntry], list[int]]:
    """Return every entry once, by id, and the ids of those that were read twice and said different things.

    While a list is read page by page its rows may shift, and one comes twice.
    """
    found: dict[int, TimeEntry] = {}
    torn = set()
    for entry in entries:
        if found.setdefault(entry.id, entry) != entry:
            torn.add(entry.id)
    return [found[number] for number in sorted(found)], sorted(torn)


def unsound(entry: TimeEntry, projects: Mapping[int, Project]) -> str | None:
    """Return what has to be put right before an entry can be billed, None if nothing. For entries not left out."""
    if entry.project_id is not None and entry.project_id not in projects:
        return "the project could not be read; restore it, or give the time another one"
    owner = projects[entry.project_id].client_id if entry.project_id is not None else None
    if entry.client_id is not None and owner is not None and owner != entry.client_id:
        return "the project belongs to another client than the time; correct either"
    if entry.seconds is None or entry.seconds < 0:
        return "no duration, though no timer runs; correct it"
    return None


def _by_state(entry: TimeEntry) -> LeftOut | None:
    if entry.is_running:
        return LeftOut.RUNNING
    if not entry.is_billable:
        return LeftOut.NOT_BILLABLE
    if entry.is_billed:
        return LeftOut.BILLED
    return LeftOut.NO_TIME if entry.seconds == 0 else None


def _by_charge(entry: TimeEntry, project: Project | None) -> LeftOut | None:
    if entry.retainer_id is not None:
        return LeftOut.RETAINER
    if project is None:
        return None
    if project.project_type == FLAT:
        return LeftOut.FLAT_RATE
    by_the_hour = project.project_type in (None, HOURLY) and project.billing_method in (None, *HOURLY_METHODS)
    return None if by_the_hour else LeftOut.NOT_HOURLY
