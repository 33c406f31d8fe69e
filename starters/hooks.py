"""What the receiver needs to know about a system's webhooks; the worker's start-up gives it a reader for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Delivery:
    """What a genuine delivery says: which records may have changed, or that a callback wants its handshake answered."""

    event: str
    record_ids: Sequence[str] = field(default_factory=tuple)
    handshake: str | None = None


class RefusedDelivery(Exception):
    """A delivery that is not believed. `status` is the answer it gets; the text goes to our log only."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class HookReader(Protocol):
    """Reads the deliveries of one account."""

    @property
    def secrets(self) -> Sequence[str]:
        """The secrets that the path of a genuine delivery may end in."""

    async def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return what the delivery says. Raises RefusedDelivery."""
