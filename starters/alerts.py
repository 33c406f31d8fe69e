"""`ledgerline alerts …`: what people are told, and whether the channels work."""

import asyncio
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowFailureError

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from runtime.temporal import connect
from starters.operators import ago
from store.store import open_store
from workflows.alerts import AlertTest
from workflows.models import AlertTestResult

WORKER_PATIENCE = 90.0
NOBODY = "nobody is told: set `alerts.urls`, as docs/alerts.md says, and restart the workers"


class NoAnswer(Stop):
    """No worker tried the channels."""


async def list_alerts() -> int:
    """Print the open alerts, oldest first, with who was told when. Raises Stop if the store is not to be had."""
    settings = load_settings()
    store = await open_store(settings)
    table = Table()
    for heading in ("since", "reason", "connection", "about", "told"):
        table.add_column(heading, no_wrap=heading != "about", overflow="fold")
    for alert, told in await store.alerts.listed():
        table.add_row(ago(alert.since), alert.reason, alert.connection or "-", alert.key, _told(told))
    console = Console()
    console.print(table if table.rows else "nothing needs a person")
    for each in await store.channels.failing():
        console.print(f"channel {each.channel} takes no messages since {ago(each.since)}: {each.problem}")
    _warn(console, settings)
    await store.close()
    return 0


async def try_channels() -> int:
    """Let a worker send a test message to every channel, and print what became of it. Raises Stop.

    Return 0 if all of them have taken it, else 1.
    """
    settings = load_settings()
    channels = await _try(await connect(settings))
    console = Console()
    for channel, problem in channels.items():
        console.print(f"{channel}: {problem or 'sent'}", highlight=False)
    if not channels:
        console.print(NOBODY, highlight=False)
    return 0 if channels and not any(channels.values()) else 1


async def _try(temporal: Client) -> Mapping[str, str]:
    trial = temporal.execute_workflow(
        AlertTest.run,
        id=f"alert-test/{uuid.uuid4().hex[:8]}",
        task_queue=WORKFLOW_QUEUE,
        static_summary="a person tries the channels of the alerts",
        execution_timeout=timedelta(seconds=WORKER_PATIENCE),  # nobody waits for it any more after that
    )
    try:
        result: AlertTestResult = await asyncio.wait_for(trial, WORKER_PATIENCE)
    except (TimeoutError, WorkflowFailureError) as error:
        raise NoAnswer("no worker tried the channels; start one with ledgerline worker") from error
    return result.channels


def _told(told: Mapping[int, datetime]) -> str:
    return ", ".join(f"channel {number} {ago(at)}" for number, at in sorted(told.items())) or "nobody yet"


def _warn(console: Console, settings: Settings) -> None:
    if not settings.alerts.urls:
        console.print(NOBODY, highlight=False)
