"""Where access tokens come from: renewed in time, once among all processes, and stored before anybody uses them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

import activities.renewal
import activities.tokens
from activities.renewal import Renewal
from activities.tokens import FixedToken, RenewedToken
from connectors import freshbooks
from connectors.errors import ConsentLost, Unauthorized, Unavailable
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import AccessToken, http_client
from connectors.oauth import Application, OAuth, Tokens
from sandbox.app import Sandbox, build_sandbox
from sandbox.faults import FaultRule
from store.store import Store
from store.tokens import NEEDS_CONSENT, REFRESHING, USABLE, Account
from tests.consents import LIFE, REDIRECT, consent, grant, renewals, reuses
from tests.databases import TEST_KEYS, sqlite_url
from tests.sandboxes import FRESHBOOKS, Switchboard

PLACE = ("acme", "freshbooks")
PROVIDER = freshbooks.PROVIDER.at(FRESHBOOKS)
LIMIT = timedelta(seconds=1)
NEARLY_OVER = timedelta(hours=11)
OVER = timedelta(hours=13)


@dataclass
class Process:
    """What one process has of the account: a store, and a source of tokens of its own."""

    store: Store
    http: httpx.AsyncClient
    client_id: str
    client_secret: str
    oauth: OAuth = field(init=False)
    source: RenewedToken = field(init=False)

    def __post_init__(self) -> None:
        self.oauth = OAuth(
            self.http, PROVIDER, Application(self.client_id, SecretStr(self.client_secret), REDIRECT), LIMIT
        )
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what is known, as a restart does."""
        renewal = Renewal(PROVIDER, self.oauth, self.store.tokens, f"{self.client_id}:{self.client_secret}")
        self.source = RenewedToken("acme", renewal, self.store.tokens, LIMIT)

    async def standing(self) -> Account:
        account = await self.store.tokens.account(*PLACE)
        assert account is not None
        return account

    async def identity(self) -> None:
        """Ask FreshBooks something, as an activity does."""
        await FreshBooksApi(self.http, self.source, "sBx7Qz", FRESHBOOKS, 5 * LIMIT).identity()


@dataclass
class Bank:
    """FreshBooks, one account that a person connected, and the processes that share it."""

    sandbox: Sandbox
    http: httpx.AsyncClient
    folder: Path
    stack: AsyncExitStack

    async def process(self, **credentials: str) -> Process:
        """Start a process."""
        store = Store(sqlite_url(self.folder), TEST_KEYS)
        await store.database.migrate()
        self.stack.push_async_callback(store.close)
        return Process(store, self.http, **{**self.sandbox.freshbooks_service.about()["oauth"], **credentials})

    async def connect(self, process: Process, age: timedelta = timedelta(0), life: timedelta = LIFE) -> None:
        """Let a person connect the account; the tokens are as old as the test wants."""
        tokens = await consent(process.oauth, self.http)
        await process.store.tokens.consented(*PLACE, grant(tokens, age=age, life=life), "sBx7Qz")

    def fault(self, **rule: Any) -> None:
        """Let something go wrong when new tokens are asked for."""
        self.sandbox.freshbooks_service.faults.add(FaultRule(path="/auth/oauth/token$", **rule))

    def end_access(self, token: AccessToken) -> None:
        """End an access token, as an administrator may."""
        self.sandbox.freshbooks_service.tokens.revoke_access(token.text)


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    sandbox = build_sandbox(freshbooks_requests_per_minute=1_000_000)
    async with http_client(Switchboard(freshbooks=sandbox.freshbooks)) as http, AsyncExitStack() as stack:
        yield Bank(sandbox, http, tmp_path, stack)
    await sandbox.close()


