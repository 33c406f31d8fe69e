"""`ledgerline up`: everything on one machine, with a live view of what is synced."""

import asyncio
import contextlib
import signal
import sys

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from runtime.load import load_settings
from runtime.logs import set_up_logs
from runtime.settings import Settings
from runtime.temporal import target
from starters.operators import latest_table
from starters.record_names import one
from starters.sandbox import CAPSULE, ZOHO_CRM, addresses, zoho_crm_addresses
from starters.system import System
from store.store import Store, open_store

REFRESH_SECONDS = 1.0
SHOWN = 12


async def run_up() -> int:
    """Run until SIGTERM or SIGINT. Raises Stop, before anything runs, for whatever a person has to mend."""
    settings = load_settings()
    set_up_logs("up", settings.log_format, settings.log_level)
    console = Console(stderr=True)
    stopped = _stop_event()
    system = System(settings, say=lambda text: console.print(text, style="dim", highlight=False))
    starting = asyncio.create_task(system.start())
    asked = asyncio.create_task(stopped.wait())
    await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        return 0
    await starting
    store = await open_store(system.settings)
    try:
        await _show_until(stopped, system, store, console)
    finally:
        console.print("stopping", style="dim")
        await system.stop()
        await store.close()
    return 0


def _stop_event() -> asyncio.Event:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    return stopped


async def _show_until(stopped: asyncio.Event, system: System, store: Store, console: Console) -> None:
    head = _head(system.settings, sandboxed=system.sandboxed)
    if not sys.stderr.isatty():
        console.print(head)
        console.print("ready; Ctrl-C stops everything", highlight=False)
        await _print_writes(stopped, store, console)
        return
    with Live(console=console, auto_refresh=False) as live:
        while not stopped.is_set():
            live.update(Group(head, await latest_table(store, SHOWN), await _foot(system, store)), refresh=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), REFRESH_SECONDS)


async def _print_writes(stopped: asyncio.Event, store: Store, console: Console) -> None:
    """Where there is no terminal to draw on, a line for each write."""
    seen = max((line.seq for line in await store.audit.latest(1)), default=0)
    while not stopped.is_set():
        news = [line for line in await store.audit.latest(100) if line.seq > seen]
        for line in reversed(news):
            crm, books = one(line.flow, "crm", line.crm_id), one(line.flow, "books", line.books_id)
            text = f"{line.connection}: {crm} → {books}: {line.action} ({line.cause})"
            console.print(text, highlight=False, soft_wrap=True)
        seen = max([seen, *(line.seq for line in news)])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), REFRESH_SECONDS)


def _head(settings: Settings, *, sandboxed: bool) -> Table:
    table = Table(title="Ledgerline is up", title_justify="left", show_header=False)
    if not target(settings)[1]:
        table.add_row("Temporal UI", f"http://localhost:{settings.temporal.ui_port}")
    table.add_row("console", f"http://{settings.console.host}:{settings.console.port}")
    table.add_row("webhook receiver", f"http://{settings.receiver.host}:{settings.receiver.port}")
    if sandboxed:
        for name, url in _sandboxes(settings).items():
            table.add_row(name, f"{url}   (tokens: {url}/_sandbox/info)")
    table.add_row("metrics", f"worker :{settings.metrics.worker_port}, receiver :{settings.metrics.receiver_port}")
    table.add_row("logs", str(settings.data / "logs"))
    return table


def _sandboxes(settings: Settings) -> dict[str, str]:
    """Return where each stand-in is, by its connection and system."""
    (capsule, its_books), (zoho_crm, other_books) = addresses(settings), zoho_crm_addresses(settings)
    return {
        f"{CAPSULE}: Capsule": capsule,
        f"{CAPSULE}: FreshBooks": its_books,
        f"{ZOHO_CRM}: Zoho CRM": zoho_crm,
        f"{ZOHO_CRM}: FreshBooks": other_books,
    }


async def _foot(system: System, store: Store) -> Text:
    holds, waiting = await store.holds.listed(), await store.inbox.size()
    restarts = sum(system.supervisor.restarts.values())
    return Text(
        f"{len(holds)} holds, {waiting} in the inbox, {restarts} restarts; Ctrl-C stops everything", style="dim"
    )
