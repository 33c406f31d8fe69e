"""Webhooks: what is registered, what is missing, and the handshake that FreshBooks wants."""

from typing import Any
from urllib.parse import parse_qs

from temporalio.testing import ActivityEnvironment

from activities.crm_hooks import CrmHookActivities
from activities.hooks import FreshBooksHookActivities
from activities.models import ConnectionName
from activities.sweep_models import Callback, HookList, NewHook
from tests.sandboxes import HOOKS, Firm


def callback_of(firm: Firm) -> dict[str, Any]:
    """Return the one callback that FreshBooks holds, with the verifier that it posted."""
    (found,) = firm.sandbox.freshbooks_service.records.all("callback")
    return found


async def rest_hooks(firm: Firm) -> HookList:
    return await firm.run(CrmHookActivities.list_rest_hooks, ConnectionName(connection=firm.name))


async def callbacks(firm: Firm) -> HookList:
    return await firm.run(FreshBooksHookActivities.list_callbacks, ConnectionName(connection=firm.name))


async def register_callback(firm: Firm) -> Callback:
    await firm.run(FreshBooksHookActivities.create_callback, NewHook(connection=firm.name, event="client"))
    return Callback(connection=firm.name, callback_id=callback_of(firm)["callbackid"])


async def test_a_hook_that_we_register_is_on_the_list_afterwards(firm: Firm) -> None:
    assert (await rest_hooks(firm)).events == []
    await firm.run(CrmHookActivities.create_rest_hook, NewHook(connection=firm.name, event="party/updated"))
    assert (await rest_hooks(firm)).events == ["party/updated"]


async def test_the_hook_leads_to_a_path_that_nobody_can_guess(firm: Firm) -> None:
    await firm.run(CrmHookActivities.create_rest_hook, NewHook(connection=firm.name, event="party/updated"))
    (hook,) = firm.sandbox.capsule_service.records.all("resthook")
    start, _, secret = hook["targetUrl"].rpartition("/")
    assert (start, len(secret)) == (f"{HOOKS}/hooks/capsule/{firm.name}", 64)


async def test_somebody_elses_hook_is_not_taken_for_ours(firm: Firm) -> None:
    await firm.run(CrmHookActivities.create_rest_hook, NewHook(connection=firm.name, event="party/updated"))
    records = firm.sandbox.capsule_service.records
    (hook,) = records.all("resthook")
    records.commit("update", "resthook", hook["id"], {**hook, "targetUrl": "https://elsewhere.test/hook"})
    assert (await rest_hooks(firm)).events == []


async def test_a_personal_token_may_have_no_hooks_and_that_is_no_error(firm: Firm) -> None:
    personal = firm.sandbox.capsule_service.about()["tokens"]["personal"]
    firm.use(capsule_token=personal)
    assert not (await rest_hooks(firm)).allowed


async def test_a_new_callback_waits_for_its_handshake(firm: Firm) -> None:
    callback = await register_callback(firm)
    listed = await callbacks(firm)
    assert (listed.events, listed.unverified) == (["client"], [callback.callback_id])


async def test_the_handshake_is_answered_with_the_verifier_that_was_offered(firm: Firm) -> None:
    callback = await register_callback(firm)
    verifier = callback_of(firm)["verifier"]
    await firm.store.callbacks.offer(firm.name, str(callback.callback_id), verifier)
    assert await firm.run(FreshBooksHookActivities.verify_callback, callback)
    assert callback_of(firm)["verified"]
    assert await firm.store.callbacks.trusted(firm.name) == [verifier]


async def test_a_verifier_that_freshbooks_does_not_know_is_never_trusted(firm: Firm) -> None:
    """Anybody can send a handshake; FreshBooks has the last word."""
    callback = await register_callback(firm)
    await firm.store.callbacks.offer(firm.name, str(callback.callback_id), "forged")
    assert not await firm.run(FreshBooksHookActivities.verify_callback, callback)
    assert await firm.store.callbacks.trusted(firm.name) == []
    assert await firm.store.callbacks.offered(firm.name, str(callback.callback_id)) is None


async def test_a_forged_handshake_does_not_end_the_trust_in_the_real_one(firm: Firm) -> None:
    callback = await register_callback(firm)
    verifier = callback_of(firm)["verifier"]
    await firm.store.callbacks.offer(firm.name, str(callback.callback_id), verifier)
    await firm.run(FreshBooksHookActivities.verify_callback, callback)
    await firm.store.callbacks.offer(firm.name, str(callback.callback_id), "forged")
    await firm.run(FreshBooksHookActivities.verify_callback, callback)
    assert await firm.store.callbacks.trusted(firm.name) == [verifier]


async def test_without_a_handshake_there_is_nothing_to_answer(firm: Firm) -> None:
    callback = await register_callback(firm)
    assert not await firm.run(FreshBooksHookActivities.verify_callback, callback)


async def test_a_handshake_that_never_came_can_be_asked_for_again(firm: Firm) -> None:
    callback = await register_callback(firm)
    await firm.run(FreshBooksHookActivities.resend_verification, callback)
    sent = [parse_qs(each.parcel.content.decode()) for each in firm.sandbox.freshbooks_service.courier.deliveries]
    assert [each["name"] for each in sent] == [["callback.verify"], ["callback.verify"]]


async def test_where_providers_cannot_reach_us_no_hook_is_registered(firm: Firm) -> None:
    hooks = CrmHookActivities(None)
    await ActivityEnvironment().run(hooks.create_rest_hook, NewHook(connection=firm.name, event="party/updated"))
    assert firm.sandbox.capsule_service.records.all("resthook") == []
