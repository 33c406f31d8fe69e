"""A small campaign on the real system: `python -m tests.faults.campaign DATABASE_URL` prints one JSON line of findings.

Creates whose answers are lost, late commits, a lagging search, hooks delivered several times in random order, a worker
that is killed. It runs in a process of its own, because it changes the environment. The sandbox's ledger is the judge.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from runtime.load import load_settings
from runtime.logs import set_up_logs
from starters.demo.run import stand_alone
from starters.demo.sides import Sides, until
from starters.sandbox import addresses
from starters.system import System

PARTIES = 60
KILL_AFTER = (4.0, 16.0)
# The sandbox connection waits 3 s after a lost answer: the lag and the late commits must stay below that.
SEARCH_LAG = [0.0, 2.0]
LATE_SECONDS = 1.5
FAULTS: tuple[dict[str, Any], ...] = (
    {"method": "POST", "path": "/users/clients$", "fault": "late_commit", "seconds": LATE_SECONDS, "probability": 0.05},
    {"method": "POST", "path": "/users/clients$", "fault": "commit_then_cut", "probability": 0.3},
    {
        "method": "GET",
        "path": "/users/clients",
        "fault": "status",
        "status": 503,
        "headers": {"Retry-After": "1"},
        "times": 5,
    },
)


async def run(database_url: str) -> dict[str, Any]:
    """Run the campaign and return what the ledger says."""
    with tempfile.TemporaryDirectory(prefix="ledgerline-faults-") as folder:
        stand_alone(Path(folder))
        if database_url:
            os.environ["LEDGERLINE_DATABASE_URL"] = database_url
        set_up_logs("campaign", level="error")
        system = System(load_settings(), say=lambda text: None)
        try:
            await system.start()
            async with httpx.AsyncClient(timeout=30) as http:
                return await _campaign(system, Sides(http, *addresses(system.settings)))
        finally:
            await system.stop()


async def _campaign(system: System, sides: Sides) -> dict[str, Any]:
    await sides.sign_in()
    await until("the webhooks", sides.hooks_ready)
    await sides.http.post(f"{sides.freshbooks_url}/_sandbox/settings", json={"search_lag": SEARCH_LAG})
    hooks = {"duplicates": 3, "reorder": True, "delay": [0.0, 1.0]}
    await sides.http.post(f"{sides.capsule_url}/_sandbox/settings", json={"hooks": hooks})
    for fault in FAULTS:
        await sides.fault(**fault)
    killing = asyncio.create_task(_kill_workers(system))
    for number in range(PARTIES):
        await sides.create_party(
            type="person",
            firstName="Fault",
            lastName=f"Number {number}",
            # every tenth shares an address with the one before: two people, two clients
            emailAddresses=[{"address": f"fault{number - (number % 10 == 1)}@faults.example"}],
        )
    await killing
    await until("every client", lambda: _all_there(sides), within=180)
    fired = (await sides.http.get(f"{sides.freshbooks_url}/_sandbox/faults")).json()
    await sides.heal()
    await until("the store to know every client", lambda: _all_linked(system, sides), within=90)
    return await _findings(sides, fired)


async def _kill_workers(system: System) -> None:
    began = time.monotonic()
    for moment in KILL_AFTER:
        await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
        pid = system.supervisor.pid("worker")
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


async def _all_there(sides: Sides) -> bool:
    return len({client["lname"] for client in await sides.clients()}) >= PARTIES


async def _all_linked(system: System, sides: Sides) -> bool:
    linked = [await system.is_linked("sandbox", str(client["id"])) for client in await sides.clients()]
    return all(linked)


async def _findings(sides: Sides, fired: Any) -> dict[str, Any]:
    names = Counter(client["lname"] for client in await sides.clients())
    notes = Counter(client["note"] for client in await sides.clients())
    return {
        "parties": PARTIES,
        "clients": sum(names.values()),
        "missing": [number for number in range(PARTIES) if f"Number {number}" not in names],
        "twice": [name for name, count in names.items() if count > 1],
        "references_twice": [note for note, count in notes.items() if count > 1],
        "fired": {rule["fault"]: rule["fired"] for rule in fired["rules"]},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(sys.argv[1] if len(sys.argv) > 1 else ""))) + "\n")
