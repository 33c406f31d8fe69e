"""The phases of a campaign: faults while parties are entered, then healing, draining, and a second look at all."""

import asyncio
import contextlib
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx
from temporalio.service import RPCError

from runtime.queues import WORKFLOW_QUEUE
from tests.faults.judge import Finding, Ledger
from tests.faults.plans import HOOK_COPIES, SEARCH_LAG, WORKER_KILLED, Plan
from tests.faults.rig import CONNECTION, Rig
from workflows.models import SweepRequest
from workflows.sweeps import PartySweep

Say = Callable[[str], None]

CHECK_SECONDS, LOOK_SECONDS, TELL_SECONDS = 0.5, 0.5, 10.0
DRAIN_SECONDS = 600.0  # after healing, what is not done by then is stuck
RUNNING = 'Flow = "clients" AND ExecutionStatus = "Running"'
ENDED_BADLY = 'ExecutionStatus IN ("Failed", "TimedOut", "Terminated")'
DELIVERY = r'^ledgerline_hook_deliveries_total\{{[^}}]*system="{}"[^}}]*\}} (\S+)$'
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Campaign:
    """One campaign on a running system; what it has counted so far can be read at any time."""

    def __init__(self, rig: Rig, plan: Plan, workers: Sequence[str], ledger: Ledger, say: Say) -> None:
        self.rig, self.plan, self.ledger = rig, plan, ledger
        self._workers, self._say = workers, say
        self.phase = "start"
        self.seconds: dict[str, float] = {}
        self.entered = 0
        self.planned: Counter[str] = Counter({rule["fault"]: rule["times"] for rule in plan.rules()})
        self.planned[WORKER_KILLED] = plan.least_kills
        self.fired: Counter[str] = Counter()
        self.found: list[Finding] = []
        self._expected_misses = 0.0

    async def run(self) -> None:
        """Go through all phases. Raises TimeoutError and CancelledError as they come."""
        telling = asyncio.create_task(self._tell())
        try:
            for name, phase in (
                ("faults", self._faults),
                ("heal", self._heal),
                ("drain", self._drain),
                ("check", self._check),
            ):
                self.phase, began = name, time.monotonic()
                await phase()
                self.seconds[name] = round(time.monotonic() - began, 1)
        finally:
            await _stopped(telling)

    async def _faults(self) -> None:
        """Enter every party while everything goes wrong; over once each has a client in the ledger."""
        hooks = {"duplicates": self.plan.hook_copies, "reorder": True, "delay": self.plan.hook_delay}
        await self.rig.crm.set(hooks=hooks)
        await self.rig.books.set(search_lag=self.plan.search_lag)
        for rule in self.plan.rules():
            await self.rig.sides.fault(**rule)
        nemeses = [asyncio.create_task(each) for each in (self._kill(), self._look())]
        try:
            while self.entered < self.plan.parties:
                await self._enter_wave()
            await self._until(lambda: self.ledger.served() >= self.plan.parties)
            await self._until(lambda: self.fired[WORKER_KILLED] >= self.plan.least_kills)
        finally:
            for nemesis in nemeses:
                await _stopped(nemesis)
            await self._count()

    async def _heal(self) -> None:
        await self.rig.sides.heal()
        await self.rig.crm.set(hooks={"duplicates": 1, "reorder": False})
        await self.rig.books.set(search_lag=0)
        await self.rig.pause_schedules()

    async def _drain(self) -> None:
        """Wait until nothing is under way any more; what still is when time is up is stuck."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            if not await self._under_way():
                return
            await asyncio.sleep(CHECK_SECONDS)

    async def _check(self) -> None:
        before = self.ledger.read_on().writes
        request = SweepRequest(
            connection=CONNECTION, since=LONG_AGO, started_at=datetime.now(UTC), crm=self.rig.kind.system
        )
        swept = await self.rig.temporal.execute_workflow(
            PartySweep.run, request, id="second-full-sweep", task_queue=WORKFLOW_QUEUE
        )
        await self._drain()
        writes = self.ledger.read_on().writes - before
        open_holds = await self.rig.store.holds.listed()
        self.found = [
            Finding("parties that a second full sweep finds different", swept.announced),
            Finding("writes by a second full sweep", writes),
            await self._workflows("workflows that are stuck", RUNNING),
            await self._workflows("workflows that ended badly", ENDED_BADLY),
            Finding("holds", len(open_holds), [f"{each.workflow_id}: {each.reason}" for each in open_holds[:20]]),
            Finding("creates that are still open", await self._open_creates()),
        ]
        if swept.listed != self.plan.parties:
            self.found.append(Finding("parties that the second sweep missed", self.plan.parties - swept.listed))

    async def _enter_wave(self) -> None:
        """Enter parties, as many as fit."""
        await self._until(lambda: self.entered - self.ledger.served() < self.plan.in_flight)
        numbers = range(self.entered, min(self.entered + self.plan.wave, self.plan.parties))
        await self.rig.kind.enter(self.rig.crm, numbers)
        self.entered += len(numbers)
        self.planned[HOOK_COPIES] += round(len(numbers) * sum(self.plan.hook_copies) / 2)

    async def _kill(self) -> None:
        """Kill the workers in turn, never before the one killed last has worked again for a while.

        Where workers are killed faster than they start nothing is ever done, and nothing is proved.
        """
        for name in itertools.cycle(self._workers if self.plan.kill_every else ()):
            due = time.monotonic() + self.plan.kill_every
            while not await self.rig.all_serve(self._workers):  # noqa: ASYNC110 - they are other processes
                await asyncio.sleep(CHECK_SECONDS)
            await asyncio.sleep(max(self.plan.kill_every / 3, due - time.monotonic()))
            self.fired[WORKER_KILLED] += self.rig.kill(name)

    async def _look(self) -> None:
        """Search for the newest client as our own look would, to count how often the search lags."""
        sides = self.rig.sides
        token = (await self.rig.books.about())["tokens"]["access"]
        url = f"{sides.freshbooks_url}/accounting/account/{sides.account_id}/users/clients"
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            youngest = self.ledger.read_on().youngest()
            if youngest is None or not youngest[0]["email"]:
                continue
            client, born = youngest
            chance = self.plan.chance_of_not_finding((datetime.now(UTC) - born).total_seconds())
            with contextlib.suppress(httpx.HTTPError):
                answer = await sides.http.get(
                    url, params={"search[email]": client["email"]}, headers={"Authorization": f"Bearer {token}"}
                )
                if answer.is_success:
                    hits = answer.json()["response"]["result"]["clients"]
                    self._expected_misses += chance
                    self.fired[SEARCH_LAG] += all(hit["id"] != client["id"] for hit in hits)

    async def _count(self) -> None:
        """Ask the sandbox and the receiver how often each fault came about."""
        self.fired.update({rule["fault"]: rule["fired"] for rule in await self.rig.books.rules()})
        metrics = self.rig.settings.metrics
        page = await self.rig.sides.http.get(f"http://{metrics.host}:{metrics.receiver_port}/metrics")
        counts = re.findall(DELIVERY.format(self.rig.kind.system), page.text, re.MULTILINE)
        self.fired[HOOK_COPIES] = round(sum(float(count) for count in counts))
        self.planned[SEARCH_LAG] = round(self._expected_misses)

    async def _under_way(self) -> bool:
        try:
            running = (await self.rig.temporal.count_workflows(RUNNING)).count
        except RPCError:
            return True
        return bool(running or await self._open_creates() or await self.rig.store.inbox.size())

    async def _open_creates(self) -> int:
        standing = await self.rig.store.links.standing(CONNECTION, "clients")
        return standing.creating + standing.in_doubt

    async def _workflows(self, what: str, query: str) -> Finding:
        ids = [each.id async for each in self.rig.temporal.list_workflows(query, limit=20)]
        return Finding(what, (await self.rig.temporal.count_workflows(query)).count if ids else 0, ids)

    async def _until(self, holds: Callable[[], bool]) -> None:
        self.ledger.read_on()
        while not holds():
            await asyncio.sleep(CHECK_SECONDS)
            self.ledger.read_on()

    async def _tell(self) -> None:
        """Say now and then how it goes."""
        began = time.monotonic()
        while True:
            await asyncio.sleep(TELL_SECONDS)
            standing = await self.rig.store.links.standing(CONNECTION, "clients")
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            self._say(
                f"[{minutes:02}:{seconds:02}] {self.phase}: {self.entered:,} of {self.plan.parties:,} parties entered, "
                f"{self.ledger.served():,} have a client, {standing.linked:,} linked, {standing.in_doubt:,} in doubt, "
                f"{self.fired[WORKER_KILLED]} workers killed"
            )


async def _stopped(task: asyncio.Task[None]) -> None:
    """End a task; what went wrong in it goes on to whoever asks."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
