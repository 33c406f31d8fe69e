"""What is measured, on a running system."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import Client

from runtime.ports import free_ports
from runtime.processes import Child, Supervisor
from runtime.queues import WORKFLOW_QUEUE
from starters.announce import Announcer, client_upsert_id
from starters.demo.sides import Sides, until
from tests.bench.floor import WORKFLOWS, Floor
from workflows.models import SweepRequest
from workflows.sweeps import PartySweep

IN_FLIGHT = 50
ROUNDS, PER_ROUND = 5, 120
CHANGES = 60
SWEEP_SIZES = (1_000, 10_000)


async def quiet(temporal: Client) -> None:
    """Pause what runs by the clock: it would be counted as work of the records that are measured."""
    for schedule in [each async for each in await temporal.list_schedules()]:
        await temporal.get_schedule_handle(schedule.id).pause(note="measuring")


@dataclass(frozen=True)
class Bench:
    """The running system and how to reach it."""

    temporal: Client
    announcer: Announcer
    sides: Sides
    supervisor: Supervisor
    folder: Path


async def throughput(bench: Bench) -> dict[str, Any]:
    """Creates a second against the floor, in turns within one run, with the webhooks off."""
    real, floor, ratios = [], [], []
    for number in range(-1, ROUNDS):  # the first round warms up and does not count
        parties = [await _new_party(bench.sides, f"t{number}-{each}") for each in range(PER_ROUND)]
        a = await _rate(PER_ROUND, lambda each, ids=parties: _upsert(bench, ids[each]))  # type: ignore[misc]
        b = await _rate(PER_ROUND, lambda each, n=number: _floor(bench, f"{n}-{each}"))  # type: ignore[misc]
        if number >= 0:
            real.append(a)
            floor.append(b)
            ratios.append(a / b)
    return {"client_upserts_per_s": _spread(real), "floor_per_s": _spread(floor), "ratio": _spread(ratios)}


async def latency(bench: Bench, webhook_url: str) -> dict[str, Any]:
    """Seconds from a webhook's arrival to the write accepted by FreshBooks, one change at a time."""
    waits: dict[str, list[float]] = {"create": [], "update": []}
    for number in range(CHANGES):
        email = f"l{number}@bench.example"
        party = await _new_party(bench.sides, f"l{number}", email)
        waits["create"].append(await _write_after_hook(bench, webhook_url, party, email))
        await bench.sides.update_party(party, lastName=f"Changed {number}")
        waits["update"].append(await _write_after_hook(bench, webhook_url, party, email, lname=f"Changed {number}"))
    both = waits["create"] + waits["update"]
    return {name: _percentiles(values) for name, values in {**waits, "all": both}.items()}


async def calls(bench: Bench, webhook_url: str) -> dict[str, Any]:
    """HTTP requests per created and per updated record."""
    count = 20
    parties = [await _new_party(bench.sides, f"c{each}", f"c{each}@bench.example") for each in range(count)]
    before = await bench.sides.requests()
    for each, party in enumerate(parties):
        await _write_after_hook(bench, webhook_url, party, f"c{each}@bench.example")
    created = await bench.sides.requests()
    for party in parties:
        await bench.sides.update_party(party, lastName="Updated")
    after_edits = await bench.sides.requests()
    for each, party in enumerate(parties):
        await _write_after_hook(bench, webhook_url, party, f"c{each}@bench.example", lname="Updated")
    updated = await bench.sides.requests()
    return {"per_create": (created - before) / count, "per_update": (updated - after_edits) / count}


async def sweep_calls(bench: Bench) -> dict[str, Any]:
    """HTTP requests per unchanged record of a full sweep; everything measured before is in step by now."""
    before = await bench.sides.requests()
    swept = await _full_sweep(bench)
    return {"per_unchanged_record": (await bench.sides.requests() - before) / swept, "records": swept}


async def sweep_memory(bench: Bench) -> list[dict[str, int]]:
    """Peak memory of a full sweep over lists of different lengths, each in a process of its own."""
    found = []
    for size in SWEEP_SIZES:
        capsule_port, freshbooks_port = free_ports(2)
        url = f"http://127.0.0.1:{capsule_port}"
        ledger = str(bench.folder / f"sweep-{size}.jsonl")
        command = [sys.executable, "-m", "sandbox", "--ledger", ledger, "--records", str(size)]
        command += ["--capsule-port", str(capsule_port), "--freshbooks-port", str(freshbooks_port)]
        sides = Sides(bench.sides.http, url, f"http://127.0.0.1:{freshbooks_port}")
        await bench.supervisor.start(Child(f"sandbox-{size}", command, ready=sides.answers, ready_within=120))
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "tests.bench.sweep_memory", url, await sides.token()],
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        found.append(json.loads(output))
        await bench.supervisor.stop(f"sandbox-{size}")
    return found


def memory_of(pid: int | None) -> dict[str, float]:
    """Resident memory of a process now and at its peak, in MB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return {"now_mb": round(kilobytes["VmRSS"] / 1024, 1), "peak_mb": round(kilobytes["VmHWM"] / 1024, 1)}


async def _new_party(sides: Sides, name: str, email: str | None = None) -> int:
    addresses = [{"address": email or f"{name}@bench.example"}]
    return await sides.create_party(type="person", firstName="Bench", lastName=name, emailAddresses=addresses)


async def _upsert(bench: Bench, party: int) -> None:
    await bench.announcer.party_changed("sandbox", party, "bench", 2)
    await bench.temporal.get_workflow_handle(client_upsert_id("sandbox", party)).result()


async def _floor(bench: Bench, name: str) -> None:
    await bench.temporal.execute_workflow(Floor.run, name, id=f"bench-floor/{name}", task_queue=WORKFLOWS)


async def _rate(count: int, run: Callable[[int], Awaitable[None]]) -> float:
    places = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> None:
        async with places:
            await run(number)

    began = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(count)))
    return count / (time.monotonic() - began)


async def _write_after_hook(bench: Bench, url: str, party: int, email: str, **fields: str) -> float:
    """Deliver a webhook; return the seconds until FreshBooks' ledger says the write was accepted."""
    body = json.dumps({"event": "party/updated", "payload": [{"id": party}]}).encode()
    sent = datetime.now(UTC)
    await bench.sides.post(url, body)
    clients: Sequence[dict[str, Any]] = await until(
        "the write", lambda: bench.sides.clients_with(email=email, **fields), within=20
    )
    accepted = (await bench.sides.writes(clients[0]["id"]))[-1]["at"]
    return (datetime.fromisoformat(accepted) - sent).total_seconds()


async def _full_sweep(bench: Bench) -> int:
    request = SweepRequest(connection="sandbox", since=datetime(2000, 1, 1, tzinfo=UTC), started_at=datetime.now(UTC))
    result = await bench.temporal.execute_workflow(PartySweep.run, request, id="bench-sweep", task_queue=WORKFLOW_QUEUE)
    return result.listed


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "min": round(min(values), 3),
        "median": round(statistics.median(values), 3),
        "max": round(max(values), 3),
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20)
    return {"p50": round(statistics.median(values), 3), "p95": round(cuts[18], 3), "max": round(max(values), 3)}
