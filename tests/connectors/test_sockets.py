"""The same decisions over real sockets: which of httpx's errors mean that nothing was sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from connectors.errors import Unavailable, UnknownOutcome
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import fixed_token, http_client
from tests.connectors.answering import SECOND

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

NORA = {"fname": "Nora"}


@asynccontextmanager
async def books_behind(behaviour: Behaviour) -> AsyncIterator[FreshBooksApi]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, http_client() as http:
        yield FreshBooksApi(http, fixed_token(SecretStr("t")), "aB3xYz", f"http://127.0.0.1:{port}", SECOND)


def answering(raw: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    return behave


async def test_a_closed_port_means_that_nothing_was_sent() -> None:
    """S27."""
    async with http_client() as http:
        api = FreshBooksApi(http, fixed_token(SecretStr("t")), "aB3xYz", "http://127.0.0.1:1")
        with pytest.raises(Unavailable, match="nothing was sent"):
            await api.create_client(NORA)


async def test_a_name_that_does_not_resolve_means_that_nothing_was_sent() -> None:
    async with http_client() as http:
        api = FreshBooksApi(http, fixed_token(SecretStr("t")), "aB3xYz", "http://books.invalid")
        with pytest.raises(Unavailable, match="nothing was sent"):
            await api.create_client(NORA)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{",
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"res\r\n',
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=["closed", "short", "chunk missing", "bad gzip", "no HTTP"],
)
async def test_a_connection_cut_after_the_request_leaves_the_outcome_open(raw: bytes) -> None:
    """F1, F3."""
    async with books_behind(answering(raw)) as api:
        with pytest.raises(UnknownOutcome):
            await api.create_client(NORA)
        with pytest.raises(Unavailable):
            await api.get_client(330101)


async def test_a_system_that_never_answers_is_given_up_within_the_limit() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with books_behind(silent) as api:
        with pytest.raises(UnknownOutcome):
            await asyncio.wait_for(api.create_client(NORA), timeout=5)
