"""A firm whose account workers are run and paused as their accounts' states ask, as a worker process does it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from temporalio.client import WorkflowHandle

from runtime.settings import Settings
from store.holds import OpenHold
from store.tokens import Account, Grant
from tests.consents import consent, grant, registered
from tests.sandboxes import FRESHBOOKS, Firm, sandbox_settings
from tests.workflows.office import Office, until
from worker.account_workers import AccountWorkers
from worker.accounts import Wiring
from worker.main import account_worker, workflow_worker
from worker.tokens import oauth_of
from workflows.consent import ConsentNeeded, consent_id
from workflows.models import Resolution

PATIENCE = 40.0
ACCOUNT_ID = "sBx7Qz"


@asynccontextmanager
async def attended(office: Office, settings: Settings | None = None) -> AsyncIterator[None]:
    """Run one worker process of the firm, in this process, until the block ends."""
    firm, announcer = office.firm, office.announcer
    wiring = Wiring(
        settings or firm.settings,
        firm.http,
        firm.store,
        announcer.party_changed,
        announcer.client_changed,
        announcer.opportunity_changed,
        announcer.record_changed,
    )
    accounts = AccountWorkers(office.temporal, wiring, partial(account_worker, office.temporal))
    stop = asyncio.Event()
    async with workflow_worker(office.temporal, wiring.settings, firm.store):
        running = asyncio.create_task(accounts.run_until(stop.wait()))
        try:
            yield
        finally:
            stop.set()
            await running


async def standing(office: Office, system: str) -> Account:
    """Return how one account stands."""
    accounts: Mapping[tuple[str, str], Account] = await office.firm.store.tokens.all()
    return accounts[office.firm.name, system]


async def in_state(office: Office, system: str, state: str) -> None:
    """Wait until an account is in a state."""

    async def seen() -> bool:
        accounts = await office.firm.store.tokens.all()
        account = accounts.get((office.firm.name, system))
        return account is not None and account.state == state

    await until(seen, PATIENCE)


async def holds(office: Office) -> list[OpenHold]:
    """Return the firm's open holds."""
    return [each for each in await office.firm.store.holds.listed() if each.connection == office.firm.name]


async def one_hold(office: Office) -> OpenHold:
    """Return the firm's hold, once there is one; there must be no second one."""

    async def seen() -> list[OpenHold]:
        return await holds(office)

    found: list[OpenHold] = await until(seen, PATIENCE)
    assert len(found) == 1, found
    return found[0]


async def no_hold(office: Office) -> None:
    """Wait until nothing is held."""

    async def gone() -> bool:
        return not await holds(office)

    await until(gone, PATIENCE)


def waiting(office: Office, system: str) -> "WorkflowHandle[ConsentNeeded, str]":
    """Return the workflow that waits for an account's consent."""
    return office.temporal.get_workflow_handle(consent_id(office.firm.name, system), result_type=str)


async def resolve(office: Office, system: str, choice: Literal["retry", "skip"]) -> str:
    """Decide as a person does."""
    handle = waiting(office, system)
    answer: str = await handle.execute_update("resolve", Resolution(choice=choice), result_type=str)
    return answer


async def quiet(requests: Callable[[], int], seconds: float = 1.0) -> bool:
    """Return whether no request comes for a while."""
    before = requests()
    await asyncio.sleep(seconds)
    return requests() == before


def register(firm: Firm, **more: Any) -> None:
    """Let FreshBooks be an account that a person connects; which one it is, the settings do not say."""
    account = registered(firm.sandbox.freshbooks_service, FRESHBOOKS, **more)
    settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, freshbooks=account)
    firm.settings = settings


async def connect(firm: Firm, *, age: timedelta = timedelta(0)) -> Grant:
    """Let a person connect FreshBooks; the tokens are as old as a test wants them."""
    oauth = oauth_of(firm.connection, "freshbooks", firm.http)
    granted = grant(await consent(oauth, firm.http), age=age)
    await firm.store.tokens.consented(firm.name, "freshbooks", granted, ACCOUNT_ID)
    return granted
