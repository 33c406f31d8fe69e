"""All processes take from one row: what one of them hears or spends, the others know."""

import asyncio
from datetime import UTC, datetime, timedelta

from runtime.quota import Allowance, Reading
from store.store import Store

HOUR = timedelta(hours=1)
PERSON, BACKFILL = 1, 5
ALLOWED = Allowance(40, HOUR)


async def test_two_processes_together_send_no_more_than_the_account_allows(store: Store) -> None:
    """F33: 39 to backfills, the last one to a person."""
    quotas = [store.quotas.of("acme", "capsule", ALLOWED) for _ in range(2)]
    await quotas[0].take(BACKFILL)
    portions = [await asyncio.gather(*(quota.take(BACKFILL) for quota in quotas)) for _ in range(25)]
    assert sum(each.count for pair in portions for each in pair) == 38
    assert (await quotas[1].take(PERSON)).count == 1
    assert (await quotas[0].take(PERSON)).count == 0


async def test_what_the_provider_said_to_one_process_holds_for_all(store: Store) -> None:
    """Z111."""
    heard, other = (store.quotas.of("acme", "capsule", ALLOWED) for _ in range(2))
    await heard.take(PERSON)
    until = datetime.now(UTC) + HOUR
    await heard.hold(until)
    await heard.hold(until - timedelta(minutes=30))
    refused = await other.take(PERSON)
    assert (refused.count, refused.is_held) == (0, True)
    assert timedelta(minutes=59) < refused.wait <= HOUR
    assert await other.held_until() == until


async def test_unused_requests_and_the_providers_word_go_back_into_the_row(store: Store) -> None:
    quota = store.quotas.of("acme", "freshbooks", Allowance(1000, HOUR))
    portion = await quota.take(BACKFILL)
    assert portion.count == 10
    ends = datetime.now(UTC) + timedelta(minutes=1)
    await quota.take(BACKFILL, portion, [Reading(600, 400, ends)])
    standing = await store.quotas.standing("acme", "freshbooks")
    assert standing is not None
    assert (standing.limit, standing.used, standing.remaining, standing.window_ends) == (600, 6, 394, ends)


async def test_a_standing_tells_how_long_a_backfill_takes(sqlite_store: Store) -> None:
    """S60."""
    assert await sqlite_store.quotas.standing("acme", "capsule") is None
    await sqlite_store.quotas.of("acme", "capsule", Allowance(4000, HOUR)).take(BACKFILL)
    standing = await sqlite_store.quotas.standing("acme", "capsule")
    assert standing is not None
    assert standing.per_second == 3900 / 3600
    assert round(standing.forecast(8450) / timedelta(minutes=1)) == 130


async def test_accounts_do_not_share_a_quota(sqlite_store: Store) -> None:
    acme, globex = (sqlite_store.quotas.of(name, "capsule", ALLOWED) for name in ("acme", "globex"))
    await acme.take(PERSON)
    await acme.hold(datetime.now(UTC) + HOUR)
    assert (await globex.take(PERSON)).count == 1
