"""A mismatch report as one page of HTML that needs no network, no script, and can be printed."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from starters.charts import Bar, Chart, bar_chart
from starters.reconciliation_report import MismatchReport
from starters.reconciliation_tables import digits, summary_tables
from starters.reconciliation_texts import (
    CAUSES,
    KINDS,
    SIDES,
    STATES,
    completeness,
    counted,
    differing,
    kinds_of,
    system,
    verdict,
)
from starters.report_pages import TEMPLATES, exact, words
from store.reconciliation_models import Mismatch, MismatchKind, ReportHead

MOST_OF_A_KIND = 1_000
"""A browser has to show them; workbook and JSON have them all."""
MOST_BARS = 20


@dataclass(frozen=True)
class Group:
    """The mismatches of one kind. `count` is how many there are; the page may show fewer."""

    kind: MismatchKind
    title: str
    meaning: str
    count: int
    shown: Sequence[Mismatch]


def mismatch_page(report: MismatchReport) -> str:
    """Return the whole page. Names come from customers: everything is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "exact": partial(exact, digits=digits(report)),
        "words": partial(words, digits=digits(report)),
        "to_do": report.to_do,
    }
    return environment.get_template("reconciliation.html.j2").render(
        report=report,
        head=report.head,
        verdict=verdict(report.head),
        tone=tone(report.head),
        completeness=completeness(report.head),
        steps=next_steps(report),
        tables=summary_tables(report),
        groups=groups(report),
        systems=_systems(report.head),
        causes=CAUSES,
        states=STATES,
        charts={"history": trend_charts(report)},
        nonce=base64.b64encode(secrets.token_bytes(12)).decode(),
    )


def tone(head: ReportHead) -> str:
    """Return how the verdict is to be taken: `good`, `look` where something differs, `bad` where not all is known."""
    if head.state != "done" or not head.is_complete:
        return "bad"
    return "look" if differing(head) else "good"


def groups(report: MismatchReport) -> list[Group]:
    """Return the mismatches by kind, the first thousand of each."""
    found = []
    for kind in kinds_of(report.head):
        title, meaning = KINDS[kind]
        found.append(Group(kind, title, meaning, report.head.counts[kind], report.of(kind)[:MOST_OF_A_KIND]))
    return found


def next_steps(report: MismatchReport) -> list[str]:
    """Return what the reader can do about it, the most urgent first."""
    repairs = report.repairs()
    steps = []
    if repairs["person"]:
        steps.append(f"{counted(repairs['person'], 'difference')} for a person to decide")
    if repairs["sync"] and report.head.repaired:
        steps.append(f"{counted(report.head.repaired, 'record')} handed to the syncs: compare again to see the result")
    elif repairs["sync"]:
        steps.append(f"{counted(repairs['sync'], 'difference')} that a sync mends: ledgerline reconcile --repair")
    if repairs["none"]:
        steps.append(f"{counted(repairs['none'], 'difference')} with nothing to do, because their causes are known")
    return steps


def trend_charts(report: MismatchReport) -> list[Chart]:
    """Return how many differences each comparison found, the oldest first; of a single one there is no trend."""
    ended = [each for each in (report.head, *report.earlier) if each.state == "done"][:MOST_BARS]
    if len(ended) < 2:
        return []
    parts = ("known before", "new")
    title = f"Differences found by the last {len(ended)} comparisons"
    return [bar_chart("chart-trend", title, parts, [_bar(each) for each in reversed(ended)])]


def _bar(head: ReportHead) -> Bar:
    known = head.mismatches - head.new_mismatches
    incomplete = "" if head.is_complete else ", not complete"
    text = f"{head.mismatches:,}, {head.new_mismatches:,} new{incomplete}"
    return Bar(f"{head.started_at:%Y-%m-%d %H:%M}", [known, head.new_mismatches], text)


def _systems(head: ReportHead) -> dict[str, str]:
    """Return what each side is called: its system where that is known."""
    named = {each.side: system(each.system) for each in head.sides}
    return {side: named.get(side, f"the {words}") for side, words in SIDES.items()}  # type: ignore[call-overload]
