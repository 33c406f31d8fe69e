"""Counts what webhooks tell, beside the way of a delivery: none waits for this, and none fails because of it.

What was told in the last seconds before this process ends abruptly is not counted. That is all that can go wrong.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from store.news import News, Told

log = structlog.get_logger()

FLUSH_SECONDS = 2.0
GAUGE_EVERY = 15  # flushes
MOST_KEPT = 20_000  # while the store cannot be reached; beyond that news are not counted
WEEK = timedelta(days=7)

CHANGES = Gauge(
    "ledgerline_changes_last_week",
    "Changes of the last seven days, by what told of them first: a webhook, or only a sweep",
    ["connection", "system", "told_by"],
)

Key = tuple[str, str, str]


class HookNews:
    """Gathers what webhooks tell and writes it down every other second."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._heard: dict[Key, Told] = {}
        self._complained = False

    def note(self, connection: str, system: str, record_ids: Sequence[str]) -> None:
        """Remember that a webhook told of these records. Waits for nothing and never fails."""
        now = datetime.now(UTC)
        for record_id in record_ids:
            key = (connection, system, record_id)
            if key not in self._heard and len(self._heard) >= MOST_KEPT:
                return
            self._heard[key] = _added(self._heard.get(key), Told(*key, at=now))

    async def run(self) -> None:
        """Write down what was heard, and show what was counted, until cancelled; the last of it is written then."""
        try:
            turn = 0
            while True:
                await self.flush()
                if turn % GAUGE_EVERY == 0:
                    await self._show()
                turn += 1
                await asyncio.sleep(FLUSH_SECONDS)
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write down what was heard; what cannot be written is kept for the next time."""
        heard, self._heard = self._heard, {}
        if not heard:
            return
        try:
            await self._news.told(list(heard.values()))
        except (SQLAlchemyError, OSError) as error:
            if not self._complained:
                log.warning("what webhooks tell cannot be counted now", reason=type(error).__name__)
            self._complained = True
            self._put_back(heard)
        except asyncio.CancelledError:
            self._put_back(heard)
            raise
        else:
            self._complained = False

    def _put_back(self, heard: Mapping[Key, Told]) -> None:
        for key, told in heard.items():
            self._heard[key] = _added(self._heard.get(key), told)

    async def _show(self) -> None:
        with contextlib.suppress(SQLAlchemyError, OSError):
            counts = await self._news.counts((datetime.now(UTC) - WEEK).date())
            CHANGES.clear()
            for count in counts:
                CHANGES.labels(count.connection, count.system, "webhook").set(count.by_webhook)
                CHANGES.labels(count.connection, count.system, "sweep").set(count.by_sweep)


def _added(earlier: Told | None, told: Told) -> Told:
    if earlier is None:
        return told
    return replace(told, at=max(earlier.at, told.at), times=earlier.times + told.times)
