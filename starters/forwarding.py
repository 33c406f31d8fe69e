"""Hands changes to Temporal, or keeps them in the inbox until it answers again."""

import asyncio
import time

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from starters.announce import Announcer
from starters.hooks import Delivery
from store.inbox import Inbox, Parked

log = structlog.get_logger()

WEBHOOK_PRIORITY = 2
CHECK_SECONDS = 0.5
BACK_OFF_SECONDS = 2.0  # after a failure new deliveries go straight to the inbox: nobody waits for a dead server
BATCH = 100


class Forwarder:
    """The way of a delivery: one durable write, to Temporal or to the inbox."""

    def __init__(self, announcer: Announcer, inbox: Inbox) -> None:
        self._announcer, self._inbox = announcer, inbox
        self._quiet_until = 0.0

    @property
    def temporal_answers(self) -> bool:
        """Whether Temporal took the last change it was given."""
        return time.monotonic() >= self._quiet_until

    async def take(self, system: str, connection: str, delivery: Delivery) -> str:
        """Return `handed-over` or `kept` once the delivery is durable. Raises SQLAlchemyError if neither works."""
        if self.temporal_answers:
            try:
                await self._hand_over_delivery(system, connection, delivery)
            except (RPCError, RuntimeError) as error:
                self._note_failure(error)
            else:
                return "handed-over"
        if delivery.handshake:  # worthless later: the callback asks for a new one
            raise OSError("Temporal cannot be reached to answer a handshake")
        await self._inbox.park(connection, system, delivery.event, delivery.record_ids)
        return "kept"

    async def waiting(self) -> int:
        """Return how many changes wait in the inbox."""
        return await self._inbox.size()

    async def run(self) -> None:
        """Forward what waits, oldest first, until cancelled."""
        while True:
            try:
                await self._forward_batch()
            except (RPCError, RuntimeError) as error:
                self._note_failure(error)
                await asyncio.sleep(BACK_OFF_SECONDS)
            except SQLAlchemyError:
                log.exception("the inbox cannot be read; trying again")
                await asyncio.sleep(BACK_OFF_SECONDS)
            await asyncio.sleep(CHECK_SECONDS)

    async def _forward_batch(self) -> None:
        for parked in await self._inbox.oldest(BATCH):
            await self._hand_over(parked.system, parked.connection, parked.event, parked.record_id)
            await self._inbox.handed_over(parked)
            self._log_forwarded(parked)

    async def _hand_over_delivery(self, system: str, connection: str, delivery: Delivery) -> None:
        if delivery.handshake:
            await self._announcer.handshake(connection, delivery.record_ids[0], delivery.handshake)
            return
        changes = [self._hand_over(system, connection, delivery.event, each) for each in delivery.record_ids]
        await asyncio.gather(*changes)

    async def _hand_over(self, system: str, connection: str, event: str, record_id: str) -> None:
        cause = f"{system} webhook {event}"
        if system == "capsule" and event.startswith("party/"):
            await self._announcer.party_changed(connection, int(record_id), cause, WEBHOOK_PRIORITY)
        elif system == "freshbooks" and event.startswith("client."):
            await self._announcer.client_changed(connection, record_id, cause, WEBHOOK_PRIORITY)
        else:
            log.info("no flow listens to this event", system=system, connection=connection, hook_event=event)

    def _note_failure(self, error: Exception) -> None:
        if self.temporal_answers:
            log.warning("Temporal cannot be reached; changes go to the inbox", reason=type(error).__name__)
        self._quiet_until = time.monotonic() + BACK_OFF_SECONDS

    def _log_forwarded(self, parked: Parked) -> None:
        log.info(
            "forwarded from the inbox", system=parked.system, connection=parked.connection, record=parked.record_id
        )
