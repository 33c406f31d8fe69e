"""`make bench`: runs the system, measures it, writes build/bench.json and the table in docs/performance.md."""

import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from runtime.load import load_settings
from runtime.processes import Child
from runtime.temporal import connect
from starters.announce import Announcer
from starters.demo.run import stand_alone
from starters.demo.sides import Sides, until
from starters.sandbox import addresses
from starters.system import System
from store.store import open_store
from tests.bench.measures import Bench, calls, latency, memory_of, quiet, sweep_calls, sweep_memory, throughput

RESULT = Path("build/bench.json")
PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
# Limits belong to accounts; here the machine is measured, so the accounts allow as much as it can do.
UNLIMITED = {"LEDGERLINE_SANDBOX__RECORDS": "0"}


async def main() -> int:
    """Measure everything and write it down."""
    with tempfile.TemporaryDirectory(prefix="ledgerline-bench-") as folder:
        stand_alone(Path(folder))
        os.environ.update(UNLIMITED)
        system = System(load_settings(), say=_say)
        try:
            await system.start()
            found = await _measure(system, Path(folder))
        finally:
            await system.stop()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    _write_page(found)
    _say(f"written: {RESULT} and {PAGE}")
    return 0


async def _measure(system: System, folder: Path) -> dict[str, Any]:
    store = await open_store(system.settings)
    temporal = await connect(system.settings)
    floor = Child("floor", [sys.executable, "-m", "tests.bench.floor"])
    await system.supervisor.start(floor)
    async with httpx.AsyncClient(timeout=30) as http:
        sides = Sides(http, *addresses(system.settings))
        await sides.sign_in()
        await until("the webhooks", sides.hooks_ready)
        url = await sides.hook_target()
        await sides.hooks_off()
        await quiet(temporal)
        bench = Bench(temporal, Announcer(temporal, store, {}), sides, system.supervisor, folder)
        found: dict[str, Any] = {"machine": _machine()}
        _say("measuring latency")
        found["latency_s"] = await latency(bench, url)
        _say("counting requests")
        found["calls"] = await calls(bench, url)
        _say("measuring throughput")
        found["throughput"] = await throughput(bench)
        found["sweep"] = await sweep_calls(bench)
        found["memory"] = {name: memory_of(system.supervisor.pid(name)) for name in ("worker", "receiver")}
        _say("measuring the memory of a sweep")
        found["sweep_memory"] = await sweep_memory(bench)
    await store.close()
    return found


def _machine() -> dict[str, str]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "system": platform.system(),
        "commit": commit.stdout.strip(),
        "command": "make bench",
    }


def _write_page(found: dict[str, Any]) -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{_table(found)}\n{END}{after}")


def _table(found: dict[str, Any]) -> str:
    rate, waits, http = found["throughput"], found["latency_s"], found["calls"]
    machine = found["machine"]
    rows = [
        ("throughput against the floor", _range(rate["ratio"]), "≥ 0.7"),
        ("ClientUpsert (create), per second", _range(rate["client_upserts_per_s"]), ""),
        ("floor, per second", _range(rate["floor_per_s"]), ""),
        ("webhook to write, p50", f"{waits['all']['p50']} s", "< 0.5 s"),
        ("webhook to write, p95", f"{waits['all']['p95']} s (max {waits['all']['max']} s)", "< 1.5 s"),
        ("requests per created record", str(http["per_create"]), "≤ 3 (2 reads, 1 write)"),
        ("requests per updated record", str(http["per_update"]), "≤ 3 (2 reads, 1 write)"),
        (
            f"requests per unchanged record, sweep over {found['sweep']['records']}",
            f"{found['sweep']['per_unchanged_record']:.4f}",
            "≤ 0.02",
        ),
        ("memory of the worker", _memory(found["memory"]["worker"]), ""),
        ("memory of the receiver", _memory(found["memory"]["receiver"]), ""),
        *(
            (
                f"memory of a sweep over {each['parties']:,} parties",
                f"{each['at_the_end_kb'] / 1024:.0f} MB, of which {_growth(each):.1f} MB after the first page",
                "flat",
            )
            for each in found["sweep_memory"]
        ),
    ]
    lines = [f"| {name} | {value} | {goal} |" for name, value, goal in rows]
    head = f"{machine['cores']} cores, Python {machine['python']}, {machine['system']}, commit {machine['commit']}"
    return "\n".join(
        [
            f"Machine: {head}. Spread: min / median / max of five rounds.",
            "",
            "| what | measured | goal |",
            "| --- | --- | --- |",
            *lines,
        ]
    )


def _range(spread: dict[str, float]) -> str:
    return f"{spread['min']:.2f} / **{spread['median']:.2f}** / {spread['max']:.2f}"


def _memory(found: dict[str, float]) -> str:
    return f"{found['now_mb']} MB (peak {found['peak_mb']} MB)"


def _growth(each: dict[str, int]) -> float:
    return (each["at_the_end_kb"] - each["after_first_page_kb"]) / 1024


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
