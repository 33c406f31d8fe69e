"""A budget lets no window of the provider's see more requests than its limit, whenever that window begins."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.quota import BULK_RANK, Allowance, Budget, Reading, forecast

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CAPSULE = Allowance(4000, HOUR)
PERSON, HOOK, BACKFILL = 1, 2, 5

steps = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5), st.integers(0, 8)), min_size=1, max_size=30)


@given(limit=st.integers(1, 40), steps=steps)
def test_no_window_sees_more_requests_than_are_allowed_whatever_the_order(
    limit: int, steps: list[tuple[int, int, int]]
) -> None:
    """S61, F33: also where portions are handed in unused, much later."""
    window = timedelta(seconds=100)
    budget, now, sent, unused = Budget(Allowance(limit, window)), NOON, [], (0, 0)
    for pause, rank, wanted in steps:
        now += pause * SECOND
        budget, count = budget.given_back(*unused).taken(now, rank)
        sent += [now] * min(count, wanted)
        unused = (budget.slice_of(now), count - min(count, wanted))
    for began in sent:
        assert bisect_left(sent, began + window) - bisect_left(sent, began) <= limit


@given(limit=st.integers(1, 60), used=st.integers(0, 60), rank=st.integers(1, 5))
def test_whoever_is_told_to_wait_finds_room_then_and_not_before(limit: int, used: int, rank: int) -> None:
    """S26."""
    budget = Budget(Allowance(limit, HOUR))
    for _ in range(used):
        budget, _ = budget.taken(NOON, PERSON)
    wait = budget.wait(NOON, rank)
    assert bool(wait) != bool(budget.room(NOON, rank))
    if wait:
        assert not budget.room(NOON + wait - SECOND, rank)
        assert budget.room(NOON + wait, rank) or (limit == budget.reserve and rank >= BULK_RANK)


def spent(requests: int, *, rank: int = PERSON, budget: Budget | None = None, at: datetime = NOON) -> Budget:
    budget = budget or Budget(CAPSULE)
    while requests > 0:
        budget, count = budget.taken(at, rank)
        if not count:
            return budget
        requests -= count
    return budget


def test_bulk_work_leaves_the_last_hundred_of_capsules_hour_to_people_and_webhooks() -> None:
    """Z138."""
    budget = spent(10_000, rank=BACKFILL)
    assert budget.used(NOON) == 3900
    assert (budget.room(NOON, BACKFILL), budget.room(NOON, HOOK)) == (0, 100)
    assert spent(10_000, budget=budget).used(NOON) == 4000


def test_what_another_integration_uses_is_not_used_by_us() -> None:
    """F33: of its 4,000 Capsule says 50 are left, though we sent 25 requests."""
    budget = spent(25).heard(Reading(4000, 50, NOON + 600 * SECOND))
    assert budget.room(NOON, PERSON) == 50
    assert budget.room(NOON, BACKFILL) == 0
    assert budget.wait(NOON, BACKFILL) == 600 * SECOND


def test_a_reset_that_passed_while_nobody_asked_gives_the_quota_back() -> None:
    budget = Budget(CAPSULE).heard(Reading(4000, 0, NOON + 600 * SECOND))
    assert budget.room(NOON + 599 * SECOND, PERSON) == 0
    assert budget.room(NOON + 600 * SECOND, PERSON) == 4000


def test_answers_that_overtake_each_other_say_the_least_that_any_of_them_said() -> None:
    ends = NOON + 600 * SECOND
    budget = Budget(CAPSULE).heard(Reading(4000, 10, ends)).heard(Reading(4000, 12, ends + SECOND))
    assert budget.room(NOON, PERSON) == 10


def test_a_window_that_moves_with_every_answer_is_believed_by_its_newest_answer() -> None:
    """FreshBooks' reset is always a minute ahead: what it said a while ago is no longer so."""
    freshbooks = Budget(Allowance(600, timedelta(minutes=1)))
    early = freshbooks.heard(Reading(600, 0, NOON + 61 * SECOND))
    assert early.room(NOON, PERSON) == 0
    later = early.heard(Reading(600, 300, NOON + 80 * SECOND))
    assert later.room(NOON + 19 * SECOND, PERSON) == 300


def test_a_smaller_quota_than_the_settings_hope_for_is_learned() -> None:
    """FreshBooks once granted 20 a minute."""
    budget = Budget(Allowance(300, timedelta(minutes=1))).heard(Reading(20, 20, NOON + 61 * SECOND))
    assert budget.limit == 20


def test_nobody_at_all_sends_while_the_provider_said_wait() -> None:
    """S26, Z111."""
    budget = Budget(CAPSULE).held(NOON + 30 * SECOND).held(NOON + 5 * SECOND)
    assert budget.room(NOON + 29 * SECOND, PERSON) == 0
    assert budget.wait(NOON, PERSON) == 30 * SECOND
    assert budget.room(NOON + 30 * SECOND, PERSON) == 4000


def test_other_settings_forget_nothing_that_was_sent() -> None:
    minute = Allowance(100, timedelta(minutes=1))
    budget = spent(100).allowed(minute)
    assert budget.used(NOON) == 100
    assert budget.used(NOON + timedelta(minutes=2)) == 0


@pytest.mark.parametrize(
    ("requests", "hours"),
    [(0, 0), (100, 0.026), (3900, 1), (8450, 2.167), (100_000, 25.64)],
)
def test_a_backfill_says_how_long_it_takes_before_it_begins(requests: int, hours: float) -> None:
    """S60: 8,450 requests to Capsule take 2 h 10 min."""
    took = forecast(Budget(CAPSULE), requests, NOON)
    assert took / HOUR == pytest.approx(hours, rel=0.01, abs=0.001)


def test_a_forecast_counts_the_wait_that_the_provider_asked_for() -> None:
    held = Budget(CAPSULE).held(NOON + HOUR)
    assert forecast(held, 3900, NOON) / HOUR == pytest.approx(2, rel=0.01)
