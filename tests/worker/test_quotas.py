"""What people, webhooks and backfills get of an account's quota, with real workers on a real Temporal server."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from temporalio.client import Client

import worker.quotas
from runtime.quota import Allowance, Budget, Reading
from tests.bench.quota import another, measure
from tests.sandboxes import Firm, Switchboard
from tests.workflows.conftest import office
from tests.workflows.office import Office
from worker.accounts import Wiring, account_queues
from worker.main import account_worker
from worker.quotas import BRISK, CATCH_UP, LEAST_PACE, Backlog, QuotaPaces, pace_for

__all__ = ["office"]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
CAPSULE = Allowance(4000, HOUR)
SMOOTH = 3900 / 3600
BULK, NOBODY = Backlog(bulk=500, pace=None), Backlog(bulk=0, pace=None)
BACKFILL = 5
WAIT = 5.0
NEWS = 0.2  # seconds until another process knows of a wait, at most


def spent(requests: int, at: datetime) -> Budget:
    number = Budget(CAPSULE).slice_of(at)
    return Budget(CAPSULE, spent={number: requests})


def test_a_backfill_goes_at_the_pace_that_lasts_all_hour() -> None:
    """Z138."""
    assert pace_for(Budget(CAPSULE), BULK, NOON) == pytest.approx(CATCH_UP * SMOOTH)


def test_it_slows_down_before_the_limit_but_people_never_wait_long() -> None:
    """S61."""
    assert pace_for(spent(3700, NOON - 600 * SECOND), BULK, NOON) == pytest.approx(LEAST_PACE)
    assert pace_for(spent(4000, NOON - 600 * SECOND), BULK, NOON) == LEAST_PACE


def test_while_no_backfill_waits_people_and_webhooks_need_not_go_at_its_pace() -> None:
    """A sync of five requests does not take five seconds in an hour in which nothing else happens."""
    assert pace_for(Budget(CAPSULE), NOBODY, NOON) == pytest.approx(BRISK * SMOOTH)
    assert pace_for(spent(2000, NOON - 600 * SECOND), NOBODY, NOON) == pytest.approx(CATCH_UP * SMOOTH)


def test_a_quota_that_others_use_too_is_spread_over_what_is_left_of_its_window() -> None:
    """F33: 2,100 requests for half an hour."""
    freshbooks = Budget(Allowance(18000, HOUR)).heard(Reading(18000, 450 + 3600, NOON + 1800 * SECOND))
    assert pace_for(freshbooks, BULK, NOON) == pytest.approx(2.0)


async def test_a_load_that_never_ends_uses_the_quota_and_never_exceeds_it(
    temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S61, Z138, Z139: two workers, and a person in between. `python -m tests.bench.quota` measures it for longer."""
    monkeypatch.setattr(worker.quotas, "LOOK_EVERY", 0.5)
    found = await measure(temporal, requests=60, seconds=5, windows=2)
    assert found["refused_429"] == 0
    assert all(0.6 < used <= 1 for used in found["used_of_each_window"][1:])  # the machine may be busy
    assert found["longest_wait_s"] < 3


async def test_a_pace_is_kept_by_the_server_for_all_workers(temporal: Client, firm: Firm) -> None:
    """Whoever comes later finds what others have set, and leaves it."""
    paces = [QuotaPaces(client, firm.settings, firm.store) for client in (temporal, await another(temporal))]
    await asyncio.gather(*(each.adapt() for each in paces))
    found = await paces[0]._backlog(f"capsule@{firm.name}")
    smooth = firm.connection.crm_account.calls_per_second
    assert found.pace is not None
    assert smooth < found.pace <= BRISK * smooth


async def test_after_too_many_requests_neither_of_two_workers_sends_anything_in_that_time(office: Office) -> None:
    """S26, Z111: FreshBooks said to wait five seconds; then every client is made, and once."""
    firm = office.firm
    sent: list[tuple[float, int]] = []
    refused: list[float] = []
    parties = [await firm.new_party(name=f"Customer {number}") for number in range(8)]
    firm.books_fault(fault="status", status=429, headers={"Retry-After": str(WAIT)[:1]}, times=1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(office.working())
        switchboard = Switchboard(capsule=firm.sandbox.capsule, freshbooks=firm.sandbox.freshbooks)
        other = await stack.enter_async_context(httpx.AsyncClient(transport=switchboard))
        for number, http in enumerate((firm.http, other)):
            _watch(http, number, sent, refused)
        announcer = office.announcer
        wiring = Wiring(firm.settings, other, firm.store, announcer.party_changed, announcer.client_changed)
        client = await another(office.temporal)
        for queue in account_queues(firm.name, wiring):
            await stack.enter_async_context(account_worker(client, queue))
        for party_id in parties:
            await office.announce(party_id)
        results = [await office.result(party_id) for party_id in parties]
    assert Counter(each.outcome for each in results) == {"created": 8}
    assert len(refused) == 1
    assert {number for _, number in sent} == {0, 1}
    assert [at - refused[0] for at, _ in sent if refused[0] + NEWS < at < refused[0] + WAIT - 0.1] == []


def _watch(http: httpx.AsyncClient, number: int, sent: list[tuple[float, int]], refused: list[float]) -> None:
    """Take down when which process sends something to FreshBooks, and when that is refused."""

    async def asked(request: httpx.Request) -> None:
        if request.url.host.startswith("freshbooks"):
            sent.append((time.monotonic(), number))

    async def answered(response: httpx.Response) -> None:
        if response.status_code == 429:
            refused.append(time.monotonic())

    http.event_hooks = {"request": [asked], "response": [answered]}
