"""Every payment is judged: `python -m tests.faults.payments_campaign [--payments N] [--small] [--seed N] …`.

Customers in five currencies pay invoices in full, in parts, too much, too little, in other money, twice, for nothing,
and take it back, while webhooks are lost, answers are cut, reads are refused, and workers die. The sandbox's ledger and
a reckoning by hand are the judge. What it means is in docs/faults.md. Exit codes: 0 green, 1 red, 2 not finished,
3 invalid.
"""

import dataclasses
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.campaigns import carry_out, parser, say, tried, verdict
from tests.faults.judge import Finding
from tests.faults.payments_judge import SHOWN, sums
from tests.faults.payments_phases import PaymentsCampaign, Plan, plan_for
from tests.faults.report import Tally, Verdict
from tests.faults.rig import Rig, running

WORKERS = ("worker-a", "worker-b")


@dataclass(frozen=True)
class Report:
    """One campaign. `sums` has by currency what must be paid, what invoices show, and what opportunities show."""

    verdict: Verdict
    trouble: str
    seed: int
    payments: int
    invoices: int
    held: dict[str, int]
    judged: dict[str, int]
    seconds: dict[str, float]
    faults: Sequence[Tally]
    sums: dict[str, tuple[str, str, str]]
    findings: Sequence[Finding]

    def as_json(self) -> str:
        """Return everything, for machines."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    def page(self) -> str:
        """Return one page for people."""
        rows = [f"payments campaign: {self.payments:,} payments of {self.invoices:,} invoices, seed {self.seed}"]
        rows += [f"took {self.seconds['all'] / 60:.1f} min: {self.seconds}", "", f"{'':50} {'planned':>9} {'came':>9}"]
        rows += [f"{each.what:50} {each.planned:>9,} {each.fired:>9,}" for each in self.faults]
        rows += ["", f"judged: {self.judged}", f"held: {self.held}"]
        rows += ["", f"{'paid':10} {'must be':>20} {'in FreshBooks':>20} {'in the CRM':>20}"]
        rows += [f"{code:10} {a:>20} {b:>20} {c:>20}" for code, (a, b, c) in self.sums.items()]
        rows += ["", f"{'must never be':60} {'found':>9}"]
        for finding in self.findings:
            named = f"   <-- {', '.join(finding.offenders[:3])}" if finding.count else ""
            rows.append(f"{finding.what:60} {finding.count:>9,}{named}")
        return "\n".join([*rows, "", f"{self.verdict.upper()} {self.trouble}", ""])


async def campaign(plan: Plan, seed: int, database: str, folder: Path) -> Report:
    """Run one campaign and return what came of it, also if it was interrupted or took too long. Raises Stop."""
    began = time.monotonic()
    async with running(folder, connection=plan.connection, database_url=database, seed=seed) as rig:
        await _set_up(rig)
        ran = PaymentsCampaign(rig, plan, WORKERS, seed)
        started = round(time.monotonic() - began, 1)
        trouble = await tried(partial(ran.run, say), lambda: ran.phase, plan.deadline)
        took = {"start": started, **ran.seconds, "all": round(time.monotonic() - began, 1)}
        findings, said = await ran.judged(), await ran.said()
        return Report(
            verdict=verdict(findings, ran.tallies, trouble),
            trouble=trouble,
            seed=seed,
            payments=ran.entered,
            invoices=len(ran.sales),
            held=dict(Counter(said.reasons.values())),
            judged=dict(Counter(said.verdicts.values())),
            seconds=took,
            faults=ran.tallies,
            sums=sums(ran.sales, ran.ledger),
            findings=findings,
        )


async def _set_up(rig: Rig) -> None:
    """Let FreshBooks reckon by the currencies' own decimals, and opportunities have the fields that show invoices."""
    await rig.books.set(decimals="minor_units")
    url, token = f"{rig.crm.url}/api/v2/opportunities/fields/definitions", (await rig.crm.about())["tokens"]["access"]
    for name in SHOWN.values():
        await rig.crm.post(url, {"definition": {"name": name, "type": "text"}}, f"Bearer {token}")


def main() -> int:
    """Run the campaign that the command line asks for, and return the exit code."""
    asked = parser("payments_campaign", __doc__, "payments", "build/payments.json").parse_args()
    plan = plan_for(asked.size, small=asked.small)
    return carry_out("payments", asked.report, lambda folder: campaign(plan, asked.seed, asked.database, folder))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the Temporal SDK can abort a process at interpreter exit, after all work is done
