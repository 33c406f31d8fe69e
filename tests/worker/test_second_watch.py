"""The second watch, in the receiver's process: a real store, a real channel, and an alert watch that does not look."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from temporalio.client import Client

from runtime.settings import Settings
from store.store import Store
from tests.channels import Post
from worker.alerts import alert_activities
from worker.second_watch import SecondWatch

MINUTE = timedelta(minutes=1)


@pytest.fixture
def post() -> Iterator[Post]:
    """Somebody who takes alerts."""
    opened = Post()
    yield opened
    opened.close()


@pytest.fixture
async def second(temporal: Client, sqlite_store: Store, post: Post) -> AsyncIterator[SecondWatch]:
    """A second watch as the receiver has it, a quarter of an hour patient, just started."""
    alerts: dict[str, Any] = {"urls": (post.url,)}
    async with httpx.AsyncClient() as http:
        activities = alert_activities(Settings(alerts=alerts), temporal, sqlite_store, http)
        yield SecondWatch(sqlite_store, activities, 15 * MINUTE)


async def looks_for(second: SecondWatch, clock: time_machine.Traveller, minutes: int, step: int = 1) -> None:
    """Let so many minutes pass, with a look after every `step` of them."""
    for _ in range(0, minutes, step):
        clock.shift(step * MINUTE)
        await second.look()


async def test_people_are_told_once_that_nothing_is_done_while_temporal_is_away(
    second: SecondWatch, sqlite_store: Store, post: Post
) -> None:
    """S48, S49: the alert watch is a workflow, and Temporal is what is away."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        await sqlite_store.alerts.looked()
        await looks_for(second, clock, 14)
        assert post.taken == []
        await looks_for(second, clock, 24 * 60, step=10)
        assert [heard.subject for heard in post.taken] == ["Ledgerline: nothing is synced"]
        assert "Temporal cannot be reached or no worker runs" in post.taken[0].text
        await sqlite_store.alerts.looked()
        await sqlite_store.alerts.observe([])
        await looks_for(second, clock, 10)
        assert [alert.key for alert, _ in await sqlite_store.alerts.listed()] == []


async def test_a_watch_that_looks_now_and_then_is_nobodys_business(
    second: SecondWatch, sqlite_store: Store, post: Post
) -> None:
    """S29."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        for _ in range(5):
            await sqlite_store.alerts.looked()
            await looks_for(second, clock, 14)
    assert await sqlite_store.alerts.listed() == []
    assert post.taken == []


async def test_after_a_night_in_which_nothing_ran_the_alert_watch_gets_its_time(
    second: SecondWatch, sqlite_store: Store, post: Post
) -> None:
    """S29: a laptop that slept is no outage."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        await sqlite_store.alerts.looked()
        clock.shift(600 * MINUTE)
        await looks_for(second, clock, 14)
        assert await sqlite_store.alerts.listed() == []
        await looks_for(second, clock, 2)
        assert [alert.key for alert, _ in await sqlite_store.alerts.listed()] == ["standstill"]


async def test_two_receivers_tell_of_one_standstill(second: SecondWatch, sqlite_store: Store, post: Post) -> None:
    """S48: every receiver has a second watch."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        await sqlite_store.alerts.looked()
        other = SecondWatch(sqlite_store, second._alerts, 15 * MINUTE)
        for _ in range(20):
            await looks_for(second, clock, 1)
            await other.look()
    assert len(post.taken) == 1
