"""The receiver process: the webhook app with a reader for each account, and its metrics."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Generator

import httpx
import prometheus_client
import structlog
import uvicorn
from fastapi import FastAPI
from temporalio.client import Client

from runtime.settings import Settings
from runtime.temporal import connect_lazily
from runtime.watching import SettingsWatch
from starters.announce import Announcer
from starters.console.app import create_console
from starters.forwarding import Forwarder
from starters.receiver import create_receiver
from store.store import Store, open_store
from worker.alerts import alert_activities
from worker.hook_readers import hook_readers
from worker.metrics import StoreMetrics
from worker.second_watch import SecondWatch

log = structlog.get_logger()

KEEP_ALIVE_SECONDS = 30
MOST_AT_ONCE = 200  # beyond that uvicorn answers 503, and providers try again


async def receive(settings: Settings) -> None:
    """Receive webhooks until SIGTERM or SIGINT. Temporal need not be there yet: the inbox keeps what arrives.

    Raises KeyProblem or StoreUnreachable before any delivery is taken.
    """
    store = await open_store(settings)
    temporal = await connect_lazily(settings)
    readers, forwarder = hook_readers(settings, store), Forwarder(_announcer(temporal, store, settings), store)
    app, pages = create_receiver(readers, forwarder), create_console(settings, store, temporal)

    async def follow() -> None:
        async for now in SettingsWatch(settings).changes():
            forwarder.follow(_announcer(temporal, store, now))
            readers.clear()
            readers.update(hook_readers(now, store))
            pages.state.desk.settings = now
            log.info("connections changed", connections=list(now.connections))

    following = asyncio.create_task(follow())
    prometheus_client.REGISTRY.register(StoreMetrics(store, asyncio.get_running_loop()))
    prometheus_client.start_http_server(settings.metrics.receiver_port, settings.metrics.host)
    try:
        console = _config(pages, settings.console.host, settings.console.port)
        receiver = _config(app, settings.receiver.host, settings.receiver.port)
        async with _watched(settings, store, temporal):
            await serve_together(uvicorn.Server(receiver), Beside(console))
    finally:
        following.cancel()
        await store.close()


def _announcer(temporal: Client, store: Store, settings: Settings) -> Announcer:
    return Announcer(temporal, store, settings.crms, settings.with_projects)


@contextlib.asynccontextmanager
async def _watched(settings: Settings, store: Store, temporal: Client) -> AsyncIterator[None]:
    """Run the second watch meanwhile."""
    async with httpx.AsyncClient() as http:
        alerts = alert_activities(settings, temporal, store, http)
        watching = asyncio.create_task(SecondWatch(store, alerts, settings.alerts.silence_after).run())
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


class Beside(uvicorn.Server):
    """A server that leaves the signals to the one beside it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take none."""
        yield


async def serve_together(receiver: uvicorn.Server, console: uvicorn.Server) -> None:
    """Serve both until the receiver is asked to stop; a console that cannot listen does not keep webhooks out."""
    beside = asyncio.create_task(_serve_beside(console))
    try:
        await receiver.serve()
    finally:
        console.should_exit = True
        await beside


async def _serve_beside(console: uvicorn.Server) -> None:
    try:
        await console.serve()
    except SystemExit:  # uvicorn's way of saying that it cannot listen
        log.error("the console cannot listen; webhooks are received", port=console.config.port)  # noqa: TRY400


def _config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,  # it would write the secrets in the paths
        server_header=False,
        limit_concurrency=MOST_AT_ONCE,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
        log_config=None,
    )
