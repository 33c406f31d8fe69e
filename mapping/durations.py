"""How much time is billed: whole seconds rounded by a declared increment, and hours that are exact decimals.

FreshBooks keeps durations as whole seconds and takes the quantity of a line as a decimal.
Source: https://www.freshbooks.com/api/time_entries, /api/invoices
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

HOUR = 3600


class DurationMode(StrEnum):
    """Where a duration goes that is no whole number of increments. The middle goes up with `nearest`."""

    UP = "up"
    NEAREST = "nearest"
    DOWN = "down"


class DurationOf(StrEnum):
    """What is rounded: every time entry, or what the entries of a line come to."""

    ENTRY = "entry"
    LINE = "line"


@dataclass(frozen=True)
class DurationRounding:
    """How durations are rounded. An increment of 900 seconds bills quarters of an hour; one of 1 rounds nothing.

    `hour_digits` is how many decimals an hour has on an invoice, rounded the same way: with two, 20 minutes are 0.33
    hours, and 0.34 with `up`. Raises ValueError for an increment below a second, or digits other than 0 to 6.
    """

    increment: int = 1
    mode: DurationMode = DurationMode.NEAREST
    of: DurationOf = DurationOf.ENTRY
    hour_digits: int = 2

    def __post_init__(self) -> None:
        if self.increment < 1 or not 0 <= self.hour_digits <= 6:
            raise ValueError("an increment is a second at least, and hours have 0 to 6 decimals")

    def entry_seconds(self, seconds: int) -> int:
        """Return what an entry of this length counts in its line."""
        return self._rounded(seconds, self.increment) if self.of is DurationOf.ENTRY else seconds

    def line_seconds(self, seconds: int) -> int:
        """Return what a line is charged for, of the sum of what its entries count."""
        return self._rounded(seconds, self.increment) if self.of is DurationOf.LINE else seconds

    def hours(self, seconds: int) -> Decimal:
        """Return seconds as hours with the stated decimals: 5400 are 1.50."""
        return Decimal(self._rounded(seconds * 10**self.hour_digits, HOUR) // HOUR).scaleb(-self.hour_digits)

    def _rounded(self, number: int, step: int) -> int:
        """Return the whole number of steps, in whole numbers throughout: a float would lose seconds."""
        if self.mode is DurationMode.UP:
            return -(-number // step) * step
        if self.mode is DurationMode.DOWN:
            return number // step * step
        return (2 * number + step) // (2 * step) * step
