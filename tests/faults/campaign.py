"""The fault campaign on the real system: `python -m tests.faults.campaign [--parties N] [--crm zoho_crm] [--small] …`.

Faults, then heal, then drain, then check. The sandbox's ledger is the judge. What each option and each line of the
result means is in docs/faults.md. Exit codes: 0 green, 1 red, 2 not finished, 3 invalid (something never happened).
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from runtime.errors import Stop
from runtime.logs import set_up_logs
from tests.faults.crms import CAPSULE, CRMS
from tests.faults.judge import Ledger
from tests.faults.phases import Campaign
from tests.faults.plans import Break, Plan, plan_for
from tests.faults.report import EXIT_CODES, Options, Report, reported
from tests.faults.rig import HEALTHY, Rig, running

WORKERS = ("worker-a", "worker-b")
DEFAULT_SEED = 20261122


async def campaign(options: Options, plan: Plan, folder: Path) -> Report:
    """Run one campaign and return what came of it, also if it was interrupted or took too long. Raises Stop."""
    began = datetime.now(UTC)
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    store, kind = options.database, CRMS[options.crm]
    async with running(folder, connection=plan.connection, database_url=store, seed=options.seed, kind=kind) as rig:
        await _start_workers(rig, options.broken)
        ran = Campaign(rig, plan, WORKERS, Ledger(rig.ledger, kind.names), _say)
        trouble = await _tried(ran, plan)
        return await reported(ran, options, began, trouble)


async def _start_workers(rig: Rig, broken: Break | None) -> None:
    module: Sequence[str] = ("tests.faults.broken_worker", broken) if broken else HEALTHY
    await asyncio.gather(*(rig.start_worker(name, module) for name in WORKERS))
    await rig.sign_in()


async def _tried(ran: Campaign, plan: Plan) -> str:
    """Run the phases; return why they did not come to their end, an empty text if they did."""
    try:
        async with asyncio.timeout(plan.deadline):
            await ran.run()
    except TimeoutError:
        return f"not finished after {plan.deadline:.0f} s, in the phase: {ran.phase}"
    except asyncio.CancelledError:
        return f"interrupted in the phase: {ran.phase}"
    return ""


def main() -> int:
    """Run the campaign that the command line asks for; print a page, write JSON, and return the exit code."""
    asked = _parser().parse_args()
    options = Options(asked.parties, asked.seed, asked.database, asked.broken, asked.small, asked.crm)
    plan = plan_for(asked.parties, small=asked.small, broken=asked.broken)
    set_up_logs("campaign", level="error")
    folder = Path(tempfile.mkdtemp(prefix="ledgerline-faults-"))
    began = time.monotonic()
    try:
        report = asyncio.run(campaign(options, plan, folder))
    except (Stop, AssertionError) as reason:
        _say(f"the campaign could not be run: {reason}; kept: {folder}")
        return EXIT_CODES["unfinished"]
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    asked.report.write_text(report.as_json())
    sys.stdout.write(report.page(time.monotonic() - began))
    if report.verdict == "green":
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _say(f"kept, with its ledger, logs and databases: {folder}")
    return EXIT_CODES[report.verdict]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description="Creates under faults.")
    parser.add_argument("--parties", type=int, default=0, help="how many to create: 10,000, or 60 with --small")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="decides chance wherever it is ours")
    parser.add_argument("--database", default="", metavar="URL", help="of an empty store; else a SQLite file")
    parser.add_argument("--crm", choices=sorted(CRMS), default=CAPSULE.system, help="the CRM beside FreshBooks")
    parser.add_argument("--break", dest="broken", choices=("no-look", "no-settle"), help="leave out a safeguard")
    parser.add_argument("--small", action="store_true", help="shorter waits: the cut that `make test` runs")
    parser.add_argument("--report", type=Path, default=Path("build/faults.json"), help="where the JSON goes")
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the Temporal SDK can abort a process at interpreter exit, after all work is done
