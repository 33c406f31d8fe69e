"""`ledgerline doctor`: checks all that a sync needs, settings to tokens, and says what to do about each finding."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping

from rich.console import Console
from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from runtime.temporal import connect
from starters.doctor_schedules import examine_schedules
from starters.doctor_webhooks import examine_inbox, examine_reach, examine_ways
from starters.findings import Finding, Level, fine, note, warning, wrong
from store.store import Store, open_store
from workflows.checks import ConnectionCheck
from workflows.models import CheckReport, CheckRequest
from workflows.search_attributes import ALL

WORKER_PATIENCE = 90.0
COLOURS: Mapping[Level, str] = {"ok": "green", "note": "cyan", "warning": "yellow", "wrong": "red"}


async def run_doctor() -> int:
    """Print every finding; return 0 if nothing is wrong, else 1. Raises Stop if the settings cannot be read."""
    settings = load_settings()
    console, seen = Console(), Counter[Level]()
    async for finding in _examine(settings):
        line = Text.assemble((f"{finding.level:<8}", COLOURS[finding.level]), finding.text)
        console.print(line, soft_wrap=True)
        seen[finding.level] += 1
    found = [f"{seen['wrong']} wrong"] * bool(seen["wrong"]) + [f"{seen['warning']} warnings"] * bool(seen["warning"])
    console.print(", ".join(found) or "all is well", highlight=False)
    return 1 if seen["wrong"] else 0


async def _examine(settings: Settings) -> AsyncIterator[Finding]:
    yield _connections(settings)
    yield await examine_reach(settings)
    try:
        store = await open_store(settings)
        for finding in await _examine_store(store, settings):
            yield finding
        await store.close()
        temporal = await connect(settings)
    except Stop as reason:
        yield wrong(str(reason))
        return
    yield fine(f"temporal: {temporal.service_client.config.target_host}, {temporal.namespace}")
    yield await _search_attributes(temporal)
    for finding in await examine_schedules(temporal, settings):
        yield finding
    for name in settings.connections:
        for finding in await _check_connection(temporal, settings, name):
            yield finding


def _connections(settings: Settings) -> Finding:
    if not settings.connections:
        return wrong("settings: no connection is configured; `ledgerline up` runs the sandbox")
    hooks = "webhooks and sweeps" if settings.public_url else "sweeps only (receiver.public_url is not set)"
    return fine(f"settings: {', '.join(settings.connections)}; changes arrive by {hooks}")


async def _examine_store(store: Store, settings: Settings) -> list[Finding]:
    holds = await store.holds.listed()
    address = store.database.engine.url.render_as_string(hide_password=True)
    return [
        fine(f"store: {address}"),
        wrong(f"holds: {len(holds)} wait for a person; see ledgerline holds list") if holds else fine("holds: 0"),
        *await examine_inbox(store),
        *await examine_ways(store, settings),
    ]


async def _search_attributes(temporal: Client) -> Finding:
    try:
        query = " OR ".join(f"{key.name} IS NOT NULL" for key in ALL)
        await temporal.count_workflows(query)
    except RPCError:
        commands = " ".join(f"--name {key.name} --type Keyword" for key in ALL)
        return wrong(f"search attributes: run temporal operator search-attribute create {commands}")
    return fine(f"search attributes: {', '.join(key.name for key in ALL)}")


async def _check_connection(temporal: Client, settings: Settings, name: str) -> list[Finding]:
    try:
        report: CheckReport = await asyncio.wait_for(
            temporal.execute_workflow(
                ConnectionCheck.run,
                CheckRequest(
                    connection=name,
                    webhooks=settings.public_url is not None,
                    crm=settings.connections[name].crm,
                    opportunities=settings.connections[name].opportunities is not None,
                    payments=settings.connections[name].payments is not None,
                ),
                id=f"connection-check/{name}/{uuid.uuid4().hex[:8]}",
                task_queue=WORKFLOW_QUEUE,
                static_summary=f"doctor asks both systems of {name} who we are and what we may",
            ),
            WORKER_PATIENCE,
        )
    except TimeoutError:
        return [wrong(f"{name}: no worker answers; start one with ledgerline worker")]
    levels = ((report.passed, fine), (report.notes, note), (report.warnings, warning), (report.failed, wrong))
    return [judge(f"{name}: {text}") for texts, judge in levels for text in texts]
