"""Which time entries are asked for, and how one is written without losing anything of it.

Source: https://www.freshbooks.com/api/time_entries
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.freshbooks.business import asking, whole, zulu
from connectors.freshbooks.hour_models import TimeEntry

READ_ONLY = frozenset({"id", "active", "created_at", "updated_at", "timer"})
"""What a PUT of a time entry leaves out; the timer goes its own way."""


@dataclass(frozen=True)
class ReadEntry:
    """A time entry that was read by itself, to be decided on and written back at once: the write replaces all of it.

    `raw` is all that FreshBooks said of it, what we do not know too.
    """

    entry: TimeEntry
    raw: Mapping[str, Any] = field(repr=False)

    def values(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole entry with the changes, as a PUT takes it."""
        return whole(self.raw, READ_ONLY, changes)


@dataclass(frozen=True)
class EntryFilter:
    """Which time entries a list gives. The instants are aware; they are sent as whole seconds, rounded down.

    Without `team` only the caller's own entries come back, without `include_unlogged` no running timers. Whether
    `started_to` itself is included is not documented: take both for possible. `updated_since` finds deleted entries
    only with `include_deleted`. `identity_id` is who worked.
    """

    billable: bool | None = None
    billed: bool | None = None
    client_id: int | None = None
    project_id: int | None = None
    identity_id: int | None = None
    started_from: datetime | None = None
    started_to: datetime | None = None
    updated_since: datetime | None = None
    include_deleted: bool = False
    include_unlogged: bool = False
    team: bool = True

    def query(self) -> list[tuple[str, str]]:
        """Return the filters as FreshBooks takes them. Raises ValueError for an instant without a zone."""
        return asking(
            {
                "team": self.team,
                "billable": self.billable,
                "billed": self.billed,
                "client_id": self.client_id,
                "project_id": self.project_id,
                "identity_id": self.identity_id,
                "started_from": zulu(self.started_from),
                "started_to": zulu(self.started_to),
                "updated_since": zulu(self.updated_since),
                "include_deleted": self.include_deleted or None,
                "include_unlogged": self.include_unlogged or None,
            }
        )

    def fits(self, entry: TimeEntry) -> bool:
        """Return whether an entry is as asked for, as far as it says: FreshBooks ignores filters that it does not know.

        An entry that names no client passes: its project may be the client's.
        """
        told = (
            (self.billable, entry.billable),
            (self.billed, entry.billed),
            (self.client_id, entry.client_id),
            (self.identity_id, entry.identity_id),
        )
        return (
            all(wanted is None or said is None or said == wanted for wanted, said in told)
            and (self.project_id is None or entry.project_id == self.project_id)
            and (self.include_deleted or entry.active is not False)
            and (self.include_unlogged or entry.is_logged is not False)
            and self._began_in_time(entry.started_at)
        )

    def _began_in_time(self, started_at: datetime | None) -> bool:
        if started_at is None:
            return True
        return (self.started_from is None or started_at >= self.started_from.replace(microsecond=0)) and (
            self.started_to is None or started_at <= self.started_to
        )
