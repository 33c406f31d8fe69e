"""Ways on which changes reach us, and that may have fallen silent: webhooks and sweeps. A report names them too."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from activities.lookout import UNTOLD
from activities.reconciliation_models import Report
from store.reconciliation_models import Mismatch
from store.store import Store

# A sweep that has missed one turn may be under way; one that has missed two is not.
TURNS_MISSED = 2


async def silent_ways(
    store: Store, report: Report, sweeps: Mapping[str, timedelta], missing_hooks: Sequence[str]
) -> list[Mismatch]:
    """Return what is wrong with the ways of a connection. `sweeps` are how often each stream is to be read."""
    hooks = [_stale(hook, "it is not registered, or not enabled") for hook in sorted(missing_hooks)]
    return [*hooks, *await _deaf(store, report), *await _gaps(store, report, sweeps)]


async def _deaf(store: Store, report: Report) -> list[Mismatch]:
    """Return the systems whose changes only sweeps have found, yesterday and today. Without webhooks that is normal."""
    if not report.webhooks:
        return []
    counts = await store.news.counts((datetime.now(UTC) - timedelta(days=1)).date())
    deaf = [each for each in counts if each.connection == report.connection and not each.by_webhook]
    why = f"it has told of nothing since yesterday, and sweeps have found at least {UNTOLD} changes"
    return [_stale(each.system, why) for each in deaf if each.by_sweep >= UNTOLD]


async def _gaps(store: Store, report: Report, sweeps: Mapping[str, timedelta]) -> list[Mismatch]:
    """Return the streams that no sweep has read for too long. One that was never read to its end has no cursor yet."""
    ended, now = await store.signs.sweeps(), datetime.now(UTC)
    found = []
    for stream, every in sorted(sweeps.items()):
        last = ended.get((report.connection, stream))
        if last is not None and now - last > TURNS_MISSED * every:
            text = f"no sweep of {stream} has ended since {last:%Y-%m-%d %H:%M} UTC: is its schedule paused?"
            found.append(Mismatch(0, "cursor-gap", "unknown", "person", name=stream, explanation=text))
    return found


def _stale(hook: str, why: str) -> Mismatch:
    text = f"webhook {hook}: {why}; `ledgerline doctor` says more, and its upkeep registers what is missing"
    return Mismatch(0, "stale-hook", "unknown", "none", name=hook, explanation=text)
