"""How many requests an account still allows: pure, and the same on every machine.

The budget is a moving window in slices. A provider's window may begin whenever it likes, and move too: if no stretch of
our own count holds more than the limit, no window of the provider's does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

SLICES = 100
"""A window is counted in so many slices; one more than that is always kept, which costs a hundredth of the quota."""
RESERVE_PART = 40
"""One request in forty is for people and webhooks. More is not needed: what runs out of the window refills it first."""
BULK_RANK = 3
"""Activities of this priority and later ones (sweeps, repairs, backfills) leave the reserve alone."""
EPOCH = datetime.fromtimestamp(0, UTC)
SAME_RESET = timedelta(seconds=3)
"""Resets and dates come in full seconds, and answers take a while: less than this apart is the same window."""


@dataclass(frozen=True)
class Allowance:
    """So many requests in any stretch of time as long as `window`."""

    requests: int
    window: timedelta

    @property
    def per_second(self) -> float:
        """The pace that uses the quota up and no more."""
        return self.requests / self.window.total_seconds()


@dataclass(frozen=True)
class Reading:
    """What one answer said of the quota; None for what it left out. `resets_at` is by our own clock.

    `wait` is how long nothing may be sent: only of an answer that means "too many".
    """

    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None
    wait: timedelta | None = None


@dataclass(frozen=True)
class Budget:
    """What one account was allowed, what of it was taken, and what the provider said about it."""

    allowance: Allowance
    granted: int | None = None
    """The limit that the provider states, which may be less than we were told to use."""
    spent: Mapping[int, int] = field(default_factory=dict)
    """Requests taken, by the number of their slice."""
    left: int | None = None
    """What the provider said is left until `left_until`, less what was taken since: others may use the account too."""
    left_until: datetime | None = None
    held_until: datetime | None = None

    @property
    def limit(self) -> int:
        """Requests in a window: as many as we are told to use, and no more than are granted."""
        return min(self.allowance.requests, self.granted or self.allowance.requests)

    @property
    def reserve(self) -> int:
        """How many of them bulk work leaves to people and webhooks."""
        return -(-self.limit // RESERVE_PART) if self.limit > 1 else 0

    @property
    def portion(self) -> int:
        """How many requests a process takes at once: one write for all of them."""
        return min(max(self.limit // 100, 1), 25)

    def slice_of(self, at: datetime) -> int:
        """Return the number of the slice that an instant lies in."""
        return (at - EPOCH) // self._slice

    def slice_ends(self, number: int) -> datetime:
        """Return when a slice is over."""
        return EPOCH + (number + 1) * self._slice

    def used(self, at: datetime) -> int:
        """Return how many requests were taken in the window that ends with `at`."""
        return sum(self._counted(at).values())

    def free(self, at: datetime) -> int:
        """Return how many requests may be sent at once, by anybody; none while the provider said wait."""
        if self.held_until is not None and at < self.held_until:
            return 0
        ours = self.limit - self.used(at)
        return max(ours if (left := self._left_at(at)) is None else min(ours, left), 0)

    def room(self, at: datetime, rank: int) -> int:
        """Return how many requests somebody of this priority may take."""
        return max(self.free(at) - (self.reserve if rank >= BULK_RANK else 0), 0)

    def taken(self, at: datetime, rank: int) -> tuple["Budget", int]:
        """Return the budget after taking a portion, or one request of the reserve, and how many were to be had."""
        shared = self.room(at, BULK_RANK)
        count = min(self.portion, shared) if shared else min(self.room(at, rank), 1)
        number = self.slice_of(at)
        counted = self._counted(at)
        left = None if self.left is None else max(self.left - count, 0)
        return replace(self, spent={**counted, number: counted.get(number, 0) + count}, left=left), count

    def given_back(self, number: int, count: int) -> "Budget":
        """Return the budget with requests that were taken in a slice and not sent."""
        rest = max(self.spent.get(number, 0) - count, 0)
        left = None if self.left is None else self.left + count
        return replace(self, spent={**self.spent, number: rest}, left=left)

    def heard(self, reading: Reading) -> "Budget":
        """Return the budget that also knows what an answer said."""
        known = replace(self, granted=reading.limit or self.granted)
        if reading.remaining is None or reading.resets_at is None:
            return known
        if self.left is None or self.left_until is None or reading.resets_at > self.left_until + SAME_RESET:
            return replace(known, left=reading.remaining, left_until=reading.resets_at)
        if reading.resets_at < self.left_until - SAME_RESET:
            return known  # an answer that was long under way tells of a window that is over
        return replace(known, left=min(self.left, reading.remaining))

    def held(self, until: datetime) -> "Budget":
        """Return the budget of an account that nothing may be sent to before `until`."""
        return replace(self, held_until=max(until, self.held_until or until))

    def allowed(self, allowance: Allowance) -> "Budget":
        """Return the budget under other settings. Slices of another length are counted as spent just now."""
        if allowance.window == self.allowance.window:
            return replace(self, allowance=allowance)
        now = max((self.slice_ends(number) for number in self.spent), default=None)
        changed = replace(self, allowance=allowance, spent={})
        return changed if now is None else replace(changed, spent={changed.slice_of(now): sum(self.spent.values())})

    def wait(self, at: datetime, rank: int) -> timedelta:
        """Return how long it takes until a request of this priority may be sent, if nobody else takes one first."""
        if self.room(at, rank):
            return timedelta(0)
        ends = [self.held_until] if self.held_until is not None and at < self.held_until else []
        left, kept = self._left_at(at), self.reserve if rank >= BULK_RANK else 0
        if left is not None and left <= kept and self.left_until is not None:
            ends.append(self.left_until)
        ends.append(self._refilled(at, self.limit - kept))
        return max(ends) - at

    def _refilled(self, at: datetime, limit: int) -> datetime:
        """Return when fewer than `limit` requests are counted."""
        counted = self._counted(at)
        used, moment = sum(counted.values()), at
        for number, count in sorted(counted.items()):
            if used < limit:
                break
            used, moment = used - count, self.slice_ends(number + SLICES)
        return moment

    def leaving(self, at: datetime, within: timedelta) -> int:
        """Return how many of the requests counted now are no longer counted after `within`."""
        return self.used(at) - self.used(at + within)

    def ends(self, at: datetime) -> datetime:
        """Return when the provider's window ends, where it said so, else when all that is used has run out of ours."""
        if self.left_until is not None and at < self.left_until:
            return self.left_until
        return self.slice_ends(max(self._counted(at)) + SLICES) if self._counted(at) else at

    @property
    def _slice(self) -> timedelta:
        return self.allowance.window / SLICES

    def _counted(self, at: datetime) -> dict[int, int]:
        oldest = self.slice_of(at) - SLICES
        return {number: count for number, count in self.spent.items() if number >= oldest and count}

    def _left_at(self, at: datetime) -> int | None:
        return self.left if self.left_until is not None and at < self.left_until else None


def forecast(budget: Budget, requests: int, at: datetime) -> timedelta:
    """Return how long so many requests of bulk work take, if nobody else needs the account."""
    if requests <= 0:
        return timedelta(0)
    return budget.wait(at, BULK_RANK) + timedelta(seconds=requests / smooth_pace(budget))


def smooth_pace(budget: Budget) -> float:
    """Return the requests per second that bulk work can keep up for ever."""
    return max(budget.limit - budget.reserve, 1) / budget.allowance.window.total_seconds()
