"""The phases of the pipeline campaign: stories under faults, then healing, draining, and a second look at all."""

import asyncio
import contextlib
import itertools
import math
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from temporalio.service import RPCError

from runtime.queues import WORKFLOW_QUEUE
from tests.faults.judge import Finding
from tests.faults.phases import CHECK_SECONDS, DRAIN_SECONDS, ENDED_BADLY, LONG_AGO, TELL_SECONDS, Say
from tests.faults.pipeline_judge import judged
from tests.faults.pipeline_rig import Firm
from tests.faults.pipeline_stories import Stories
from tests.faults.report import Tally
from tests.faults.rig import Rig
from workflows.opportunity_models import OpportunitySweepRequest
from workflows.opportunity_sweeps import OpportunitySweep

READ_SECONDS = 0.2
RUNNING = '(Flow = "clients" OR Flow = "opportunities") AND ExecutionStatus = "Running"'
FLOWS = ("clients", "estimates", "invoices")
DELIVERIES = re.compile(r"^ledgerline_hook_deliveries_total\{[^}]*\} (\S+)$", re.MULTILINE)
CREATES = {"client": "/users/clients$", "estimate": "/estimates/estimates$", "invoice": "/invoices/invoices$"}
CHANGES = r"/(estimates|invoices)/(estimates|invoices)/\d+$"
ALL_ROWS = 10_000_000


@dataclass(frozen=True)
class Plan:
    """One campaign. Times are in seconds, shares are of the requests of their kind, pairs are from and to."""

    opportunities: int
    in_flight: int
    cut: float
    cut_changes: float
    search_lag: tuple[float, float]
    hook_copies: tuple[int, int]
    hook_delay: tuple[float, float]
    kill_every: float
    least_kills: int  # the faults go on until so many workers have been killed
    most_kills: int
    settle_time: float
    deadline: float

    @property
    def connection(self) -> dict[str, Any]:
        """What the settings of both connections have in common."""
        clients = {
            "bulk_limit": 1_000_000,
            "direction": "to-books",
            "sweep_every": "1m",
            "default_currency": "EUR",
            "default_language": "en",
            "phone_region": "GB",
        }
        timing = {"settle_time": f"{self.settle_time:g}s", "request_timeout": "10s"}
        return {**timing, "clients": clients, "opportunities": {"sweep_every": "1m"}}


FULL = Plan(
    opportunities=2_000,
    in_flight=60,
    cut=0.1,
    cut_changes=0.03,
    search_lag=(0.0, 10.0),
    hook_copies=(1, 3),
    hook_delay=(0.0, 5.0),
    kill_every=20.0,
    least_kills=2,
    most_kills=1_000_000,
    settle_time=15.0,
    deadline=0.0,
)
SMALL = replace(
    FULL,
    opportunities=30,
    in_flight=15,
    search_lag=(1.0, 1.0),
    hook_delay=(0.0, 0.5),
    kill_every=4.0,
    least_kills=1,
    most_kills=1,
    settle_time=2.0,
)
SLOW = 0.3  # opportunities per second, on a slow day


def plan_for(opportunities: int, *, small: bool) -> Plan:
    """Return the plan for so many opportunities, half of them in each CRM; 0 is for the size of the plan."""
    plan = SMALL if small else FULL
    count = opportunities or plan.opportunities
    return replace(plan, opportunities=count, deadline=180 + count / SLOW)


