"""`ledgerline doctor`: checks all that a sync needs, settings to tokens, and says what to do about each finding."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from rich.console import Console
from temporalio.client import Client, ScheduleListDescription
from temporalio.service import RPCError

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from runtime.temporal import connect
from starters.schedules import wanted_schedules
from store.store import open_store
from workflows.checks import ConnectionCheck
from workflows.models import CheckReport, ConnectionRequest
from workflows.search_attributes import ALL

WORKER_PATIENCE = 60.0


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. `text` says what is wrong and what to do, or what was found."""

    ok: bool
    text: str


async def run_doctor() -> int:
    """Print every finding; return 0 if nothing is wrong, else 1. Raises Stop if the settings cannot be read."""
    settings = load_settings()
    console, wrong = Console(), 0
    async for finding in _examine(settings):
        console.print(f"{'[green]ok[/]   ' if finding.ok else '[red]wrong[/]'}  {finding.text}", highlight=False)
        wrong += not finding.ok
    console.print(f"{wrong} wrong" if wrong else "all is well", highlight=False)
    return 1 if wrong else 0


async def _examine(settings: Settings) -> AsyncIterator[Finding]:
    yield _connections(settings)
    try:
        store = await open_store(settings)
        yield Finding(ok=True, text=f"store: {store.database.engine.url.render_as_string(hide_password=True)}")
        holds = await store.holds.listed()
        yield Finding(
            ok=not holds, text=f"holds: {len(holds)}{' wait for a person; see ledgerline status' * bool(holds)}"
        )
        await store.close()
        temporal = await connect(settings)
    except Stop as reason:
        yield Finding(ok=False, text=str(reason))
        return
    yield Finding(ok=True, text=f"temporal: {temporal.service_client.config.target_host}, {temporal.namespace}")
    yield await _search_attributes(temporal)
    yield await _schedules(temporal, settings)
    for name in settings.connections:
        for finding in await _check_connection(temporal, name):
            yield finding


def _connections(settings: Settings) -> Finding:
    if not settings.connections:
        return Finding(ok=False, text="settings: no connection is configured; `ledgerline up` runs the sandbox")
    hooks = "webhooks and sweeps" if settings.public_url else "sweeps only (receiver.public_url is not set)"
    return Finding(ok=True, text=f"settings: {', '.join(settings.connections)}; changes arrive by {hooks}")


async def _search_attributes(temporal: Client) -> Finding:
    try:
        query = " OR ".join(f"{key.name} IS NOT NULL" for key in ALL)
        await temporal.count_workflows(query)
    except RPCError:
        commands = " ".join(f"--name {key.name} --type Keyword" for key in ALL)
        return Finding(ok=False, text=f"search attributes: run temporal operator search-attribute create {commands}")
    return Finding(ok=True, text=f"search attributes: {', '.join(key.name for key in ALL)}")


async def _schedules(temporal: Client, settings: Settings) -> Finding:
    listed: list[ScheduleListDescription] = [each async for each in await temporal.list_schedules()]
    present = {each.id for each in listed}
    paused = sorted(each.id for each in listed if each.schedule and each.schedule.state.paused)
    missing = [each.id for each in wanted_schedules(settings) if each.id not in present]
    if missing:
        return Finding(ok=False, text=f"schedules: {', '.join(missing)} missing; run ledgerline schedules")
    note = f"; paused: {', '.join(paused)}" if paused else ""
    return Finding(ok=True, text=f"schedules: {len(present)}{note}")


async def _check_connection(temporal: Client, name: str) -> list[Finding]:
    try:
        report: CheckReport = await asyncio.wait_for(
            temporal.execute_workflow(
                ConnectionCheck.run,
                ConnectionRequest(connection=name),
                id=f"connection-check/{name}/{uuid.uuid4().hex[:8]}",
                task_queue=WORKFLOW_QUEUE,
                static_summary=f"doctor asks who we are to both systems of {name}",
            ),
            WORKER_PATIENCE,
        )
    except TimeoutError:
        return [Finding(ok=False, text=f"{name}: no worker answers; start one with ledgerline worker")]
    passed = [Finding(ok=True, text=f"{name}: {text}") for text in report.passed]
    return passed + [Finding(ok=False, text=f"{name}: {text}") for text in report.failed]
