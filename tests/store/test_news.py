"""Which way told of a change first: webhooks, or only a sweep."""

from datetime import UTC, datetime, timedelta

import pytest

from store import news as news_module
from store.news import Difference, Told, WaysCount
from store.store import Store
from tests.store.records import NOON

TODAY = datetime.now(UTC).date()


def told(record_id: str, at: datetime | None = None, times: int = 1) -> Told:
    return Told("acme", "capsule", record_id, at or datetime.now(UTC), times)


def found(record_id: str, state: str = "a", changed_at: datetime | None = None) -> Difference:
    return Difference(record_id, state, changed_at or datetime.now(UTC))


async def test_a_change_that_a_webhook_told_of_is_not_the_sweeps_find(store: Store) -> None:
    """F13: real time is webhook and sweep, and both are measured."""
    await store.news.told([told("7", times=2), told("8")])
    assert await store.news.swept("acme", "capsule", [found("7")]) == 0
    assert await store.news.counts(TODAY) == [WaysCount("acme", "capsule", by_webhook=3, by_sweep=0)]


async def test_a_change_that_only_a_sweep_found_is_counted(store: Store) -> None:
    """F13, S50."""
    await store.news.told([told("7"), told("8"), told("9")])
    assert await store.news.swept("acme", "capsule", [found("7"), found("10")]) == 1
    (count,) = await store.news.counts(TODAY)
    assert (count.by_webhook, count.by_sweep, count.missed) == (3, 1, 0.25)


async def test_the_webhook_of_an_earlier_change_did_not_tell_of_this_one(sqlite_store: Store) -> None:
    await sqlite_store.news.told([told("7", NOON)])
    later = NOON + timedelta(hours=1)
    assert await sqlite_store.news.swept("acme", "capsule", [found("7", changed_at=later)]) == 1


async def test_clocks_that_differ_by_seconds_make_no_find(sqlite_store: Store) -> None:
    await sqlite_store.news.told([told("7", NOON)])
    by_their_clock = NOON + timedelta(seconds=30)
    assert await sqlite_store.news.swept("acme", "capsule", [found("7", changed_at=by_their_clock)]) == 0


async def test_a_state_that_was_announced_is_known_again_and_another_one_is_not(store: Store) -> None:
    await store.news.swept("acme", "capsule", [found("7", "a")])
    fresh = await store.news.not_announced("acme", "capsule", [found("7", "a"), found("8", "a")])
    assert [each.record_id for each in fresh] == ["8"]
    fresh = await store.news.not_announced("acme", "capsule", [found("7", "b")])
    assert [each.record_id for each in fresh] == ["7"]


async def test_what_was_announced_outlives_a_webhook_about_the_same_record(store: Store) -> None:
    await store.news.swept("acme", "capsule", [found("7", "a")])
    await store.news.told([told("7")])
    assert await store.news.not_announced("acme", "capsule", [found("7", "a")]) == []


async def test_the_same_number_in_the_other_system_is_another_record(sqlite_store: Store) -> None:
    await sqlite_store.news.told([told("7")])
    assert await sqlite_store.news.swept("acme", "freshbooks", [found("7")]) == 1
    assert await sqlite_store.news.swept("globex", "capsule", [found("7")]) == 1


async def test_single_records_are_forgotten_after_a_while_and_the_counts_are_kept(store: Store) -> None:
    """F42: the table does not grow with every record ever touched."""
    long_ago = datetime.now(UTC) - timedelta(days=4)
    await store.news.told([told("7", long_ago), told("8")])
    await store.news.forget_old("acme")
    assert await store.news.swept("acme", "capsule", [found("7"), found("8")]) == 1
    (count,) = await store.news.counts(long_ago.date())
    assert count.by_webhook == 2


async def test_only_the_days_asked_for_are_counted(sqlite_store: Store) -> None:
    await sqlite_store.news.told([told("7", NOON), told("8")])
    (count,) = await sqlite_store.news.counts(TODAY)
    assert count.by_webhook == 1


async def test_where_nothing_was_heard_nothing_was_missed() -> None:
    assert WaysCount("acme", "capsule", 0, 0).missed == 0


async def test_a_thousand_records_are_kept_in_several_statements(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_module, "AT_ONCE", 3)
    await sqlite_store.news.told([told(str(number)) for number in range(10)])
    assert await sqlite_store.news.swept("acme", "capsule", [found(str(number)) for number in range(11)]) == 1