@pytest.fixture
async def acme(bank: Bank) -> Process:
    """The first process."""
    return await bank.process()


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim is taken over a second and a bit after it was first seen."""
    monkeypatch.setattr(activities.tokens, "MARGIN", 0.2)


async def test_a_token_in_the_middle_of_its_life_is_simply_used(bank: Bank, acme: Process) -> None:
    await bank.connect(acme, age=timedelta(hours=8))
    assert (await acme.source.current()).version == 1
    assert renewals(bank.sandbox) == 0


@pytest.mark.parametrize("age", [NEARLY_OVER, OVER])
async def test_however_many_ask_for_a_token_near_its_end_it_is_renewed_once(
    bank: Bank, acme: Process, age: timedelta
) -> None:
    """S11, Z113, F9, F10: three processes, 100 activities each."""
    await bank.connect(acme, age=age)
    processes = [acme, await bank.process(), await bank.process()]
    given = await asyncio.gather(*(each.source.current() for each in processes for _ in range(100)))
    assert {token.version for token in given} == {2}
    assert (renewals(bank.sandbox), reuses(bank.sandbox)) == (1, 0)


async def test_a_thousand_callers_cost_one_look_at_the_store(
    bank: Bank, acme: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bank.connect(acme)
    looks = counting(monkeypatch, acme.store.tokens, "read")
    await asyncio.gather(*(acme.source.current() for _ in range(1000)))
    assert len(looks) == 1


async def test_new_tokens_are_stored_before_anybody_uses_them(bank: Bank, acme: Process) -> None:
    """F9: a power cut right after the first request must not cost the consent."""
    await bank.connect(acme, age=NEARLY_OVER)
    token = await acme.source.current()
    stored = (await acme.store.tokens.read(*PLACE))[1]
    assert stored is not None
    assert stored.access.get_secret_value() == token.text
    await acme.identity()


async def test_a_401_in_the_middle_of_a_tokens_life_is_one_renewal_for_all(bank: Bank, acme: Process) -> None:
    """S11, F13: whoever hears the 401 later finds the new token there."""
    await bank.connect(acme)
    other = await bank.process()
    await asyncio.gather(acme.identity(), other.identity())
    bank.end_access(await acme.source.current())
    await asyncio.gather(*(each.identity() for each in (acme, other) for _ in range(30)))
    assert (renewals(bank.sandbox), reuses(bank.sandbox)) == (1, 0)
    assert (await acme.standing()).version == 2


async def test_a_used_refresh_token_needs_a_person_and_the_reason_shows_no_secret(
    bank: Bank, acme: Process, caplog: pytest.LogCaptureFixture
) -> None:
    """F9, Z137."""
    caplog.set_level(logging.DEBUG)
    await bank.connect(acme, age=OVER)
    _, kept = await acme.store.tokens.read(*PLACE)
    assert kept is not None
    assert kept.refresh is not None
    await acme.oauth.refresh(kept.refresh)  # somebody else has used it
    with pytest.raises(ConsentLost, match="invalid_grant"):
        await acme.source.current()
    lost = await acme.standing()
    assert (lost.state, lost.rejected) == (NEEDS_CONSENT, None)
    said = caplog.text + lost.reason
    assert not [word for word in (kept.access, kept.refresh) if word.get_secret_value() in said]
    with pytest.raises(ConsentLost):
        await acme.source.current()
    assert reuses(bank.sandbox) == 1, "once is enough: nothing is asked again without a person"


async def test_invalid_grant_because_another_was_faster_is_no_lost_consent(
    bank: Bank, acme: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9: the row has moved on, and what it holds now is good."""
    await bank.connect(acme, age=NEARLY_OVER)
    account, kept = await acme.store.tokens.read(*PLACE)
    assert account is not None
    assert kept is not None
    refresh = kept.refresh
    assert refresh is not None
    ask = acme.oauth.refresh

    async def another_is_faster(token: SecretStr) -> Tokens:
        await acme.store.tokens.renew(account, grant(await ask(token)))
        return await ask(token)

    monkeypatch.setattr(acme.oauth, "refresh", another_is_faster)
    assert (await acme.source.current()).version == 2
    assert (await acme.standing()).state == USABLE
    await acme.identity()


@pytest.mark.parametrize("rule", [{"status": 429, "headers": {"Retry-After": "30"}}, None])
async def test_a_renewal_that_cannot_be_had_now_leaves_the_old_token_in_use(
    bank: Bank, acme: Process, rule: dict[str, Any] | None
) -> None:
    """Z113: there is a fifth of its life left to try again."""
    await bank.connect(acme, age=NEARLY_OVER)
    unreachable(acme) if rule is None else bank.fault(fault="status", **rule)
    given = [await acme.source.current() for _ in range(5)]
    assert {token.version for token in given} == {1}
    assert (await acme.standing()).state == USABLE


async def test_without_a_token_an_activity_waits_for_better_times(bank: Bank, acme: Process) -> None:
    """S27: nothing was sent, so Temporal may try again."""
    await bank.connect(acme, age=OVER)
    reach = acme.oauth
    unreachable(acme)
    with pytest.raises(Unavailable, match="nothing was sent"):
        await acme.source.current()
    assert (await acme.standing()).state == USABLE
    acme.oauth = reach
    acme.begin_anew()
    assert (await acme.source.current()).version == 2


async def test_while_nobody_knows_the_answer_the_old_token_stays_in_use(bank: Bank, acme: Process) -> None:
    """F13: the answer was lost, and the old access token has two hours left."""
    await bank.connect(acme, age=NEARLY_OVER)
    bank.fault(fault="commit_then_cut", times=1)
    assert (await acme.source.current()).version == 1
    assert (await acme.standing()).state == REFRESHING
    await acme.identity()


