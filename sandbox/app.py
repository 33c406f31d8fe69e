"""The sandbox: the stand-ins of all systems over one ledger, in process or as listening ports."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from sandbox.capsule.app import build_capsule
from sandbox.control import Control
from sandbox.freshbooks.app import build_freshbooks
from sandbox.ledger import Ledger
from sandbox.service import Front, Service
from sandbox.zoho_crm.app import build_zoho_crm

STOP_WITHIN = 0.4
"""Seconds that open requests have to end when the sandbox stops."""


@dataclass
class Sandbox:
    """All stand-ins. `capsule`, `freshbooks` and `zoho_crm` are ASGI apps; the services hold their records, knobs and
    hooks.
    """

    ledger: Ledger
    capsule: Front
    freshbooks: Front
    zoho_crm: Front
    capsule_service: Service
    freshbooks_service: Service
    zoho_crm_service: Service

    @property
    def services(self) -> tuple[Service, ...]:
        """The services of all systems."""
        return self.capsule_service, self.freshbooks_service, self.zoho_crm_service

    async def settle(self) -> None:
        """Wait until every hook is delivered (or given up) and every late write is made."""
        for service in self.services:
            await service.background.settle()

    async def close(self) -> None:
        """Stop deliveries and close the ledger."""
        for service in self.services:
            await service.background.stop()
            await service.courier.close()
        self.ledger.close()


def build_sandbox(
    ledger: Path | None = None,
    *,
    seed: int = 1,
    records: int = 0,
    capsule_requests_per_hour: int = 4000,
    freshbooks_requests_per_minute: int = 600,
    zoho_crm_records: int = 0,
    opportunities: int = 10,
    time_entries: int = 0,
    hook_transport: httpx.AsyncBaseTransport | None = None,
) -> Sandbox:
    """Return a sandbox with `records` parties and so many opportunities in Capsule, so many records in Zoho CRM and
    time entries in FreshBooks, and with all that the ledger file says happened since.

    Without a ledger file nothing outlives the process. `hook_transport` delivers hooks inside a test. Raises
    LedgerError for a ledger that cannot be read.
    """
    book = Ledger(ledger)
    capsule = build_capsule(
        book,
        seed=seed,
        records=records,
        per_hour=capsule_requests_per_hour,
        opportunities=opportunities,
        transport=hook_transport,
    )
    per_minute, filled = freshbooks_requests_per_minute, records > 0
    freshbooks = build_freshbooks(
        book,
        seed=seed,
        per_minute=per_minute,
        transport=hook_transport,
        filled=filled,
        time_entries=time_entries,
    )
    zoho_crm = build_zoho_crm(book, seed=seed, records=zoho_crm_records, transport=hook_transport)
    services = (capsule, freshbooks, zoho_crm)

    async def reset() -> None:
        book.truncate()
        for service in services:
            await service.reset()

    crm, books, zoho = (Front(each, Control(each, reset).routes()) for each in services)
    return Sandbox(book, crm, books, zoho, capsule, freshbooks, zoho_crm)


class _Server(uvicorn.Server):
    """A server that leaves signals to us: several of them share this process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


async def serve(sandbox: Sandbox, sockets: Mapping[str, socket.socket]) -> None:
    """Serve the stand-ins of the systems that have a bound socket until SIGTERM or SIGINT. Prints their addresses as
    one JSON line on stdout once all listen.
    """
    fronts = {"capsule": sandbox.capsule, "freshbooks": sandbox.freshbooks, "zoho_crm": sandbox.zoho_crm}
    servers = {name: _server(fronts[name]) for name in sockets}
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    # Asked for now: a closed socket has no address left.
    addresses = {name: f"http://{each.getsockname()[0]}:{each.getsockname()[1]}" for name, each in sockets.items()}
    running = [asyncio.create_task(server.serve([sockets[name]])) for name, server in servers.items()]
    while not all(server.started for server in servers.values()):  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    sys.stdout.write(json.dumps(addresses) + "\n")
    sys.stdout.flush()
    await stop.wait()
    for server in servers.values():
        server.should_exit = True
    _, late = await asyncio.wait(running, timeout=STOP_WITHIN)
    for server in servers.values():
        server.force_exit = True
    if late:
        await asyncio.wait(late, timeout=STOP_WITHIN)
    await sandbox.close()


def _server(front: Front) -> _Server:
    config = uvicorn.Config(
        front, lifespan="off", access_log=False, server_header=False, log_level="warning", timeout_keep_alive=75
    )
    return _Server(config)
