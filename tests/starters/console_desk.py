"""A firm's console as a server of its own, with something on every page."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from runtime.ports import free_ports
from starters.console.app import create_console
from store.reconciliation_pieces import NewReport, Outcome
from tests.sandboxes import Firm
from tests.starters.planted_reports import HASH, HEAD, MISMATCHES
from tests.workflows.office import Office

REPORT = "report-07"


async def plant_report(firm: Firm) -> None:
    """Keep a report with something of every kind, as the engine leaves it."""
    kept = firm.store.reconciliations
    await kept.begin(NewReport(REPORT, firm.name, "clients", "v1"), HEAD.started_at)
    await kept.add([kept.row(REPORT, each, f"f{each.number}") for each in MISMATCHES])
    outcome = Outcome(HEAD.sides, HEAD.in_step, HEAD.counts, HEAD.causes, HEAD.new_mismatches)
    assert await kept.finish(REPORT, outcome, HASH)


@asynccontextmanager
async def served(office: Office) -> AsyncIterator[str]:
    """Serve a firm's console, and give its address."""
    (port,) = free_ports(1)
    app = create_console(office.firm.settings, office.firm.store, office.temporal)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=2))
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
