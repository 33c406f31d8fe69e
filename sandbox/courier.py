"""Delivers hooks by real HTTP requests: late, twice, out of order or not at all where the settings say so."""

import asyncio
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import httpx
from pydantic import BaseModel, ConfigDict

from sandbox.background import Background
from sandbox.clock import now, zulu
from sandbox.ledger import Record
from sandbox.settings import Settings

TIMEOUT = 10.0
"""Seconds that a receiver has for its answer (FreshBooks: about 10; Capsule: not stated)."""

AT_ONCE = 100
"""Deliveries that are under way at the same time. The others wait, and their receivers' time does not run yet."""

HELD_AT_MOST = 1.0
"""Seconds for which a delivery that is to be overtaken waits for the one that overtakes it."""


@dataclass(frozen=True)
class Parcel:
    """One message to one subscription."""

    hook_id: int
    target: str
    event: str
    content: bytes
    headers: Mapping[str, str]


class Forgery(BaseModel):
    """A hook that the system did not send. It goes to every subscription of its event, or to `target` alone.

    `fields` are added to what it says of the record `id`. Where hooks are signed it is signed with `key`, not with the
    subscription's own; without a key it carries no signature.
    """

    model_config = ConfigDict(extra="forbid")

    event: str
    id: int = 1
    target: str | None = None
    fields: dict[str, str] = {}
    key: str | None = "forged"


@dataclass
class Delivery:
    """What became of a parcel so far. The status is None while nobody answered; `dropped` was never sent; `forged` was
    not the system's.
    """

    parcel: Parcel
    at: str
    attempts: int = 0
    status: int | None = None
    dropped: bool = False
    forged: bool = False

    def told(self) -> Record:
        """Return the delivery as the control API shows it."""
        parcel = self.parcel
        return {
            "hook_id": parcel.hook_id,
            "target": parcel.target,
            "event": parcel.event,
            "body": parcel.content.decode(),
            "headers": dict(parcel.headers),
            "at": self.at,
            "attempts": self.attempts,
            "status": self.status,
            "dropped": self.dropped,
            "forged": self.forged,
        }


class Subscriptions(Protocol):
    """What the courier asks and tells the system whose hooks it carries."""

    def is_live(self, hook_id: int) -> bool:
        """Return whether the subscription still exists."""

    def delivered(self, hook_id: int) -> None:
        """Hear that a delivery succeeded."""

    def refused(self, hook_id: int, status: int) -> None:
        """Hear of an answer that was no success."""

    def gave_up(self, hook_id: int) -> None:
        """Hear that a delivery failed at the last attempt."""

    def disable(self, hook_id: int) -> None:
        """End a subscription as the system does it by itself."""

    def forged(self, forgery: Forgery) -> list[Parcel]:
        """Return what an impostor sends."""


@dataclass
class Courier:
    """Carries the parcels of one system. `pauses` are the seconds between the attempts, at clock rate 1."""

    seed: int
    pauses: tuple[float, ...]
    settings: Settings
    background: Background
    transport: httpx.AsyncBaseTransport | None = None
    subscriptions: Subscriptions | None = None
    deliveries: deque[Delivery] = field(default_factory=lambda: deque(maxlen=20_000))
    _held: list[Parcel] = field(default_factory=list)
    _http: httpx.AsyncClient | None = None
    _roads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all deliveries and start chance anew."""
        self.deliveries.clear()
        self._held.clear()
        self._random = random.Random(self.seed)  # noqa: S311 - chance that can be repeated is the point

    def dispatch(self, parcel: Parcel) -> None:
        """Deliver an event as the settings will have it."""
        knobs = self.settings.hooks
        if not knobs.enabled:
            return
        if self._random.random() < knobs.drop:
            self.deliveries.append(Delivery(parcel, zulu(now()), dropped=True))
        elif knobs.reorder and not self._held:
            self._held.append(parcel)
            self.background.start(self._release())
        else:
            self._send(parcel)
            while self._held:
                self._send(self._held.pop())

    def dispatch_at_once(self, parcel: Parcel) -> None:
        """Deliver a handshake, which no setting touches."""
        self._start(parcel, 0)

    async def redeliver(self, times: int) -> list[Record]:
        """Deliver the last delivery again, so many times, one after the other; return how that went."""
        sent = [delivery for delivery in self.deliveries if not (delivery.dropped or delivery.forged)]
        return await self._deliver_once([Delivery(sent[-1].parcel, zulu(now())) for _ in range(times)] if sent else [])

    async def forge(self, forgery: Forgery) -> list[Record]:
        """Deliver what an impostor sends, once to each address; return how that went."""
        parcels = self.subscriptions.forged(forgery) if self.subscriptions else []
        return await self._deliver_once([Delivery(each, zulu(now()), forged=True) for each in parcels])

    async def close(self) -> None:
        """Close the connections to the receivers."""
        if self._http:
            await self._http.aclose()
            self._http = None

    def _send(self, parcel: Parcel) -> None:
        knobs = self.settings.hooks
        times = knobs.duplicates if isinstance(knobs.duplicates, int) else self._random.randint(*knobs.duplicates)
        for _ in range(times):
            self._start(parcel, self._random.uniform(*knobs.delay))

    def _start(self, parcel: Parcel, delay: float) -> None:
        delivery = Delivery(parcel, zulu(now()))
        self.deliveries.append(delivery)
        self.background.start(self._deliver(delivery, delay))

    async def _deliver_once(self, deliveries: list[Delivery]) -> list[Record]:
        for delivery in deliveries:
            self.deliveries.append(delivery)
            await self._attempt(delivery)
        return [delivery.told() for delivery in deliveries]

    async def _release(self) -> None:
        await asyncio.sleep(HELD_AT_MOST)
        while self._held:
            self._send(self._held.pop())

    async def _deliver(self, delivery: Delivery, delay: float) -> None:
        await asyncio.sleep(delay)
        hook_id, system = delivery.parcel.hook_id, self.subscriptions
        if system is None:
            return
        for pause in (0.0, *self.pauses[: self.settings.hooks.retries]):
            if not system.is_live(hook_id):
                return
            await asyncio.sleep(pause / self.settings.clock_rate)
            status = await self._attempt(delivery)
            if status is not None and 200 <= status < 300:
                system.delivered(hook_id)
                return
            if status is not None:
                system.refused(hook_id, status)
        system.gave_up(hook_id)

    async def _attempt(self, delivery: Delivery) -> int | None:
        parcel = delivery.parcel
        delivery.attempts += 1
        if self._http is None:
            self._http = httpx.AsyncClient(transport=self.transport, timeout=TIMEOUT, trust_env=False)
        async with self._roads:
            try:
                response = await self._http.post(parcel.target, content=parcel.content, headers=dict(parcel.headers))
            except (httpx.HTTPError, httpx.InvalidURL):
                delivery.status = None
            else:
                delivery.status = response.status_code
        return delivery.status
