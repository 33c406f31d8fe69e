"""The phases of the hours campaign: billing under faults, then healing, draining, and a second run of billing."""

import asyncio
import contextlib
import itertools
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from temporalio.service import RPCError

from activities.crash_points import POINTS, VARIABLE
from runtime.processes import CannotStart
from starters.billing import run_billing
from tests.faults.hours_judge import BillSaid, Books, judged
from tests.faults.hours_rig import Size, bills
from tests.faults.judge import Finding
from tests.faults.phases import CHECK_SECONDS, DRAIN_SECONDS, ENDED_BADLY, TELL_SECONDS, Say
from tests.faults.pipeline_phases import _beside
from tests.faults.report import Tally
from tests.faults.rig import CONNECTION, Rig

RUNNING = 'Flow = "hours" AND ExecutionStatus = "Running"'
CREATE, SEND, TICK = "/invoices/invoices$", r"/invoices/invoices/\d+$", r"/time_entries/\d+$"
BILLS_FLOW = "bills"
MOST_SECONDS_TO_DIE = 90.0
ALL_ROWS = 10_000_000
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Plan:
    """One campaign. Times are in seconds, shares are of the requests of their kind, pairs are from and to."""

    size: Size
    points: frozenset[str]  # where a worker dies
    cut: float
    search_lag: tuple[float, float]
    kill_every: float
    least_kills: int  # the faults go on until so many workers have been killed
    most_kills: int
    settle_time: float
    deadline: float

    @property
    def connection(self) -> dict[str, Any]:
        """What the settings of the connection say beside billing."""
        clients = {"bulk_limit": 1_000_000, "direction": "to-books", "sweep_every": "1h"}
        return {"settle_time": f"{self.settle_time:g}s", "request_timeout": "10s", "clients": clients}


FULL = Plan(
    size=Size(5_000, 200),
    points=POINTS,
    cut=0.2,
    search_lag=(0.0, 10.0),
    kill_every=20.0,
    least_kills=2,
    most_kills=1_000_000,
    settle_time=15.0,
    deadline=0.0,
)
SMALL = replace(
    FULL,
    size=Size(60, 8),
    points=frozenset({"after-post", "after-put"}),  # each death takes the time in which Temporal notices it
    search_lag=(1.0, 1.0),
    kill_every=2.0,
    least_kills=1,
    most_kills=1,
    settle_time=2.0,
)
SLOW = 1.5  # entries per second, on a slow day


def plan_for(entries: int, *, small: bool) -> Plan:
    """Return the plan for so many entries; 0 is for the size of the plan."""
    plan = SMALL if small else FULL
    count = entries or plan.size.entries
    return replace(plan, size=replace(plan.size, entries=count), deadline=240 + count / SLOW)


