"""What becomes of a quota under more work than it allows: `python -m tests.bench.quota [REQUESTS SECONDS WINDOWS]`.

The stand-in allows so many requests in a window that ends with the clock, as Capsule's hour does. Two workers with a
meter each, as in two processes, share the queue of a backfill that never ends; now and then a person asks for a party.
Requests are counted where they arrive. Prints one JSON line.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from activities.models import PartyKey
    from runtime.accounts import CapsuleAccount
    from runtime.quota import Allowance
    from sandbox.capsule.gate import Gate
    from store.store import Store
    from tests.databases import TEST_KEYS, sqlite_url
    from tests.sandboxes import Firm, open_firm
    from tests.temporal_server import embedded_server
    from worker.accounts import Wiring, account_queues
    from worker.main import account_worker, sandboxed_runner
    from worker.quotas import QuotaPaces

QUEUE = "bench-quota"
AT_ONCE = 50
PERSON, BACKFILL = 1, 5


@dataclass(frozen=True)
class Reads:
    """So many reads of one party, all at once."""

    queue: str
    key: PartyKey
    count: int
    rank: int


@workflow.defn
class ReadMany:
    """Read a party again and again, as a sync does."""

    @workflow.run
    async def run(self, reads: Reads) -> None:
        """Return when every read has been answered."""
        calls = [
            workflow.execute_activity(
                "read_party",
                reads.key,
                task_queue=reads.queue,
                start_to_close_timeout=timedelta(seconds=30),
                priority=Priority(priority_key=reads.rank, fairness_key=reads.key.connection),
            )
            for _ in range(reads.count)
        ]
        await asyncio.gather(*calls)


@dataclass
class Seen:
    """What arrived, by the number of the provider's window, and how long people waited."""

    window: int
    answered: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    waits: list[float] = field(default_factory=list)

    async def count(self, response: httpx.Response) -> None:
        """Count an answer of Capsule's."""
        if response.request.url.host.startswith("capsule"):
            self.refused += response.status_code == 429
            self.answered[int(time.time()) // self.window] += response.status_code != 429


async def measure(temporal: Client, requests: int, seconds: int, windows: int) -> dict[str, Any]:
    """Return how much of each full window was used, how many requests were refused, and how long people waited."""
    seen, allowance = Seen(seconds), Allowance(requests, timedelta(seconds=seconds))
    with tempfile.TemporaryDirectory() as folder, patch.object(CapsuleAccount, "allowance", allowance):
        async with _firm(Path(folder)) as firm:
            party_id = await firm.new_party()
            firm.sandbox.capsule_service.settings.change({"quota_seconds": seconds})
            gate = firm.sandbox.capsule_service.gate
            assert isinstance(gate, Gate)
            gate.per_hour = requests
            gate.reset()
            firm.http.event_hooks["response"].append(seen.count)
            async with _workers(temporal, firm), QuotaPaces(temporal, firm.settings, firm.store).kept_up():
                await _load(temporal, firm.key(party_id), seen, windows)
    return _found(seen, requests)


@asynccontextmanager
async def _firm(folder: Path) -> AsyncIterator[Firm]:
    store = Store(sqlite_url(folder), TEST_KEYS)
    await store.database.migrate()
    async with open_firm(store, folder, f"quota-{time.monotonic_ns()}") as firm:
        yield firm
    await store.close()


@asynccontextmanager
async def _workers(temporal: Client, firm: Firm) -> AsyncIterator[None]:
    wiring = Wiring(firm.settings, firm.http, firm.store, _nobody, _nobody)
    queues = [account_queues(firm.name, wiring)[0] for _ in range(2)]
    async with AsyncExitStack() as stack:
        runner = sandboxed_runner()
        await stack.enter_async_context(
            Worker(temporal, task_queue=QUEUE, workflows=[ReadMany], workflow_runner=runner)
        )
        for queue, client in zip(queues, [temporal, await another(temporal)], strict=True):
            await stack.enter_async_context(account_worker(client, queue))
        yield


async def another(temporal: Client) -> Client:
    """Return a connection of its own: two workers of one queue are two processes, and do not share one."""
    target = temporal.service_client.config.target_host
    return await Client.connect(target, namespace=temporal.namespace, data_converter=temporal.data_converter)


async def _load(temporal: Client, key: PartyKey, seen: Seen, windows: int) -> None:
    """Keep a backlog until so many full windows are over, the first of them beginning cold."""
    queue, number = f"capsule@{key.connection}", 0
    last = int(time.time()) // seen.window + windows
    backfills: set[asyncio.Task[Any]] = set()

    async def read(count: int, rank: int) -> None:
        nonlocal number
        number += 1
        reads = Reads(queue, key, count, rank)
        await temporal.execute_workflow(ReadMany.run, reads, id=f"bench-{key.connection}-{number}", task_queue=QUEUE)

    try:
        while int(time.time()) // seen.window <= last:
            while len(backfills) < 3:
                backfills.add(asyncio.create_task(read(AT_ONCE, BACKFILL)))
            began = time.monotonic()
            await read(1, PERSON)
            seen.waits.append(time.monotonic() - began)
            await asyncio.sleep(seen.window / 20)
            backfills = {each for each in backfills if not each.done()}
    finally:
        for each in backfills:
            each.cancel()
        await asyncio.gather(*backfills, return_exceptions=True)
        for begun in range(1, number + 1):
            handle = temporal.get_workflow_handle(f"bench-{key.connection}-{begun}")
            await asyncio.gather(handle.terminate(), return_exceptions=True)


def _found(seen: Seen, requests: int) -> dict[str, Any]:
    full = sorted(seen.answered)[1:-1]  # the first and the last are parts of windows
    used = [round(seen.answered[each] / requests, 4) for each in full]
    waits = sorted(seen.waits)
    return {
        "used_of_each_window": used,
        "refused_429": seen.refused,
        "people": len(waits),
        "longest_wait_s": round(waits[-1], 2),
        "median_wait_s": round(waits[len(waits) // 2], 2),
    }


async def _nobody(*_: Any, **__: Any) -> None:
    raise AssertionError("nothing is announced here")


async def main(requests: int = 400, seconds: int = 36, windows: int = 3) -> int:
    """Measure, print, and return 0 if the quota was used well and never exceeded."""
    async with embedded_server() as server:
        found = await measure(server.client, requests, seconds, windows)
    sys.stdout.write(json.dumps(found) + "\n")
    settled = found["used_of_each_window"][1:]
    good = min(settled) >= 0.95 and not found["refused_429"] and found["longest_wait_s"] < 3
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:]))))
