"""The three-way merge: what becomes of edits on either side."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.merge import Agreed, Conflict, KeepBooks, Merged, WriteBooks, WriteCrm, merge
from mapping.rules import Direction, FieldRule, Owner, WhenEmpty
from mapping.values import Value
from tests.mapping.parties import patient

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLD, CRM, BOOKS = "old@acme.test", "crm@acme.test", "books@acme.test"


def merged(
    base: Value, crm: Value, books: Value, owner: Owner = Owner.CRM, direction: Direction = Direction.BOTH
) -> Merged:
    """Merge one email address. A base of None is none at all."""
    rules = {"email": FieldRule(owner=owner, direction=direction)}
    return merge(None if base is None else {"email": base}, {"email": crm}, {"email": books}, rules)


@pytest.mark.parametrize("owner", Owner)
def test_an_edit_on_one_side_only_is_never_lost_whoever_owns_the_field(owner: Owner) -> None:
    """S55, F21"""
    assert merged(OLD, CRM, OLD, owner).books_writes == {"email": CRM}
    assert merged(OLD, OLD, BOOKS, owner).crm_writes == {"email": BOOKS}


def test_the_same_edit_on_both_sides_is_agreement() -> None:
    assert merged(OLD, CRM, CRM, Owner.ASK).decisions == {"email": Agreed(CRM)}


def test_an_edit_made_only_in_the_books_stays_there_when_the_mapping_goes_one_way() -> None:
    """F21"""
    result = merged(OLD, OLD, BOOKS, direction=Direction.TO_BOOKS)
    assert result.decisions == {"email": KeepBooks(BOOKS)}
    assert result.next_base() == {"email": OLD}


def test_a_field_emptied_in_the_crm_is_emptied_in_the_books() -> None:
    """S22"""
    assert merged(OLD, None, OLD).books_writes == {"email": None}


def test_the_owner_settles_what_both_sides_changed() -> None:
    """S4, S55"""
    assert merged(OLD, CRM, BOOKS, Owner.CRM).decisions == {"email": WriteBooks(CRM)}
    assert merged(OLD, CRM, BOOKS, Owner.BOOKS).decisions == {"email": WriteCrm(BOOKS)}
    assert merged(OLD, CRM, BOOKS, Owner.ASK).conflicts == {"email": Conflict(crm=CRM, books=BOOKS)}


def newest(crm_changed_at: datetime | None, books_changed_at: datetime | None) -> Merged:
    rules = {"email": FieldRule(owner=Owner.NEWEST, direction=Direction.BOTH)}
    sides = {"email": OLD}, {"email": CRM}, {"email": BOOKS}
    return merge(*sides, rules, crm_changed_at=crm_changed_at, books_changed_at=books_changed_at)


def test_the_newest_edit_wins_by_the_instant_and_not_by_the_clock_on_the_wall() -> None:
    """S43: 04:30 in New York is later than 09:00 in London."""
    eastern = timezone(timedelta(hours=-5))
    assert newest(MONDAY, datetime(2026, 3, 2, 4, 30, tzinfo=eastern)).crm_writes == {"email": BOOKS}
    assert newest(MONDAY, datetime(2026, 3, 2, 3, 30, tzinfo=eastern)).books_writes == {"email": CRM}


@pytest.mark.parametrize("books_changed_at", [None, MONDAY])
def test_a_person_decides_when_nobody_can_tell_which_edit_is_newest(books_changed_at: datetime | None) -> None:
    assert set(newest(MONDAY, books_changed_at).conflicts) == {"email"}


def test_a_time_without_a_zone_is_refused() -> None:
    """FreshBooks writes Eastern time and Capsule UTC: bare times compare wrongly by five hours."""
    with pytest.raises(ValueError, match="books has no time zone"):
        newest(MONDAY, datetime(2026, 3, 2, 9, 0))  # noqa: DTZ001 (the mistake itself)


def test_before_the_first_agreement_an_empty_side_is_no_edit() -> None:
    """F4: linking a client that exists must not empty it."""
    assert merged(None, None, BOOKS).crm_writes == {"email": BOOKS}
    assert merged(None, CRM, None, Owner.BOOKS).books_writes == {"email": CRM}
    kept = merged(None, None, BOOKS, direction=Direction.TO_BOOKS)
    assert kept.decisions == {"email": KeepBooks(BOOKS)}
    assert kept.next_base() == {}


def test_before_the_first_agreement_the_owner_settles_a_difference() -> None:
    assert merged(None, CRM, BOOKS, Owner.CRM).books_writes == {"email": CRM}
    assert merged(None, CRM, BOOKS, Owner.ASK).books_writes == {}


def test_a_currency_that_the_crm_no_longer_names_stays_in_the_books() -> None:
    rules = {"currency_code": FieldRule(when_empty=WhenEmpty.KEEP)}
    result = merge({"currency_code": "EUR"}, {"currency_code": None}, {"currency_code": "EUR"}, rules)
    assert (result.books_writes, result.next_base()) == ({}, {"currency_code": "EUR"})


def test_our_own_write_coming_back_as_a_change_plans_nothing() -> None:
    """F20"""
    first = merged(OLD, CRM, OLD)
    echo = merge(first.next_base(), {"email": CRM}, {"email": CRM}, first.rules)
    assert (echo.books_writes, echo.crm_writes, echo.conflicts) == ({}, {}, {})


def test_a_conflict_stays_until_a_person_chose() -> None:
    result = merged(OLD, CRM, BOOKS, Owner.ASK)
    assert result.next_base() == {"email": OLD}
    assert result.resolve("crm").books_writes == {"email": CRM}
    assert result.resolve("books").crm_writes == {"email": BOOKS}


def test_a_person_who_chose_the_books_is_not_asked_again() -> None:
    chosen = merged(OLD, CRM, BOOKS, Owner.ASK, Direction.TO_BOOKS).resolve("books")
    again = merge(chosen.next_base(), {"email": CRM}, {"email": BOOKS}, chosen.rules)
    assert again.decisions == {"email": KeepBooks(BOOKS)}


def test_a_person_who_chose_the_books_is_asked_when_the_crm_changes_once_more() -> None:
    chosen = merged(OLD, CRM, BOOKS, Owner.ASK, Direction.TO_BOOKS).resolve("books")
    again = merge(chosen.next_base(), {"email": "third@acme.test"}, {"email": BOOKS}, chosen.rules)
    assert set(again.conflicts) == {"email"}


def test_an_edit_that_was_overruled_does_not_come_back_when_another_field_changes_later() -> None:
    """F21: the newest edit was the books'; that the CRM is touched elsewhere afterwards makes it no older."""
    rules = {"email": FieldRule(owner=Owner.NEWEST, direction=Direction.TO_BOOKS)}
    later = MONDAY + timedelta(hours=1)
    sides = {"email": CRM}, {"email": BOOKS}
    first = merge({"email": OLD}, *sides, rules, crm_changed_at=MONDAY, books_changed_at=later)
    second = merge(first.next_base(), *sides, rules, crm_changed_at=later + timedelta(hours=1), books_changed_at=later)
    assert second.decisions == {"email": KeepBooks(BOOKS)}