class PipelineCampaign:
    """One campaign on a running system; what it has counted so far can be read at any time."""

    def __init__(self, rig: Rig, firms: Sequence[Firm], plan: Plan, workers: Sequence[str], seed: int) -> None:
        self.rig, self.firms, self.plan, self._workers = rig, firms, plan, workers
        each = plan.opportunities // len(firms)
        self.stories = [Stories(firm, rig.store, each, seed) for firm in firms]
        self.phase = "start"
        self.seconds: dict[str, float] = {}
        self.tallies: list[Tally] = []
        self.found: list[Finding] = []
        self._killed = 0

    async def run(self, say: Say) -> None:
        """Go through all phases. Raises TimeoutError and CancelledError as they come."""
        phases: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (
            ("faults", self._faults),
            ("heal", self._heal),
            ("drain", self._drain),
            ("check", self._check),
        )
        async with _beside(self._read_on()), _beside(self._tell(say)):
            for name, phase in phases:
                self.phase, began = name, time.monotonic()
                await phase()
                self.seconds[name] = round(time.monotonic() - began, 1)

    def judged(self) -> list[Finding]:
        """Return what the ledgers say, and what was found beside them."""
        return [*judged([firm.house.read_on() for firm in self.firms]), *self.found]

    async def _faults(self) -> None:
        """Tell every story while everything goes wrong."""
        hooks = {"duplicates": self.plan.hook_copies, "reorder": True, "delay": self.plan.hook_delay}
        for firm, stories in zip(self.firms, self.stories, strict=True):
            await firm.crm.set(hooks=hooks)
            await firm.books.set(hooks=hooks, search_lag=self.plan.search_lag)
            await self._let_go_wrong(firm, stories.planned)
        each = max(1, self.plan.in_flight // len(self.firms))
        async with _beside(self._kill()), asyncio.TaskGroup() as group:
            for stories in self.stories:
                group.create_task(stories.tell(each))
            group.create_task(self._killed_enough())
        await self._until(self._invoiced)

    async def _let_go_wrong(self, firm: Firm, planned: Counter[str]) -> None:
        for kind, path in CREATES.items():
            await firm.books.fault(**self._cut("POST", path, self.plan.cut, planned[kind]))
        await firm.books.fault(**self._cut("PUT", CHANGES, self.plan.cut_changes, 2 * planned["estimate"]))
        await firm.crm.fault(**self._cut("POST", firm.sales.note_path, self.plan.cut, planned["invoice"]))

    def _cut(self, method: str, path: str, share: float, planned: int) -> dict[str, Any]:
        """Return the rule that cuts this share of answers, at least one, after the request has been obeyed."""
        times = max(1, round(share * planned))
        chance = min(1.0, (times + 3 * math.sqrt(times) + 3) / max(1, planned))
        return {"method": method, "path": path, "fault": "commit_then_cut", "times": times, "probability": chance}

    def _invoiced(self) -> bool:
        """Return whether every opportunity has what it is due, so that the last creates happen under faults too."""
        wanted = ("due opportunities without an estimate", "won opportunities without an invoice")
        return not any(each.count for each in self.judged() if each.what in wanted)

    async def _heal(self) -> None:
        self.tallies = await self._counted()
        for firm in self.firms:
            await firm.crm.heal()
            await firm.books.heal()
            for side in (firm.crm, firm.books):
                await side.set(hooks={"duplicates": 1, "reorder": False}, search_lag=0)
        await self.rig.pause_schedules()

    async def _drain(self) -> None:
        """Wait until nothing is under way any more; what still is when time is up is stuck."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            if not await self._under_way():
                return
            await asyncio.sleep(CHECK_SECONDS)

    async def _check(self) -> None:
        before = sum(firm.house.read_on().writes for firm in self.firms)
        for firm in self.firms:
            await self._sweep(firm)
        await self._drain()
        written = sum(firm.house.read_on().writes for firm in self.firms) - before
        open_holds = await self.rig.store.holds.listed()
        self.found = [
            Finding("writes by a second full sweep", written),
            await self._workflows("workflows that are stuck", RUNNING),
            await self._workflows("workflows that ended badly", ENDED_BADLY),
            Finding("holds", len(open_holds), [f"{each.workflow_id}: {each.reason}" for each in open_holds[:20]]),
            Finding("creates that are still open", await self._open_creates()),
        ]

    async def _sweep(self, firm: Firm) -> None:
        request = OpportunitySweepRequest(
            connection=firm.sales.connection,
            crm=firm.sales.kind.system,
            since=LONG_AGO,
            started_at=datetime.now(UTC),
        )
        name = f"second-full-sweep-{firm.sales.connection}"
        await self.rig.temporal.execute_workflow(OpportunitySweep.run, request, id=name, task_queue=WORKFLOW_QUEUE)

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

    async def _killed_enough(self) -> None:
        await self._until(lambda: self._killed >= self.plan.least_kills)

    async def _counted(self) -> list[Tally]:
        """Return how often each fault came about, and how often its way out was taken."""
        rules = [rule for firm in self.firms for rule in await firm.rules()]
        creates = [rule for rule in rules if rule["method"] == "POST"]
        changes = [rule for rule in rules if rule["method"] == "PUT"]
        documents = [rule for rule in creates if rule["path"] in (CREATES["estimate"], CREATES["invoice"])]
        audit = await self.rig.store.audit.latest(ALL_ROWS)
        adopted = sum(line.action == "adopt" and line.flow in FLOWS[1:] for line in audit)
        return [
            Tally("creates that happened, answer cut", *_times(creates)),
            Tally("changes that happened, answer cut", *_times(changes)),
            Tally("workers killed", self.plan.least_kills, self._killed),
            Tally("deliveries of webhooks", 3 * self.plan.opportunities, await self._deliveries()),
            Tally("documents found by a second look", _times(documents)[1], adopted),
        ]

    async def _deliveries(self) -> int:
        metrics = self.rig.settings.metrics
        page = await self.rig.sides.http.get(f"http://{metrics.host}:{metrics.receiver_port}/metrics")
        return round(sum(float(count) for count in DELIVERIES.findall(page.text)))

    async def _under_way(self) -> bool:
        try:
            running = (await self.rig.temporal.count_workflows(RUNNING)).count
        except RPCError:
            return True
        return bool(running or await self._open_creates() or await self.rig.store.inbox.size())

    async def _open_creates(self) -> int:
        standing = [
            await self.rig.store.links.standing(firm.sales.connection, flow) for firm in self.firms for flow in FLOWS
        ]
        return sum(each.creating + each.in_doubt for each in standing)

    async def _workflows(self, what: str, query: str) -> Finding:
        ids = [each.id async for each in self.rig.temporal.list_workflows(query, limit=20)]
        return Finding(what, (await self.rig.temporal.count_workflows(query)).count if ids else 0, ids)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():  # noqa: ASYNC110 - other processes make it so
            await asyncio.sleep(CHECK_SECONDS)

    async def _read_on(self) -> None:
        while True:
            for firm in self.firms:
                firm.house.read_on()
            await asyncio.sleep(READ_SECONDS)

    async def _tell(self, say: Say) -> None:
        """Say now and then how it goes."""
        began = time.monotonic()
        while True:
            await asyncio.sleep(TELL_SECONDS)
            told, entered = sum(each.told for each in self.stories), sum(each.entered for each in self.stories)
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            say(
                f"[{minutes:02}:{seconds:02}] {self.phase}: {entered:,} of {self.plan.opportunities:,} opportunities "
                f"entered, the stories of {told:,} told, {self._killed} workers killed"
            )


def _times(rules: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return how often faults were to come, and how often they came."""
    return sum(rule["times"] for rule in rules), sum(rule["fired"] for rule in rules)


@contextlib.asynccontextmanager
async def _beside(work: Any) -> Any:
    """Let something run meanwhile; what goes wrong in it is told at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
