"""The three-way merge: what each field should become on both sides, given what they last agreed on.

Pure and total. Our own write coming back as a change plans nothing, because base and both sides agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from mapping.rules import Direction, FieldRule, Owner, WhenEmpty
from mapping.values import Value

Side: TypeAlias = Literal["crm", "books"]

CLOCK_DIFFERENCE = timedelta(seconds=5)
"""Edits nearer to each other than this have no order: two systems' clocks differ, and both write whole seconds."""


@dataclass(frozen=True)
class Agreed:
    """Both sides say this."""

    value: Value


@dataclass(frozen=True)
class WriteBooks:
    """The books should say this, as the CRM does."""

    value: Value


@dataclass(frozen=True)
class WriteCrm:
    """The CRM should say this, as the books do."""

    value: Value


@dataclass(frozen=True)
class KeepBooks:
    """The books keep this and the CRM keeps what it has: the rule's direction is to-books.

    `overruled` if the CRM had moved too and lost: its value then counts as seen, so that the same edit is not weighed
    again on the next pass, when perhaps another field made the CRM the newer side.
    """

    value: Value
    overruled: bool = False


@dataclass(frozen=True)
class Conflict:
    """Both sides moved, and a person decides."""

    crm: Value
    books: Value


Decision: TypeAlias = Agreed | WriteBooks | WriteCrm | KeepBooks | Conflict


@dataclass(frozen=True)
class Merged:
    """What a merge decided, per books field."""

    decisions: Mapping[str, Decision]
    base: Mapping[str, Value]
    crm: Mapping[str, Value]
    rules: Mapping[str, FieldRule]

    @property
    def books_writes(self) -> dict[str, Value]:
        """What to write to the client. None empties the field."""
        return {field: each.value for field, each in self.decisions.items() if isinstance(each, WriteBooks)}

    @property
    def crm_writes(self) -> dict[str, Value]:
        """What to write to the CRM, still keyed by books field: `Template.crm_changes` knows where each belongs."""
        return {field: each.value for field, each in self.decisions.items() if isinstance(each, WriteCrm)}

    @property
    def conflicts(self) -> dict[str, Conflict]:
        """What a person has to decide."""
        return {field: each for field, each in self.decisions.items() if isinstance(each, Conflict)}

    def resolve(self, take: Side) -> "Merged":
        """Return the merge with every conflict settled for that side, as a person chose."""
        settled = {
            field: _stand(self.rules[field], take, each.crm, each.books) for field, each in self.conflicts.items()
        }
        return replace(self, decisions={**self.decisions, **settled})

    def next_base(self, *, crm_written: bool = True) -> dict[str, Value]:
        """Return the base to store once the writes are done.

        A field on which both sides then agree has that value; one that stays apart keeps its old base, or none. The
        books are written first: `crm_written=False` gives the base to store after that, in which what the CRM has yet
        to take over is not agreed on.
        """
        base = {field: self.base[field] for field in self.decisions if field in self.base}
        for field, each in self.decisions.items():
            if isinstance(each, Agreed | WriteBooks) or (isinstance(each, WriteCrm) and crm_written):
                base[field] = each.value
            elif isinstance(each, KeepBooks) and each.overruled:
                base[field] = self.crm.get(field)
        return base


def merge(
    base: Mapping[str, Value] | None,
    crm: Mapping[str, Value],
    books: Mapping[str, Value],
    rules: Mapping[str, FieldRule],
    *,
    crm_changed_at: datetime | None = None,
    books_changed_at: datetime | None = None,
) -> Merged:
    """Return what every field that has a rule should become. A field that a side does not name is empty there.

    Without a base an empty side is not an edit: the other side's value stands. The times are aware and matter only
    where the newest edit wins; if one is unknown, or they are too close to tell, such a field is a conflict. They are
    of the whole records: neither system says when a field changed, and Capsule's moves when anything about the party
    does, perhaps even a note. Raises ValueError for a time without a zone: FreshBooks writes Eastern time, Capsule UTC.
    """
    newest = _newest(crm_changed_at, books_changed_at)
    old = base or {}
    decisions = {
        field: decide(rule, old.get(field), crm.get(field), books.get(field), newest) for field, rule in rules.items()
    }
    return Merged(decisions, old, crm, rules)


def decide(rule: FieldRule, base: Value, crm: Value, books: Value, newest: Side | None) -> Decision:
    """Return what one field should become. A base of None is that of a field never agreed on, or agreed to be empty."""
    if crm == books:
        return Agreed(crm)
    has_opinion = crm is not None or rule.when_empty is WhenEmpty.CLEAR
    if crm == base or not has_opinion:
        return WriteCrm(books) if rule.direction is Direction.BOTH else KeepBooks(books)
    if books == base:
        return WriteBooks(crm)
    winner = _winner(rule.owner, newest)
    return Conflict(crm, books) if winner is None else _stand(rule, winner, crm, books)


def _winner(owner: Owner, newest: Side | None) -> Side | None:
    sides: Mapping[Owner, Side | None] = {Owner.CRM: "crm", Owner.BOOKS: "books", Owner.NEWEST: newest, Owner.ASK: None}
    return sides[owner]


def _stand(rule: FieldRule, winner: Side, crm: Value, books: Value) -> Decision:
    """Return how this side's value stands although both moved."""
    if winner == "crm":
        return WriteBooks(crm)
    return WriteCrm(books) if rule.direction is Direction.BOTH else KeepBooks(books, overruled=True)


def _newest(crm: datetime | None, books: datetime | None) -> Side | None:
    for side, instant in (("CRM", crm), ("books", books)):
        if instant is not None and instant.tzinfo is None:
            raise ValueError(f"the time of the change in the {side} has no time zone")
    if crm is None or books is None or abs(crm - books) <= CLOCK_DIFFERENCE:
        return None
    return "crm" if crm > books else "books"
