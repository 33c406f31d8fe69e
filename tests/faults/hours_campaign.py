"""Each hour is billed once: `python -m tests.faults.hours_campaign [--entries N] [--small] [--seed N] [--report FILE]`.

Forty people log time for clients in five currencies, and it is billed while answers are lost, searches lag, and workers
die between any two steps. The sandbox's ledger is the judge. What it means is in docs/faults.md. Exit codes: 0 green,
1 red, 2 not finished, 3 invalid.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import Stop
from runtime.logs import set_up_logs
from tests.faults.hours_judge import FOR_GOOD, sums
from tests.faults.hours_phases import HoursCampaign, Plan, plan_for
from tests.faults.hours_reckoning import PLACES
from tests.faults.hours_rig import hours_firm
from tests.faults.judge import Finding
from tests.faults.report import EXIT_CODES, Tally, Verdict

WORKERS = ("worker-a", "worker-b")
DEFAULT_SEED = 20261123


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
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with hours_firm(folder, plan.size, plan.connection, seed=seed, database_url=database) as (rig, books):
        ran = HoursCampaign(rig, books, plan, WORKERS)
        started = round(time.monotonic() - began, 1)
        trouble = await _tried(ran, plan)
        took = {"start": started, **ran.seconds, "all": round(time.monotonic() - began, 1)}
        return _reported(ran, await ran.judged(), seed, took, trouble)


async def _tried(ran: HoursCampaign, plan: Plan) -> str:
    """Run the phases; return why they did not come to their end, an empty text if they did."""
    try:
        async with asyncio.timeout(plan.deadline):
            await ran.run(_say)
    except TimeoutError:
        return f"not finished after {plan.deadline:.0f} s, in the phase: {ran.phase}"
    except asyncio.CancelledError:
        return f"interrupted in the phase: {ran.phase}"
    return ""


def _reported(
    ran: HoursCampaign, findings: Sequence[Finding], seed: int, seconds: dict[str, float], trouble: str
) -> Report:
    books = ran.books
    return Report(
        verdict=_verdict(findings, ran.tallies, trouble),
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


def _verdict(findings: Sequence[Finding], tallies: Sequence[Tally], trouble: str) -> Verdict:
    found = [each.what for each in findings if each.count]
    if trouble:
        return "red" if FOR_GOOD.intersection(found) else "unfinished"
    if found:
        return "red"
    return "green" if all(each.enough for each in tallies) else "invalid"


def _amount(minor: int, currency: str) -> str:
    return f"{minor / 10 ** PLACES[currency]:,.{PLACES[currency]}f}"


def main() -> int:
    """Run the campaign that the command line asks for; print a page, write JSON, and return the exit code."""
    asked = _parser().parse_args()
    plan = plan_for(asked.entries, small=asked.small)
    set_up_logs("campaign", level="error")
    folder = Path(tempfile.mkdtemp(prefix="ledgerline-hours-"))
    try:
        report = asyncio.run(campaign(plan, asked.seed, asked.database, folder))
    except (Stop, AssertionError) as reason:
        _say(f"the campaign could not be run: {reason}; kept: {folder}")
        return EXIT_CODES["unfinished"]
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    asked.report.write_text(report.as_json())
    sys.stdout.write(report.page())
    if report.verdict == "green":
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _say(f"kept, with its ledgers, logs and databases: {folder}")
    return EXIT_CODES[report.verdict]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hours_campaign", description=__doc__)
    parser.add_argument("--entries", type=int, default=0, help="time entries: 5,000, or 60 with --small")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="decides chance wherever it is ours")
    parser.add_argument("--database", default="", metavar="URL", help="of an empty store; else a SQLite file")
    parser.add_argument("--small", action="store_true", help="shorter waits: the cut that `make test` runs")
    parser.add_argument("--report", type=Path, default=Path("build/hours.json"), help="where the JSON goes")
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the Temporal SDK can abort a process at interpreter exit, after all work is done
