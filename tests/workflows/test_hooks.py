"""Webhooks are kept up, handshakes answered, and what went unheard is swept."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from activities.queues import CAPSULE
from runtime.queues import WORKFLOW_QUEUE
from starters.schedules import ensure_schedules
from starters.wanted_schedules import wanted_schedules
from tests.sandboxes import Firm
from tests.workflows.office import Office, until
from workflows.hooks import CLIENT_EVENTS, PARTY_EVENTS, CallbackVerification, HookUpkeep
from workflows.models import CallbackRequest, ConnectionRequest, HookReport

RUNS = itertools.count(1)
ALL_EVENTS = [*PARTY_EVENTS["capsule"], *CLIENT_EVENTS]


async def kept_up(office: Office) -> HookReport:
    """Run the upkeep once, as its schedule does."""
    return await office.temporal.execute_workflow(
        HookUpkeep.run,
        ConnectionRequest(connection=office.firm.name, crm=office.firm.connection.crm),
        id=f"hook-upkeep/{office.firm.name}/{next(RUNS)}",
        task_queue=WORKFLOW_QUEUE,
    )


@asynccontextmanager
async def scheduled(office: Office) -> AsyncIterator[None]:
    """Have both sweeps on schedules that do not run by themselves while a test lasts."""
    clients = office.firm.connection.clients.model_copy(update={"direction": "both", "sweep_every": timedelta(days=1)})
    connection = office.firm.connection.model_copy(update={"clients": clients})
    settings = office.firm.settings.model_copy(update={"connections": {office.firm.name: connection}})
    sweeps = [each for each in wanted_schedules(settings) if "-sweep/" in each.id]
    await ensure_schedules(office.temporal, sweeps, run_now=False)
    yield
    for each in sweeps:
        await office.temporal.get_schedule_handle(each.id).delete()


async def swept(firm: Firm, stream: str) -> datetime:
    """Wait until a sweep has come to its end."""

    async def ended() -> datetime | None:
        return await firm.store.cursors.read(firm.name, stream)

    found: datetime = await until(ended)
    return found


def drop_one_rest_hook(firm: Firm) -> None:
    """Let Capsule end a subscription, as it does after 36 minutes of failures."""
    records = firm.sandbox.capsule_service.records
    dropped = records.all("resthook")[0]
    records.commit("delete", "resthook", dropped["id"], dropped)


async def verify_callback(office: Office) -> None:
    """Answer the handshake of the one callback that is registered."""
    (callback,) = office.firm.sandbox.freshbooks_service.records.all("callback")
    await office.announcer.handshake(office.firm.name, str(callback["callbackid"]), callback["verifier"])
    verification = f"callback-verification/{office.firm.name}/freshbooks-callback-{callback['callbackid']}"
    assert await office.temporal.get_workflow_handle(verification).result()


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


async def test_after_a_webhook_was_missing_its_system_is_swept_at_once(office: Office, firm: Firm) -> None:
    """F12, F15: what changed meanwhile was told by nobody."""
    async with office.working(), scheduled(office):
        await kept_up(office)
        await verify_callback(office)
        drop_one_rest_hook(firm)
        assert (await kept_up(office)).caught_up == [f"party-sweep/{firm.name}"]
        await swept(firm, "capsule.parties")


async def test_after_a_callback_did_not_deliver_the_books_are_swept_at_once(office: Office, firm: Firm) -> None:
    """F13"""
    async with office.working(), scheduled(office):
        await kept_up(office)
        assert (await kept_up(office)).caught_up == [f"client-sweep/{firm.name}"]
        await swept(firm, "freshbooks.clients")


async def test_where_no_webhook_was_missing_no_sweep_is_started(office: Office, firm: Firm) -> None:
    """Z140"""
    async with office.working(), scheduled(office):
        await kept_up(office)
        await verify_callback(office)
        assert await kept_up(office) == HookReport(kept=ALL_EVENTS)


async def test_a_sweep_that_an_operator_paused_is_not_started(office: Office, firm: Firm) -> None:
    """Its cursor knows from when on to read once it goes on."""
    async with office.working(), scheduled(office):
        await office.temporal.get_schedule_handle(f"party-sweep/{firm.name}").pause(note="month end")
        assert (await kept_up(office)).caught_up == [f"client-sweep/{firm.name}"]


async def test_a_token_that_may_have_no_webhooks_is_reported_and_the_other_system_still_served(
    office: Office, firm: Firm
) -> None:
    firm.use(capsule_token=firm.sandbox.capsule_service.about()["tokens"]["personal"])
    async with office.working():
        assert await kept_up(office) == HookReport(created=list(CLIENT_EVENTS), not_allowed=[CAPSULE])


async def test_a_handshake_makes_the_callback_deliver(office: Office, firm: Firm) -> None:
    async with office.working():
        await kept_up(office)
        await verify_callback(office)
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
