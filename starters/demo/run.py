"""`ledgerline demo`: the whole system on free ports and in a folder of its own, with the story and its checks."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from runtime.load import load_settings
from runtime.logs import set_up_logs
from runtime.ports import free_ports
from starters.demo.cash_story import CASH_STORY
from starters.demo.pipeline_story import PIPELINE_STORY
from starters.demo.sides import Sides, until
from starters.demo.story import STORY, Story
from starters.demo.zoho_sides import ZohoSides
from starters.demo.zoho_story import ZOHO_STORY
from starters.sandbox import addresses, zoho_crm_addresses
from starters.system import System

STEPS = (*STORY, *ZOHO_STORY, *PIPELINE_STORY, *CASH_STORY)

PORTS = (
    "TEMPORAL__PORT",
    "TEMPORAL__UI_PORT",
    "CODEC__PORT",
    "RECEIVER__PORT",
    "CONSOLE__PORT",
    "METRICS__WORKER_PORT",
    "METRICS__RECEIVER_PORT",
    "SANDBOX__CAPSULE_PORT",
    "SANDBOX__FRESHBOOKS_PORT",
    "SANDBOX__ZOHO_CRM_PORT",
    "SANDBOX__ZOHO_FRESHBOOKS_PORT",
)


async def run_demo(*, keep: bool) -> int:
    """Tell the story, print what came of each step, and return 0 if all of it holds. Raises Stop if nothing starts."""
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="ledgerline-demo-"))
    stand_alone(folder)
    settings = load_settings()
    set_up_logs("demo", settings.log_format, "error")
    system = System(settings, say=lambda text: console.print(text, style="dim", highlight=False))
    try:
        await system.start()
        passed = await _tell(system, console)
    finally:
        await system.stop()
        if keep:
            console.print(f"kept: {folder}", highlight=False)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    console.print(f"demo: {passed} of {len(STEPS)} steps passed", highlight=False)
    return 0 if passed == len(STEPS) else 1


def stand_alone(folder: Path) -> None:
    """Point this process and its children at `folder` and free ports, and away from anybody's real accounts."""
    for name in [
        name for name in os.environ if name.startswith(("LEDGERLINE_", "TEMPORAL_")) and name != "TEMPORAL_CLI"
    ]:
        del os.environ[name]
    for name in ("ledgerline.yaml", "temporal.toml"):
        (folder / name).touch()
    os.environ["LEDGERLINE_CONFIG"] = str(folder / "ledgerline.yaml")
    os.environ["TEMPORAL_CONFIG_FILE"] = str(folder / "temporal.toml")
    os.environ["LEDGERLINE_DATA"] = str(folder)
    os.environ["LEDGERLINE_SANDBOX__RECORDS"] = "0"
    for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        os.environ[f"LEDGERLINE_{name}"] = str(port)


async def _tell(system: System, console: Console) -> int:
    table = Table(title="the story", title_justify="left")
    for heading in ("step", "result", "seconds"):
        table.add_column(heading)
    passed = 0
    async with httpx.AsyncClient(timeout=20) as http:
        story = await _begin(system, http)
        for number, step in enumerate(STEPS, start=1):
            console.print(f"{number}. {step.title} …", highlight=False)
            began = time.monotonic()
            try:
                await step.tell(story)
                result = "[green]passed[/]"
                passed += 1
            except (AssertionError, httpx.HTTPError) as error:
                result = f"[red]failed[/]: {error}"
            table.add_row(f"{number}. {step.title}", result, f"{time.monotonic() - began:.1f}")
    console.print(table)
    return passed


async def _begin(system: System, http: httpx.AsyncClient) -> Story:
    """Sign in everywhere, and wait until changes are noticed."""
    sides, zoho = Sides(http, *addresses(system.settings)), ZohoSides(http, *zoho_crm_addresses(system.settings))
    for each in (sides, zoho):
        await each.sign_in()
        await until("the webhooks", each.hooks_ready)
    return Story(system, sides, zoho)
