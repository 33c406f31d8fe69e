"""The gate before each request. It counts for all processes and never sleeps: Temporal tries again later."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity

from connectors.errors import RateLimited, Unavailable
from connectors.metering import Reading
from store.quotas import AccountQuota, Portion

# What another process hears may be news to us for so long: no longer than a request is under way.
LOOK_EVERY = 0.05
A_PERSON = 1


class AccountMeter:
    """The requests of one account in this process."""

    def __init__(self, quota: AccountQuota, title: str) -> None:
        self._quota, self._title = quota, title
        self._portion: Portion | None = None
        self._heard: list[Reading] = []
        self._lock = asyncio.Lock()
        self._looked_at, self._held_until = 0.0, datetime.min.replace(tzinfo=UTC)

    async def admit(self, doing: str) -> None:
        """Count a request that is about to be sent.

        Raises RateLimited if it has to wait, with how long; Unavailable if the store does not say whether it has to.
        """
        try:
            async with self._lock:
                wait, why = await self._wait()
        except (SQLAlchemyError, OSError) as error:
            text = f"the store does not say ({type(error).__name__}) whether {self._title}'s quota allows to {doing}"
            raise Unavailable(self._quota.system, f"{text}: nothing was sent, trying again later is safe") from None
        if wait > timedelta(0):
            text = f"{why}, so we did not {doing} yet: wait {wait.total_seconds():.0f} s"
            raise RateLimited(self._quota.system, text, wait)

    async def heard(self, reading: Reading) -> None:
        """Keep what an answer said until the next portion is taken; a wait is written down at once."""
        self._heard.append(reading)
        if reading.wait is not None:
            self._held_until = max(self._held_until, datetime.now(UTC) + reading.wait)
            try:
                await self._quota.hold(self._held_until)
            except (SQLAlchemyError, OSError):  # this process knows; the others learn it from an answer of their own
                activity.logger.warning("the store did not take down that %s asked us to wait", self._title)

    async def _wait(self) -> tuple[timedelta, str]:
        """Return how long to wait before sending, and why; no time if the request has been counted."""
        asked = f"{self._title} asked us to wait"
        if (held := await self._held()) > timedelta(0):
            return held, asked
        portion = self._portion
        if portion is None or not portion.count or datetime.now(UTC) >= portion.ends:
            portion = await self._take(portion)
        if not portion.count:
            return portion.wait, asked if portion.is_held else f"the quota of {self._title} is used up for now"
        self._portion = Portion(portion.count - 1, portion.number, portion.ends)
        return timedelta(0), ""

    async def _take(self, unused: Portion | None) -> Portion:
        heard = self._heard[:]
        portion = await self._quota.take(_rank(), unused, heard)
        del self._heard[: len(heard)]
        self._portion = portion
        return portion

    async def _held(self) -> timedelta:
        if time.monotonic() - self._looked_at > LOOK_EVERY:
            found = await self._quota.held_until()
            self._looked_at = time.monotonic()
            self._held_until = max(self._held_until, found or self._held_until)
        return self._held_until - datetime.now(UTC)


def _rank() -> int:
    """Return the priority of the activity that asks; whoever is no activity is a person at the command line."""
    return activity.info().priority.priority_key or A_PERSON if activity.in_activity() else A_PERSON
