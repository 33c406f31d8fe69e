"""Whoever sends handshakes without end fills neither the database nor the queue of the account."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from store.callbacks import MOST_OFFERS, OFFER_LIFE, TooManyOffers
from store.store import Store
from store.tables import CallbackRow


async def rows(store: Store) -> int:
    async with store.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(CallbackRow)) or 0


async def flood(store: Store) -> None:
    """Offer as many verifiers as may wait."""
    for number in range(MOST_OFFERS):
        await store.callbacks.offer("acme", str(9000 + number), "forged")


async def let_time_pass(store: Store) -> None:
    """Let everything be older than a handshake can be worth anything."""
    async with store.database.writing() as session:
        old = datetime.now(UTC) - OFFER_LIFE - timedelta(minutes=1)
        await session.execute(update(CallbackRow).values(updated_at=old))


async def test_no_more_handshakes_wait_than_we_could_have_callbacks(store: Store) -> None:
    await flood(store)
    with pytest.raises(TooManyOffers, match="20 handshakes of acme wait already"):
        await store.callbacks.offer("acme", "501", "pear")
    assert await rows(store) == MOST_OFFERS


async def test_another_firm_does_not_suffer(sqlite_store: Store) -> None:
    await flood(sqlite_store)
    await sqlite_store.callbacks.offer("globex", "501", "pear")
    assert await sqlite_store.callbacks.offered("globex", "501") == "pear"


async def test_a_handshake_that_waits_may_be_sent_again(sqlite_store: Store) -> None:
    await flood(sqlite_store)
    await sqlite_store.callbacks.offer("acme", "9000", "pear")
    assert await sqlite_store.callbacks.offered("acme", "9000") == "pear"


async def test_a_verifier_that_freshbooks_does_not_know_makes_room(store: Store) -> None:
    """Z28: the genuine one, sent again, gets its turn."""
    await flood(store)
    await store.callbacks.refuse("acme", "9000")
    await store.callbacks.offer("acme", "501", "pear")
    assert await store.callbacks.offered("acme", "501") == "pear"
    assert await rows(store) == MOST_OFFERS


async def test_after_an_hour_what_nobody_answered_is_forgotten(store: Store) -> None:
    await flood(store)
    await let_time_pass(store)
    await store.callbacks.offer("acme", "501", "pear")
    assert await rows(store) == 1


async def test_what_is_trusted_stays_for_as_long_as_it_takes(store: Store) -> None:
    await store.callbacks.offer("acme", "501", "pear")
    await store.callbacks.trust("acme", "501", "pear")
    await store.callbacks.offer("acme", "501", "forged")
    await let_time_pass(store)
    await store.callbacks.offer("acme", "502", "plum")
    assert await store.callbacks.trusted("acme") == ["pear"]
    assert await store.callbacks.offered("acme", "501") is None


async def test_a_refused_offer_does_not_end_the_trust_in_the_real_one(sqlite_store: Store) -> None:
    await sqlite_store.callbacks.offer("acme", "501", "pear")
    await sqlite_store.callbacks.trust("acme", "501", "pear")
    await sqlite_store.callbacks.offer("acme", "501", "forged")
    await sqlite_store.callbacks.refuse("acme", "501")
    assert await sqlite_store.callbacks.trusted("acme") == ["pear"]
    assert await sqlite_store.callbacks.offered("acme", "501") is None
