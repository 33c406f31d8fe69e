"""What was before the latest changes: a list or a search that lags behind still shows it."""

import random
from collections import defaultdict, deque
from dataclasses import dataclass
from time import time

from sandbox.ledger import Record

REMEMBERED = 100_000
"""Changes of each kind of record that are remembered; older ones are in every index."""


@dataclass(frozen=True)
class Lag:
    """The least and the most seconds for which a look misses new records, and changes of known ones."""

    new: tuple[float, float] = (0, 0)
    changed: tuple[float, float] = (0, 0)

    @property
    def longest(self) -> float:
        """The seconds after which every look sees everything."""
        return max(self.new[1], self.changed[1])


@dataclass(frozen=True)
class Change:
    """A record before it changed, or None before it was created. `at` is in seconds since 1970."""

    at: float
    record_id: int
    before: Record | None


class Past:
    """The latest changes of every kind, newest last."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._changes: dict[str, deque[Change]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._draws: dict[tuple[str, int], float] = {}

    def note(self, kind: str, change: Change) -> None:
        """Remember a change that was made just now, or a little ago by the ledger."""
        self._changes[kind].append(change)

    def clear(self) -> None:
        """Forget everything."""
        self._changes.clear()
        self._draws.clear()

    def shown(self, kind: str, lag: Lag) -> dict[int, Record | None]:
        """Return the records that a look shows otherwise than they are: as they were before, or (None) not at all."""
        found: dict[int, Record | None] = {}
        if lag.longest == 0:
            return found
        present = time()
        for change in reversed(self._changes[kind]):
            if change.at + lag.longest <= present:
                break
            least, most = lag.new if change.before is None else lag.changed
            # The oldest change that is not seen yet hides all later ones: it is met last.
            if present < change.at + least + (most - least) * self._draw(kind, change.record_id):
                found[change.record_id] = change.before
        return found

    def _draw(self, kind: str, record_id: int) -> float:
        """Return the same number below 1 for a record at every look: what was seen once stays visible."""
        key = (kind, record_id)
        if key not in self._draws:
            self._draws[key] = random.Random(f"{self._seed}/{kind}/{record_id}").random()  # noqa: S311
        return self._draws[key]
