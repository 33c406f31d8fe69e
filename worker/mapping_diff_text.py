"""How the difference between two mappings reads. Values stand in it only if somebody asked for them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from activities.opportunity_models import Line
from mapping.plan import FieldWrite
from mapping.values import Value
from worker.mapping_diff import ClientsDifference
from worker.mapping_diff_opportunities import Change, Document, OpportunitiesDifference
from worker.mapping_inputs import Head
from worker.mapping_sides import Side, rule_changes, setting_changes

WIDTH = 110
FEW = 5
PLURALS = {"client": "clients", "party": "parties"}
EXISTING = (
    "These are documents as they would be made anew. Those that FreshBooks has keep their lines until name, value or "
    "currency of the opportunity change."
)


@dataclass(frozen=True)
class Difference:
    """Everything that differs between two mappings, as far as the recorded inputs tell."""

    old: Side
    new: Side
    head: Head
    clients: ClientsDifference
    opportunities: OpportunitiesDifference | None

    @property
    def rules(self) -> list[str]:
        """Which fields have other rules."""
        return rule_changes(self.old.template, self.new.template)

    @property
    def settings(self) -> list[str]:
        """Which other settings of the two flows differ."""
        return setting_changes(self.old.connection, self.new.connection)

    def __bool__(self) -> bool:
        """Whether anything differs at all: rules that no recorded record meets count too."""
        records = self.clients.count or (self.opportunities and self.opportunities.changes)
        return bool(self.rules or self.settings or records)

    def text(self, *, values: bool) -> str:
        """Return it for people to read; with `values` also what would be written, which is personal data."""
        return "\n".join(_lines(self, values=values))


def _lines(found: Difference, *, values: bool) -> Iterator[str]:
    head, clients = found.head, found.clients
    part = ", a part of what the CRM has" if head.is_part else ""
    yield f"inputs: {head.connection} ({head.crm}), recorded {head.recorded_at:%Y-%m-%d %H:%M} UTC{part}"
    yield f"mapping: {found.old.template.version} in {found.old.path}, {found.new.template.version} in {found.new.path}"
    if not found:
        yield "nothing differs"
        return
    yield from _listed("rules that differ", found.rules)
    yield from _listed("settings that differ", found.settings)
    yield f"clients: {clients.count:,} of {clients.compared:,} differ"
    yield from _of_clients(clients, values=values)
    if found.opportunities is not None:
        yield f"opportunities: {len(found.opportunities.changes):,} of {found.opportunities.compared:,} differ"
        yield from _of_opportunities(found.opportunities, values=values)


def _listed(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"{title}:"
        yield from (f"  {each}" for each in items)


def _of_clients(found: ClientsDifference, *, values: bool) -> Iterator[str]:
    yield from _fields("client", found.writes)
    yield from _fields("party", found.crm_writes)
    yield from _ids("newly left out", "party", found.left_out)
    yield from _ids("newly taken in", "party", found.taken_in)
    yield from _ids("no longer held", "party", found.no_longer_held)
    if found.held:
        yield f"  newly held: {len(found.held):,}"
        yield from (f"    party {party}: {why}" for party, why in found.held.items())
    if values:
        for side, writes in (("client", found.writes), ("party", found.crm_writes)):
            for party, fields in writes.items():
                yield f"  {'client of ' if side == 'client' else ''}party {party}"
                yield from (f"    {each.field}: {_shown(each.before)} -> {_shown(each.after)}" for each in fields)


def _fields(side: str, writes: Mapping[int, Sequence[FieldWrite]]) -> Iterator[str]:
    """Give in how many records each field would be written, and in some of which."""
    counted = Counter(each.field for fields in writes.values() for each in fields)
    for field, count in sorted(counted.items()):
        ids = [party for party, fields in writes.items() if any(each.field == field for each in fields)]
        yield f"  {field} of {count:,} {side if count == 1 else PLURALS[side]} (party {_few(ids)})"


def _of_opportunities(found: OpportunitiesDifference, *, values: bool) -> Iterator[str]:
    yield from (f"  {name}: {count:,}" for name, count in sorted(found.fields.items()))
    out = [each for each in found.changes if each.new.is_left_out]
    back = [each for each in found.changes if each.old.is_left_out]
    yield from _ids("newly left out", "opportunity", [each.opportunity_id for each in out])
    yield from _ids("newly taken in", "opportunity", [each.opportunity_id for each in back])
    held = {
        each.opportunity_id: each.new.why for each in found.changes if each.new.why != each.old.why and each.new.why
    }
    if held:
        yield f"  newly without documents: {len(held):,}"
        yield from (f"    opportunity {opportunity}: {why}" for opportunity, why in held.items())
    for change in found.changes:
        yield from _of_change(change, values=values)
    if found.totals:
        yield "  predicted totals (old, new, difference):"
    for each in found.totals:
        minor = f"{each.difference.minor:+,} minor units"
        counts = f"{each.old_count:,} -> {each.new_count:,} {each.kind}s"
        sums = f"{each.old.format()}, {each.new.format()}, {each.difference.amount:+f} {each.difference.currency}"
        yield f"    {counts}: {sums} ({minor})"
    yield from (f"  {line}" for line in wrap(EXISTING, WIDTH))


def _of_change(change: Change, *, values: bool) -> Iterator[str]:
    for kind in sorted(change.old.documents.keys() | change.new.documents.keys()):
        old, new = change.old.documents.get(kind), change.new.documents.get(kind)
        if old == new or not (_lines_of(old) != _lines_of(new) or values):
            continue
        yield f"  opportunity {change.opportunity_id}, {kind}: {_count(old)} -> {_count(new)}"
        if values:
            yield from (f"    - {line}" for line in _unlike(old, new))
            yield from (f"    + {line}" for line in _unlike(new, old))


def _unlike(document: Document | None, other: Document | None) -> Iterator[str]:
    """Give what a document says that the other one does not."""
    if document is None:
        return
    if document.lines != _lines_of(other):
        yield from map(_line, document.lines)
    if other is None or document.gross != other.gross:
        yield f"total {document.gross}"
    for field, value in sorted(document.fields.items()):
        if value not in (None, "", False) and (other is None or other.fields.get(field) != value):
            yield f"{field}: {_shown(value)}"


def _line(line: Line) -> str:
    taxes = "".join(f", {tax.name} {tax.percent} %" for tax in line.taxes)
    return f"{line.quantity} x {line.unit_cost} {_shown(line.name)}{taxes}"


def _lines_of(document: Document | None) -> Sequence[Line]:
    return document.lines if document is not None else ()


def _count(document: Document | None) -> str:
    if document is None:
        return "none"
    return f"{len(document.lines)} line{'' if len(document.lines) == 1 else 's'}"


def _ids(title: str, record: str, ids: Sequence[int]) -> Iterator[str]:
    if ids:
        yield f"  {title}: {len(ids):,}"
        listed = f"{record} {', '.join(map(str, ids))}"
        yield from (f"    {line}" for line in wrap(listed, WIDTH))


def _few(ids: Sequence[int]) -> str:
    return f"{', '.join(map(str, ids[:FEW]))}{', …' if len(ids) > FEW else ''}"


def _shown(value: Value) -> str:
    """Return a value in one line; what is empty, and what has no letters to show, is told apart."""
    return "(empty)" if value is None else repr(value) if isinstance(value, str) else "yes" if value else "no"
