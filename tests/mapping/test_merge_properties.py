"""What holds of the merge whatever anybody edits, on whichever side, in whatever order."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mapping.merge import Conflict, KeepBooks, Merged, merge
from mapping.rules import Direction, FieldRule, Owner, WhenEmpty
from mapping.values import Value
from tests.mapping.parties import patient

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    """Both sides of one pair, what they last agreed on, and when each was last touched."""

    base: Mapping[str, Value] | None
    crm: Mapping[str, Value]
    books: Mapping[str, Value]
    rules: Mapping[str, FieldRule]
    crm_changed_at: datetime | None = None
    books_changed_at: datetime | None = None

    def merge(self) -> Merged:
        times = {"crm_changed_at": self.crm_changed_at, "books_changed_at": self.books_changed_at}
        return merge(self.base, self.crm, self.books, self.rules, **times)

    def after(self, result: Merged) -> "Pair":
        """Return the pair once everything that was planned is written."""
        crm, books = {**self.crm, **result.crm_writes}, {**self.books, **result.books_writes}
        return replace(self, base=result.next_base(), crm=crm, books=books)

    def passed(self) -> "Pair":
        return self.after(self.merge())


FIELDS = ["fname", "email", "fax", "note"]
VALUE = st.sampled_from(["a", "b", "c", None])
VALUES = st.dictionaries(st.sampled_from(FIELDS), VALUE)
TIMES = st.none() | st.sampled_from([MONDAY, MONDAY + timedelta(seconds=3), MONDAY + timedelta(hours=1)])
TWO_WAY = st.builds(FieldRule, owner=st.sampled_from(Owner), direction=st.just(Direction.BOTH))
ONE_WAY = st.builds(FieldRule, owner=st.sampled_from(Owner), when_empty=st.sampled_from(WhenEmpty))


def pairs(rule: st.SearchStrategy[FieldRule] = TWO_WAY | ONE_WAY) -> st.SearchStrategy[Pair]:
    rules = st.fixed_dictionaries(dict.fromkeys(FIELDS, rule))
    return st.builds(Pair, st.none() | VALUES, VALUES, VALUES, rules, TIMES, TIMES)


@patient
@given(pairs(), TIMES, TIMES)
def test_after_the_writes_nothing_is_left_to_write(
    pair: Pair, crm_touched: datetime | None, books_touched: datetime | None
) -> None:
    """F20: also when either record is touched elsewhere. What waits for a person goes on waiting."""
    first = pair.merge()
    settled = pair.after(first)
    second = settled.merge()
    assert (second.books_writes, second.crm_writes) == ({}, {})
    assert second.conflicts == first.conflicts
    touched = replace(settled, crm_changed_at=crm_touched, books_changed_at=books_touched).merge()
    assert set(touched.books_writes) | set(touched.crm_writes) <= set(first.conflicts)


@patient
@given(pairs())
def test_the_base_is_the_same_on_every_further_pass(pair: Pair) -> None:
    settled = pair.passed()
    assert settled.merge().next_base() == settled.base


@patient
@given(pairs())
def test_no_edit_that_only_one_side_made_is_lost(pair: Pair) -> None:
    """F21: and emptying a field is an edit."""
    settled = pair.passed()
    for field, rule in pair.rules.items():
        old, crm, books = ((side or {}).get(field) for side in (pair.base, pair.crm, pair.books))
        if old == crm:
            assert settled.books.get(field) == books
        elif old == books and not (crm is None and rule.when_empty is WhenEmpty.KEEP):
            assert settled.books.get(field) == crm
        if old == crm and rule.direction is Direction.BOTH:
            assert settled.crm.get(field) == books


@patient
@given(pairs())
def test_the_owner_stands_where_both_sides_edited(pair: Pair) -> None:
    """S4, S55"""
    result = pair.merge()
    settled = pair.after(result)
    for field, rule in pair.rules.items():
        old, crm, books = ((side or {}).get(field) for side in (pair.base, pair.crm, pair.books))
        if crm in (old, books) or books == old or (crm is None and rule.when_empty is WhenEmpty.KEEP):
            assert field not in result.conflicts
        elif rule.owner is Owner.CRM:
            assert settled.books.get(field) == settled.crm.get(field) == crm
        elif rule.owner is Owner.BOOKS:
            assert settled.books.get(field) == books
            assert settled.crm.get(field) == (books if rule.direction is Direction.BOTH else crm)
        elif rule.owner is Owner.ASK:
            assert result.conflicts[field] == Conflict(crm, books)


@patient
@given(pairs())
def test_the_newest_edit_stands_where_it_can_be_told(pair: Pair) -> None:
    """S43"""
    result = pair.merge()
    decided = pair.crm_changed_at is not None and pair.books_changed_at is not None
    apart = abs((pair.crm_changed_at or MONDAY) - (pair.books_changed_at or MONDAY)) > timedelta(minutes=1)
    newest = {field for field, rule in pair.rules.items() if rule.owner is Owner.NEWEST}
    if decided and apart:
        assert not newest & set(result.conflicts)
    else:
        moved = {field for field in newest if field in result.books_writes.keys() | result.crm_writes.keys()}
        old = pair.base or {}
        assert all(old.get(field) in (pair.crm.get(field), pair.books.get(field)) for field in moved)


@patient
@given(pairs())
def test_after_the_writes_a_field_is_agreed_or_in_conflict_or_kept_apart(pair: Pair) -> None:
    result = pair.merge()
    settled = pair.after(result)
    for field, decision in result.decisions.items():
        apart = isinstance(decision, KeepBooks | Conflict)
        assert apart == (settled.crm.get(field) != settled.books.get(field))


@patient
@given(pairs(), st.sampled_from(["crm", "books"]))
def test_a_person_is_asked_once(pair: Pair, take: str) -> None:
    resolved = pair.merge().resolve("crm" if take == "crm" else "books")
    assert pair.after(resolved).merge().conflicts == {}


@patient
@given(pairs(ONE_WAY))
def test_what_goes_one_way_never_reaches_the_crm(pair: Pair) -> None:
    """S45"""
    assert pair.merge().crm_writes == {}


@patient
@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_fields_changes_nothing(pair: Pair, dice: random.Random) -> None:
    fields = list(pair.rules)
    dice.shuffle(fields)
    shuffled = replace(pair, rules={field: pair.rules[field] for field in fields})
    assert shuffled.merge().decisions == pair.merge().decisions
    assert shuffled.merge().next_base() == pair.merge().next_base()


@patient
@given(pairs(TWO_WAY))
def test_two_way_rules_treat_both_sides_alike(pair: Pair) -> None:
    other = {Owner.CRM: Owner.BOOKS, Owner.BOOKS: Owner.CRM}
    rules = {f: FieldRule(owner=other.get(r.owner, r.owner), direction=r.direction) for f, r in pair.rules.items()}
    mirrored = Pair(pair.base, pair.books, pair.crm, rules, pair.books_changed_at, pair.crm_changed_at).merge()
    result = pair.merge()
    assert mirrored.books_writes == result.crm_writes
    assert mirrored.crm_writes == result.books_writes
    assert set(mirrored.conflicts) == set(result.conflicts)
    assert mirrored.next_base() == result.next_base()


SIDES = dict(zip(FIELDS, ["crm", "books", "crm", "books"], strict=True))
"""Who edits which field: each has one side only, whatever its owner."""
EDITS = st.lists(st.tuples(st.sampled_from(FIELDS), VALUE), max_size=8)


def edited(pair: Pair, field: str, value: Value) -> Pair:
    if SIDES[field] == "crm":
        return replace(pair, crm={**pair.crm, field: value})
    return replace(pair, books={**pair.books, field: value})


@patient
@given(pairs(TWO_WAY), EDITS, st.sets(st.integers(0, 8)), st.randoms(use_true_random=False))
def test_passes_may_come_between_edits_at_any_time_and_edits_in_any_order(
    pair: Pair, edits: Sequence[tuple[str, Value]], passes: set[int], dice: random.Random
) -> None:
    """F14: of each field the last edit stands on both sides, however edits and passes interleave."""
    start = replace(pair, crm={}, books={}, base={})
    between = start
    for place, (field, value) in enumerate(edits):
        between = edited(between.passed() if place in passes else between, field, value)
    last = list(dict(edits).items())
    dice.shuffle(last)
    at_once = start
    for field, value in last:
        at_once = edited(at_once, field, value)
    for end in (between.passed(), at_once.passed()):
        assert {field: end.crm.get(field) for field in FIELDS} == {field: dict(edits).get(field) for field in FIELDS}
        assert {field: end.books.get(field) for field in FIELDS} == {field: dict(edits).get(field) for field in FIELDS}


@patient
@given(pairs(TWO_WAY))
def test_after_an_erased_base_no_value_is_lost_that_only_one_side_has(pair: Pair) -> None:
    """F4: an empty side is no edit as long as nothing was ever agreed on."""
    settled = replace(pair, base=None).passed()
    for field in FIELDS:
        crm, books = pair.crm.get(field), pair.books.get(field)
        if crm is None or books is None:
            assert settled.crm.get(field) == settled.books.get(field) == (books if crm is None else crm)


@patient
@given(pairs())
def test_a_crash_between_the_two_writes_changes_nothing_in_the_end(pair: Pair) -> None:
    """F21: the books are written and the CRM is not; the next pass ends where this one would have."""
    result = pair.merge()
    halfway = replace(
        pair, books={**pair.books, **result.books_writes}, base=result.next_base(crm_written=False)
    ).passed()
    whole = pair.after(result)
    assert (halfway.crm, halfway.books, halfway.base) == (whole.crm, whole.books, whole.base)
