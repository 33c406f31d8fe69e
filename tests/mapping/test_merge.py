"""The three-way merge: what becomes of edits on either side."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mapping.merge import Agreed, Conflict, KeepBooks, Merged, WriteBooks, WriteCrm, merge
from mapping.rules import Direction, FieldRule, Owner, WhenEmpty
from mapping.values import Value

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


@pytest.mark.parametrize(
    "books_changed_at", [None, MONDAY, MONDAY + timedelta(seconds=5), MONDAY - timedelta(seconds=5)]
)
def test_a_person_decides_when_nobody_can_tell_which_edit_is_newest(books_changed_at: datetime | None) -> None:
    """S43: two systems' clocks differ by seconds, and both write whole ones."""
    assert set(newest(MONDAY, books_changed_at).conflicts) == {"email"}


def test_an_edit_a_few_seconds_later_is_later() -> None:
    """S43"""
    assert newest(MONDAY, MONDAY + timedelta(seconds=6)).crm_writes == {"email": BOOKS}
    assert newest(MONDAY, MONDAY - timedelta(seconds=6)).books_writes == {"email": CRM}


def test_a_field_that_only_one_side_edited_does_not_care_which_record_is_newer() -> None:
    """Capsule touches a party for a note, too: that must not make its old email the newest edit."""
    rules = {"email": FieldRule(owner=Owner.NEWEST, direction=Direction.BOTH)}
    sides = {"email": OLD}, {"email": OLD}, {"email": BOOKS}
    result = merge(*sides, rules, crm_changed_at=MONDAY + timedelta(days=1), books_changed_at=MONDAY)
    assert result.crm_writes == {"email": BOOKS}


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


def test_between_the_two_writes_only_what_the_books_took_over_is_agreed() -> None:
    """F21: were the CRM's part taken for agreed, a crash between the writes would undo the bookkeeper's edit."""
    rules = {"email": FieldRule(direction=Direction.BOTH), "fax": FieldRule(direction=Direction.BOTH)}
    result = merge({"email": OLD}, {"email": OLD, "fax": "1"}, {"email": BOOKS, "fax": None}, rules)
    assert result.next_base(crm_written=False) == {"email": OLD, "fax": "1"}
    assert result.next_base() == {"email": BOOKS, "fax": "1"}


def test_a_value_deleted_in_the_books_is_deleted_in_the_crm() -> None:
    """F21: emptying a field is an edit like any other."""
    assert merged(OLD, OLD, None).crm_writes == {"email": None}
    assert merged(OLD, CRM, None, Owner.ASK).conflicts == {"email": Conflict(crm=CRM, books=None)}


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
