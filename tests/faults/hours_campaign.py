"""Each hour is billed once: `python -m tests.faults.hours_campaign [--entries N] [--small] [--seed N] [--report FILE]`.

Forty people log time for clients in five currencies, and it is billed while answers are lost, searches lag, and workers
die between any two steps. The sandbox's ledger is the judge. What it means is in docs/faults.md. Exit codes: 0 green,
1 red, 2 not finished, 3 invalid.
"""

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
from tests.faults.hours_judge import FOR_GOOD, sums
from tests.faults.hours_phases import HoursCampaign, Plan, plan_for
from tests.faults.hours_reckoning import PLACES
from tests.faults.hours_rig import hours_firm
from tests.faults.judge import Finding
from tests.faults.report import Tally, Verdict

WORKERS = ("worker-a", "worker-b")


@dataclass(frozen=True)
class Report:
    """One campaign. `sums` has by currency what the hours come to, and what was invoiced: minor units after tax."""

    verdict: Verdict
    trouble: str
    seed: int
    entries: int
    billed: int
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
        made = f"{self.billed:,} billed in {self.invoices:,} invoices"
        rows = [f"hours campaign: {self.entries:,} time entries, {made}, seed {self.seed}"]
        rows += [f"took {self.seconds['all'] / 60:.1f} min: {self.seconds}", "", f"{'':50} {'planned':>9} {'came':>9}"]
        rows += [f"{each.what:50} {each.planned:>9,} {each.fired:>9,}" for each in self.faults]
        rows += ["", f"{'after tax':29} {'by the hours':>20} {'invoiced':>20}"]
        for currency, (due, billed) in self.sums.items():
            rows.append(f"{currency:29} {_amount(due, currency):>20} {_amount(billed, currency):>20}")
        rows += ["", f"{'must never be':60} {'found':>9}"]
        for finding in self.findings:
            named = f"   <-- {', '.join(finding.offenders[:3])}" if finding.count else ""
            rows.append(f"{finding.what:60} {finding.count:>9,}{named}")
        return "\n".join([*rows, "", f"{self.verdict.upper()} {self.trouble}", ""])


async def campaign(plan: Plan, seed: int, database: str, folder: Path) -> Report:
    """Run one campaign and return what came of it, also if it was interrupted or took too long. Raises Stop."""
    began = time.monotonic()
    async with hours_firm(folder, plan.size, plan.connection, seed=seed, database_url=database) as (rig, books):
        ran = HoursCampaign(rig, books, plan, WORKERS)
        started = round(time.monotonic() - began, 1)
        trouble = await tried(partial(ran.run, say), lambda: ran.phase, plan.deadline)
        took = {"start": started, **ran.seconds, "all": round(time.monotonic() - began, 1)}
        return _reported(ran, await ran.judged(), seed, took, trouble)


def _reported(
    ran: HoursCampaign, findings: Sequence[Finding], seed: int, seconds: dict[str, float], trouble: str
) -> Report:
    books = ran.books
    return Report(
        verdict=verdict(findings, ran.tallies, trouble, FOR_GOOD),
        trouble=trouble,
        seed=seed,
        entries=len(books.logged),
        billed=sum(len(bill.entry_ids) for bill in ran.bills if bill.invoice_id is not None),
        invoices=len(books.invoices),
        seconds=seconds,
        faults=ran.tallies,
        sums=sums(books),
        findings=findings,
    )


def _amount(minor: int, currency: str) -> str:
    return f"{minor / 10 ** PLACES[currency]:,.{PLACES[currency]}f}"


def main() -> int:
    """Run the campaign that the command line asks for, and return the exit code."""
    asked = parser("hours_campaign", __doc__, "entries", "build/hours.json").parse_args()
    plan = plan_for(asked.size, small=asked.small)
    return carry_out("hours", asked.report, lambda folder: campaign(plan, asked.seed, asked.database, folder))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the Temporal SDK can abort a process at interpreter exit, after all work is done
