"""A wire between us and a system, which can be cut: below HTTP, where outages happen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Way = Literal["refused", "silent", "unavailable"]
WAYS: tuple[Way, ...] = ("refused", "silent", "unavailable")
"""How a system can be away: nobody listens, somebody takes requests and never answers, a balancer answers 503."""

LOCALHOST = "127.0.0.1"
UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 20\r\nConnection: close\r\n\r\n"
    b"<h1>Back soon</h1>\r\n"
)
CHUNK = 65_536


class Wire:
    """Carries bytes to `upstream` (host:port), which has to be set before the first request; or fails as told."""

    def __init__(self) -> None:
        self.upstream = ""
        self.asked = 0
        """How many connections were attempted while the system was silent or unavailable."""
        self._port = 0
        self._way: Way | None = None
        self._server: asyncio.Server | None = None
        self._carried: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where it listens, without the scheme."""
        return f"{LOCALHOST}:{self._port}"

    async def listen(self) -> None:
        """Let whoever comes be carried, always on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._take, LOCALHOST, self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self, way: Way) -> None:
        """Cut what is under way, answers that are due included, and let nothing through from now on."""
        self._way = way
        await self._hang_up()
        if way == "refused":
            await self._close()
        else:
            await self.listen()

    async def mend(self) -> None:
        """Carry everything again."""
        self._way = None
        await self._hang_up()
        await self.listen()

    async def end(self) -> None:
        """Carry nothing, for good."""
        await self._close()
        await self._hang_up()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _hang_up(self) -> None:
        tasks = list(self._carried)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carried.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            writer.transport.abort()  # a cut is no farewell
        finally:
            self._carried.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._way is not None:
            self.asked += 1
        if self._way == "silent":
            await asyncio.Event().wait()
        if self._way == "unavailable":
            await reader.readuntil(b"\r\n\r\n")
            writer.write(UNAVAILABLE)
            await writer.drain()
            return
        host, port = self.upstream.split(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, far_writer))
                both.create_task(_pump(far_reader, writer))
        except* OSError:
            writer.transport.abort()
        finally:
            far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while content := await reader.read(CHUNK):
        writer.write(content)
        await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


@asynccontextmanager
async def wires(*systems: str) -> AsyncIterator[dict[str, Wire]]:
    """Lay a wire to each system."""
    laid = {system: Wire() for system in systems}
    try:
        for wire in laid.values():
            await wire.listen()
        yield laid
    finally:
        for wire in laid.values():
            await wire.end()
