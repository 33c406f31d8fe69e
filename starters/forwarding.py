"""Hands changes to Temporal, or keeps them in the inbox until it answers again."""

import asyncio
import time
from contextlib import suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError, RPCStatusCode

from starters.announce import Announcer
from starters.hook_news import HookNews
from starters.hooks import Delivery
from starters.routes import WEBHOOK_PRIORITY, is_creation, route_of
from store.inbox import Parked
from store.store import Store

log = structlog.get_logger()

CHECK_SECONDS = 0.5
BACK_OFF_SECONDS = 2.0  # after a failure new deliveries go straight to the inbox: nobody waits for a dead server
BATCH = 100
MOST_BUSY = 3

# About this installation or its server, whatever the change: all of them wait, in their order.
DOWN = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.UNAUTHENTICATED,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.UNIMPLEMENTED,
}
# Perhaps about one workflow that is told too much at once: it is passed over, and if others fare alike all wait.
BUSY = {RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.DEADLINE_EXCEEDED}


class Forwarder:
    """The way of a delivery: one durable write, to Temporal or to the inbox."""

    def __init__(self, announcer: Announcer, store: Store) -> None:
        self._announcer, self._inbox, self._news = announcer, store.inbox, HookNews(store.news)
        self._quiet_until = 0.0

    def follow(self, announcer: Announcer) -> None:
        """Announce by other settings from now on."""
        self._announcer = announcer

    @property
    def temporal_answers(self) -> bool:
        """Whether Temporal took the last change it was given."""
        return time.monotonic() >= self._quiet_until

    async def take(self, system: str, connection: str, delivery: Delivery) -> str:
        """Return `handed-over` or `kept` once the delivery is durable.

        Raises SQLAlchemyError if neither works, and for a handshake OSError, or TooManyOffers.
        """
        if delivery.handshake:
            return await self._take_handshake(connection, delivery.record_ids[0], delivery.handshake)
        if route_of(system, delivery.event) is None:
            log.info("no flow listens to this event", system=system, connection=connection, hook_event=delivery.event)
            return "handed-over"
        self._news.note(connection, system, delivery.record_ids)
        if self.temporal_answers and await self._hand_over_all(system, connection, delivery):
            return "handed-over"
        await self._inbox.park(connection, system, delivery.event, delivery.record_ids)
        return "kept"

    async def waiting(self) -> int:
        """Return how many changes wait in the inbox."""
        return await self._inbox.size()

    async def run(self) -> None:
        """Forward what waits, oldest first, until cancelled. At the start, what was set aside is tried once more."""
        counting = asyncio.create_task(self._news.run())
        try:
            await self._forward()
        finally:
            counting.cancel()
            with suppress(asyncio.CancelledError):
                await counting

    async def _forward(self) -> None:
        fresh = True
        while True:
            try:
                if fresh:
                    await self._inbox.try_again()
                    fresh = False
                await self._forward_batch()
            except (RPCError, RuntimeError) as error:
                self._note_failure(error)
                await asyncio.sleep(BACK_OFF_SECONDS)
            except SQLAlchemyError:
                log.exception("the inbox cannot be read; trying again")
                await asyncio.sleep(BACK_OFF_SECONDS)
            await asyncio.sleep(CHECK_SECONDS)

    async def _forward_batch(self) -> None:
        """Hand changes over one by one: one that can never be handed over must not stop those behind it."""
        busy = 0
        for parked in await self._inbox.oldest(BATCH):
            try:
                await self._hand_over(parked.system, parked.connection, parked.event, parked.record_id)
            except Exception as error:  # whatever one change provokes, the next one is looked at
                busy += _is_busy(error)
                if _is_down(error) or busy == MOST_BUSY:
                    raise
                if not _is_busy(error):
                    await self._note_refusal(parked, error)
            else:
                await self._inbox.handed_over(parked)
                _log_change("forwarded from the inbox", parked)

    async def _take_handshake(self, connection: str, callback_id: str, verifier: str) -> str:
        """Worthless later, so never kept: the callback asks for a new one."""
        if not self.temporal_answers:
            raise OSError("Temporal cannot be reached to answer a handshake")
        try:
            await self._announcer.handshake(connection, callback_id, verifier)
        except (RPCError, RuntimeError) as error:
            self._note_failure(error)
            raise OSError("Temporal cannot be reached to answer a handshake") from error
        return "handed-over"

    async def _hand_over_all(self, system: str, connection: str, delivery: Delivery) -> bool:
        """Return whether Temporal took all of a delivery's changes. What one of them provokes is for the inbox."""
        changes = [self._hand_over(system, connection, delivery.event, each) for each in delivery.record_ids]
        errors = [each for each in await asyncio.gather(*changes, return_exceptions=True) if each is not None]
        for error in errors:
            if not isinstance(error, Exception):
                raise error
            if (_is_down(error) and not isinstance(error, SQLAlchemyError)) or _is_busy(error):
                self._note_failure(error)
        return not errors

    async def _hand_over(self, system: str, connection: str, event: str, record_id: str) -> None:
        route = route_of(system, event)
        if route is None:
            log.info("no flow listens to this event", system=system, connection=connection, hook_event=event)
            return
        key, cause = route.key(connection, record_id), f"{system} webhook {event}"
        tell = self._announcer.record_created if is_creation(event) else self._announcer.record_changed
        await tell(key, cause, WEBHOOK_PRIORITY)

    async def _note_refusal(self, parked: Parked, error: Exception) -> None:
        problem = _problem(error)
        if await self._inbox.failed(parked, problem):
            _log_change("a change cannot be handed over; it is set aside, see ledgerline status", parked, problem)

    def _note_failure(self, error: Exception) -> None:
        if self.temporal_answers:
            log.warning("Temporal cannot be reached; changes go to the inbox", reason=_problem(error))
        self._quiet_until = time.monotonic() + BACK_OFF_SECONDS


def _is_down(error: Exception) -> bool:
    """Whether Temporal or the store cannot be reached. Before it is connected Temporal's client says RuntimeError."""
    down = isinstance(error, RPCError) and error.status in DOWN
    return down or isinstance(error, (RuntimeError, SQLAlchemyError))


def _is_busy(error: Exception) -> bool:
    return isinstance(error, RPCError) and error.status in BUSY


def _problem(error: Exception) -> str:
    """Return what went wrong, without quoting anything."""
    return error.status.name if isinstance(error, RPCError) else type(error).__name__


def _log_change(text: str, parked: Parked, problem: str = "") -> None:
    about = {"system": parked.system, "connection": parked.connection, "record": parked.record_id}
    if problem:
        log.error(text, **about, problem=problem)
    else:
        log.info(text, **about)
