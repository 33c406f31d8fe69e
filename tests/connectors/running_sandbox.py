"""The sandbox as a process, and a receiver for the hooks that it sends."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


@dataclass(frozen=True)
class StandIn:
    """One system of the sandbox: where it listens, and what it says about itself."""

    url: str
    info: dict[str, Any]

    def tell(self, path: str, body: object) -> None:
        """Change faults or settings."""
        httpx.post(f"{self.url}/_sandbox/{path}", json=body).raise_for_status()


@contextmanager
def running_sandbox(ledger: Path) -> Iterator[tuple[StandIn, StandIn]]:
    """Give Capsule's and FreshBooks' stand-ins; they end with the block."""
    ports = ["--capsule-port", "0", "--freshbooks-port", "0"]
    command = [sys.executable, "-m", "sandbox", *ports, "--ledger", str(ledger), "--records", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            urls = json.loads(process.stdout.readline())
            capsule, freshbooks = (_stand_in(urls[name]) for name in ("capsule", "freshbooks"))
            yield capsule, freshbooks
        finally:
            process.terminate()


def _stand_in(url: str) -> StandIn:
    return StandIn(url, httpx.get(f"{url}/_sandbox/info").raise_for_status().json())


@dataclass(frozen=True)
class Delivery:
    """A hook as it came: header names are lower case."""

    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def hook_receiver() -> AsyncIterator[tuple[str, "asyncio.Queue[Delivery]"]]:
    """Give an address that answers 200 to everything, and the queue of what came in."""
    received: asyncio.Queue[Delivery] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        received.put_nowait(Delivery(headers, body))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", received
