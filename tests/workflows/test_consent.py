"""Lost consent is one question to one person. What needs the account waits in Temporal, and arrives afterwards."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

import activities.errors
import worker.account_workers
import workflows.options
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from store.tokens import NEEDS_CONSENT
from tests.attended import attended, holds, in_state, no_hold, one_hold, quiet, resolve, standing, waiting
from tests.sandboxes import Firm
from tests.workflows.office import Office, until
from workflows.consent import ConsentNeeded, consent_id
from workflows.models import ConsentRequest
from workflows.search_attributes import CONNECTION, FLOW, HELD, HOLD_REASON, IN_STEP, RECORD_KEY, SYNC_STATE

CUSTOMERS = 5


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that takes seconds in production is looked at more often."""
    monkeypatch.setattr(worker.account_workers, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(worker.account_workers, "ASK_AGAIN_AFTER", 1.0)
    monkeypatch.setattr(activities.errors, "TOKEN_CHECK", timedelta(seconds=1))


def end_token(firm: Firm) -> None:
    """FreshBooks accepts the token of the settings no longer."""
    firm.sandbox.freshbooks_service.tokens.revoke_access(firm.connection.freshbooks.token.get_secret_value())


def accept_token_again(firm: Firm) -> None:
    """FreshBooks accepts it after all."""
    records = firm.sandbox.freshbooks_service.records
    text = firm.connection.freshbooks.token.get_secret_value()
    token = next(each for each in records.all("token") if each["access_token"] == text)
    records.commit("update", "token", token["id"], {**token, "expires_in": None})


async def announce_customers(office: Office) -> list[int]:
    parties = [await office.firm.new_party(name=f"Customer {number}") for number in range(CUSTOMERS)]
    for party_id in parties:
        await office.announce(party_id)
    return parties


async def lost(office: Office) -> list[int]:
    """Let FreshBooks end our token, and customers be entered that need it."""
    end_token(office.firm)
    parties = await announce_customers(office)
    await one_hold(office)
    return parties


async def all_created(office: Office, parties: list[int]) -> None:
    results = await asyncio.gather(*(office.result(party_id) for party_id in parties))
    assert {each.outcome for each in results} == {"created"}
    assert len(office.firm.clients()) == CUSTOMERS


async def test_lost_consent_is_one_hold_however_many_customers_wait(office: Office) -> None:
    """S17, F13: named by connection and system, and nothing of it is a customer's."""
    async with attended(office):
        await lost(office)
        await asyncio.sleep(1)
        hold = await one_hold(office)
        assert (hold.flow, hold.record_id, hold.reason) == ("connection", "freshbooks", "needs-consent")
        assert hold.workflow_id == f"consent/{office.firm.name}/freshbooks"
        evidence = await office.firm.store.holds.evidence(hold.workflow_id)
    assert "FreshBooks does not accept the token in the settings" in str(evidence["explanation"])


async def test_what_needs_the_account_waits_in_temporal_while_the_other_account_goes_on(office: Office) -> None:
    """F13: no attempt is made, so none can fail."""
    firm = office.firm

    def asked_of_books() -> int:
        return firm.sandbox.freshbooks_service.requests.total()

    async with attended(office):
        await lost(office)
        await asyncio.sleep(1)
        read = firm.calls("GET", "/parties/{ids}")
        await office.announce(await firm.new_party(name="Customer in between"))
        await office.called("GET", "/parties/{ids}", read + 1)
        assert await quiet(asked_of_books)


async def test_a_person_who_says_try_again_lets_everything_arrive(office: Office) -> None:
    """F13."""
    async with attended(office):
        parties = await lost(office)
        accept_token_again(office.firm)
        assert await resolve(office, "freshbooks", "retry") == "resolved: retry"
        await all_created(office, parties)
        await no_hold(office)
        assert await waiting(office, "freshbooks").result() == "usable"


async def test_trying_again_too_early_is_another_hold(office: Office) -> None:
    async with attended(office):
        await lost(office)
        first = await one_hold(office)
        await resolve(office, "freshbooks", "retry")

        async def held_anew() -> bool:
            return any(each.opened_at > first.opened_at for each in await holds(office))

        await until(held_anew)


async def test_another_token_in_the_settings_is_all_it_takes(office: Office) -> None:
    firm = office.firm
    async with attended(office):
        parties = await lost(office)
    tokens = firm.sandbox.freshbooks_service.tokens
    issued = tokens.seed(
        "user:profile:read user:clients:read user:clients:write", client_id=None, user_id=7001, role="owner"
    )
    async with attended(office, with_token(firm, issued["access_token"])):
        await all_created(office, parties)
        await no_hold(office)


def with_token(firm: Firm, text: str) -> Settings:
    account = firm.connection.freshbooks.model_copy(update={"token": SecretStr(text)})
    connection = firm.connection.model_copy(update={"freshbooks": account})
    return firm.settings.model_copy(update={"connections": {firm.name: connection}})


async def test_a_process_that_found_it_out_and_died_has_not_taken_the_question_with_it(office: Office) -> None:
    """F35: whoever starts next asks."""
    firm = office.firm
    await firm.store.tokens.refuse(
        firm.name, "freshbooks", "not accepted", firm.connection.freshbooks.token.get_secret_value()
    )
    async with attended(office):
        assert (await one_hold(office)).record_id == "freshbooks"


async def test_a_person_cannot_skip_consent(office: Office) -> None:
    async with attended(office):
        await lost(office)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await resolve(office, "freshbooks", "skip")
        assert isinstance(refused.value.cause, ApplicationError)
        command = f"ledgerline connect freshbooks --connection {office.firm.name}"
        assert command in refused.value.cause.message
        assert (await standing(office, "freshbooks")).state == NEEDS_CONSENT


async def test_operators_find_it_by_state_reason_and_connection(office: Office) -> None:
    async with attended(office):
        await lost(office)
        await one_hold(office)

        async def shown() -> bool:
            seen = (await waiting(office, "freshbooks").describe()).typed_search_attributes
            return seen.get(SYNC_STATE) == HELD

        await until(shown)
        seen = (await waiting(office, "freshbooks").describe()).typed_search_attributes
        assert (seen.get(CONNECTION), seen.get(FLOW)) == (office.firm.name, "connection")
        assert (seen.get(HOLD_REASON), seen.get(RECORD_KEY)) == ("needs-consent", "freshbooks")
        await office.firm.store.tokens.try_again(office.firm.name, "freshbooks")
        accept_token_again(office.firm)
        await waiting(office, "freshbooks").result()
        after = (await waiting(office, "freshbooks").describe()).typed_search_attributes
        assert (after.get(SYNC_STATE), after.get(HOLD_REASON)) == (IN_STEP, None)


async def start(office: Office, system: str = "freshbooks") -> None:
    await office.temporal.start_workflow(
        ConsentNeeded.run,
        ConsentRequest(connection=office.firm.name, system=system),
        id=consent_id(office.firm.name, system),
        task_queue=WORKFLOW_QUEUE,
    )


async def test_an_account_that_is_usable_after_all_is_no_question(office: Office) -> None:
    async with office.working():
        await start(office)
        assert await waiting(office, "freshbooks").result() == "usable"
        assert await holds(office) == []


async def test_a_question_that_is_cancelled_leaves_no_hold_behind(office: Office) -> None:
    firm = office.firm
    await firm.store.tokens.refuse(firm.name, "freshbooks", "not accepted", "x")
    async with office.working():
        await start(office)
        await one_hold(office)
        await waiting(office, "freshbooks").cancel()
        with pytest.raises(WorkflowFailureError):
            await waiting(office, "freshbooks").result()
    assert await holds(office) == []


async def test_a_question_that_is_open_for_long_goes_on_as_a_new_run_and_stays_one_hold(office: Office) -> None:
    """F42: a history has an end."""
    firm = office.firm
    await firm.store.tokens.refuse(firm.name, "freshbooks", "not accepted", "x")
    async with office.working():
        await start(office)
        opened = (await one_hold(office)).opened_at
        first = (await waiting(office, "freshbooks").describe()).run_id
        for _ in range(25):
            await waiting(office, "freshbooks").signal(ConsentNeeded.look)
            await asyncio.sleep(0.1)

        async def is_another_run() -> bool:
            return (await waiting(office, "freshbooks").describe()).run_id != first

        await until(is_another_run)
        assert (await one_hold(office)).opened_at == opened
        await firm.store.tokens.try_again(firm.name, "freshbooks")
        await waiting(office, "freshbooks").signal(ConsentNeeded.look)
        assert await waiting(office, "freshbooks").result() == "usable"
    assert await holds(office) == []


def test_a_customer_does_not_become_a_hold_of_its_own_while_a_person_is_on_holiday() -> None:
    """F13: activities wait for three months in the paused queue; FreshBooks' refresh tokens know no end."""
    patience = workflows.options.API_CALL.get("schedule_to_close_timeout")
    assert patience is not None
    assert patience > timedelta(weeks=6)


async def test_both_accounts_of_a_connection_may_wait_for_consent(office: Office) -> None:
    firm = office.firm
    for system in ("capsule", "freshbooks"):
        token = firm.connection.accounts[system].token
        await firm.store.tokens.refuse(firm.name, system, "not accepted", token.get_secret_value())
    async with attended(office):

        async def both() -> bool:
            return {each.record_id for each in await holds(office)} == {"capsule", "freshbooks"}

        await until(both)
        await in_state(office, "capsule", NEEDS_CONSENT)
