"""Zoho gives ten access tokens in ten minutes, and asking on prolongs the wait: what one worker was told, all heed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

import activities.tokens
from activities.renewal import Renewal
from activities.tokens import RenewedToken
from connectors import zoho, zoho_crm
from connectors.errors import ConsentLost, RateLimited, Unavailable
from connectors.http import http_client
from connectors.oauth import Application, OAuth
from connectors.zoho_crm.api import ZohoCrmApi
from sandbox.app import Sandbox, build_sandbox
from sandbox.faults import FaultRule
from sandbox.settings import ZohoCrmSettings
from store.store import Store
from store.tokens import NEEDS_CONSENT, USABLE, Account
from tests.consents import REDIRECT, consent, grant
from tests.databases import TEST_KEYS, sqlite_url
from tests.sandboxes import ZOHO_CRM, Switchboard

PLACE = ("acme", "zoho_crm")
PROVIDER = zoho_crm.PROVIDER.at(ZOHO_CRM)
LIMIT, HOUR = timedelta(seconds=5), timedelta(hours=1)
NEARLY_OVER, OVER = timedelta(minutes=50), timedelta(minutes=61)
MINTS = 10
TOKENS = "POST /oauth/v2/token"


@dataclass
class Process:
    """What one process has of the account."""

    store: Store
    source: RenewedToken
    api: ZohoCrmApi


@dataclass
class Firm:
    """Zoho CRM, one account that a person connected, and the processes that share it."""

    sandbox: Sandbox
    http: httpx.AsyncClient
    folder: Path
    stack: AsyncExitStack

    def oauth(self) -> OAuth:
        """Return the grants of our application."""
        client = self.sandbox.zoho_crm_service.about()["oauth"]
        return OAuth(
            self.http, PROVIDER, Application(client["client_id"], SecretStr(client["client_secret"]), REDIRECT), LIMIT
        )

    async def process(self) -> Process:
        """Start a process, which knows what the store says and no more."""
        store = Store(sqlite_url(self.folder), TEST_KEYS)
        await store.database.migrate()
        self.stack.push_async_callback(store.close)
        source = RenewedToken("acme", Renewal(PROVIDER, self.oauth(), store.tokens, "ours"), store.tokens, LIMIT)
        return Process(store, source, ZohoCrmApi(self.http, source, ZOHO_CRM, LIMIT))

    async def connect(self, process: Process, age: timedelta, *, mints: int) -> None:
        """Let a person connect the account; its tokens are as old as a test wants, and so many were made since."""
        tokens = await consent(self.oauth(), self.http, *(scope.name for scope in zoho_crm.SCOPES))
        assert tokens.refresh is not None
        await process.store.tokens.consented(*PLACE, grant(tokens, age=age, life=HOUR), "600012345")
        for _ in range(mints):
            await self.oauth().refresh(tokens.refresh)

    @property
    def asked(self) -> int:
        """How often tokens were asked for."""
        return self.sandbox.zoho_crm_service.requests[TOKENS]

    async def standing(self, process: Process) -> Account:
        account = await process.store.tokens.account(*PLACE)
        assert account is not None
        return account


@pytest.fixture
async def firm(tmp_path: Path) -> AsyncIterator[Firm]:
    sandbox = build_sandbox()
    async with http_client(Switchboard(zoho=sandbox.zoho_crm)) as http, AsyncExitStack() as stack:
        yield Firm(sandbox, http, tmp_path, stack)
    await sandbox.close()


async def test_what_one_worker_was_told_all_heed_and_the_old_token_stays_in_use(firm: Firm) -> None:
    """F11: the eleventh request within ten minutes, and no twelfth."""
    first, second = await firm.process(), await firm.process()
    await firm.connect(first, NEARLY_OVER, mints=MINTS)
    asked = firm.asked
    assert (await first.source.current()).version == 1
    assert firm.asked == asked + 1
    for process in (second, first, await firm.process()):
        assert (await process.source.current()).version == 1
        assert (await process.api.org()).zgid == "600012345"
    assert firm.asked == asked + 1
    account = await firm.standing(first)
    assert (account.state, account.holder, account.version) == (USABLE, None, 1)
    assert account.not_before is not None
    assert timedelta(minutes=9) < account.not_before - datetime.now(UTC) <= timedelta(minutes=10)


async def test_without_a_token_that_works_activities_wait_as_long_as_zoho_said(firm: Firm) -> None:
    """F11: each of them would prolong the wait."""
    first, second = await firm.process(), await firm.process()
    await firm.connect(first, OVER, mints=MINTS)
    asked = firm.asked
    with pytest.raises(RateLimited, match="wait 600 s"):
        await first.api.org()
    for process in (first, second, await firm.process()):
        with pytest.raises(Unavailable, match="Zoho CRM wants to be asked for new tokens later") as caught:
            await process.api.org()
        assert caught.value.retry_after is not None
        assert timedelta(minutes=9) < caught.value.retry_after < timedelta(minutes=10)  # what is left of it
    assert firm.asked == asked + 1


async def test_a_token_that_is_refused_meanwhile_is_not_renewed_either(firm: Firm) -> None:
    """F11, F13: an administrator ended it."""
    first, second = await firm.process(), await firm.process()
    await firm.connect(first, NEARLY_OVER, mints=MINTS)
    token = await first.source.current()
    asked = firm.asked
    firm.sandbox.zoho_crm_service.tokens.revoke_access(token.text)
    with pytest.raises(Unavailable, match="Zoho CRM wants to be asked for new tokens later"):
        await second.api.org()
    assert firm.asked == asked
    assert (await firm.standing(second)).state == USABLE


async def test_after_the_wait_one_of_them_renews_for_all(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """F11: nothing has to be restarted, and nobody asked."""
    wait = timedelta(seconds=2)
    monkeypatch.setattr(zoho, "BLOCKED_FOR", wait)
    monkeypatch.setattr(activities.tokens, "LOOK_EVERY", 0.0)
    first, second = await firm.process(), await firm.process()
    await firm.connect(first, OVER, mints=MINTS)
    asked = firm.asked
    for process, said in ((first, RateLimited), (second, Unavailable)):
        with pytest.raises(said):
            await process.source.current()
    knobs = firm.sandbox.zoho_crm_service.settings
    assert isinstance(knobs, ZohoCrmSettings)
    knobs.mints = 100  # the ten minutes are over
    await asyncio.sleep(wait.total_seconds())
    given = await asyncio.gather(*(each.source.current() for each in (second, first) for _ in range(20)))
    assert {token.version for token in given} == {2}
    assert firm.asked == asked + 2
    assert (await firm.standing(first)).not_before is None
    assert (await first.api.org()).zgid == "600012345"


async def test_a_lost_answer_costs_no_consent_and_is_not_asked_for_again_at_once(firm: Firm) -> None:
    """F11, F13: the refresh token stays, but each answer that is lost may be one of ten tokens."""
    first, second = await firm.process(), await firm.process()
    await firm.connect(first, OVER, mints=0)
    asked = firm.asked
    rule = FaultRule(path="/oauth/v2/token$", fault="commit_then_cut", times=1)
    firm.sandbox.zoho_crm_service.faults.add(rule)
    for process in (first, second):
        with pytest.raises(Unavailable) as caught:
            await process.source.current()
        assert caught.value.retry_after is not None
        assert caught.value.retry_after <= timedelta(minutes=1)
    assert firm.asked == asked + 1
    assert (await firm.standing(first)).state == USABLE


async def test_a_refresh_token_that_zoho_does_not_know_needs_a_person(firm: Firm) -> None:
    """S17, F11: the 21st consent of a user ends the first, silently, and that comes as success."""
    process = await firm.process()
    await firm.connect(process, OVER, mints=0)
    firm.sandbox.zoho_crm_service.tokens.revoke_all()
    with pytest.raises(ConsentLost, match=r"invalid_code.*a person has to connect again"):
        await process.source.current()
    assert (await firm.standing(process)).state == NEEDS_CONSENT
