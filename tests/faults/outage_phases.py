"""One outage, from a working day before it to a second look at everything after it."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from runtime.queues import WORKFLOW_QUEUE
from starters.demo.sides import until
from tests.faults import outage_judge as judge
from tests.faults.judge import Finding
from tests.faults.outage_kinds import STAGES, Outage
from tests.faults.outage_people import Mailbox, People
from tests.faults.rig import CONNECTION, Rig
from workflows.alerts import AlertWatch
from workflows.client_sweeps import ClientSweep
from workflows.models import AlertWatchRequest, ClientSweepRequest, SweepRequest, SweepResult
from workflows.sweeps import PartySweep

WORKER = "worker"
UNDER_WAY = 'Flow = "clients" AND ExecutionStatus = "Running"'
ENDED_BADLY = 'ExecutionStatus IN ("Failed", "TimedOut", "Terminated") AND WorkflowType != "AlertWatch"'
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LOOK_SECONDS = 0.2
LEAST_DRAIN = 45.0
LONG_DAY = 60.0


@dataclass(frozen=True)
class Plan:
    """How large, and how long. Seconds: the outage stands for a day, the blip for what heals by itself."""

    day: float
    records: int
    newcomers: int
    blip: float
    direction: str = "both"

    @property
    def silence(self) -> float:
        """Seconds after which people are to be told."""
        return max(5.0, self.day / 10)

    @property
    def kills(self) -> bool:
        """Whether our worker is killed in the middle: it needs seconds to start, which are hours of a short day."""
        return self.day >= LONG_DAY


class OutageCampaign:
    """One campaign on a running system."""

    def __init__(
        self, rig: Rig, plan: Plan, outages: Mapping[str, Outage], mailbox: Mailbox, say: Callable[[str], None]
    ) -> None:
        self.rig, self.plan, self.outages, self.mailbox = rig, plan, outages, mailbox
        self.people = People(rig)
        self.phase = "start"
        self.seconds: dict[str, float] = {}
        self.found: list[Finding] = []
        self.beats: dict[str, int] = {}
        self._say = say

    async def run(self) -> None:
        """Go through all phases. Raises AssertionError if what must arrive does not."""
        await self._measured("link", self._link())
        for name, outage in self.outages.items():
            if self.plan.blip:
                await self._measured(f"{name}, a blip", self._blip(name, outage))
            alarms = len(self.mailbox.alarms)
            await self._measured(f"{name}, a day", self._day(name, outage))
            await self._measured(f"{name}, afterwards", self._all_arrive(LEAST_DRAIN + self.plan.day))
            more = self.mailbox.alarms[alarms + 1 :]
            self.found.append(Finding(f"{name}: further alerts", len(more), more))
        await self._measured("check", self._check())

    async def _measured(self, phase: str, work: Awaitable[None]) -> None:
        self.phase, began, beats = phase, time.monotonic(), self.mailbox.beats
        await work
        self.seconds[phase] = round(time.monotonic() - began, 1)
        self.beats[phase] = self.mailbox.beats - beats
        self._say(f"{phase}: {self.seconds[phase]} s; letters so far: {self.mailbox.letters}")

    async def _link(self) -> None:
        await self._watch_often()
        await self.people.enter(self.plan.records)
        await self._all_arrive(within=120)

    async def _watch_often(self) -> None:
        """Let the alert watch look every second; with its usual half minute it would miss a short day."""
        await self.rig.temporal.get_schedule_handle("alerts").pause()
        async for each in self.rig.temporal.list_workflows('WorkflowType = "AlertWatch"'):
            await self.rig.temporal.get_workflow_handle(each.id).terminate("another one looks more often")
        often = AlertWatchRequest(every=timedelta(seconds=1))
        await self.rig.temporal.start_workflow(AlertWatch.run, often, id="often", task_queue=WORKFLOW_QUEUE)

    async def _blip(self, name: str, outage: Outage) -> None:
        """A fault that heals by itself is nobody's business."""
        before = len(self.mailbox.letters)
        await outage.begin(self.rig)
        await self.people.edit_crm(self.people.halves()[0])
        await asyncio.sleep(self.plan.blip)
        await outage.end(self.rig)
        await self._all_arrive(within=LEAST_DRAIN + self.plan.day)
        letters = self.mailbox.letters[before:]
        self.found.append(judge.finding(f"{name}: alerts about a fault that healed by itself", letters))

    async def _day(self, name: str, outage: Outage) -> None:
        """People go on working; in the middle our worker is killed, as by somebody who tries whether that helps."""
        one, other = self.people.halves()
        await self.people.edit_crm(one)
        before = len(self.mailbox.alarms)
        await outage.begin(self.rig)
        for stage in range(STAGES):
            began = time.monotonic()
            if stage:
                await outage.go_on(self.rig, stage)
            if stage == 1 and self.plan.kills:
                self.rig.kill(WORKER)
            await self._work(one, other)
            one, other = other, one
            await asyncio.sleep(max(0.0, self.plan.day / STAGES - (time.monotonic() - began)))
        told = self.mailbox.alarms[before:]
        self.found.append(Finding(f"{name}: alerts while it lasted, but one", abs(len(told) - 1), told))
        await outage.end(self.rig)
        await self.people.edit_crm(one)

    async def _work(self, one: Sequence[str], other: Sequence[str]) -> None:
        """Let people edit some records in the CRM, others in the books, and enter new ones."""
        await self.people.edit_crm(one)
        if self.plan.direction == "both":
            await self.people.edit_books(other)
        await self.people.enter(self.plan.newcomers)

    async def _check(self) -> None:
        await self._hooks_come_back()
        await self.rig.pause_schedules()
        await self._at_rest(within=LEAST_DRAIN)
        before, (parties, clients) = judge.writes(self.rig.ledger), await self._full_sweeps()
        await self._at_rest(within=LEAST_DRAIN)
        announced = parties.announced + clients.announced
        unlisted = 2 * len(self.people.wanted) - parties.listed - clients.listed
        holds = await self.rig.store.holds.listed()
        aside = await self.rig.store.inbox.set_aside()
        self.found += [
            *judge.judged(self.rig.ledger, self.people.wanted),
            Finding("records that a second full sweep finds different", announced),
            Finding("records that a second full sweep missed", unlisted),
            Finding("writes by a second full sweep", judge.writes(self.rig.ledger) - before),
            judge.finding("holds", [f"{each.workflow_id}: {each.reason}" for each in holds]),
            judge.finding("changes that were set aside for a person", [each.record_id for each in aside]),
            judge.finding("workflows that ended badly", await self._workflows(ENDED_BADLY)),
        ]

    async def _hooks_come_back(self) -> None:
        """Systems drop webhooks that fail for a day. The upkeep runs every hour by the clock: now is the next hour."""
        await self.rig.temporal.get_schedule_handle(f"hook-upkeep/{CONNECTION}").trigger()
        await until("the webhooks", self._hooks_are_there, LEAST_DRAIN)

    async def _hooks_are_there(self) -> bool:
        kind, count = self.rig.kind.hooks
        callbacks = await self.rig.books.all("callback")
        return len(await self.rig.crm.all(kind)) == count and all(each["verified"] for each in callbacks)

    async def _full_sweeps(self) -> tuple[SweepResult, SweepResult]:
        now, temporal = datetime.now(UTC), self.rig.temporal
        parties = SweepRequest(connection=CONNECTION, since=LONG_AGO, started_at=now)
        clients = ClientSweepRequest(connection=CONNECTION, since=LONG_AGO, started_at=now, began=now)
        return (
            await temporal.execute_workflow(PartySweep.run, parties, id="all-parties", task_queue=WORKFLOW_QUEUE),
            await temporal.execute_workflow(ClientSweep.run, clients, id="all-clients", task_queue=WORKFLOW_QUEUE),
        )

    async def _all_arrive(self, within: float) -> None:
        """Return once both sides say of every record what people last said, and nothing is under way."""
        await until("what people last said, on both sides", self._all_arrived, within)
        await self._at_rest(within)

    async def _at_rest(self, within: float) -> None:
        await until("an end of all that is under way", self._rests, within)

    async def _all_arrived(self) -> bool:
        await asyncio.sleep(LOOK_SECONDS)
        return not judge.missing(self.rig.ledger, self.people.wanted)

    async def _rests(self) -> bool:
        await asyncio.sleep(LOOK_SECONDS)
        with contextlib.suppress(RPCError, SQLAlchemyError):
            running = [each for each in await self._workflows(UNDER_WAY) if each.startswith("client-upsert/")]
            standing = await self.rig.store.links.standing(CONNECTION, "clients")
            waiting = await self.rig.store.inbox.size()
            return not (running or standing.creating or standing.in_doubt or waiting)
        return False

    async def _workflows(self, query: str) -> list[str]:
        return [each.id async for each in self.rig.temporal.list_workflows(query, limit=1000)]
