"""Webhooks are kept up, handshakes answered, and the doctor told who we are."""

import itertools
from datetime import timedelta

import pytest

import workflows.options
from activities.queues import CAPSULE
from runtime.queues import WORKFLOW_QUEUE
from tests.sandboxes import Firm
from tests.workflows.office import Office
from workflows.checks import ConnectionCheck
from workflows.hooks import CLIENT_EVENTS, PARTY_EVENTS, CallbackVerification, HookUpkeep
from workflows.models import CallbackRequest, CheckReport, ConnectionRequest, HookReport

RUNS = itertools.count(1)
ALL_EVENTS = [*PARTY_EVENTS, *CLIENT_EVENTS]


async def kept_up(office: Office) -> HookReport:
    """Run the upkeep once, as its schedule does."""
    return await office.temporal.execute_workflow(
        HookUpkeep.run,
        ConnectionRequest(connection=office.firm.name),
        id=f"hook-upkeep/{office.firm.name}/{next(RUNS)}",
        task_queue=WORKFLOW_QUEUE,
    )


async def checked(office: Office) -> CheckReport:
    """Run the connection check, as the doctor does."""
    return await office.temporal.execute_workflow(
        ConnectionCheck.run,
        ConnectionRequest(connection=office.firm.name),
        id=f"connection-check/{office.firm.name}/{next(RUNS)}",
        task_queue=WORKFLOW_QUEUE,
    )


def registered(firm: Firm) -> list[str]:
    hooks = firm.sandbox.capsule_service.records.all("resthook")
    callbacks = firm.sandbox.freshbooks_service.records.all("callback")
    return [each["event"] for each in (*hooks, *callbacks)]


async def test_a_new_connection_gets_all_its_webhooks(office: Office, firm: Firm) -> None:
    """S1."""
    async with office.working():
        assert await kept_up(office) == HookReport(created=ALL_EVENTS)
    assert registered(firm) == ALL_EVENTS


async def test_webhooks_that_stand_are_left_alone(office: Office, firm: Firm) -> None:
    async with office.working():
        await kept_up(office)
        assert await kept_up(office) == HookReport(kept=ALL_EVENTS)
    assert registered(firm) == ALL_EVENTS


async def test_only_a_webhook_that_was_dropped_is_registered_again(office: Office, firm: Firm) -> None:
    """F12: providers drop them without a word."""
    async with office.working():
        await kept_up(office)
        records = firm.sandbox.capsule_service.records
        dropped = records.all("resthook")[1]
        records.commit("delete", "resthook", dropped["id"], dropped)
        assert (await kept_up(office)).created == [dropped["event"]]
    assert sorted(registered(firm)) == sorted(ALL_EVENTS)


async def test_a_callback_without_a_handshake_is_asked_for_it_again(office: Office, firm: Firm) -> None:
    async with office.working():
        await kept_up(office)
        await kept_up(office)
    sent = firm.sandbox.freshbooks_service.courier.deliveries
    assert [each.parcel.event for each in sent] == ["callback.verify", "callback.verify"]


async def test_a_token_that_may_have_no_webhooks_is_reported_and_the_other_system_still_served(
    office: Office, firm: Firm
) -> None:
    firm.use(capsule_token=firm.sandbox.capsule_service.about()["tokens"]["personal"])
    async with office.working():
        assert await kept_up(office) == HookReport(created=list(CLIENT_EVENTS), not_allowed=[CAPSULE])


async def test_a_handshake_makes_the_callback_deliver(office: Office, firm: Firm) -> None:
    async with office.working():
        await kept_up(office)
        (callback,) = firm.sandbox.freshbooks_service.records.all("callback")
        await office.announcer.handshake(firm.name, str(callback["callbackid"]), callback["verifier"])
        handle = office.temporal.get_workflow_handle(
            f"callback-verification/{firm.name}/freshbooks-callback-{callback['callbackid']}"
        )
        assert await handle.result() is True
    (callback,) = firm.sandbox.freshbooks_service.records.all("callback")
    assert callback["verified"]


async def test_a_handshake_for_a_callback_that_is_not_ours_verifies_nothing(office: Office, firm: Firm) -> None:
    async with office.working():
        answered = await office.temporal.execute_workflow(
            CallbackVerification.run,
            CallbackRequest(connection=firm.name, callback_id=4711),
            id=f"callback-verification/{firm.name}/4711",
            task_queue=WORKFLOW_QUEUE,
        )
    assert answered is False


async def test_the_check_says_who_we_are_to_both_systems(office: Office, firm: Firm) -> None:
    """Z20."""
    async with office.working():
        report = await checked(office)
    account = firm.connection.freshbooks.account_id
    assert report == CheckReport(passed=["capsule: account sandbox", f"freshbooks: account {account}"])


async def test_the_check_says_what_is_wrong_with_a_token(office: Office, firm: Firm) -> None:
    """Z20."""
    firm.use(capsule_token="expired")
    async with office.working():
        report = await checked(office)
    assert len(report.passed) == 1
    assert report.failed[0].startswith("capsule: Capsule refused to read the site (HTTP 401): refresh the access token")


async def test_the_check_says_when_no_worker_serves_an_account(
    office: Office, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S51."""
    patience = {**workflows.options.CHECK, "schedule_to_close_timeout": timedelta(seconds=0.5)}
    monkeypatch.setattr(workflows.options, "CHECK", patience)
    firm.queues = []
    async with office.working():
        report = await checked(office)
    assert report.failed == [
        "capsule: no answer from the worker in time",
        "freshbooks: no answer from the worker in time",
    ]
