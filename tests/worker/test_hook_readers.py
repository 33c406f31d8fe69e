"""Of FreshBooks a delivery is believed once its callback is verified; of Zoho, if it brings our channel's token."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.freshbooks.hooks import parse_fields, signature
from runtime.keys import KeyRing
from runtime.settings import Settings
from starters.hooks import Delivery, HookReader, RefusedDelivery
from store.store import Store
from store.tokens import Grant
from worker import hook_readers
from worker.hook_readers import SIGNATURE_HEADER, FreshBooksHookReader, channel_keys

EVENT = b"name=client.update&object_id=7&account_id=aB3xYz"
SIGNED = {SIGNATURE_HEADER: signature("verifier-1", parse_fields(EVENT))}


def reader(store: Store) -> FreshBooksHookReader:
    return FreshBooksHookReader(["secret"], "acme", "aB3xYz", store.callbacks)


async def test_a_delivery_that_overtakes_its_own_verification_waits_for_it(sqlite_store: Store) -> None:
    """F13: FreshBooks delivers as soon as it has accepted the verifier."""
    await sqlite_store.callbacks.offer("acme", "2001", "verifier-1")
    reading = asyncio.create_task(reader(sqlite_store).read(SIGNED, EVENT))
    await asyncio.sleep(0.2)
    assert not reading.done()
    await sqlite_store.callbacks.trust("acme", "2001", "verifier-1")
    assert await reading == Delivery("client.update", ("7",))


async def test_a_verifier_that_freshbooks_never_accepts_signs_nothing(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_readers, "VERIFICATION_CHECKS", 2)
    await sqlite_store.callbacks.offer("acme", "9999", "verifier-1")
    with pytest.raises(RefusedDelivery, match="fits none") as refused:
        await reader(sqlite_store).read(SIGNED, EVENT)
    assert refused.value.status == 401


async def test_deliveries_are_for_the_account_that_was_picked_when_it_was_connected(sqlite_store: Store) -> None:
    """S11: the receiver runs before anybody has connected, and needs no restart."""
    unnamed = FreshBooksHookReader(["secret"], "acme", "", sqlite_store.callbacks, sqlite_store.tokens)
    handshake = b"name=callback.verify&object_id=2001&account_id=aB3xYz&verifier=v1"
    with pytest.raises(RefusedDelivery, match="another FreshBooks account"):
        await unnamed.read({}, handshake)
    now = datetime.now(UTC)
    await sqlite_store.tokens.consented(
        "acme", "freshbooks", Grant(SecretStr("a"), SecretStr("r"), "", now, now + timedelta(hours=12)), "aB3xYz"
    )
    assert (await unnamed.read({}, handshake)).handshake == "v1"


OKAFOR = "4876876000000412001"
OLD_KEY, NEW_KEY = bytes(range(32)), bytes(range(1, 33))
BEFORE, AFTER = KeyRing({"k1": OLD_KEY}), KeyRing({"k2": NEW_KEY, "k1": OLD_KEY})


def zoho_reader(keys: KeyRing) -> HookReader:
    """Return the reader of a connection with Zoho CRM, as the receiver builds it."""
    zoho_crm, books = {"token": "x"}, {"token": "x", "account_id": "aB3xYz"}
    settings = Settings(connections={"acme": {"zoho_crm": zoho_crm, "freshbooks": books}})
    return hook_readers.hook_readers(settings, Store("sqlite+aiosqlite:///none.db", keys))["zoho_crm", "acme"]


def token_of(keys: KeyRing) -> str:
    """Return the token that our channels are given."""
    (token,) = {token.get_secret_value() for _, token in channel_keys(keys, "acme").values()}
    return token


def zoho_delivery(token: str | None, **changes: Any) -> bytes:
    said = {"module": "Contacts", "ids": [OKAFOR], "operation": "update", "channel_id": "1", "token": token} | changes
    return json.dumps(said).encode()


@pytest.mark.parametrize(
    ("module", "operation"), [("Contacts", "insert"), ("Accounts", "update"), ("Contacts", "delete")]
)
async def test_a_delivery_of_zoho_with_our_token_names_the_records(module: str, operation: str) -> None:
    """Z29."""
    body = zoho_delivery(token_of(BEFORE), module=module, operation=operation, ids=[OKAFOR, "4876876000000412002"])
    assert await zoho_reader(BEFORE).read({}, body) == Delivery(
        f"{module}.{operation}", (OKAFOR, "4876876000000412002")
    )


@pytest.mark.parametrize("token", ["guessed", token_of(KeyRing({"k9": NEW_KEY})), token_of(BEFORE)[:-1]])
async def test_a_delivery_of_zoho_with_another_token_is_not_believed(token: str) -> None:
    """Z130: the path may have leaked."""
    with pytest.raises(RefusedDelivery, match="does not bring the token of this connection's channels") as refused:
        await zoho_reader(BEFORE).read({}, zoho_delivery(token))
    assert refused.value.status == 401
    assert token not in str(refused.value)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", zoho_delivery(None), zoho_delivery(""), zoho_delivery("x", ids="7")]
)
async def test_what_is_no_delivery_of_zohos_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        await zoho_reader(BEFORE).read({}, body)
    assert refused.value.status == 400


async def test_channels_from_before_a_change_of_keys_are_believed_until_they_are_renewed() -> None:
    """Z137: for up to a week, deliveries bring the token that was made with the older key."""
    reader = zoho_reader(AFTER)
    for token in (token_of(BEFORE), token_of(AFTER)):
        assert (await reader.read({}, zoho_delivery(token))).record_ids == (OKAFOR,)
    with pytest.raises(RefusedDelivery):
        await zoho_reader(BEFORE).read({}, zoho_delivery(token_of(AFTER)))


def test_each_event_has_a_channel_of_a_number_that_lasts() -> None:
    """F12: another number after a change of keys would leave channels behind that tell everything twice."""
    before, after = channel_keys(BEFORE, "acme"), channel_keys(AFTER, "acme")
    numbers = {event: number for event, (number, _) in before.items()}
    assert numbers == {event: number for event, (number, _) in after.items()}
    others = {number for number, _ in channel_keys(BEFORE, "berg").values()}
    assert len(set(numbers.values()) | others) == 6
    assert all(0 < int(number) < 2**63 for number in (*numbers.values(), *others))


def test_the_token_of_a_channel_is_not_shown_when_it_is_printed() -> None:
    """Z137."""
    assert token_of(BEFORE) not in repr(channel_keys(BEFORE, "acme"))
    assert len(token_of(BEFORE)) <= 50
