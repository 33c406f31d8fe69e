"""The phases of the payments campaign: invoices in peace, payments under faults, then healing and a second look."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from temporalio.service import RPCError

from runtime.queues import WORKFLOW_QUEUE
from starters.demo.sides import until
from tests.faults.judge import Finding
from tests.faults.payments_customers import PATIENCE, Customers
from tests.faults.payments_judge import SHOWN, Ledger, Said, Sale, judged, stray_clients
from tests.faults.phases import CHECK_SECONDS, DRAIN_SECONDS, ENDED_BADLY, LONG_AGO, TELL_SECONDS, Say
from tests.faults.pipeline_phases import _beside
from tests.faults.report import Tally
from tests.faults.rig import CONNECTION, Rig
from workflows.opportunity_models import OpportunitySweepRequest
from workflows.opportunity_sweeps import OpportunitySweep
from workflows.payment_models import PaymentSweepRequest, ProofRequest
from workflows.payment_sweeps import LedgerProof, PaymentSweep

HOOKS, CALLBACKS = 8, 4
READS, SHOWS = "/payments/payments", r"/opportunities/\d+$"
UNDER_WAY = '(Flow = "payments" OR Flow = "opportunities") AND ExecutionStatus = "Running" AND SyncState != "held"'


@dataclass(frozen=True)
class Plan:
    """One campaign. Times are in seconds, shares are of the requests of their kind, pairs are from and to."""

    payments: int
    invoices_each: int
    messy_every: int  # of so many customers one is messy
    refused: float
    cut: float
    hook_copies: tuple[int, int]
    hook_delay: tuple[float, float]
    dropped: float
    kill_every: float
    least_kills: int  # the faults go on until so many workers have been killed
    most_kills: int
    sweep_every: str
    deadline: float = 0.0

    @property
    def connection(self) -> dict[str, Any]:
        """What the settings of the connection say."""
        return {
            "clients": {
                "bulk_limit": 1_000_000,
                "direction": "to-books",
                "sweep_every": "1h",
                "default_currency": "EUR",
            },
            "opportunities": {
                "sweep_every": self.sweep_every,
                "invoice": "final",
                "note": False,
                "invoice_fields": dict(SHOWN),
                "rounding": {"decimals": "minor-units"},
            },
            "payments": {"sweep_every": self.sweep_every},
        }


FULL = Plan(
    payments=3_000,
    invoices_each=20,
    messy_every=4,
    refused=0.1,
    cut=0.1,
    hook_copies=(1, 3),
    hook_delay=(0.0, 5.0),
    dropped=0.2,
    kill_every=20.0,
    least_kills=5,
    most_kills=1_000_000,
    sweep_every="2m",
)
SMALL = replace(
    FULL,
    payments=20,
    invoices_each=7,
    messy_every=2,
    hook_delay=(0.0, 0.5),
    kill_every=2.0,
    least_kills=1,
    most_kills=1,
    sweep_every="5s",
)
SLOW = 1.2  # payments per second, on a slow day


def plan_for(payments: int, *, small: bool) -> Plan:
    """Return the plan for so many payments; 0 is for the size of the plan."""
    plan = SMALL if small else FULL
    count = payments or plan.payments
    return replace(plan, payments=count, deadline=300 + 2 * count / SLOW)


class PaymentsCampaign:
    """One campaign on a running system; what it has counted so far can be read at any time."""

    def __init__(self, rig: Rig, plan: Plan, workers: Sequence[str], seed: int) -> None:
        self.rig, self.plan, self._workers = rig, plan, workers
        self.ledger = Ledger(rig.ledger)
        self._customers = Customers(rig, self.ledger, seed, plan.messy_every)
        self.sales: list[Sale] = []
        self.phase = "start"
        self.seconds: dict[str, float] = {}
        self.tallies: list[Tally] = []
        self.found: list[Finding] = []
        self._killed = 0

    async def run(self, say: Say) -> None:
        """Go through all phases. Raises TimeoutError and CancelledError as they come."""
        phases: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (
            ("invoices", self._invoice),
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

    @property
    def entered(self) -> int:
        """How many payments were entered."""
        return sum(len(sale.payment_ids) for sale in self.sales)

    async def judged(self) -> list[Finding]:
        """Return what the ledger says, and what was found beside it."""
        return [*judged(self.sales, self.ledger.read_on(), await self.said()), *self.found]

    async def said(self) -> Said:
        """Return what the product says of every payment."""
        store, ids = self.rig.store, [each for sale in self.sales for each in sale.payment_ids]
        verdicts: dict[int, str] = {}
        for start in range(0, len(ids), 500):
            known = await store.payments.of(CONNECTION, ids[start : start + 500])
            verdicts |= {number: each.verdict for number, each in known.items()}
        held = [each for each in await store.holds.listed() if each.flow == "payments"]
        told = {
            int(each.record_id): (await store.holds.evidence(each.workflow_id)).get("explanation", "") for each in held
        }
        return Said(verdicts, {int(each.record_id): each.reason for each in held}, told)

    # Phases

    async def _invoice(self) -> None:
        """Win opportunities of customers in five currencies, until there are invoices for enough payments."""
        await asyncio.gather(*(self.rig.start_worker(name) for name in self._workers))
        await self.rig.sides.sign_in()
        await until("the webhooks", self._hooks_ready, 60.0)
        planned, customers = 0, 0
        while planned < self.plan.payments:
            customers += 1
            sold = await self._customers.sell(customers, self.plan.invoices_each)
            planned += sum(len(sale.story.steps) for sale in sold)
            self.sales += sold

    async def _faults(self) -> None:
        """Enter all payments while everything goes wrong; over once each is judged or held, and enough were killed."""
        hooks = {
            "duplicates": self.plan.hook_copies,
            "reorder": True,
            "delay": self.plan.hook_delay,
            "drop": self.plan.dropped,
        }
        await self.rig.books.set(hooks=hooks)
        planned = sum(len(sale.story.steps) for sale in self.sales)
        refused, cut = max(1, round(self.plan.refused * planned)), max(1, round(self.plan.cut * len(self.sales)))
        refusal = {"status": 503, "headers": {"Retry-After": "1"}, "probability": 2 * self.plan.refused}
        await self.rig.books.fault(method="GET", path=READS, fault="status", times=refused, **refusal)
        await self.rig.crm.fault(
            method="PUT", path=SHOWS, fault="commit_then_cut", times=cut, probability=2 * self.plan.cut
        )
        async with _beside(self._kill()):
            await self._customers.pay(self.sales, self._in_flight)
            while not await self._all_said() or self._killed < self.plan.least_kills:  # noqa: ASYNC110 - others make it so
                await asyncio.sleep(10 * CHECK_SECONDS)

    async def _in_flight(self) -> int:
        """Return how many payments were entered of which nothing is known yet."""
        return self.entered - sum(await self._told())

    async def _told(self) -> tuple[int, int]:
        """Return how many payments were judged, and how many are held."""
        held = [each for each in await self.rig.store.holds.listed() if each.flow == "payments"]
        return sum((await self.rig.store.payments.counts(CONNECTION)).values()), len(held)

    async def _all_said(self) -> bool:
        return not any(each.count for each in await self.judged())

    async def _heal(self) -> None:
        self.tallies = await self._counted()
        await self.rig.books.heal()
        await self.rig.crm.heal()
        await self.rig.books.set(hooks={"duplicates": 1, "reorder": False, "drop": 0, "delay": (0, 0)})
        await self.rig.pause_schedules()

    async def _drain(self) -> None:
        """Wait until nothing is under way any more but what waits for a person."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline and await self._under_way():  # noqa: ASYNC110 - others end it
            await asyncio.sleep(CHECK_SECONDS)

    async def _check(self) -> None:
        """Sweep everything once more: nothing may come of it. Then let the books be added up."""
        before, held = self.ledger.read_on().ours, await self.said()
        sweep = PaymentSweepRequest(connection=CONNECTION, since=LONG_AGO, started_at=datetime.now(UTC))
        await self.rig.temporal.execute_workflow(
            PaymentSweep.run, sweep, id="second-sweep-of-payments", task_queue=WORKFLOW_QUEUE
        )
        again = OpportunitySweepRequest(
            connection=CONNECTION, crm=self.rig.kind.system, since=LONG_AGO, started_at=datetime.now(UTC)
        )
        await self.rig.temporal.execute_workflow(
            OpportunitySweep.run, again, id="second-sweep-of-opportunities", task_queue=WORKFLOW_QUEUE
        )
        await self._drain()
        self.found = [
            Finding("writes by a second full sweep", self.ledger.read_on().ours - before),
            Finding("verdicts changed by a second full sweep", int(await self.said() != held)),
            Finding("writes of ours to payments", await self._payments_written()),
            *await self._proven(),
            await self._workflows("workflows that are stuck", UNDER_WAY),
            await self._workflows("workflows that ended badly", ENDED_BADLY),
        ]

    async def _payments_written(self) -> int:
        requests = (await self.rig.books.about())["requests_by_route"]
        return sum(count for route, count in requests.items() if "payments/payments" in route and "GET" not in route)

    async def _proven(self) -> list[Finding]:
        """Let the books be added up: just those clients of whom money went astray may not add up."""
        proof = await self.rig.temporal.start_workflow(
            LedgerProof.run, ProofRequest(connection=CONNECTION), id="proof-of-the-campaign", task_queue=WORKFLOW_QUEUE
        )
        wanted = stray_clients(self.sales)
        if not wanted:
            result = await proof.result()
            return [Finding("clients whose books do not add up", len(result.unproven))]

        async def asked() -> list[dict[str, Any]] | None:
            evidence = await self.rig.store.holds.evidence("proof-of-the-campaign")
            return evidence.get("sums")

        found = {int(each["client_id"]) for each in await until("the proof's hold", asked, PATIENCE)}
        return [
            Finding(
                "clients in order whose books do not add up", len(found - wanted), sorted(map(str, found - wanted))
            ),
            Finding("clients with stray money who add up", len(wanted - found), sorted(map(str, wanted - found))),
        ]

    # Helpers

    async def _hooks_ready(self) -> bool:
        callbacks = [each for each in await self.rig.books.all("callback") if each["verified"]]
        return len(await self.rig.crm.all("resthook")) == HOOKS and len(callbacks) == CALLBACKS

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
        rules = [*await self.rig.crm.rules(), *await self.rig.books.rules()]
        fired = {rule["path"]: (rule["times"], rule["fired"]) for rule in rules}
        return [
            Tally("reads of payments refused", *fired[READS]),
            Tally("opportunities written, answer cut", *fired[SHOWS]),
            Tally("workers killed", self.plan.least_kills, self._killed),
            Tally("payments entered", self.plan.payments, self.entered),
        ]

    async def _under_way(self) -> bool:
        try:
            return bool((await self.rig.temporal.count_workflows(UNDER_WAY)).count or await self.rig.store.inbox.size())
        except RPCError:
            return True

    async def _workflows(self, what: str, query: str) -> Finding:
        ids = [each.id async for each in self.rig.temporal.list_workflows(query, limit=20)]
        return Finding(what, (await self.rig.temporal.count_workflows(query)).count if ids else 0, ids)

    async def _tell(self, say: Say) -> None:
        """Say now and then how it goes."""
        began = time.monotonic()
        while True:
            await asyncio.sleep(TELL_SECONDS)
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            judged_so_far, held = await self._told()
            say(
                f"[{minutes:02}:{seconds:02}] {self.phase}: {len(self.sales):,} invoices, {self.entered:,} payments "
                f"entered, {judged_so_far:,} judged, {held:,} held, {self._killed} workers killed"
            )