@pytest.mark.usefixtures("short_lease")
async def test_a_lost_answer_that_used_the_refresh_token_up_ends_with_a_person(bank: Bank, acme: Process) -> None:
    """F9, F13: asked once more, and told that the token is used."""
    await bank.connect(acme, age=OVER)
    bank.fault(fault="commit_then_cut", times=1)
    with pytest.raises(Unavailable, match="did not answer when asked for a new access token"):
        await acme.source.current()
    with pytest.raises(ConsentLost, match="invalid_grant"):
        await acme.source.current()
    assert (await acme.standing()).state == NEEDS_CONSENT
    assert reuses(bank.sandbox) == 1


@pytest.mark.usefixtures("short_lease")
async def test_a_lost_request_costs_nothing_but_time(bank: Bank, acme: Process) -> None:
    """F13: FreshBooks never saw the first one, so the refresh token still works."""
    await bank.connect(acme, age=OVER)
    bank.fault(fault="cut_before", times=1)
    with pytest.raises(Unavailable):
        await acme.source.current()
    assert (await acme.source.current()).version == 2
    assert reuses(bank.sandbox) == 0


@pytest.mark.usefixtures("short_lease")
async def test_what_a_dead_process_had_begun_is_taken_over_by_one_of_the_others(bank: Bank, acme: Process) -> None:
    """F9: three others wait; the dead one had sent nothing."""
    await bank.connect(acme, age=OVER)
    await acme.store.tokens.claim(await acme.standing(), "dead")
    processes = [acme, await bank.process(), await bank.process()]
    given = await asyncio.gather(*(each.source.current() for each in processes))
    assert {token.version for token in given} == {2}
    assert (renewals(bank.sandbox), reuses(bank.sandbox)) == (1, 0)


