"""Time entries become the lines of an invoice: all that are due, or none with every reason.

Every line keeps the ids of its entries, so that each of them can be marked as billed, and none is billed twice.
Source: https://www.freshbooks.com/api/time_entries, /api/invoices (neither bills entries by itself)
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from zoneinfo import ZoneInfo

from mapping.durations import DurationRounding
from mapping.line_words import GroupBy, LineWords, Names, key_of
from mapping.lines import DocumentLine, LineTax, refuse
from mapping.money import Money, plain
from mapping.periods import Period
from mapping.rates import DEFAULT_ORDER, FoundRate, RatePlace, Rates, Work, find_rates
from mapping.rounding import DEFAULT_POLICY, RoundingPolicy
from mapping.time_entries import LeftOutEntry, Project, Selection, TimeEntry, once_each, unsound
from mapping.totals import Totals, predict
from mapping.values import UnmappableValue

NAMED_AT_ONCE = 20


@dataclass(frozen=True)
class BilledClient:
    """Who is billed, and in which currency."""

    id: int
    currency: str


@dataclass(frozen=True)
class HoursRules:
    """How hours are billed. `zone` is the business's; time that was left is billed too from the day `late_from` on.

    `most_lines` is what one invoice may have, and the rest goes to further ones: FreshBooks publishes no limit.
    """

    zone: ZoneInfo
    group_by: tuple[GroupBy, ...] = (GroupBy.PROJECT, GroupBy.SERVICE)
    durations: DurationRounding = field(default_factory=DurationRounding)
    rate_order: tuple[RatePlace, ...] = DEFAULT_ORDER
    taxes: tuple[LineTax, ...] = ()
    rounding: RoundingPolicy = DEFAULT_POLICY
    words: LineWords = field(default_factory=LineWords)
    late_from: date | None = None
    most_lines: int | None = None


@dataclass(frozen=True)
class HoursFacts:
    """What was read: time entries in any order, their projects by id, rates, and the names that lines may show."""

    entries: Sequence[TimeEntry]
    projects: Mapping[int, Project] = field(default_factory=dict)
    rates: Rates = field(default_factory=Rates)
    names: Names = field(default_factory=Names)


@dataclass(frozen=True)
class HoursLine:
    """A line, the entries in it, and how it came about: `worked` seconds, of which `charged` are billed.

    `amount` is the line before tax, as the books round it. `rate_places` says where its entries' rate stood.
    """

    line: DocumentLine
    entry_ids: tuple[int, ...]
    worked: int
    charged: int
    amount: Money
    rate_places: tuple[RatePlace, ...]


@dataclass(frozen=True)
class HoursInvoice:
    """One invoice: its lines, in the order of the work, and what FreshBooks will make of them."""

    client: BilledClient
    lines: tuple[HoursLine, ...]
    totals: Totals

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """The ids of all its entries, in order."""
        return tuple(sorted(number for line in self.lines for number in line.entry_ids))

    @property
    def digest(self) -> str:
        """What an approval is bound to: 64 hexadecimal characters that change with anything that would be written."""
        return _digest([self.content()])

    def content(self) -> str:
        """Return all that would be written, and of which entries, always spelt alike. Not for logs: it names people."""
        said = {
            "client": self.client.id,
            "currency": self.client.currency,
            "gross": self.totals.gross.format(),
            "lines": [_said(each) for each in self.lines],
        }
        return json.dumps(said, sort_keys=True, ensure_ascii=True)


@dataclass(frozen=True)
class HoursPlan:
    """What a run would bill, and what it leaves out: every entry that was read is in exactly one of the two.

    Without anything to bill there is no invoice; with more lines than fit there are several.
    """

    client: BilledClient
    period: Period
    invoices: tuple[HoursInvoice, ...]
    left_out: tuple[LeftOutEntry, ...]

    @property
    def digest(self) -> str:
        """What an approval of all its invoices is bound to. What is left out does not change it."""
        return _digest([each.content() for each in self.invoices])


def plan_hours(client: BilledClient, period: Period, facts: HoursFacts, rules: HoursRules) -> HoursPlan:
    """Return the invoices of one client's hours in one period. The order of the entries makes no difference.

    Raises UnmappableValue with every reason if a single entry that is due cannot be billed, naming it by id: an invoice
    without it would look complete.
    """
    entries, torn = once_each(facts.entries)
    selection = Selection(client.id, period, rules.zone, rules.late_from)
    due, left_out = _sorted_out(entries, facts, selection)
    billed = _rated(due, client, facts, rules, torn)
    lines = _lines(_groups(billed, rules), facts.names, rules)
    return HoursPlan(client, period, tuple(_invoices(lines, client, rules)), tuple(left_out))


_Billed = tuple[TimeEntry, FoundRate]


def _sorted_out(
    entries: Sequence[TimeEntry], facts: HoursFacts, selection: Selection
) -> tuple[list[TimeEntry], list[LeftOutEntry]]:
    due, left_out = [], []
    for entry in entries:
        reason = selection.left_out(entry, _project(entry, facts))
        if reason is None:
            due.append(entry)
        else:
            left_out.append(LeftOutEntry(entry.id, reason))
    return due, left_out


def _rated(
    due: Sequence[TimeEntry], client: BilledClient, facts: HoursFacts, rules: HoursRules, torn: Sequence[int]
) -> list[_Billed]:
    """Return every entry with its rate. Raises UnmappableValue with all that is wrong with any of them."""
    problems: dict[str, list[int]] = defaultdict(list)
    if torn:
        problems["changed while the list was read; bill again"] += torn
    billed: list[_Billed] = []
    for entry in due:
        known = find_rates(_work(entry, client, facts), facts.rates, rules.rate_order)
        found = next((each for each in known if each.rate.currency == client.currency), None)
        problem = unsound(entry, facts.projects) or _rate_problem(found, known, client, rules)
        if problem is not None:
            problems[problem].append(entry.id)
        elif found is not None:
            billed.append((entry, found))
    if problems:
        texts = [f"{_named(ids)}: {problem}" for problem, ids in problems.items()]
        raise UnmappableValue("time entries", "; ".join(texts))
    return billed


def _rate_problem(
    found: FoundRate | None, known: Sequence[FoundRate], client: BilledClient, rules: HoursRules
) -> str | None:
    """Return why an entry has no price. `known` are its rates in any currency."""
    if not known:
        places = ", ".join(rules.rate_order)
        return f"no rate ({places}); set one in FreshBooks, or mark the time as not billable"
    if found is None:
        others = " and ".join(sorted({each.rate.currency for each in known}))
        return (
            f"a rate in {others}, and client {client.id} is billed in {client.currency}; nothing here converts, "
            f"so give the client a rate in {client.currency}"
        )
    if rules.rounding.is_too_fine(found.rate):
        return f"a rate ({found.place}) finer than the books keep of {client.currency}; round it"
    return None


def _groups(billed: Sequence[_Billed], rules: HoursRules) -> list[list[_Billed]]:
    """Return the entries of each line, in the order of the work. Different rates never share a line."""
    groups: dict[tuple[object, ...], list[_Billed]] = defaultdict(list)
    for entry, found in sorted(billed, key=lambda each: (each[0].started_at, each[0].id)):
        keys = (key_of(entry, by, rules.zone) for by in rules.group_by)
        groups[(*keys, found.rate)].append((entry, found))
    return list(groups.values())


def _lines(groups: Sequence[Sequence[_Billed]], names: Names, rules: HoursRules) -> list[HoursLine]:
    """Return a line for each group. Raises UnmappableValue with what is wrong with any of them."""
    lines, problems = [], []
    for part in groups:
        try:
            lines.append(_line(part, names, rules))
        except UnmappableValue as error:
            problems.append(f"{_named([entry.id for entry, _ in part])}: {error.reason}")
    refuse(problems)
    return lines


def _line(part: Sequence[_Billed], names: Names, rules: HoursRules) -> HoursLine:
    entries = [entry for entry, _ in part]
    rate = part[0][1].rate
    charged = rules.durations.line_seconds(sum(rules.durations.entry_seconds(each.seconds or 0) for each in entries))
    hours = rules.durations.hours(charged)
    name, description = rules.words.of(entries, rules.group_by, names, rules.zone)
    line = DocumentLine(name, rate, description, hours, rules.taxes)
    return HoursLine(
        line=line,
        entry_ids=tuple(sorted(each.id for each in entries)),
        worked=sum(each.seconds or 0 for each in entries),
        charged=charged,
        # Without its taxes: those may be rounded over the whole invoice, which is predicted as one.
        amount=predict([replace(line, taxes=())], policy=rules.rounding).net,
        rate_places=tuple(sorted({found.place for _, found in part})),
    )


def _invoices(lines: Sequence[HoursLine], client: BilledClient, rules: HoursRules) -> Iterator[HoursInvoice]:
    """Give the invoices, each with as many lines as it may have. Together they come to the net of all lines.

    Where taxes are rounded over a document, two invoices may have a minor unit more or less of tax than one.
    """
    most = rules.most_lines or max(1, len(lines))
    for start in range(0, len(lines), most):
        part = tuple(lines[start : start + most])
        yield HoursInvoice(client, part, predict([each.line for each in part], policy=rules.rounding))


def _work(entry: TimeEntry, client: BilledClient, facts: HoursFacts) -> Work:
    project = _project(entry, facts)
    method = project.billing_method if project is not None else None
    return Work(client.id, entry.project_id, entry.service_id, entry.person_id, method)


def _project(entry: TimeEntry, facts: HoursFacts) -> Project | None:
    return None if entry.project_id is None else facts.projects.get(entry.project_id)


def _named(ids: Sequence[int]) -> str:
    """Return entries by id; of very many only the first, for a text that nobody can read helps nobody."""
    shown = ", ".join(str(each) for each in sorted(ids)[:NAMED_AT_ONCE])
    more = f" and {len(ids) - NAMED_AT_ONCE} more" if len(ids) > NAMED_AT_ONCE else ""
    return f"time {'entry' if len(ids) == 1 else 'entries'} {shown}{more}"


def _said(part: HoursLine) -> dict[str, object]:
    line = part.line
    return {
        "name": line.name,
        "description": line.description,
        "quantity": plain(line.quantity),
        "unit_cost": line.unit_cost.format(),
        "taxes": [[tax.name, plain(tax.percent)] for tax in line.taxes],
        "entries": list(part.entry_ids),
    }


def _digest(contents: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()
