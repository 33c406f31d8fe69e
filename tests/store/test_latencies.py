"""How long writes took from the webhook on: taken from what happened."""

from datetime import UTC, datetime, timedelta

import pytest

from store.audit import AuditEntry
from store.links import Agreement
from store.news import Told
from store.records import RecordKey
from store.store import Store

HOOK, SWEEP = "capsule webhook party/updated", "capsule sweep"
NEVER = datetime.fromtimestamp(0, UTC)


async def _written(store: Store, party_id: str, told_ago: timedelta, cause: str) -> None:
    at = datetime.now(UTC) - told_ago
    await store.news.told([Told("acme", "capsule", party_id, at)])
    agreed = Agreement(f"9{party_id}", {}, "", "", "v1")
    key = RecordKey("acme", "clients", party_id, "crm")
    await store.links.confirm(key, agreed, audit=AuditEntry("update", cause, "v1"))


async def test_what_a_webhook_led_to_is_measured_from_the_webhook_on(store: Store) -> None:
    """Z122: two seconds and eight; what a sweep found, and what was written a day later, tell nothing of webhooks."""
    await _written(store, "7", timedelta(seconds=2), HOOK)
    await _written(store, "8", timedelta(seconds=8), HOOK)
    await _written(store, "9", timedelta(seconds=5), SWEEP)
    await _written(store, "10", timedelta(days=1), HOOK)
    found = await store.latencies.spread("acme", "capsule", NEVER)
    assert found is not None
    assert found.count == 2
    assert found.p50.total_seconds() == pytest.approx(2, abs=1)
    assert found.p95.total_seconds() == pytest.approx(8, abs=1)


async def test_where_nothing_was_told_nothing_is_said(store: Store) -> None:
    """A write before the webhook is not its own: FreshBooks telling of what we wrote there leads to none."""
    await _written(store, "7", timedelta(seconds=-5), HOOK)
    assert await store.latencies.spread("acme", "capsule", NEVER) is None
    assert await store.latencies.spread("acme", "freshbooks", NEVER) is None
