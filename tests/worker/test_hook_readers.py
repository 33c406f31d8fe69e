"""A delivery is believed once its callback is verified, and not a moment earlier."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connectors.freshbooks.hooks import parse_fields, signature
from starters.hooks import Delivery, RefusedDelivery
from store.store import Store
from store.tokens import Grant
from worker import hook_readers
from worker.hook_readers import SIGNATURE_HEADER, FreshBooksHookReader

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