class HoursCampaign:
    """One campaign on a running system; what it has counted so far can be read at any time."""

    def __init__(self, rig: Rig, books: Books, plan: Plan, workers: Sequence[str]) -> None:
        self.rig, self.books, self.plan, self._workers = rig, books, plan, workers
        self.phase = "start"
        self.seconds: dict[str, float] = {}
        self.tallies: list[Tally] = []
        self.found: list[Finding] = []
        self.bills: list[BillSaid] = []
        self.deaths: Counter[str] = Counter()
        self._due = [each for each in books.read_on().logged if books.is_due(each)]
        self._killed = 0

    async def run(self, say: Say) -> None:
        """Go through all phases. Raises TimeoutError and CancelledError as they come."""
        phases: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (
            ("deaths", self._die),
            ("faults", self._faults),
            ("heal", self._heal),
            ("drain", self._drain),
            ("check", self._check),
        )
        async with _beside(self._tell(say)):
            for name, phase in phases:
                self.phase, began = name, time.monotonic()
                await phase()
                self.seconds[name] = round(time.monotonic() - began, 1)

    async def judged(self) -> list[Finding]:
        """Return what the ledger says, and what was found beside it."""
        self.bills = await bills(self.rig.store)
        return [*judged(self.books.read_on(), self.bills), *self.found]

    async def _die(self) -> None:
        """Begin to bill, with workers of which each dies at the first place where none has died before."""
        lag = self.plan.search_lag
        await self.rig.books.set(search_lag=lag, update_lag=lag)
        await asyncio.sleep(max(lag))  # the hours themselves are not new
        creates = len({self.books.owner(each) for each in self._due})
        await self.rig.books.fault(**self._cut("POST", CREATE, creates))
        await self.rig.books.fault(**self._cut("PUT", SEND, creates))
        await self.rig.books.fault(**self._cut("PUT", TICK, len(self._due)))
        async with asyncio.TaskGroup() as group:
            group.create_task(run_billing(self.rig.temporal, CONNECTION, None, None))
            left = sorted(self.plan.points)
            for number in range(1, len(left)):
                await self._life(f"mortal-{number}", left)
                left = sorted(self.plan.points - self.deaths.keys())
            # The last one dies while others go on: there is no wait until Temporal notices its death.
            await asyncio.gather(self._life("mortal", left), *(self.rig.start_worker(name) for name in self._workers))

    async def _life(self, name: str, points: Sequence[str]) -> None:
        """Let a worker live until it dies at one of these points."""
        with contextlib.suppress(CannotStart):  # it may die before it is seen to work
            await self.rig.start_worker(name, **{VARIABLE: ",".join(f"{point}=1" for point in points)})
        deadline = time.monotonic() + MOST_SECONDS_TO_DIE
        died: list[str] = []
        while not died and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            said = self.rig.supervisor.log_file(name).read_text(errors="replace").splitlines()
            died = [line.split()[2].rstrip(":") for line in said if line.startswith("crash point")]
        await self.rig.supervisor.stop(name)
        self.deaths.update(died[:1])

    async def _faults(self) -> None:
        """Let everything go wrong until every hour is billed, and enough workers were killed."""
        async with _beside(self._kill()):
            while self._unticked() or self._killed < self.plan.least_kills:  # noqa: ASYNC110 - other processes make it so
                await asyncio.sleep(CHECK_SECONDS)

    def _unticked(self) -> int:
        entries = self.books.read_on().entries
        return sum(not entries[each]["billed"] for each in self._due)

    def _cut(self, method: str, path: str, planned: int) -> dict[str, Any]:
        """Return the rule that cuts this share of answers, at least one, after the request has been obeyed."""
        times = max(1, round(self.plan.cut * planned))
        chance = min(1.0, (times + 3 * math.sqrt(times) + 3) / max(1, planned))
        return {"method": method, "path": path, "fault": "commit_then_cut", "times": times, "probability": chance}

    async def _heal(self) -> None:
        self.tallies = await self._counted()
        await self.rig.books.heal()
        await self.rig.books.set(search_lag=0, update_lag=0)
        await self.rig.pause_schedules()

    async def _drain(self) -> None:
        """Wait until nothing is under way any more; what still is when time is up is stuck."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            if not await self._under_way():
                return
            await asyncio.sleep(CHECK_SECONDS)

    async def _check(self) -> None:
        """Bill once more: nothing may come of it."""
        before, known = self.books.read_on().writes, await bills(self.rig.store)
        await run_billing(self.rig.temporal, CONNECTION, None, None)
        await self._drain()
        holds = await self.rig.store.holds.listed()
        written = self.books.read_on().writes - before
        self.found = [
            Finding("writes by a second run", written),
            Finding("bills changed by a second run", int(await bills(self.rig.store) != known)),
            await self._workflows("workflows that are stuck", RUNNING),
            await self._workflows("workflows that ended badly", ENDED_BADLY),
            Finding("holds", len(holds), [f"{each.workflow_id}: {each.reason}" for each in holds[:20]]),
            Finding("creates that are still open", await self._open_creates()),
        ]

    async def _kill(self) -> None:
        """Kill the workers in turn, never before the one killed last has worked again for a while."""
        for name in itertools.cycle(self._workers):
            due = time.monotonic() + self.plan.kill_every
            while not await self.rig.all_serve(self._workers):  # noqa: ASYNC110 - they are other processes
                await asyncio.sleep(CHECK_SECONDS)
            await asyncio.sleep(max(self.plan.kill_every / 3, due - time.monotonic()))
            self._killed += self.rig.kill(name)
            if self._killed >= self.plan.most_kills:
                return

    async def _counted(self) -> list[Tally]:
        """Return how often each fault came about, and how often its way out was taken."""
        rules = {rule["path"]: rule for rule in await self.rig.books.rules()}
        audit = await self.rig.store.audit.latest(ALL_ROWS)
        adopted = sum(line.action == "adopt" and line.flow == BILLS_FLOW for line in audit)
        names = {CREATE: "invoices made, answer cut", SEND: "invoices sent, answer cut", TICK: "ticks, answer cut"}
        return [
            *(Tally(name, rules[path]["times"], rules[path]["fired"]) for path, name in names.items()),
            Tally("invoices found by a second look", rules[CREATE]["fired"], adopted),
            Tally("workers killed", self.plan.least_kills, self._killed),
            *(Tally(f"workers that died {point}", 1, self.deaths[point]) for point in sorted(self.plan.points)),
        ]

    async def _under_way(self) -> bool:
        try:
            return bool((await self.rig.temporal.count_workflows(RUNNING)).count or await self._open_creates())
        except RPCError:
            return True

    async def _open_creates(self) -> int:
        standing = await self.rig.store.links.standing(CONNECTION, BILLS_FLOW)
        return int(standing.creating + standing.in_doubt)

    async def _workflows(self, what: str, query: str) -> Finding:
        ids = [each.id async for each in self.rig.temporal.list_workflows(query, limit=20)]
        return Finding(what, (await self.rig.temporal.count_workflows(query)).count if ids else 0, ids)

    async def _tell(self, say: Say) -> None:
        """Say now and then how it goes."""
        began = time.monotonic()
        while True:
            await asyncio.sleep(TELL_SECONDS)
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            ticked = len(self._due) - self._unticked()
            ended = self._killed + sum(self.deaths.values())
            say(
                f"[{minutes:02}:{seconds:02}] {self.phase}: {ticked:,} of {len(self._due):,} entries billed, "
                f"{len(self.books.invoices)} invoices, {ended} workers ended"
            )
