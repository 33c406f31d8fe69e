"""A comparison that is killed at random pages: `python -m tests.faults.reconciliation_kills [--records N] [--kills N]`.

Both sides hold so many records, a third of them on one side alone. One comparison is left in peace. The others meet
dead workers, or are terminated and begun anew, at pages that chance names. All reports have to be the same, and none
may count a page twice. What it means is in docs/faults.md. Exit codes: 0 green, 1 red.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowExecutionStatus

from runtime.logs import set_up_logs
from runtime.queues import WORKFLOW_QUEUE
from starters.demo.sides import until
from store.reconciliation_models import ReportHead
from tests.faults.campaigns import DEFAULT_SEED, say
from tests.faults.rig import CONNECTION, Rig, running
from workflows.reconciliation_models import ReconciliationRequest
from workflows.reconciliations import Reconciliation, reconciliation_id

WORKER = "worker-a"
FLOW = "clients"
AT_ONCE = 500
PATIENCE = 600.0
CLOSE_LOOK = 0.02
SETTINGS = {
    "clients": {"direction": "both", "default_currency": "EUR", "phone_region": "GB", "bulk_limit": 1},
    "request_timeout": "5s",
}


@dataclass(frozen=True)
class Killed:
    """One comparison: at which page of the parties each kill came, how, and what the report says in the end."""

    kills: Sequence[tuple[str, int]]
    head: ReportHead
    seconds: float

    @property
    def pages(self) -> int:
        """How many pages were read."""
        return sum(each.pages for each in self.head.sides)


class Comparisons:
    """Comparisons on a running system, which chance may kill."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self._rig, self._chance = rig, random.Random(seed)

    async def enter(self, records: int) -> None:
        """Let people enter the records of both sides, of which nobody is told."""
        parties = [_party(number) for number in range(records)]
        clients = [_client(number) for number in range(records // 3, records + records // 3)]
        for start in range(0, records, AT_ONCE):
            await self._rig.crm.enter("party", parties[start : start + AT_ONCE], hooks=False)
            await self._rig.books.enter("client", clients[start : start + AT_ONCE], hooks=False)
        await asyncio.sleep(1.1)  # what was entered in the second in which a report begins may have been entered after

    async def compare(self, pages: int, kills: int) -> Killed:
        """Compare once, killed at pages of the parties that chance names."""
        began, done = time.monotonic(), []
        await self._begin()
        for page in sorted(self._chance.sample(range(1, max(pages, kills + 1)), kills)):
            how = self._chance.choice(("worker", "run"))
            if await self._reaches(page):
                await self._kill(how)
                done.append((how, page))
        await until("the report", self._is_over, PATIENCE)
        (head,) = await self._rig.store.reconciliations.heads(CONNECTION, FLOW, 1)
        return Killed(done, head, round(time.monotonic() - began, 1))

    async def _begin(self) -> None:
        await self._rig.temporal.start_workflow(
            Reconciliation.run,
            ReconciliationRequest(connection=CONNECTION),
            id=reconciliation_id(CONNECTION, FLOW),
            task_queue=WORKFLOW_QUEUE,
        )
        await until("the begin", self._running, PATIENCE)

    async def _kill(self, how: str) -> None:
        if how == "worker":
            self._rig.kill(WORKER)
            return
        await self._rig.temporal.get_workflow_handle(reconciliation_id(CONNECTION, FLOW)).terminate("a fault test")
        await self._begin()

    async def _reaches(self, page: int) -> bool:
        """Wait until so many pages of the parties were read; False if the comparison is over before."""
        while (head := await self._running()) is not None:
            progress = (await self._rig.store.reconciliations.progress(head.id)).get("crm")
            if progress is not None and progress.pages >= page:
                return True
            await asyncio.sleep(CLOSE_LOOK)
        return False

    async def _running(self) -> ReportHead | None:
        heads = await self._rig.store.reconciliations.heads(CONNECTION, FLOW, 1)
        return heads[0] if heads and heads[0].state == "running" else None

    async def _is_over(self) -> bool:
        told = await self._rig.temporal.get_workflow_handle(reconciliation_id(CONNECTION, FLOW)).describe()
        return told.status is not WorkflowExecutionStatus.RUNNING


async def run(records: int, kills: int, times: int, seed: int, folder: Path) -> dict[str, Any]:
    """Compare in peace and then `times` times with kills; return what came of each."""
    async with running(folder, connection=SETTINGS, seed=seed) as rig:
        await rig.pause_schedules()
        comparisons = Comparisons(rig, seed)
        await comparisons.enter(records)
        await rig.start_worker(WORKER)
        peaceful = await comparisons.compare(0, 0)
        _tell("in peace", peaceful)
        pages, killed = peaceful.head.sides[0].pages, []
        for number in range(1, times + 1):
            killed.append(await comparisons.compare(pages, kills))
            _tell(f"killed, {number} of {times}", killed[-1])
    return _verdict(peaceful, killed, kills)


def _verdict(peaceful: Killed, killed: Sequence[Killed], kills: int) -> dict[str, Any]:
    every = [peaceful, *killed]
    same = len({each.head.content_hash for each in every}) == 1
    told = {tuple(sorted(each.head.counts.items())) for each in every}
    done = all(each.head.state == "done" and each.head.is_complete for each in every)
    spared = all(each.pages == peaceful.pages for each in killed)
    came = sum(len(each.kills) for each in killed)
    return {
        "counts": peaceful.head.counts,
        "pages": peaceful.pages,
        "reports": len(every),
        "kills": came,
        "of_workers": sum(how == "worker" for each in killed for how, _ in each.kills),
        "content_hashes": sorted({each.head.content_hash for each in every}),
        "is_green": same and len(told) == 1 and done and spared and came == kills * len(killed),
    }


def _tell(what: str, found: Killed) -> None:
    kills = ", ".join(f"{how} at page {page}" for how, page in found.kills) or "no kill"
    say(f"{what}: {found.head.mismatches} mismatches, {found.pages} pages, {found.seconds} s, {kills}")


def _party(number: int) -> dict[str, Any]:
    emails = [{"type": "Work", "address": f"office@firm{number}.example"}]
    return {"type": "organisation", "name": f"Firm {number}", "emailAddresses": emails}


def _client(number: int) -> dict[str, Any]:
    return {"organization": f"Firm {number}", "email": f"office@firm{number}.example", "currency_code": "EUR"}


def main() -> int:
    """Run what the command line asks for, and return the exit code."""
    options = argparse.ArgumentParser(prog="python -m tests.faults.reconciliation_kills", description=__doc__)
    options.add_argument("--records", type=int, default=5_000, help="of each side")
    options.add_argument("--kills", type=int, default=3, help="of each comparison")
    options.add_argument("--times", type=int, default=4, help="how many comparisons are killed")
    options.add_argument("--seed", type=int, default=DEFAULT_SEED)
    asked = options.parse_args()
    set_up_logs("campaign", level="error")
    with tempfile.TemporaryDirectory(prefix="ledgerline-kills-") as folder:
        found = asyncio.run(run(asked.records, asked.kills, asked.times, asked.seed, Path(folder)))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0 if found["is_green"] else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the Temporal SDK can abort a process at interpreter exit, after all work is done
