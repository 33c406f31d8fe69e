"""How soon a change is written while a backfill runs: `python -m tests.bench.live_in_backfill [RECORDS] [SECONDS]`.

Capsule holds so many parties that FreshBooks has never seen; twenty more are linked before. A backfill begins, and
while it lists both sides and creates client after client, one of the twenty is changed every two seconds, as a person
does. Both accounts have the quotas of real ones: these limit a backfill, not the machine. Measured is the time from
Capsule's answer to that person until FreshBooks has it: the hook is on that way. Prints one JSON line: percentiles
while listing and while creating, and what the backfill did meanwhile.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from starters.plans import begin_apply, begin_plan
from store.plans import Plan
from tests.faults.rig import CONNECTION, Rig, running

LINKED = 20
AT_ONCE = 500
PAUSE_SECONDS = 2.0
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 120.0
QUOTAS = {"capsule": {"requests_per_hour": 4_000}, "freshbooks": {"requests_per_minute": 300}}
WORKERS = ("worker-a", "worker-b")


async def measure(records: int, seconds: float) -> dict[str, Any]:
    """Return the waits while a backfill lists, and while it creates for so many seconds."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ):
        async with running(Path(folder), connection=QUOTAS) as rig:
            for name in WORKERS:
                await rig.start_worker(name)
            await rig.sign_in()
            await rig.pause_schedules()
            linked = [await _linked(rig, number) for number in range(LINKED)]
            await _enter(rig, records)
            sys.stderr.write("everything is entered; the backfill begins\n")
            listing, plan = await _beside_the_plan(rig, linked)
            before = await _clients(rig)
            applying = await begin_apply(rig.temporal, plan, plan.creates)
            began = time.monotonic()
            creating = await _waits(rig, linked, lambda: time.monotonic() - began < seconds)
            made, took = await _clients(rig) - before, time.monotonic() - began
            await applying.cancel()
            return {
                "records": records,
                "while_listing": _percentiles(listing),
                "while_creating": _percentiles(creating),
                "created_meanwhile": made,
                "created_per_s": round(made / took, 2),
            }


async def _enter(rig: Rig, records: int) -> None:
    """Enter parties of whom nobody is told."""
    for start in range(0, records, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, records))
        await rig.crm.enter("party", [_draft(f"b{each}", f"Number {each}") for each in numbers], hooks=False)


def _draft(mailbox: str, name: str) -> dict[str, Any]:
    address = [{"type": "Work", "address": f"{mailbox}@bench.example"}]
    return {"type": "person", "firstName": "Ada", "lastName": name, "emailAddresses": address}


async def _linked(rig: Rig, number: int) -> tuple[int, int]:
    """Enter a party, wait for its client, and return both ids."""
    party = await rig.sides.create_party(**_draft(f"live{number}", f"Live {number}"))
    client = await rig.sides.client(f"live{number}@bench.example", PATIENCE_SECONDS)
    return party, int(client["id"])


async def _beside_the_plan(rig: Rig, linked: list[tuple[int, int]]) -> tuple[list[float], Plan]:
    """Return the waits while a plan is made, and the plan."""
    plan_id = await begin_plan(rig.temporal, CONNECTION, rig.kind.system)
    found: list[Plan] = []

    async def finished() -> None:
        while not found:
            plan = await rig.store.plans.find(plan_id)
            found.extend([plan] if plan is not None and plan.state in {"ready", "failed"} else [])
            await asyncio.sleep(0.5)

    watching = asyncio.create_task(finished())
    waits = await _waits(rig, linked, lambda: not found)
    await watching
    return waits, found[0]


async def _waits(rig: Rig, linked: list[tuple[int, int]], goes_on: Callable[[], bool]) -> list[float]:
    """Change one party after the other and return how long each took, in seconds."""
    waits: list[float] = []
    while goes_on():
        party, client = linked[len(waits) % len(linked)]
        name = f"Changed {time.monotonic_ns()}"
        await rig.sides.update_party(party, lastName=name)
        began = time.monotonic()
        while (await rig.books.one("client", client))["lname"] != name:
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise AssertionError(f"the change of party {party} was not written in {PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(LOOK_SECONDS)
        waits.append(time.monotonic() - began)
        await asyncio.sleep(PAUSE_SECONDS)
    return waits


async def _clients(rig: Rig) -> int:
    return len(await rig.books.all("client"))


def _percentiles(waits: list[float]) -> dict[str, float]:
    ordered = sorted(waits)
    return {
        "changes": len(ordered),
        "p50": round(statistics.median(ordered), 2),
        "p95": round(ordered[max(0, -(-len(ordered) * 95 // 100) - 1)], 2),
        "worst": round(ordered[-1], 2),
    }


if __name__ == "__main__":
    asked = [float(each) for each in sys.argv[1:]] + [100_000, 300][len(sys.argv) - 1 :]
    sys.stdout.write(json.dumps(asyncio.run(measure(int(asked[0]), asked[1]))) + "\n")