def test_a_field_that_left_the_mapping_leaves_the_base() -> None:
    result = merge({"email": OLD, "fax": "1"}, {"email": OLD}, {"email": OLD}, {"email": FieldRule()})
    assert result.next_base() == {"email": OLD}


# From here on: what holds whatever anybody edits.


@dataclass(frozen=True)
class Case:
    base: Mapping[str, Value] | None
    crm: Mapping[str, Value]
    books: Mapping[str, Value]
    rules: Mapping[str, FieldRule]
    crm_changed_at: datetime | None
    books_changed_at: datetime | None

    def merge(self) -> Merged:
        times = {"crm_changed_at": self.crm_changed_at, "books_changed_at": self.books_changed_at}
        return merge(self.base, self.crm, self.books, self.rules, **times)


FIELDS = ["fname", "email", "fax", "note"]
VALUES = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["a", "b", "c", None]))
TIMES = st.none() | st.sampled_from([MONDAY, MONDAY + timedelta(hours=1)])
TWO_WAY = st.builds(FieldRule, owner=st.sampled_from(Owner), direction=st.just(Direction.BOTH))
ONE_WAY = st.builds(FieldRule, owner=st.sampled_from(Owner), when_empty=st.sampled_from(WhenEmpty))


def cases(rule: st.SearchStrategy[FieldRule] = TWO_WAY | ONE_WAY) -> st.SearchStrategy[Case]:
    rules = st.fixed_dictionaries(dict.fromkeys(FIELDS, rule))
    return st.builds(Case, st.none() | VALUES, VALUES, VALUES, rules, TIMES, TIMES)


