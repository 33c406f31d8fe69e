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
from store.status import Standing
from store.store import Store

WEEK = timedelta(days=7)
LATEST = 12


@dataclass(frozen=True)
class Health:
    """What is known of one connection. `swept` says of each list until when it was read, `lags` how late searches are.

    `consent` names the systems that have to be connected again.
    """

    name: str
    systems: tuple[str, ...]
    consent: tuple[str, ...]
    holds: int
    swept: tuple[tuple[str, datetime | None], ...]
    ways: tuple[WaysCount, ...]
    lags: tuple[tuple[str, Spread], ...]
    standings: tuple[Standing, ...]

    @property
    def state(self) -> str:
        """Return in one word how it is."""
        return "needs consent" if self.consent else "waits for you" if self.holds else "well"


async def health_of(store: Store, name: str, connection: Connection, held: list[OpenHold]) -> Health:
    """Return what is known of a connection."""
    own = [hold for hold in held if hold.connection == name]
    spreads = [(system, await store.lags.spread(name, system)) for system in connection.accounts]
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
            "alerts": len(await store.alerts.listed()),
            "latest": await store.audit.latest(LATEST),
        }
        return desk.page(request, "overview.html.j2", **shown)

    return router
