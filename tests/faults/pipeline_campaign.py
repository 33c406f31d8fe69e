"""One estimate and at most one invoice each: `python -m tests.faults.pipeline_campaign [--opportunities N] [--small]`.

Opportunities of Capsule and deals of Zoho CRM, in four currencies, go through all stages while answers are lost,
searches lag, webhooks come several times and in any order, and workers are killed. The sandboxes' ledgers are the
judge. What is told and what it means is in docs/faults.md. Exit codes: 0 green, 1 red, 2 not finished, 3 invalid.
"""

import asyncio
import dataclasses
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.campaigns import carry_out, parser, say, tried, verdict
from tests.faults.judge import Finding
from tests.faults.pipeline_judge import sums
from tests.faults.pipeline_phases import PipelineCampaign, Plan, plan_for
from tests.faults.pipeline_rig import both_firms, ready
from tests.faults.pipeline_terms import PLACES
from tests.faults.report import Tally, Verdict

WORKERS = ("worker-a", "worker-b")
FOR_GOOD = frozenset({"opportunities with two estimates", "opportunities with two invoices"})
"""What is wrong also in a run that did not finish: what is there twice stays."""


@dataclass(frozen=True)
class Report:
    """One campaign. `sums` has by currency what was won and what was invoiced, in minor units before tax."""

    verdict: Verdict
    trouble: str
    seed: int
    opportunities: int
    estimates: int
    invoices: int
    seconds: dict[str, float]
    faults: Sequence[Tally]
    sums: dict[str, tuple[int, int]]
    findings: Sequence[Finding]

    def as_json(self) -> str:
        """Return everything, for machines."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    def page(self) -> str:
        """Return one page for people."""
        made = f"{self.estimates:,} estimates, {self.invoices:,} invoices"
        rows = [f"pipeline campaign: {self.opportunities:,} opportunities, {made}, seed {self.seed}"]
        rows += [f"took {self.seconds['all'] / 60:.1f} min: {self.seconds}", "", f"{'':50} {'planned':>9} {'came':>9}"]
        rows += [f"{each.what:50} {each.planned:>9,} {each.fired:>9,}" for each in self.faults]
        rows += ["", f"{'before tax':29} {'won, in the CRM':>20} {'invoiced':>20}"]
        for currency, (crm, books) in self.sums.items():
            rows.append(f"{currency:29} {_amount(crm, currency):>20} {_amount(books, currency):>20}")
        rows += ["", f"{'must never be':60} {'found':>9}"]
        for finding in self.findings:
            named = f"   <-- {', '.join(finding.offenders[:3])}" if finding.count else ""
            rows.append(f"{finding.what:60} {finding.count:>9,}{named}")
        return "\n".join([*rows, "", f"{self.verdict.upper()} {self.trouble}", ""])


async def campaign(plan: Plan, seed: int, database: str, folder: Path) -> Report:
    """Run one campaign and return what came of it, also if it was interrupted or took too long. Raises Stop."""
    began = time.monotonic()
    async with both_firms(folder, plan.connection, seed=seed, database_url=database) as (rig, firms):
        await asyncio.gather(*(rig.start_worker(name) for name in WORKERS))
        await ready(firms)
        ran = PipelineCampaign(rig, firms, plan, WORKERS, seed)
        started = round(time.monotonic() - began, 1)
        trouble = await tried(partial(ran.run, say), lambda: ran.phase, plan.deadline)
        took = {"start": started, **ran.seconds, "all": round(time.monotonic() - began, 1)}
        return _reported(ran, seed, took, trouble)


def _reported(ran: PipelineCampaign, seed: int, seconds: dict[str, float], trouble: str) -> Report:
    findings, houses = ran.judged(), [firm.house for firm in ran.firms]
    return Report(
        verdict=verdict(findings, ran.tallies, trouble, FOR_GOOD),
        trouble=trouble,
        seed=seed,
        opportunities=sum(len(house.opportunities) for house in houses),
        estimates=sum(len(house.documents["estimate"]) for house in houses),
        invoices=sum(len(house.documents["invoice"]) for house in houses),
        seconds=seconds,
        faults=ran.tallies,
        sums=sums(houses),
        findings=findings,
    )


def _amount(minor: int, currency: str) -> str:
    return f"{minor / 10 ** PLACES[currency]:,.{PLACES[currency]}f}"


def main() -> int:
    """Run the campaign that the command line asks for, and return the exit code."""
    asked = parser("pipeline_campaign", __doc__, "opportunities", "build/pipeline.json").parse_args()
    plan = plan_for(asked.size, small=asked.small)
    return carry_out("pipeline", asked.report, lambda folder: campaign(plan, asked.seed, asked.database, folder))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the Temporal SDK can abort a process at interpreter exit, after all work is done