def after(case: Case, result: Merged) -> Case:
    """Return the case once everything that was planned is written."""
    crm, books = {**case.crm, **result.crm_writes}, {**case.books, **result.books_writes}
    return Case(result.next_base(), crm, books, case.rules, case.crm_changed_at, case.books_changed_at)


@patient
@given(cases(), TIMES, TIMES)
def test_after_the_writes_nothing_is_left_to_write(
    case: Case, crm_touched: datetime | None, books_touched: datetime | None
) -> None:
    """F20: also when either record is touched elsewhere. What waits for a person goes on waiting."""
    first = case.merge()
    settled = after(case, first)
    second = settled.merge()
    assert (second.books_writes, second.crm_writes) == ({}, {})
    assert second.conflicts == first.conflicts
    touched = Case(settled.base, settled.crm, settled.books, settled.rules, crm_touched, books_touched).merge()
    assert set(touched.books_writes) | set(touched.crm_writes) <= set(first.conflicts)


@patient
@given(cases())
def test_the_base_is_the_same_on_every_further_pass(case: Case) -> None:
    settled = after(case, case.merge())
    assert settled.merge().next_base() == settled.base


@patient
@given(cases())
def test_no_edit_that_only_one_side_made_is_lost(case: Case) -> None:
    """F21"""
    settled = after(case, case.merge())
    for field, rule in case.rules.items():
        old, crm, books = ((side or {}).get(field) for side in (case.base, case.crm, case.books))
        if old == crm:
            assert settled.books.get(field) == books
        elif old == books and not (crm is None and rule.when_empty is WhenEmpty.KEEP):
            assert settled.books.get(field) == crm
        if old == crm and rule.direction is Direction.BOTH:
            assert settled.crm.get(field) == books


@patient
@given(cases())
def test_after_the_writes_a_field_is_agreed_or_in_conflict_or_kept_apart(case: Case) -> None:
    result = case.merge()
    settled = after(case, result)
    for field, decision in result.decisions.items():
        apart = isinstance(decision, KeepBooks | Conflict)
        assert apart == (settled.crm.get(field) != settled.books.get(field))


@patient
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_fields_changes_nothing(case: Case, dice: random.Random) -> None:
    fields = list(case.rules)
    dice.shuffle(fields)
    shuffled = Case(
        case.base, case.crm, case.books, {f: case.rules[f] for f in fields}, case.crm_changed_at, case.books_changed_at
    )
    assert shuffled.merge().decisions == case.merge().decisions
    assert shuffled.merge().next_base() == case.merge().next_base()


@patient
@given(cases(TWO_WAY))
def test_two_way_rules_treat_both_sides_alike(case: Case) -> None:
    other = {Owner.CRM: Owner.BOOKS, Owner.BOOKS: Owner.CRM}
    rules = {f: FieldRule(owner=other.get(r.owner, r.owner), direction=r.direction) for f, r in case.rules.items()}
    mirrored = Case(case.base, case.books, case.crm, rules, case.books_changed_at, case.crm_changed_at).merge()
    result = case.merge()
    assert mirrored.books_writes == result.crm_writes
    assert mirrored.crm_writes == result.books_writes
    assert set(mirrored.conflicts) == set(result.conflicts)
    assert mirrored.next_base() == result.next_base()