async def test_a_process_that_froze_after_its_claim_sends_nothing(
    bank: Bank, acme: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9: others may have taken the claim over meanwhile."""
    monkeypatch.setattr(activities.renewal, "LONGEST_PAUSE", 0.1)
    await bank.connect(acme, age=OVER)
    claim, pauses = acme.store.tokens.claim, [0.2, 0.2]

    async def freeze(*arguments: Any) -> bool:
        claimed = await claim(*arguments)
        if pauses:
            assert renewals(bank.sandbox) == 0
            await asyncio.sleep(pauses.pop())
        return claimed

    monkeypatch.setattr(acme.store.tokens, "claim", freeze)
    assert (await acme.source.current()).version == 2
    assert (renewals(bank.sandbox), pauses) == (1, [])


async def test_new_tokens_wait_for_a_database_that_is_away(
    bank: Bank, acme: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F14: FreshBooks has forgotten the old ones, so nobody but this process has any."""
    await bank.connect(acme, age=OVER)
    renew, failures = acme.store.tokens.renew, [OperationalError("", None, Exception("away")) for _ in range(3)]

    async def away(*arguments: Any) -> bool:
        if failures:
            raise failures.pop()
        return await renew(*arguments)

    monkeypatch.setattr(acme.store.tokens, "renew", away)
    assert (await acme.source.current()).version == 2
    await acme.identity()


async def test_an_activity_that_is_cancelled_does_not_take_the_renewal_with_it(bank: Bank, acme: Process) -> None:
    """F9: the answer would be lost."""
    await bank.connect(acme, age=OVER)
    bank.fault(fault="latency", seconds=0.2)
    asking = asyncio.create_task(acme.source.current())
    await asyncio.sleep(0.1)
    asking.cancel()
    await acme.source.finish()
    assert ((await acme.standing()).state, (await acme.standing()).version) == (USABLE, 2)


async def test_a_process_that_is_about_to_stop_begins_no_renewal_that_can_wait(bank: Bank, acme: Process) -> None:
    await bank.connect(acme, age=NEARLY_OVER)
    await acme.source.finish()
    assert (await acme.source.current()).version == 1


async def test_a_wrong_client_secret_is_one_question_to_a_person_and_cured_by_the_right_one(
    bank: Bank, acme: Process
) -> None:
    """S17: the grant itself is good."""
    await bank.connect(acme, age=OVER)
    wrong = await bank.process(client_secret="wrong")
    with pytest.raises(ConsentLost, match=r"invalid_client\): check client id, client secret"):
        await wrong.source.current()
    lost = await acme.standing()
    assert (wrong.source.cured(lost), acme.source.cured(lost)) == (False, True)
    await acme.store.tokens.try_again(*PLACE)
    await acme.source.current()
    assert renewals(bank.sandbox) == 1


async def test_a_lost_grant_is_not_cured_by_another_client_secret(bank: Bank, acme: Process) -> None:
    await bank.connect(acme)
    await acme.store.tokens.lose(await acme.standing(), "invalid_grant")
    other = await bank.process(client_secret="rotated")
    assert not other.source.cured(await acme.standing())


async def test_a_system_that_refuses_even_new_tokens_is_left_to_a_person(
    bank: Bank, acme: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z113: else every attempt of every activity would fetch another one."""
    monkeypatch.setattr(activities.tokens, "DOUBT_FOR", 0.1)
    await bank.connect(acme)
    token = await acme.source.rejected(await acme.source.current())
    while token is not None:
        assert await acme.source.rejected(token) is None  # perhaps it is not known everywhere yet
        assert (await acme.standing()).state == USABLE
        await asyncio.sleep(0.15)
        token = await acme.source.rejected(token)
    with pytest.raises(ConsentLost, match="does not even accept new access tokens"):
        await acme.source.current()
    assert renewals(bank.sandbox) == 3


async def test_a_new_token_that_was_ended_before_it_was_used_is_no_lost_consent(
    bank: Bank, acme: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F13."""
    monkeypatch.setattr(activities.tokens, "DOUBT_FOR", 0.1)
    await bank.connect(acme)
    for _ in range(4):
        bank.end_access(await acme.source.current())
        with contextlib.suppress(Unauthorized):
            await acme.identity()
        await asyncio.sleep(0.15)
        await acme.identity()
    assert (await acme.standing()).state == USABLE


async def test_a_token_that_worked_is_renewed_however_soon_it_is_refused(bank: Bank, acme: Process) -> None:
    """F13: access tokens revoked twice within a minute are no lost consent."""
    await bank.connect(acme)
    for version in (2, 3, 4):
        await acme.identity()
        bank.end_access(await acme.source.current())
        await acme.identity()
        assert (await acme.standing()).version == version


async def test_an_account_that_nobody_connected_says_what_to_do(acme: Process) -> None:
    with pytest.raises(ConsentLost, match="run `ledgerline connect freshbooks --connection acme`"):
        await acme.source.current()


async def test_a_renewed_consent_is_used_without_a_restart(
    bank: Bank, acme: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities.tokens, "LOOK_EVERY", 0.0)
    await bank.connect(acme)
    await acme.source.current()
    await acme.store.tokens.lose(await acme.standing(), "invalid_grant")
    await bank.connect(acme)
    assert (await acme.source.current()).version == 2


def fixed(process: Process, text: str = "personal") -> FixedToken:
    return FixedToken("acme", PROVIDER, SecretStr(text), process.store.tokens)


async def test_a_refused_token_of_the_settings_is_used_by_no_process_any_more(bank: Bank, acme: Process) -> None:
    mine, theirs = fixed(acme), fixed(await bank.process())
    await mine.rejected(await mine.current())
    for each in (mine, theirs):
        with pytest.raises(ConsentLost, match=r"connections\.acme\.freshbooks\.token") as caught:
            await each.current()
        assert "personal" not in str(caught.value)


async def test_a_refusal_that_is_told_late_does_not_undo_what_a_person_said_since(acme: Process) -> None:
    source = fixed(acme)
    old = await source.current()
    await source.rejected(old)
    await acme.store.tokens.try_again(*PLACE)
    await source.rejected(old)  # its request was sent before
    assert (await acme.standing()).state == USABLE
    await source.rejected(await source.current())
    assert (await acme.standing()).state == NEEDS_CONSENT


async def test_another_token_in_the_settings_is_tried(acme: Process) -> None:
    old, new = fixed(acme), fixed(acme, "another")
    await old.rejected(await old.current())
    assert (old.cured(await acme.standing()), new.cured(await acme.standing())) == (False, True)
    assert (await new.current()).text == "another"


async def test_a_person_may_say_that_the_token_of_the_settings_works_again(acme: Process) -> None:
    source = fixed(acme)
    await source.rejected(await source.current())
    await acme.store.tokens.try_again(*PLACE)
    assert (await source.current()).text == "personal"


def unreachable(process: Process) -> None:
    """Nobody answers where tokens are given."""
    nowhere = freshbooks.PROVIDER.at("http://nowhere.test")
    application = Application(process.client_id, SecretStr(process.client_secret), REDIRECT)
    process.oauth = OAuth(process.http, nowhere, application, LIMIT)
    process.begin_anew()


def counting(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[None]:
    """Return a list that grows with every call of a method."""
    calls: list[None] = []
    call: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def counted(*arguments: Any) -> Any:
        calls.append(None)
        return await call(*arguments)

    monkeypatch.setattr(owner, name, counted)
    return calls
