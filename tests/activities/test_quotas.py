"""The gate before each request: who has to wait, who passes, and what other processes know of it."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.exc import OperationalError
from temporalio.common import Priority
from temporalio.testing import ActivityEnvironment

from connectors.capsule.api import CapsuleApi
from connectors.capsule.models import Party
from connectors.errors import RateLimited, Unavailable, Wait
from connectors.http import fixed_token
from runtime.accounts import CapsuleAccount
from runtime.quota import Allowance
from store.quotas import AccountQuota
from tests.sandboxes import CAPSULE, Firm
from worker.quotas import metered

HOUR = timedelta(hours=1)
PERSON, BACKFILL = 1, 5


def a_process(firm: Firm, allowance: Allowance | None = None) -> CapsuleApi:
    """Return Capsule as one process calls it, under this quota or the settings' own."""
    token = fixed_token(firm.connection.crm_account.token)
    with ExitStack() as stack:
        if allowance is not None:
            stack.enter_context(patch.object(CapsuleAccount, "allowance", allowance))
        return CapsuleApi(firm.http, metered(firm.store, firm.name, firm.connection, "capsule", token), CAPSULE)


async def read(api: CapsuleApi, party_id: int, rank: int = PERSON) -> Party:
    """Read a party in an activity of this priority."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, priority=Priority(priority_key=rank))
    party: Party = await environment.run(api.get_party, party_id)
    return party


async def refused(api: CapsuleApi, party_id: int, rank: int = PERSON) -> Wait:
    with pytest.raises(Wait) as refusal:
        await read(api, party_id, rank)
    return refusal.value


def asked(firm: Firm) -> int:
    return firm.calls("GET", "/parties/{ids}")


async def test_after_too_many_requests_another_process_sends_nothing_either(firm: Firm) -> None:
    """S26, Z111: the retry is as late as the provider asked."""
    party_id = await firm.new_party()
    firm.crm_fault(fault="status", status=429, headers={"Retry-After": "120"}, times=1)
    assert (await refused(a_process(firm), party_id)).retry_after == timedelta(seconds=120)
    before, told = asked(firm), await refused(a_process(firm), party_id)
    assert asked(firm) == before
    assert told.retry_after is not None
    assert timedelta(seconds=110) < told.retry_after <= timedelta(seconds=120)
    assert "Capsule asked us to wait" in str(told)


async def test_an_outage_that_names_a_time_delays_one_request_and_not_the_account(firm: Firm) -> None:
    """A 503 says nothing of the quota."""
    party_id, api = await firm.new_party(), a_process(firm)
    firm.crm_fault(fault="status", status=503, headers={"Retry-After": "120"}, times=1)
    assert (await refused(api, party_id)).retry_after == timedelta(seconds=120)
    assert (await read(api, party_id)).id == party_id


async def test_a_backfill_leaves_room_for_a_person(firm: Firm) -> None:
    """Z138: of twenty requests it gets nineteen; what is refused does not reach Capsule."""
    party_id, api = await firm.new_party(), a_process(firm, Allowance(20, HOUR))
    for _ in range(19):
        await read(api, party_id, BACKFILL)
    assert "the quota of Capsule is used up for now" in str(await refused(api, party_id, BACKFILL))
    await read(api, party_id, PERSON)
    assert isinstance(await refused(api, party_id, PERSON), RateLimited)
    assert asked(firm) == 20


async def test_many_at_once_in_two_processes_are_never_more_than_the_quota(firm: Firm) -> None:
    """S61, F33: all two hundred are used."""
    party_id, allowance = await firm.new_party(), Allowance(200, HOUR)
    processes = [a_process(firm, allowance) for _ in range(2)]
    calls = [read(processes[each % 2], party_id) for each in range(240)]
    results: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, Party) for each in results) == asked(firm) == 200
    assert sum(isinstance(each, RateLimited) for each in results) == 40


async def test_what_another_integration_leaves_over_is_learned_from_the_answers(firm: Firm) -> None:
    """F33: the same user's quota, used up by somebody else but for three requests: Capsule refuses none of ours."""
    party_id, api = await firm.new_party(), a_process(firm, Allowance(40, HOUR))
    gate: Any = firm.crm_service.gate
    for user_id in gate._counts:
        gate._counts[user_id] = gate.per_hour - 3
    await read(api, party_id, BACKFILL)
    await read(api, party_id, BACKFILL)
    assert isinstance(await refused(api, party_id, BACKFILL), RateLimited)
    await read(api, party_id, PERSON)
    assert isinstance(await refused(api, party_id, PERSON), RateLimited)
    assert asked(firm) == 3


async def test_without_the_store_nothing_is_sent_and_temporal_tries_again(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OperationalError("", None, Exception("away"))

    monkeypatch.setattr(AccountQuota, "take", away)
    told = await refused(a_process(firm), await firm.new_party())
    assert isinstance(told, Unavailable)
    assert asked(firm) == 0
