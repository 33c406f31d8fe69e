"""What the campaigns have in common: running to the end or saying why not, the verdict, the command line."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from runtime.errors import Stop
from runtime.logs import set_up_logs
from tests.faults.judge import Finding
from tests.faults.report import EXIT_CODES, Tally, Verdict

DEFAULT_SEED = 20261123


class Reported(Protocol):
    """What a campaign came to."""

    @property
    def verdict(self) -> Verdict:
        """Green, red, unfinished or invalid."""

    def as_json(self) -> str:
        """Return everything, for machines."""

    def page(self) -> str:
        """Return one page for people."""


async def tried(run: Callable[[], Awaitable[None]], phase: Callable[[], str], deadline: float) -> str:
    """Run the phases of a campaign; return why they did not come to their end, an empty text if they did."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        async with asyncio.timeout(deadline):
            await run()
    except TimeoutError:
        return f"not finished after {deadline:.0f} s, in the phase: {phase()}"
    except asyncio.CancelledError:
        return f"interrupted in the phase: {phase()}"
    return ""


def verdict(
    findings: Sequence[Finding], tallies: Sequence[Tally], trouble: str, for_good: frozenset[str] = frozenset()
) -> Verdict:
    """Return the verdict. What is wrong `for_good` is so in a run that did not finish, too."""
    found = [each.what for each in findings if each.count]
    if trouble:
        return "red" if for_good.intersection(found) else "unfinished"
    if found:
        return "red"
    return "green" if all(each.enough for each in tallies) else "invalid"


def parser(prog: str, described: str | None, size: str, report: str) -> argparse.ArgumentParser:
    """Return the options that every campaign has; `size` names what there is to be so many of."""
    options = argparse.ArgumentParser(prog=f"python -m tests.faults.{prog}", description=described)
    options.add_argument(f"--{size}", type=int, default=0, dest="size", help="how many; 0 is for the size of the plan")
    options.add_argument("--seed", type=int, default=DEFAULT_SEED, help="decides chance wherever it is ours")
    options.add_argument("--database", default="", metavar="URL", help="of an empty store; else a SQLite file")
    options.add_argument("--small", action="store_true", help="shorter waits: the cut that `make test` runs")
    options.add_argument("--report", type=Path, default=Path(report), help="where the JSON goes")
    return options


def carry_out(name: str, into: Path, run: Callable[[Path], Coroutine[Any, Any, Reported]]) -> int:
    """Run a campaign in a folder of its own; print a page, write JSON, and return the exit code."""
    set_up_logs("campaign", level="error")
    folder = Path(tempfile.mkdtemp(prefix=f"ledgerline-{name}-"))
    try:
        report = asyncio.run(run(folder))
    except (Stop, AssertionError) as reason:
        say(f"the campaign could not be run: {reason}; kept: {folder}")
        return EXIT_CODES["unfinished"]
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text(report.as_json())
    sys.stdout.write(report.page())
    if report.verdict == "green":
        shutil.rmtree(folder, ignore_errors=True)
    else:
        say(f"kept, with its ledgers, logs and databases: {folder}")
    return EXIT_CODES[report.verdict]


def say(text: str) -> None:
    """Say how it goes, beside the report."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
