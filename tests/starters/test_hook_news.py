"""What webhooks tell is counted beside their way: nobody waits for the count, and nothing fails because of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import starters.hook_news
from starters.hook_news import HookNews
from starters.routes import ROUTES, Route, route_of
from store.news import Difference, Told
from store.store import Store
from tests.databases import TEST_KEYS, sqlite_url
from tests.sandboxes import Firm
from tests.starters.doorway import Doorway, Heard

BEGINNING = date(2026, 1, 1)


@asynccontextmanager
async def running(doorway: Doorway) -> AsyncIterator[None]:
    """Run what the receiver runs beside its deliveries."""
    task = asyncio.create_task(doorway.forwarder.run())
    await asyncio.sleep(0)
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def by_webhook(firm: Firm) -> int:
    return sum(each.by_webhook for each in await firm.store.news.counts(BEGINNING))


async def test_every_webhook_about_a_record_is_counted(doorway: Doorway, firm: Firm) -> None:
    """F13, S50."""
    async with running(doorway):
        await doorway.capsule({"event": "party/updated", "payload": [{"id": 7}, {"id": 8}]})
        await doorway.capsule({"event": "party/updated", "payload": [{"id": 7}]})
    assert await by_webhook(firm) == 3
    found = Difference("7", "state", datetime.now(UTC))
    assert await firm.store.news.swept(firm.name, "capsule", [found]) == 0


async def test_a_webhook_counts_although_temporal_could_not_be_reached(
    doorway: Doorway, firm: Firm, heard: Heard
) -> None:
    heard.down = True
    async with running(doorway):
        await doorway.capsule({"event": "party/updated", "payload": [{"id": 7}]})
    assert await by_webhook(firm) == 1


async def test_an_event_that_no_flow_listens_to_is_no_news(doorway: Doorway, firm: Firm) -> None:
    async with running(doorway):
        await doorway.capsule({"event": "task/updated", "payload": [{"id": 7}]})
    assert await by_webhook(firm) == 0


async def test_a_delivery_does_not_fail_because_it_cannot_be_counted(
    doorway: Doorway, firm: Firm, heard: Heard, tmp_path: Path
) -> None:
    """S49."""
    firm.store.news._database = Store(sqlite_url(tmp_path / "lost"), TEST_KEYS).database
    async with running(doorway):
        answer = await doorway.capsule({"event": "party/updated", "payload": [{"id": 7}]})
    assert (answer.status_code, heard.parties) == (200, [7])


async def test_what_cannot_be_counted_now_is_counted_later(firm: Firm, tmp_path: Path) -> None:
    news, database = HookNews(firm.store.news), firm.store.database
    firm.store.news._database = Store(sqlite_url(tmp_path / "lost"), TEST_KEYS).database
    news.note(firm.name, "capsule", ["7"])
    await news.flush()
    news.note(firm.name, "capsule", ["7", "8"])
    firm.store.news._database = database
    await news.flush()
    assert await by_webhook(firm) == 3


async def test_while_the_store_is_away_the_news_do_not_fill_the_memory(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starters.hook_news, "MOST_KEPT", 2)
    news = HookNews(firm.store.news)
    news.note(firm.name, "capsule", ["7", "8", "9"])
    await news.flush()
    assert await by_webhook(firm) == 2


async def test_prometheus_sees_what_only_sweeps_found(doorway: Doorway, firm: Firm) -> None:
    """S50."""
    now = datetime.now(UTC)
    await firm.store.news.told([Told(firm.name, "capsule", "7", now)])
    await firm.store.news.swept(firm.name, "capsule", [Difference("8", "state", now)])
    async with running(doorway):
        await asyncio.sleep(0.2)
    labels = {"connection": firm.name, "system": "capsule"}
    shown = [
        REGISTRY.get_sample_value("ledgerline_changes_last_week", {**labels, "told_by": way})
        for way in ("webhook", "sweep")
    ]
    assert shown == [1, 1]


def test_each_system_has_a_line_that_says_who_hears_of_it() -> None:
    """Z118."""
    assert set(ROUTES) == {
        ("capsule", "party"),
        ("zoho_crm", "Contacts"),
        ("zoho_crm", "Accounts"),
        ("capsule", "opportunity"),
        ("zoho_crm", "Deals"),
        ("freshbooks", "client"),
        ("freshbooks", "estimate"),
        ("freshbooks", "invoice"),
        ("freshbooks", "payment"),
    }
    assert route_of("capsule", "party/deleted") == Route("clients", "crm")
    assert route_of("freshbooks", "client.create") == Route("clients", "books")
    assert route_of("capsule", "client.create") is None
