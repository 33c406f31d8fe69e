"""Tokens under everything that goes wrong: many processes, lost answers, and a person who comes late."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import activities.errors
import activities.tokens
import worker.account_workers
from connectors.http import http_client
from sandbox.faults import FaultRule
from store.store import Store
from store.tokens import NEEDS_CONSENT, REFRESHING, USABLE
from tests.attended import attended, connect, holds, no_hold, one_hold, register
from tests.consents import consent, grant, renewals, reuses
from tests.databases import TEST_KEYS, sqlite_url
from tests.faults import zoho_tokens
from tests.faults.token_callers import begin, end
from tests.faults.token_givers import FRESHBOOKS, Till
from tests.faults.tokens import Size, campaign
from tests.workflows.conftest import office
from tests.workflows.office import Office

__all__ = ["office"]
pytestmark = [pytest.mark.faults]
PLACE = FRESHBOOKS.place
SOON = 20.0


@pytest.mark.timeout(300)
async def test_a_thousand_callers_in_four_processes_use_no_refresh_token_twice(database_url: str) -> None:
    """F9, F10, F11, Z113: never two refreshes at once, none lost. In full: `python -m tests.faults.tokens`."""
    found = await campaign(Size(expiries=2, revocations=5), database_url)
    assert (found.used_twice, found.at_once) == (0, 1), found
    assert (found.state, found.works, found.version) == (USABLE, True, found.refreshes + 1), found
    assert "ConsentLost" not in found.failures
    assert "died" not in found.failures
    assert found.refreshes >= 5, "a refresh that never happened proves nothing"
    assert found.tokens_given > 2000


@pytest.mark.timeout(120)
async def test_without_claims_the_campaign_finds_what_it_looks_for(tmp_path: Path) -> None:
    """The harness bites: two processes that refresh at once are found."""
    found = await campaign(Size(expiries=1, revocations=1, callers=100, claims=False), sqlite_url(tmp_path))
    assert found.used_twice > 0  # on a busy machine not always in the same moment


# As much of Zoho's run as there is time for: four tokens in three seconds instead of ten in ten minutes.
FEW = zoho_tokens.Size(expiries=0, blocks=1, ends=2, callers=100, processes=2, mints=4, window=3.0)


@pytest.mark.timeout(180)
async def test_when_zoho_gives_no_more_tokens_all_processes_wait_together(tmp_path: Path) -> None:
    """Z113: one is refused for all; nobody notices while a token works. In full: `… tokens --provider zoho`."""
    found = await zoho_tokens.campaign(FEW, sqlite_url(tmp_path))
    assert found.failures_with_a_token == {}, found
    assert (found.refused, found.within_the_wait, found.at_once) == (2, 0, 1), found
    assert found.is_clean(), found
    assert found.tokens_given > 200


@pytest.mark.timeout(120)
async def test_processes_that_do_not_tell_each_other_ask_on_and_are_found_out(tmp_path: Path) -> None:
    """The harness bites: what one process was told and kept to itself, the others ask again."""
    found = await zoho_tokens.campaign(replace(FEW, blocks=0, heeds=False), sqlite_url(tmp_path))
    assert found.within_the_wait > 0
    assert not found.is_clean()


@asynccontextmanager
async def killed_in_mid_refresh(store: Store, database_url: str, books: Till, *faults: FaultRule) -> AsyncIterator[str]:
    """Give the address of FreshBooks, which has had a refresh (with `faults`) whose process is dead."""
    async with books.open() as url, http_client() as http:
        tokens = await consent(FRESHBOOKS.oauth(url, books.client, http), http)
        await store.tokens.consented(*PLACE, grant(tokens, age=timedelta(hours=13)), "sBx7Qz")
        for fault in (FaultRule(path="/oauth/token$", fault="latency", seconds=1.0, times=1), *faults):
            books.sandbox.freshbooks_service.faults.add(fault)
        process = await begin(url, database_url, books.client, 20)
        # counted once it is read in full
        await until(lambda: books.sandbox.freshbooks_service.requests["POST /auth/oauth/token"] == 2)
        process.kill()
        await process.wait()
        await until(lambda: books.under_way == 0)
        assert (await store.tokens.all())[PLACE].state == REFRESHING
        yield url


async def until(found: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not found():  # noqa: ASYNC110 - the stand-in offers no event
            await asyncio.sleep(0.02)


async def state(store: Store, wanted: str) -> None:
    async with asyncio.timeout(SOON):
        while (await store.tokens.all())[PLACE].state != wanted:  # noqa: ASYNC110 - other processes change it
            await asyncio.sleep(0.05)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[tuple[Store, str]]:
    url = sqlite_url(tmp_path)
    store = Store(url, TEST_KEYS)
    await store.database.migrate()
    yield store, url
    await store.close()


async def test_a_worker_that_is_killed_while_freshbooks_answers_costs_a_consent_and_says_so(
    shared: tuple[Store, str],
) -> None:
    """F9: the refresh token is used, and nobody heard the new one. Loud, once, and nothing is lost."""
    (store, database_url), books = shared, Till(FRESHBOOKS)
    async with killed_in_mid_refresh(store, database_url, books) as url:
        assert renewals(books.sandbox) == 1
        others = [await begin(url, database_url, books.client, 20, margin=0.0) for _ in range(2)]
        await state(store, NEEDS_CONSENT)
        for said in await asyncio.gather(*(end(each) for each in others)):
            assert said["failures"].get("ConsentLost", 0) > 0
    assert reuses(books.sandbox) == 1
    assert "invalid_grant" in (await store.tokens.all())[PLACE].reason


async def test_a_worker_that_is_killed_before_freshbooks_saw_its_request_costs_nothing(
    shared: tuple[Store, str],
) -> None:
    """F9: another process takes the refresh over."""
    (store, database_url), books = shared, Till(FRESHBOOKS)
    unseen = FaultRule(path="/oauth/token$", fault="cut_before", times=1)
    async with killed_in_mid_refresh(store, database_url, books, unseen) as url:
        assert renewals(books.sandbox) == 0
        others = [await begin(url, database_url, books.client, 20, margin=0.0) for _ in range(2)]
        await state(store, USABLE)
        for said in await asyncio.gather(*(end(each) for each in others)):
            assert said["tokens"] > 0
    assert (renewals(books.sandbox), reuses(books.sandbox)) == (1, 0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes half a minute in production is looked at more often."""
    monkeypatch.setattr(worker.account_workers, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(activities.tokens, "MARGIN", 0.2)
    monkeypatch.setattr(activities.errors, "TOKEN_CHECK", timedelta(seconds=1))


@pytest.mark.usefixtures("quick")
async def test_a_lost_refresh_answer_is_one_hold_and_everything_arrives_after_consent(office: Office) -> None:
    """F9, F13: FreshBooks has replaced the refresh token, and nobody heard the new one. A person connects again."""
    firm = office.firm
    register(firm)
    granted = await connect(firm)
    async with attended(office):
        await office.sync(await firm.new_party(name="First"))
        firm.books_fault(path="/oauth/token$", fault="commit_then_cut", times=1)
        firm.sandbox.freshbooks_service.tokens.revoke_access(granted.access.get_secret_value())
        parties = [await announced(office, f"Customer {number}") for number in range(20)]
        hold = await one_hold(office)
        assert (hold.record_id, hold.reason) == ("freshbooks", "needs-consent")
        parties += [await announced(office, f"Late customer {number}") for number in range(5)]
        await asyncio.sleep(1)
        assert len(firm.clients()) == 1
        assert (await one_hold(office)).opened_at == hold.opened_at
        await connect(firm)
        results = await asyncio.gather(*(office.result(party_id) for party_id in parties))
        await no_hold(office)
    assert {each.outcome for each in results} == {"created"}
    names = [each["organization"] for each in firm.clients()]
    assert (len(names), len(set(names))) == (26, 26)
    assert reuses(firm.sandbox) == 1, "asked once more, to be sure"


async def announced(office: Office, name: str) -> int:
    party_id = await office.firm.new_party(name=name)
    await office.announce(party_id)
    return party_id


@pytest.mark.usefixtures("quick")
async def test_a_lost_refresh_request_is_nobodys_business(office: Office) -> None:
    """F13: FreshBooks never saw it. It is asked once more, and no person hears of it."""
    firm = office.firm
    register(firm)
    granted = await connect(firm)
    async with attended(office):
        await office.sync(await firm.new_party(name="First"))
        firm.books_fault(path="/oauth/token$", fault="cut_before", times=1)
        firm.sandbox.freshbooks_service.tokens.revoke_access(granted.access.get_secret_value())
        parties = [await announced(office, f"Customer {number}") for number in range(5)]
        results = await asyncio.gather(*(office.result(party_id) for party_id in parties))
        assert await holds(office) == []
    assert {each.outcome for each in results} == {"created"}
    assert (renewals(firm.sandbox), reuses(firm.sandbox)) == (1, 0)
