"""How many creates are let through, which wait, and how long to wait after a lost one."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from store.links import LinkTaken
from store.records import RecordKey
from store.store import Store
from tests.store.records import ACME, NORDWIND, created, party

HOUR = timedelta(hours=1)


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - HOUR


async def test_creates_beyond_the_limit_are_not_admitted(store: Store) -> None:
    """F22."""
    for key in (ACME, NORDWIND):
        await store.intents.reserve(key)
    assert await store.intents.admit(ACME, 1, an_hour_ago())
    assert not await store.intents.admit(NORDWIND, 1, an_hour_ago())


async def test_a_create_that_was_admitted_once_stays_so(store: Store) -> None:
    """A retry after a crash must not be stopped half way."""
    await store.intents.reserve(ACME)
    assert [await store.intents.admit(ACME, 1, an_hour_ago()) for _ in range(3)] == [True] * 3


async def test_workers_that_ask_at_once_share_the_limit(store: Store) -> None:
    keys = [party(number) for number in range(12)]
    for key in keys:
        await store.intents.reserve(key)
    admitted = await asyncio.gather(*(store.intents.admit(key, 5, an_hour_ago()) for key in keys))
    assert sum(admitted) == 5


async def test_what_a_person_approved_counts_against_no_limit(store: Store) -> None:
    await store.intents.approve(ACME)
    await store.intents.reserve(NORDWIND)
    assert await store.intents.admit(ACME, 0, an_hour_ago())
    assert await store.intents.admit(NORDWIND, 1, an_hour_ago())


async def test_a_dropped_intent_is_open_no_more(store: Store) -> None:
    """F19."""
    await store.intents.reserve(ACME)
    await store.intents.drop(ACME)
    assert await store.intents.open_one(ACME) is None


async def test_a_create_in_doubt_cannot_be_dropped(store: Store) -> None:
    """F3: it may have taken effect."""
    intent = await store.intents.mark_sending(await store.intents.reserve(ACME))
    await store.intents.doubt(intent, datetime.now(UTC))
    await store.intents.drop(ACME)
    found = await store.intents.open_one(ACME)
    assert found is not None
    assert found.state == "in-doubt"


async def test_the_two_sides_have_references_of_their_own(store: Store) -> None:
    """A party and a client may have one number."""
    client = RecordKey("acme", "clients", "7", "books")
    assert store.intents.reference(ACME) != store.intents.reference(client)
    intent = await store.intents.reserve(client)
    assert await store.intents.owner_of("acme", "clients", intent.reference) == client


async def test_records_wait_in_order_until_they_are_let_go(store: Store) -> None:
    keys = [party(number) for number in range(3)]
    for key in keys:
        await store.waiting.add([key])
    await store.waiting.add([keys[0]])
    assert await store.waiting.count("acme", "clients") == 3
    assert list(await store.waiting.oldest("acme", "clients", 2)) == keys[:2]
    await store.waiting.forget(keys[:2])
    assert await store.waiting.among(keys) == {keys[2]}


async def test_creates_in_doubt_and_creates_that_people_look_at_keep_nobody_busy(store: Store) -> None:
    """S60: a backfill goes on beside them."""
    reserved, sending, doubted, held, idle = (party(number) for number in range(5))
    for key in (reserved, sending, doubted, held):
        await store.intents.reserve(key)
    for key in (sending, doubted):
        await store.intents.mark_sending(await store.intents.reserve(key))
    sent = await store.intents.open_one(doubted)
    assert sent is not None
    await store.intents.doubt(sent, datetime.now(UTC))
    await store.holds.open("workflow", held, "doubtful-match", {})
    assert await store.waiting.at_work([reserved, sending, doubted, held, idle]) == {reserved, sending}


async def test_the_settle_time_grows_with_the_lag_that_was_measured(store: Store) -> None:
    """F1: three times the worst lag, once there are enough measurements."""
    least = timedelta(seconds=5)
    for _ in range(19):
        await store.lags.note("acme", "freshbooks", timedelta(seconds=4))
    assert await store.lags.settle_time("acme", "freshbooks", least) == least
    await store.lags.note("acme", "freshbooks", timedelta(seconds=10))
    assert await store.lags.settle_time("acme", "freshbooks", least) == timedelta(seconds=30)
    assert await store.lags.settle_time("globex", "freshbooks", least) == least


async def test_a_link_follows_a_merge_with_what_was_agreed(store: Store) -> None:
    """F17."""
    await store.links.claim(ACME, "90210")
    await store.links.follow_merge(ACME, "9", created())
    link = await store.links.of_books("acme", "clients", "90210")
    assert link is not None
    assert link.crm_id == "9"
    assert await store.links.merged_into(ACME) == "9"


async def test_an_old_id_leads_through_several_merges(store: Store) -> None:
    """F17."""
    await store.links.claim(ACME, "90210")
    await store.links.follow_merge(ACME, "9", created())
    await store.links.follow_merge(party(9), "10", created())
    assert await store.links.merged_into(ACME) == "10"


@pytest.mark.parametrize("other", ["7", "8"])
async def test_a_record_is_claimed_by_one_partner_only(store: Store, other: str) -> None:
    """F20: two records mapped to one contact update for ever."""
    await store.links.claim(ACME, "90210")
    books_id = "90210" if other == "8" else "90211"
    with pytest.raises(LinkTaken, match="is linked to"):
        await store.links.claim(RecordKey("acme", "clients", other), books_id)
