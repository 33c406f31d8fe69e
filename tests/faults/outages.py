"""A day without one of the parts: `python -m tests.faults.outages --system capsule|freshbooks|temporal|database`.

What each option and each line of the result means is in docs/faults.md. Exit codes: 0 green, 1 red, 2 not finished.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.databases import Postgres, postgres_programs
from tests.faults.campaigns import carry_out, say, tried, verdict
from tests.faults.gateway import serving
from tests.faults.judge import Finding
from tests.faults.outage_kinds import DatabaseAway, Outage, SystemAway, TemporalAway
from tests.faults.outage_people import Mailbox
from tests.faults.outage_phases import WORKER, OutageCampaign, Plan
from tests.faults.outage_wire import Wire, wires
from tests.faults.outage_worker import DAY
from tests.faults.report import Verdict
from tests.faults.rig import Rig, running

SYSTEMS = ("capsule", "freshbooks", "temporal", "database")
DAY_SECONDS = 86_400
MODULE = ("tests.faults.outage_worker",)
STUCK_AFTER = 600.0


@dataclass(frozen=True)
class Report:
    """What came of one outage or several."""

    systems: Sequence[str]
    verdict: Verdict
    trouble: str
    records: int
    letters: Sequence[str]
    heartbeats: dict[str, int]
    seconds: dict[str, float]
    findings: Sequence[Finding]

    def as_json(self) -> str:
        """Return everything, for machines."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    def page(self) -> str:
        """Return one page for people."""
        rows = [
            f"away in turn: {', '.join(self.systems)}; {self.records} records",
            *(
                f"{name:30} {seconds:6} s {self.heartbeats[name]:5} heartbeats"
                for name, seconds in self.seconds.items()
            ),
            *(f"letter: {title}" for title in self.letters),
            *(f"{each.what:54} {each.count:>5} {', '.join(each.offenders[:3])}" for each in self.findings),
            f"{self.verdict.upper()} {self.trouble}",
        ]
        return "\n".join(rows) + "\n"


async def outages(systems: Sequence[str], plan: Plan, folder: Path) -> Report:
    """Let one part after the other be away, and return what came of it. Raises CannotStart, and NoPostgres."""
    mailbox = Mailbox()
    async with _world(systems, plan, folder, mailbox) as (rig, away):
        ran = OutageCampaign(rig, plan, away, mailbox, say)
        trouble = await tried(ran.run, lambda: ran.phase, plan.day * len(systems) + STUCK_AFTER)
        return Report(
            systems,
            verdict(ran.found, [], trouble),
            trouble,
            len(ran.people.wanted),
            mailbox.letters,
            ran.beats,
            ran.seconds,
            ran.found,
        )


@asynccontextmanager
async def _world(
    systems: Sequence[str], plan: Plan, folder: Path, mailbox: Mailbox
) -> AsyncIterator[tuple[Rig, Mapping[str, Outage]]]:
    """Give a running system with a worker, and the parts of it that are to go away."""
    async with AsyncExitStack() as stack:
        laid = await stack.enter_async_context(wires("capsule", "freshbooks"))
        mail_at = await stack.enter_async_context(serving(mailbox))
        server = _postgres(stack) if "database" in systems else None
        rig = await stack.enter_async_context(
            running(
                folder,
                connection=_connection(plan, laid),
                alerts=_alerts(plan, mail_at),
                database_url=server.new_database() if server else "",
            )
        )
        for side, wire in ((rig.crm, laid["capsule"]), (rig.books, laid["freshbooks"])):
            wire.upstream = side.url.removeprefix("http://")
            await side.set(clock_rate=DAY_SECONDS / plan.day)
        await rig.start_worker(WORKER, MODULE, **{DAY: str(plan.day)})
        await rig.sign_in()
        yield rig, {system: _outage(system, laid, server) for system in systems}


def _postgres(stack: AsyncExitStack) -> Postgres:
    server = Postgres(postgres_programs())
    stack.callback(server.stop)
    server.start()
    return server


def _connection(plan: Plan, laid: Mapping[str, Wire]) -> dict[str, Any]:
    """Return the settings of the connection; what is not said is as it is by default."""
    clients = {
        "direction": plan.direction,
        "sweep_every": "2s",
        "bulk_limit": 1_000_000,
        "phone_region": "GB",
    }
    base = {system: {"base_url": f"http://{wire.address}"} for system, wire in laid.items()}
    return {
        **base,
        "clients": clients,
        "settle_time": "2s",
        "request_timeout": f"{min(5.0, max(3.0, plan.day / 6)):g}s",
    }


def _alerts(plan: Plan, mail_at: str) -> dict[str, Any]:
    after = f"{plan.silence:g}s"
    rhythm = {"group_for": "1s", "quiet_for": "2s", "silence_after": after, "backlog_after": after}
    return {"urls": [f"json://{mail_at}/letters"], "heartbeat_url": f"http://{mail_at}/beat", **rhythm}


def _outage(system: str, laid: Mapping[str, Wire], server: Postgres | None) -> Outage:
    if system == "temporal":
        return TemporalAway()
    if system == "database" and server is not None:
        return DatabaseAway(server)
    return SystemAway(laid[system], is_crm=system == "capsule")


def main() -> int:
    """Run what the command line asks for, and return the exit code."""
    options = argparse.ArgumentParser(prog="python -m tests.faults.outages", description="A day without one part.")
    options.add_argument(
        "--system", choices=SYSTEMS, nargs="+", required=True, help="what is away, one after the other"
    )
    options.add_argument("--seconds", type=float, default=90.0, help="how long a day is")
    options.add_argument("--records", type=int, default=40, help="how many there are before")
    options.add_argument("--one-way", action="store_true", help="nothing goes from the books to the CRM")
    options.add_argument("--report", type=Path, default=Path("outages.json"), help="where the JSON goes")
    asked = options.parse_args()
    direction = "to-books" if asked.one_way else "both"
    plan = Plan(asked.seconds, asked.records, max(1, asked.records // 8), blip=2.0, direction=direction)
    return carry_out("outages", asked.report, partial(outages, asked.system, plan))


if __name__ == "__main__":
    sys.exit(main())
