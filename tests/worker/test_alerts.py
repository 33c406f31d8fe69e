"""The alert watch as the worker wires it, and the numbers that the receiver shows of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import text
from temporalio.client import Client

from runtime.load import WrongSettings
from runtime.settings import Settings
from starters.wanted_schedules import wanted_schedules
from store.alerts import Incident
from store.records import RecordKey
from store.store import Store
from tests.store.records import NOON
from worker.alerts import alert_queue, watched_queues, watched_streams
from worker.metrics import StoreMetrics

ACCOUNTS: dict[str, Any] = {"capsule": {"token": "x"}, "freshbooks": {"token": "y", "account_id": "abc"}}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def firm(**clients: Any) -> Settings:
    """Return the settings of one connection."""
    return Settings(connections={"acme": {**ACCOUNTS, "clients": clients}})


async def test_every_sweep_that_is_scheduled_is_watched(sqlite_store: Store) -> None:
    """F35: a sweep that nobody watches could stop without a word."""
    for settings in (firm(), firm(direction="to-books")):
        sweeps = {each.id for each in wanted_schedules(settings) if "-sweep/" in each.id}
        assert {each.schedule_id for each in watched_streams(settings)} == sweeps


def test_silence_is_never_shorter_than_three_intervals() -> None:
    """S29: a firm that sweeps once an hour is not silent after a quarter of one."""
    assert {each.patience for each in watched_streams(firm())} == {timedelta(minutes=15)}
    assert {each.patience for each in watched_streams(firm(sweep_every="1h"))} == {timedelta(hours=3)}


def test_every_queue_is_watched() -> None:
    assert [(each.name, each.connection, each.workflows) for each in watched_queues(firm())] == [
        ("ledgerline", "", True),
        ("capsule@acme", "acme", False),
        ("freshbooks@acme", "acme", False),
    ]


async def test_an_address_that_no_service_understands_stops_the_start_and_is_not_quoted(
    sqlite_store: Store, temporal: Client, http: httpx.AsyncClient
) -> None:
    """Z137, Z20."""
    settings = Settings(alerts={"urls": ["json://127.0.0.1/", "slack://plum-pudding"]})
    with pytest.raises(WrongSettings, match=r"alerts\.urls\.1: cannot be read as an address") as refused:
        alert_queue(settings, temporal, sqlite_store, http)
    assert "plum-pudding" not in str(refused.value)


async def test_the_metrics_show_what_waits_and_since_when(sqlite_store: Store) -> None:
    """Z72, S50."""
    for number in range(2):
        key = RecordKey("acme", "clients", str(number))
        await sqlite_store.holds.open(f"client-upsert/acme/{number}", key, "conflict", {"email": "nora@quist.test"})
    await sqlite_store.inbox.park("acme", "capsule", "party/updated", ["7", "8", "9"])
    await sqlite_store.cursors.advance("acme", "capsule.parties", NOON)
    await sqlite_store.alerts.observe([Incident("backlog/inbox", "", "backlog", NOON)])
    page = await scraped(sqlite_store)
    assert 'ledgerline_open_holds{connection="acme",reason="conflict"} 2.0' in page
    assert "ledgerline_inbox_changes 3.0" in page
    assert 'ledgerline_sweep_age_seconds{connection="acme",stream="capsule.parties"}' in page
    assert "ledgerline_alerts_open 3.0" in page
    assert "ledgerline_alerts_untold 3.0" in page
    assert "ledgerline_store_up 1.0" in page
    assert "quist" not in page


async def test_the_metrics_tell_how_long_a_channel_has_failed_and_when_the_watch_last_looked(
    sqlite_store: Store,
) -> None:
    assert "ledgerline_alert_watch_age_seconds 0" not in await scraped(sqlite_store)
    claim = await sqlite_store.channels.claim(1, timedelta(minutes=1))
    assert claim is not None
    await sqlite_store.channels.release(1, claim, "HTTP 503")
    await sqlite_store.alerts.looked()
    page = await scraped(sqlite_store)
    assert 'ledgerline_alert_channel_failing_seconds{channel="1"} 0.' in page
    assert "ledgerline_alert_watch_age_seconds 0." in page


async def test_without_the_store_the_metrics_say_so(sqlite_store: Store) -> None:
    """Half a page of old numbers would look as if all were well."""
    async with sqlite_store.database.writing() as session:
        await session.execute(text("DROP TABLE alerts"))
    page = await scraped(sqlite_store)
    assert "ledgerline_store_up 0.0" in page
    assert "ledgerline_open_holds{" not in page


async def scraped(store: Store) -> str:
    """Return the page as Prometheus gets it: in another thread, while the loop goes on."""
    registry = CollectorRegistry(auto_describe=True)
    registry.register(StoreMetrics(store, asyncio.get_running_loop()))
    return (await asyncio.to_thread(generate_latest, registry)).decode()
