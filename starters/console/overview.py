"""The first page: each connection, whether it is well, and what needs a person."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from runtime.settings import Connection
from starters.console.desk import Desk
from starters.operators import streams
from store.holds import OpenHold
from store.lags import Spread
from store.news import WaysCount
from store.quotas import QuotaStanding
from store.status import Standing
from store.store import Store

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LATEST = 12


@dataclass(frozen=True)
class Health:
    """What is known of one connection. `swept` says of each list until when it was read, `lags` how late searches are.

    `consent` names the systems that have to be connected again; `latencies` say how long a day's writes took from the
    webhook on, by the system that told, `quotas` what each account has sent.
    """

    name: str
    systems: tuple[str, ...]
    consent: tuple[str, ...]
    holds: int
    swept: tuple[tuple[str, datetime | None], ...]
    ways: tuple[WaysCount, ...]
    lags: tuple[tuple[str, Spread], ...]
    latencies: tuple[tuple[str, Spread], ...]
    quotas: tuple[tuple[str, QuotaStanding], ...]
    standings: tuple[Standing, ...]

    @property
    def state(self) -> str:
        """Return in one word how it is."""
        return "needs consent" if self.consent else "waits for you" if self.holds else "well"


async def health_of(store: Store, name: str, connection: Connection, held: list[OpenHold]) -> Health:
    """Return what is known of a connection."""
    own = [hold for hold in held if hold.connection == name]
    spreads = [(system, await store.lags.spread(name, system)) for system in connection.accounts]
    day = datetime.now(UTC) - DAY
    writes = [(system, await store.latencies.spread(name, system, day)) for system in connection.accounts]
    quotas = [(system, await store.quotas.standing(name, system)) for system in connection.accounts]
    swept = [(records, await store.cursors.read(name, stream)) for records, stream in streams(connection)]
    ways = await store.news.counts((datetime.now(UTC) - WEEK).date())
    return Health(
        name=name,
        systems=tuple(connection.accounts),
        consent=tuple(hold.record_id for hold in own if hold.reason == "needs-consent"),
        holds=len(own),
        swept=tuple(each for each in swept if each[1] or each[0] != "clients"),
        ways=tuple(each for each in ways if each.connection == name),
        lags=tuple((system, spread) for system, spread in spreads if spread is not None),
        latencies=tuple((system, spread) for system, spread in writes if spread is not None),
        quotas=tuple((system, standing) for system, standing in quotas if standing is not None),
        standings=tuple(await store.statuses.standings(name)),
    )


def routes(desk: Desk) -> APIRouter:
    """Return the first page."""
    router = APIRouter()

    @router.get("/")
    async def overview(request: Request) -> Response:
        store, held = desk.store, list(await desk.store.holds.listed())
        connections = [await health_of(store, *each, held) for each in desk.settings.connections.items()]
        shown: dict[str, Any] = {
            "connections": connections,
            "held": len(held),
            "inbox": await store.inbox.size(),
            "aside": len(await store.inbox.set_aside()),
            "written": await store.audit.written_since(datetime.now(UTC) - WEEK),
            "alerts": len(await store.alerts.listed()),
            "latest": await store.audit.latest(LATEST),
        }
        return desk.page(request, "overview.html.j2", **shown)

    return router
