"""Payments as they were last judged."""

from dataclasses import replace

from store.payments import JudgedPayment
from store.store import Store

PAID = JudgedPayment(501, 90001, "print-1", "paid")


async def test_a_judged_payment_is_known_again(store: Store) -> None:
    """Z85: a second run finds it unchanged, and writes nothing."""
    await store.payments.judge("acme", PAID)
    await store.payments.judge("acme", PAID)
    assert await store.payments.of("acme", [501, 502]) == {501: PAID}


async def test_a_payment_that_was_edited_is_judged_anew(store: Store) -> None:
    await store.payments.judge("acme", PAID)
    edited = replace(PAID, fingerprint="print-2", verdict="over")
    await store.payments.judge("acme", edited)
    assert await store.payments.of("acme", [501]) == {501: edited}


async def test_a_payment_without_an_invoice_is_kept_too(store: Store) -> None:
    """F27"""
    orphan = JudgedPayment(502, None, "print", "orphan")
    await store.payments.judge("acme", orphan)
    await store.payments.judge("acme", PAID)
    assert await store.payments.counts("acme") == {"orphan": 1, "paid": 1}
    assert await store.payments.of("globex", [502]) == {}
