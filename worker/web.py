"""The receiver process: the webhook app with a reader for each account, and its metrics."""

import asyncio
import contextlib
from collections.abc import Generator

import uvicorn
from fastapi import FastAPI


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
