"""Results of looks that are read page by page: worked out once, not once for each page."""

from collections.abc import Callable, Hashable

from sandbox.ledger import Record
from sandbox.records import Records

MOST = 16
"""Results that are kept at the same time."""


class Remembered:
    """The last results of looks at one kind of record, until any record of that kind changes.

    What depends on anything else, such as the time, does not belong here.
    """

    def __init__(self, records: Records, kind: str) -> None:
        self._results: dict[Hashable, list[Record]] = {}
        records.watch(kind, lambda _before, _after: self._results.clear())

    def get(self, key: Hashable, look: Callable[[], list[Record]]) -> list[Record]:
        """Return the result of a look, which must not be changed."""
        if key not in self._results:
            if len(self._results) >= MOST:
                self._results.clear()
            self._results[key] = look()
        return self._results[key]
