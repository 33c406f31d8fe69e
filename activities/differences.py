"""Announcing what a sweep found to differ, and counting what no webhook had told of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from store.links import Links
from store.news import Difference, News

AT_ONCE = 10


def difference(record_id: int, links: Links, changed_at: datetime | None, seen: str) -> Difference:
    """Return a record as a sweep found it; `seen` tells this state of it from others."""
    changed = changed_at.isoformat() if changed_at else None
    return Difference(str(record_id), links.fingerprint({"changed": changed, "seen": seen}), changed_at)


async def announce_all(
    news: News, connection: str, system: str, found: Sequence[Difference], tell: Callable[[str], Awaitable[None]]
) -> int:
    """Announce all of them, for a list that shows a change only once or twice. Return how many these were."""
    fresh = await news.not_announced(connection, system, found)
    await tell_all([each.record_id for each in found], tell)
    await news.swept(connection, system, fresh)
    return len(found)


async def announce_new(
    news: News, connection: str, system: str, found: Sequence[Difference], tell: Callable[[str], Awaitable[None]]
) -> int:
    """Announce those that no sweep has announced as they are now, and return how many these were.

    For a list that shows a change for days: what is held, or was skipped, differs each time, and its workflow should
    hear of it once.
    """
    fresh = await news.not_announced(connection, system, found)
    await tell_all([each.record_id for each in fresh], tell)
    await news.swept(connection, system, fresh)
    return len(fresh)


async def tell_all(record_ids: Sequence[str], tell: Callable[[str], Awaitable[None]]) -> None:
    """Announce records, a few at once."""
    places = asyncio.Semaphore(AT_ONCE)

    async def tell_one(record_id: str) -> None:
        async with places:
            await tell(record_id)

    await asyncio.gather(*(tell_one(each) for each in record_ids))
