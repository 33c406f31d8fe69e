"""Finds records by their values, in accounts of a hundred thousand records too."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from sandbox.ledger import Record
from sandbox.records import Records


class Lookup:
    """The ids of the records of one kind by name and value, as they are now. The case of values does not matter.

    `keys` names the values by which a record is found.
    """

    def __init__(self, records: Records, kind: str, keys: Callable[[Record], Iterable[tuple[str, str]]]) -> None:
        self._keys = keys
        self._found: dict[tuple[str, str], set[int]] = defaultdict(set)
        records.watch(kind, self._move)

    def find(self, name: str, value: object) -> set[int]:
        """Return the ids of the records with a value."""
        return self._found.get((name, str(value).casefold()), set())

    def values(self, name: str) -> Iterator[str]:
        """Return the values that any record has under a name."""
        return (value for each, value in self._found if each == name)

    def _move(self, before: Record | None, after: Record | None) -> None:
        if before:
            for key in self._folded(before):
                self._found[key].discard(int(before["id"]))
                if not self._found[key]:
                    del self._found[key]
        if after:
            for key in self._folded(after):
                self._found[key].add(int(after["id"]))

    def _folded(self, record: Record) -> set[tuple[str, str]]:
        return {(name, value.casefold()) for name, value in self._keys(record)}
