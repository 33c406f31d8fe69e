"""What many connections cost one worker process: `python -m tests.bench.connections [--connections 1 10 50]`.

A real worker, a real server, the stand-ins. For each number of connections: how long the worker takes until it serves,
its memory, what it costs while nothing happens, and how long a change of one connection takes from the announcement to
the client, while nothing else happens and while another connection has 300 parties to bring over. All connections have
the same two accounts, and only what is announced is synced. Prints one JSON line for each.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from runtime.logs import set_up_logs
from starters.announce import Announcer
from starters.demo.sides import until
from tests.faults.rig import CONNECTION, Rig, running

WORKER = "worker-a"
IDLE_SECONDS, CHANGES, BACKLOG = 20.0, 10, 300
SETTINGS = {"clients": {"default_currency": "EUR", "phone_region": "GB", "bulk_limit": 10_000}}
PATIENCE = 120.0


async def measure(connections: int, folder: Path) -> dict[str, Any]:
    """Return the figures for so many connections."""
    async with running(folder, connection=SETTINGS) as rig:
        await rig.pause_schedules()
        names = _multiply(folder / "ledgerline.yaml", connections)
        began = time.monotonic()
        await rig.start_worker(WORKER)
        started = time.monotonic() - began
        await asyncio.sleep(10)  # every account's worker has begun by then
        idle = await _cores(rig, IDLE_SECONDS)
        alone = await _latencies(rig, names[-1])
        beside = await _beside_a_backlog(rig, names)
        return {
            "connections": connections,
            "seconds_until_it_serves": round(started, 1),
            "memory_mb": _memory(rig),
            "idle_part_of_a_core": round(idle, 3),
            "seconds_from_announcement_to_client": _spread(alone),
            "beside_a_backlog_of_another": _spread(beside),
        }


def _multiply(file: Path, count: int) -> list[str]:
    """Let the settings have so many connections, all like the one that is there."""
    yaml = YAML()
    settings = yaml.load(file.read_text())
    names = [f"{CONNECTION}-{number}" for number in range(1, count + 1)]
    settings["connections"] = {name: dict(settings["connections"][CONNECTION]) for name in names}
    yaml.representer.ignore_aliases = lambda _: True
    with file.open("w") as opened:
        yaml.dump(settings, opened)
    return names


async def _beside_a_backlog(rig: Rig, names: Sequence[str]) -> list[float]:
    """Return how long changes of the last connection take while the first has a great many."""
    emails = [[{"type": "Work", "address": f"bulk{number}@firm.example"}] for number in range(BACKLOG)]
    drafts = [{"type": "organisation", "name": f"Bulk {n}", "emailAddresses": each} for n, each in enumerate(emails)]
    parties = await rig.crm.enter("party", drafts, hooks=False)
    announcer = Announcer(rig.temporal, rig.store, {})
    for party_id in parties:
        await announcer.party_changed(names[0], party_id, "backfill", 5)
    return await _latencies(rig, names[-1])


async def _latencies(rig: Rig, connection: str) -> list[float]:
    announcer = Announcer(rig.temporal, rig.store, {})
    return [await _one(rig, announcer, connection) for _ in range(CHANGES)]


async def _one(rig: Rig, announcer: Announcer, connection: str) -> float:
    address = f"live{time.monotonic_ns()}@firm.example"
    draft = {"type": "organisation", "name": address, "emailAddresses": [{"type": "Work", "address": address}]}
    (party_id,) = await rig.crm.enter("party", [draft], hooks=False)
    began = time.monotonic()
    await announcer.party_changed(connection, party_id, "bench", 2)
    await until("the client", lambda: rig.sides.clients_with(email=address), PATIENCE)
    return time.monotonic() - began


async def _cores(rig: Rig, seconds: float) -> float:
    before = _ticks(rig)
    await asyncio.sleep(seconds)
    return (_ticks(rig) - before) / os.sysconf("SC_CLK_TCK") / seconds


def _ticks(rig: Rig) -> int:
    fields = Path(f"/proc/{rig.supervisor.pid(WORKER)}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # user and system time


def _memory(rig: Rig) -> int:
    status = Path(f"/proc/{rig.supervisor.pid(WORKER)}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) // 1024


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {"median": round(ordered[len(ordered) // 2], 2), "worst": round(ordered[-1], 2)}


def main() -> None:
    """Measure what the command line asks for."""
    options = argparse.ArgumentParser(prog="python -m tests.bench.connections", description=__doc__)
    options.add_argument("--connections", type=int, nargs="+", default=[1, 10, 50])
    set_up_logs("bench", level="error")
    for count in options.parse_args().connections:
        with tempfile.TemporaryDirectory(prefix="ledgerline-connections-") as folder:
            found = asyncio.run(measure(count, Path(folder)))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # the Temporal SDK can abort a process at interpreter exit, after all work is done
