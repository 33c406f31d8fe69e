"""Numbers for Prometheus that only the store knows, read when they are asked for. The receiver's page shows them."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from store.store import Store

log = structlog.get_logger()

PATIENCE_SECONDS = 5.0


class StoreMetrics(Collector):
    """Gauges of holds, alerts, inbox and sweeps. Without the store they are left out, and `ledgerline_store_up` is 0.

    Prometheus asks in a thread of its own; the store is read in `loop`, where its connections belong.
    """

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store, self._loop = store, loop

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Give nothing: else registering would collect at once, in the loop that would have to answer."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give every gauge as it is now."""
        reading = asyncio.run_coroutine_threadsafe(self._read(), self._loop)
        try:
            gauges = reading.result(PATIENCE_SECONDS)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            reading.cancel()
            log.warning("the store cannot be read for the metrics", reason=type(error).__name__)
            gauges = []
        yield _single("store_up", "Whether the store could be read", bool(gauges))
        yield from gauges

    async def _read(self) -> list[GaugeMetricFamily]:
        now, signs, alerts = datetime.now(UTC), self._store.signs, await self._store.alerts.listed()
        inbox, looked = await signs.inbox(), await self._store.alerts.last_look()
        holds = [(place, float(count)) for place, count in (await signs.open_holds()).items()]
        sweeps = [(place, _age(now, at)) for place, at in (await signs.sweeps()).items()]
        failing = [((str(each.channel),), _age(now, each.since)) for each in await self._store.channels.failing()]
        watch = [((), _age(now, looked))] if looked else []
        return [
            _gauge("open_holds", "Syncs that wait for a person", ("connection", "reason"), holds),
            _gauge("sweep_age_seconds", "Since a sweep last ended", ("connection", "stream"), sweeps),
            _single("inbox_changes", "Changes that wait for Temporal", inbox.count),
            _single("inbox_age_seconds", "Age of the oldest of them", _age(now, inbox.since)),
            _single("alerts_open", "Alerts that are not over", len(alerts)),
            _single("alerts_untold", "Those that no channel has taken yet", sum(not told for _, told in alerts)),
            _gauge("alert_channel_failing_seconds", "Since a channel took no message", ("channel",), failing),
            _gauge("alert_watch_age_seconds", "Since the alert watch last looked", (), watch),
        ]


def _gauge(
    name: str, text: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"ledgerline_{name}", text, labels=labels)
    for place, value in values:
        gauge.add_metric(place, value)
    return gauge


def _single(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ledgerline_{name}", text, value=float(value))


def _age(now: datetime, since: datetime | None) -> float:
    return (now - since).total_seconds() if since else 0.0
