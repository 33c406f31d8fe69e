"""The webhook receiver: believes little, writes once, answers at once. The work happens elsewhere."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect

from starters.forwarding import Forwarder
from starters.hooks import Delivery, HookReader, RefusedDelivery
from store.callbacks import TooManyOffers

log = structlog.get_logger()

MAX_BODY_BYTES = 256_000  # the largest genuine delivery has a few kilobytes
READ_SECONDS = 10.0
DELIVERIES = Counter("ledgerline_hook_deliveries_total", "Webhook deliveries", ["system", "outcome"])

Readers = Mapping[tuple[str, str], HookReader]


def create_receiver(readers: Readers, forwarder: Forwarder) -> FastAPI:
    """Return the app. `readers` has one entry for each system and connection."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        forwarding = asyncio.create_task(forwarder.run())
        yield
        forwarding.cancel()
        with suppress(asyncio.CancelledError):
            await forwarding

    app = FastAPI(lifespan=lifespan, openapi_url=None, max_body_size=MAX_BODY_BYTES)

    @app.post("/hooks/{system}/{connection}/{secret}")
    async def receive(system: str, connection: str, secret: str, request: Request) -> Response:
        reader = readers.get((system, connection))
        if not _knows(reader, secret) or reader is None:
            return _answer("unknown", 404, "not-found")
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await request.body()
            delivery = await reader.read(request.headers, body)
        except (TimeoutError, ClientDisconnect):
            return _answer(system, 408, "too-slow")
        except SQLAlchemyError:
            log.exception("a delivery could not be checked; its sender will try again", system=system)
            return _answer(system, 503, "not-kept")
        except RefusedDelivery as refused:
            log.warning("refused a delivery", system=system, connection=connection, reason=str(refused))
            return _answer(system, refused.status, "refused")
        return await _accept(forwarder, system, connection, delivery)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "up"}

    @app.get("/ready")
    async def ready() -> Response:
        """Ready means: a delivery that came now would be kept, by Temporal or by the inbox."""
        try:
            waiting = await forwarder.waiting()
        except SQLAlchemyError:
            return JSONResponse({"status": "the store cannot be reached"}, status_code=503)
        return JSONResponse({"status": "ready", "waiting_in_inbox": waiting, "temporal": forwarder.temporal_answers})

    return app


async def _accept(forwarder: Forwarder, system: str, connection: str, delivery: Delivery) -> Response:
    try:
        outcome = await forwarder.take(system, connection, delivery)
    except TooManyOffers as reason:
        log.warning("a handshake was not kept; a genuine one is sent again", connection=connection, reason=str(reason))
        return _answer(system, 503, "too-many-handshakes")
    except (SQLAlchemyError, OSError):
        log.exception("a delivery could not be kept; its sender will try again", system=system, connection=connection)
        return _answer(system, 503, "not-kept")
    return _answer(system, 200, outcome)


def _knows(reader: HookReader | None, secret: str) -> bool:
    """Compare with every secret, in constant time; with as many made-up ones if there is no such account."""
    secrets = reader.secrets if reader else ["0" * 64]
    found = [hmac.compare_digest(secret.encode(), known.encode()) for known in secrets]
    return reader is not None and any(found)


def _answer(system: str, status: int, outcome: str) -> Response:
    DELIVERIES.labels(system=system, outcome=outcome).inc()
    return JSONResponse({"outcome": outcome}, status_code=status)
