"""Each account's worker runs while the account may be called, and no longer; the others go on."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
import structlog
from sqlalchemy.exc import OperationalError
from temporalio.worker import Worker

import worker.account_workers
from store.tokens import USABLE
from tests.attended import ACCOUNT_ID, attended, connect, in_state, quiet, register, standing
from tests.consents import renewals
from tests.workflows.conftest import office
from tests.workflows.office import Office, until
from worker.account_workers import AccountWorkers
from worker.accounts import AccountQueue, Wiring
from worker.main import account_worker

__all__ = ["office"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.account_workers, "LOOK_EVERY", 0.1)


async def test_an_account_that_nobody_has_connected_yet_waits_and_says_what_to_do(office: Office) -> None:
    """S11: the other account is read meanwhile."""
    firm = office.firm
    register(firm)
    with structlog.testing.capture_logs() as logs:
        async with attended(office):
            party_id = await firm.new_party()
            await office.announce(party_id)
            await office.called("GET", "/parties/{ids}", 1)
            assert await quiet(firm.sandbox.freshbooks_service.requests.total, 0.5)
            remedies = [each["remedy"] for each in logs if each["event"].startswith("not connected")]
            assert remedies == [f"ledgerline connect freshbooks --connection {firm.name}"]
            await connect(firm)
            assert (await office.result(party_id)).outcome == "created"
    assert len(firm.clients()) == 1


async def test_the_account_that_was_picked_is_the_one_that_is_called(office: Office) -> None:
    """S11: the settings do not name it."""
    firm = office.firm
    register(firm)
    await connect(firm)
    assert (await standing(office, "freshbooks")).account_id == ACCOUNT_ID
    async with attended(office):
        assert (await office.sync(await firm.new_party())).outcome == "created"


async def test_a_disconnected_account_pauses_and_goes_on_where_it_stopped(office: Office) -> None:
    """F4: connected again, the party finds its client and no second one is made."""
    firm = office.firm
    register(firm)
    await connect(firm)
    async with attended(office):
        party_id = await firm.new_party()
        await office.sync(party_id)
        await firm.store.tokens.forget(firm.name, "freshbooks")
        await asyncio.sleep(0.5)
        await firm.change_party(party_id, name="Acme & Sons")
        await office.announce(party_id)
        assert await quiet(firm.sandbox.freshbooks_service.requests.total, 0.5)
        await connect(firm)
        assert (await office.result(party_id)).outcome == "updated"
    assert [each["organization"] for each in firm.clients()] == ["Acme & Sons"]


async def test_the_store_being_away_for_a_moment_pauses_nobody(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    firm = office.firm
    look, away = firm.store.tokens.all, [False]

    async def read() -> object:
        if away[0]:
            raise OperationalError("", None, Exception("away"))
        return await look()

    monkeypatch.setattr(firm.store.tokens, "all", read)
    async with attended(office):
        await office.sync(await firm.new_party())
        away[0] = True
        await asyncio.sleep(0.3)
        assert (await office.sync(await firm.new_party(name="Second"))).outcome == "created"


def account_workers(office: Office, worker_of: Callable[[AccountQueue], Worker]) -> AccountWorkers:
    firm, announcer = office.firm, office.announcer
    wiring = Wiring(firm.settings, firm.http, firm.store, announcer.party_changed, announcer.client_changed)
    return AccountWorkers(office.temporal, wiring, worker_of)


async def test_a_worker_that_ends_by_itself_ends_the_process(office: Office) -> None:
    """S51: whoever watches the process starts it again."""

    def broken(queue: AccountQueue) -> Worker:
        raise RuntimeError(f"no worker for {queue.name}")

    with pytest.raises(RuntimeError, match="no worker for capsule@"):
        await asyncio.wait_for(account_workers(office, broken).run_until(asyncio.Event().wait()), 10)


async def test_a_process_that_stops_lets_its_refresh_come_to_an_end(office: Office) -> None:
    """F9: else FreshBooks would have replaced a token that we never heard of."""
    firm = office.firm
    register(firm)
    await connect(firm, age=timedelta(hours=13))
    firm.books_fault(path="/oauth/token$", fault="latency", seconds=1.0)
    async with attended(office):
        await office.announce(await firm.new_party())

        async def asked() -> bool:
            return firm.calls("POST", "/oauth/token") > 1

        await until(asked)
    after = await standing(office, "freshbooks")
    assert (after.state, after.version, renewals(firm.sandbox)) == (USABLE, 2, 1)


async def test_tokens_are_renewed_in_time_while_syncing(office: Office) -> None:
    """S11, Z113: nobody notices."""
    firm = office.firm
    register(firm)
    await connect(firm, age=timedelta(hours=11))
    async with attended(office):
        assert (await office.sync(await firm.new_party())).outcome == "created"
        await in_state(office, "freshbooks", USABLE)
    assert renewals(firm.sandbox) == 1


async def test_an_access_token_that_is_revoked_in_mid_run_costs_one_refresh(office: Office) -> None:
    """F13."""
    firm = office.firm
    register(firm)
    granted = await connect(firm)
    async with attended(office):
        await office.sync(await firm.new_party())
        firm.sandbox.freshbooks_service.tokens.revoke_access(granted.access.get_secret_value())
        parties = [await firm.new_party(name=f"Customer {number}") for number in range(5)]
        for party_id in parties:
            await office.announce(party_id)
        results = await asyncio.gather(*(office.result(party_id) for party_id in parties))
    assert {each.outcome for each in results} == {"created"}
    assert (len(firm.clients()), renewals(firm.sandbox)) == (6, 1)


async def test_an_account_that_waits_has_no_worker_at_all(office: Office) -> None:
    """Z130."""
    register(office.firm)
    begun: list[str] = []

    def noted(queue: AccountQueue) -> Worker:
        begun.append(queue.name)
        return account_worker(office.temporal, queue)

    await account_workers(office, noted).run_until(asyncio.sleep(0.5))
    assert begun == [f"capsule@{office.firm.name}"]
