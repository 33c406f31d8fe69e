"""The receiver process: the webhook app with a reader for each account, and its metrics."""

import asyncio

import prometheus_client
import structlog
import uvicorn

from runtime.settings import Settings
from runtime.temporal import connect_lazily
from starters.announce import Announcer
from starters.forwarding import Forwarder
from starters.receiver import create_receiver
from store.store import open_store
from worker.hook_readers import hook_readers
from worker.metrics import StoreMetrics

log = structlog.get_logger()

KEEP_ALIVE_SECONDS = 30
MOST_AT_ONCE = 200  # beyond that uvicorn answers 503, and providers try again


async def receive(settings: Settings) -> None:
    """Receive webhooks until SIGTERM or SIGINT. Temporal need not be there yet: the inbox keeps what arrives.

    Raises KeyProblem or StoreUnreachable before any delivery is taken.
    """
    store = await open_store(settings)
    announcer = Announcer(await connect_lazily(settings), store, settings.crms, settings.with_projects)
    app = create_receiver(hook_readers(settings, store), Forwarder(announcer, store))
    prometheus_client.REGISTRY.register(StoreMetrics(store, asyncio.get_running_loop()))
    prometheus_client.start_http_server(settings.metrics.receiver_port, settings.metrics.host)
    config = uvicorn.Config(
        app,
        host=settings.receiver.host,
        port=settings.receiver.port,
        access_log=False,  # it would write the secrets in the paths
        server_header=False,
        limit_concurrency=MOST_AT_ONCE,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
        log_config=None,
    )
    try:
        await uvicorn.Server(config).serve()
    finally:
        await store.close()
