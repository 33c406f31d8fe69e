"""A change that can never be handed over is set aside, and is not lost."""

from datetime import timedelta

import pytest

from store import inbox as inbox_module
from store.inbox import MOST_ATTEMPTS, Parked
from store.store import Store


async def parked(store: Store) -> Parked:
    await store.inbox.park("acme", "capsule", "party/updated", ["7"])
    return (await store.inbox.oldest(1))[0]


async def fail(store: Store, times: int) -> bool:
    """Let the one change fail so often, without waiting in between. True if it is set aside."""
    last = False
    for _ in range(times):
        (change,) = await store.inbox.oldest(1)
        last = await store.inbox.failed(change, "INVALID_ARGUMENT")
    return last


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a change that failed be due again at once."""
    monkeypatch.setattr(inbox_module, "LONGEST_PAUSE", timedelta(0))


async def test_a_change_that_failed_lets_the_others_pass(store: Store) -> None:
    """F36"""
    first = await parked(store)
    await store.inbox.park("acme", "capsule", "party/updated", ["8"])
    assert not await store.inbox.failed(first, "INVALID_ARGUMENT")
    assert [each.record_id for each in await store.inbox.oldest(10)] == ["8"]
    assert await store.inbox.size() == 2


async def test_after_its_last_attempt_a_change_is_set_aside_with_its_reason(store: Store, impatient: None) -> None:
    """F35: whoever looks sees it."""
    await parked(store)
    assert await fail(store, MOST_ATTEMPTS)
    assert (await store.inbox.size(), await store.inbox.oldest(10)) == (0, [])
    (aside,) = await store.inbox.set_aside()
    assert (aside.record_id, aside.problem, aside.attempts) == ("7", "INVALID_ARGUMENT", MOST_ATTEMPTS)


async def test_what_was_set_aside_can_be_tried_again(store: Store, impatient: None) -> None:
    """S49"""
    await parked(store)
    await fail(store, MOST_ATTEMPTS)
    await store.inbox.try_again()
    assert [each.record_id for each in await store.inbox.oldest(10)] == ["7"]
    assert await store.inbox.set_aside() == []
