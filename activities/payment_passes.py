"""The steps of payments that touch only our own store: local activities, shared by all connections."""

from collections.abc import Awaitable, Callable

from temporalio import activity

from activities.payment_models import PaymentKey, PaymentStanding, SettlePayment
from store.payments import JudgedPayment
from store.records import RecordKey
from store.store import Store

INVOICES_FLOW = "invoices"


class PaymentPassActivities:
    """What is known of payments. `announce` tells the opportunity to which an invoice belongs."""

    def __init__(self, store: Store, announce: Callable[[RecordKey, str, int], Awaitable[None]]) -> None:
        self._store, self._announce = store, announce

    @activity.defn
    async def begin_payment(self, key: PaymentKey) -> PaymentStanding:
        """Return how a payment was last judged. Only reads."""
        known = (await self._store.payments.of(key.connection, [key.payment_id])).get(key.payment_id)
        return PaymentStanding(fingerprint=known.fingerprint, verdict=known.verdict) if known else PaymentStanding()

    @activity.defn
    async def settle_payment(self, settled: SettlePayment) -> None:
        """Have the invoice's opportunity told, then note how the payment was judged. Safe to repeat."""
        key, judged = settled.key, settled.judged
        if judged.invoice_id is not None:
            invoice = RecordKey(key.connection, INVOICES_FLOW, str(judged.invoice_id), "books")
            await self._announce(invoice, settled.cause, settled.priority)
        told = JudgedPayment(key.payment_id, judged.invoice_id, judged.fingerprint, judged.verdict)
        await self._store.payments.judge(key.connection, told)
