"""FreshBooks writes Eastern wall time on documents: on both nights of the year the newest edit is still the newest."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.document_sides import DocumentSettings, Staff, document_side
from connectors.freshbooks.document_models import Estimate
from mapping.merge import merge
from mapping.rules import Direction, FieldRule, Owner
from store.store import Store

RULES = {"amount": FieldRule(owner=Owner.NEWEST, direction=Direction.BOTH)}


def changed_at(store: Store, updated: str) -> datetime:
    """Return when an estimate changed, as activities see it, whose `updated` FreshBooks says so."""
    answer = {"id": 70_001, "estimate_number": "E-701-1", "created_at": "2026-02-01 09:00:00", "updated": updated}
    side = document_side(Estimate.model_validate(answer), 70_001, Staff(), DocumentSettings(), store.links)
    assert side.created_at == datetime(2026, 2, 1, 14, 0, tzinfo=UTC)
    assert side.changed_at is not None
    return side.changed_at


def winner(crm: datetime, books: datetime) -> str:
    """Return who is right about an amount that became 1400 in the CRM and 1300 in FreshBooks."""
    merged = merge(
        {"amount": "1250.50"},
        {"amount": "1400.00"},
        {"amount": "1300.00"},
        RULES,
        crm_changed_at=crm,
        books_changed_at=books,
    )
    if merged.conflicts:
        return "a person"
    return "books" if merged.crm_writes else "crm"


@pytest.mark.parametrize(
    ("updated", "meant"),
    [
        ("2026-03-08 01:59:59", "06:59:59"),  # spring: the last second of winter time
        ("2026-03-08 03:00:00", "07:00:00"),  # and the next one
        ("2026-11-01 00:59:59", "04:59:59"),  # autumn: before the hour that is shown twice
        ("2026-11-01 01:30:00", "05:30:00"),  # in it: the earlier of the two
        ("2026-11-01 02:00:00", "07:00:00"),  # behind it
    ],
)
def test_the_time_of_a_document_is_the_instant_it_meant(sqlite_store: Store, updated: str, meant: str) -> None:
    """S43, F32."""
    day = updated.split(" ", maxsplit=1)[0]
    assert changed_at(sqlite_store, updated) == datetime.fromisoformat(f"{day}T{meant}+00:00")


@pytest.mark.parametrize(
    "updated", ["2026-03-08 01:59:30", "2026-03-08 03:00:30", "2026-11-01 00:59:30", "2026-11-01 02:00:30"]
)
def test_the_newest_amount_is_right_on_both_nights(sqlite_store: Store, updated: str) -> None:
    """S43, F32: sales changed the amount ten seconds before finance did, or ten seconds after."""
    books = changed_at(sqlite_store, updated)
    assert winner(books - timedelta(seconds=10), books) == "books"
    assert winner(books + timedelta(seconds=10), books) == "crm"
    assert winner(books + timedelta(seconds=3), books) == "a person"


def test_in_the_hour_that_autumn_shows_twice_no_later_edit_of_sales_is_lost(sqlite_store: Store) -> None:
    """S43, F32: an edit in the second pass of that hour looks an hour older than it is, never newer."""
    second_pass = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)  # the clock in New York showed 01:30 for the second time
    read = changed_at(sqlite_store, "2026-11-01 01:30:00")
    assert read == second_pass - timedelta(hours=1)
    assert winner(second_pass + timedelta(minutes=1), read) == "crm"
