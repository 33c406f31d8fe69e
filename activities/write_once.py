"""The protocol around every request that creates something: reserved before, marked as the last thing before it is
sent, and in doubt when nobody knows whether it took effect.

Looking, waiting and looking again is the workflow's part, which no restart interrupts.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from activities.crash_points import crash_point
from activities.models import OpenCreate
from connectors.errors import ConsentLost, Refused, Unauthorized, UnknownOutcome, Wait
from store.intents import Intent
from store.records import RecordKey
from store.store import Store

T = TypeVar("T")


class WriteOnce:
    """Creates in one account, each at most once.

    `least_settle_time` is how long a lost create may still take effect unseen, as far as is known before measuring;
    `request_timeout` is how long a request may run that nobody watches any more.
    """

    def __init__(self, store: Store, system: str, least_settle_time: timedelta, request_timeout: timedelta) -> None:
        self._store, self._system = store, system
        self._least_settle_time, self._request_timeout = least_settle_time, request_timeout

    async def open(self, key: RecordKey) -> OpenCreate:
        """Return the record's intent, reserved now if it has none. One that was being sent is in doubt from now on."""
        intent = await self._store.intents.reserve(key)
        if intent.state == "sending":  # the attempt that sent it is gone, and nobody heard the answer
            settled = await self.settle_time(key.connection) + self._request_timeout
            until = (intent.sent_at or datetime.now(UTC)) + settled
            await self._store.intents.doubt(intent, until)
            return open_create(intent, in_doubt=True, settle_until=until)
        return open_create(intent, in_doubt=intent.state == "in-doubt", settle_until=intent.settle_until)

    async def reopen(self, create: OpenCreate) -> OpenCreate:
        """Return the intent usable again: after the wait nothing was found. Raises FenceLost."""
        doubted = Intent(create.intent_id, create.reference, "in-doubt", create.fence, None, create.settle_until)
        return open_create(await self._store.intents.reopen(doubted), in_doubt=False, settle_until=None)

    async def send(self, connection: str, create: OpenCreate, act: Callable[[], Awaitable[T]]) -> T:
        """Send one request, unless an earlier attempt may have sent it.

        Raises FenceLost, then nothing was sent; else what the request raises, after noting what that means.
        """
        intents = self._store.intents
        reserved = Intent(create.intent_id, create.reference, "reserved", create.fence, None, None)
        sending = await intents.mark_sending(reserved)
        crash_point("after-mark")
        try:
            return await act()
        except UnknownOutcome:
            await intents.doubt(sending, datetime.now(UTC) + await self.settle_time(connection))
            raise
        except Refused:
            await intents.refuse(sending)
            raise
        except (Wait, Unauthorized, ConsentLost):  # nothing was written
            await intents.release(sending)
            raise

    async def settle_time(self, connection: str) -> timedelta:
        """Return how long after its end a lost create may still take effect unseen."""
        return await self._store.lags.settle_time(connection, self._system, self._least_settle_time)


def open_create(intent: Intent, *, in_doubt: bool, settle_until: datetime | None) -> OpenCreate:
    """Return an intent as workflows see it."""
    return OpenCreate(
        intent_id=intent.id,
        reference=intent.reference,
        fence=intent.fence,
        in_doubt=in_doubt,
        settle_until=settle_until if in_doubt else None,
        touched_at=intent.touched_at,
    )
