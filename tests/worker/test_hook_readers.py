"""A delivery is believed once its callback is verified, and not a moment earlier."""

import asyncio

import pytest

from connectors.freshbooks.hooks import parse_fields, signature
from starters.hooks import Delivery, RefusedDelivery
from store.store import Store
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
