"""Sweeping at once what may have gone unheard because a webhook was missing."""

from collections.abc import Awaitable
from typing import Protocol

from temporalio import activity

from activities.watch_models import CatchUp


class SweepNow(Protocol):
    """Starts the sweep of one system, unless an operator has paused it."""

    def __call__(self, connection: str, system: str) -> Awaitable[str | None]:
        """Return the id of its schedule; None if there is none, or if it is paused."""


class CatchUpActivities:
    """A local activity, shared by all connections."""

    def __init__(self, sweep_now: SweepNow) -> None:
        self._sweep_now = sweep_now

    @activity.defn
    async def sweep_now(self, missed: CatchUp) -> list[str]:
        """Return the schedules of the sweeps that were started.

        Safe to repeat: a second sweep waits for the first, and finds nothing left to announce.
        """
        started = [await self._sweep_now(missed.connection, system) for system in missed.systems]
        return [schedule_id for schedule_id in started if schedule_id is not None]
