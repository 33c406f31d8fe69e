"""The records of one stand-in, in memory, and the one way that every write takes to them."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import time

from sandbox.clock import from_zulu
from sandbox.ledger import Ledger, Record

Watcher = Callable[[Record | None, Record | None], None]
"""Called with a record before and after each change of its kind, also while a ledger is replayed: keeps an index."""

Listener = Callable[[str, str, Record | None, Record], None]
"""Called with operation, kind, and the record before and after a write that really happens now: sends hooks."""

NO_LAG = (0.0, 0.0)


class Records:
    """All records of a system by kind and id, in the order of their creation. A stored record is never changed in
    place: a write stores another one, which lets answers and ledger share it.

    `row_keys` names the lists inside records whose rows have ids of their own, and the key of that id.
    """

    def __init__(self, system: str, seed: int, ledger: Ledger, row_keys: Mapping[str, str]) -> None:
        self.system, self.seed_number, self.ledger = system, seed, ledger
        self.tables: dict[str, dict[int, Record]] = defaultdict(dict)
        self.deletions: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.listeners: list[Listener] = []
        self._row_keys = row_keys
        self._watchers: dict[str, list[Watcher]] = defaultdict(list)
        self._last_ids: dict[str, int] = {}
        self._born: dict[tuple[str, int], float] = {}

    def watch(self, kind: str, watcher: Watcher) -> None:
        """Keep an index of a kind up to date."""
        self._watchers[kind].append(watcher)

    def start_ids(self, kind: str, first: int) -> None:
        """Set the id that the first record of a kind (or the first `row` inside records) gets."""
        if kind != "row":
            self.tables[kind] = {}
        self._last_ids[kind] = first - 1

    def next_id(self, kind: str) -> int:
        """Return an id that no record of this kind has or had."""
        self._last_ids[kind] = self._last_ids.get(kind, 0) + 1
        return self._last_ids[kind]

    def get(self, kind: str, record_id: int) -> Record | None:
        """Return one record or None."""
        return self.tables[kind].get(record_id)

    def all(self, kind: str) -> list[Record]:
        """Return every record of a kind, oldest first."""
        return list(self.tables[kind].values())

    def seed(self, kind: str, record_id: int, record: Record) -> None:
        """Add a record that was there from the start: no ledger line, no hook."""
        self._apply("create", kind, record_id, record)

    def commit(self, operation: str, kind: str, record_id: int, record: Record) -> None:
        """Accept a write (`create`, `update` or `delete`): apply it, write it to the ledger, tell the listeners."""
        before = self.get(kind, record_id)
        entry = self.ledger.append(self.system, operation, kind, record_id, record)
        self._apply(operation, kind, record_id, record, entry["at"])
        for listener in self.listeners:
            listener(operation, kind, before, record)

    def replay(self) -> None:
        """Apply the ledger's writes of this system on top of the seed."""
        for entry in self.ledger.of(self.system):
            self._apply(entry["operation"], entry["kind"], entry["id"], entry["record"], entry["at"])

    def clear(self) -> None:
        """Forget everything but watchers and listeners."""
        for kind, table in self.tables.items():
            for record in table.values():
                self._tell(kind, record, None)
        for memory in (self.tables, self.deletions, self._last_ids, self._born):
            memory.clear()

    def listed(
        self, kind: str, lag: float | tuple[float, float], among: Iterable[int] | None = None
    ) -> Iterator[Record]:
        """Return the records of a kind (or those `among` some ids) that a list or a search sees when it lags so many
        seconds behind.
        """
        table = self.tables[kind]
        bounds = lag if isinstance(lag, tuple) else (lag, lag)
        if among is None and bounds == NO_LAG:
            return iter(table.values())
        ids = table if among is None else among
        return (table[each] for each in ids if bounds == NO_LAG or not self._hidden(kind, each, bounds))

    def _hidden(self, kind: str, record_id: int, lag: tuple[float, float]) -> bool:
        born = self._born.get((kind, record_id))
        if born is None:
            return False
        # One draw per record, the same at every look: a record that was seen once stays visible.
        draw = random.Random(f"{self.seed_number}/{kind}/{record_id}").uniform(*lag)  # noqa: S311
        return time() < born + draw

    def _apply(self, operation: str, kind: str, record_id: int, record: Record, at: str | None = None) -> None:
        before = self.tables[kind].get(record_id)
        if operation == "delete":
            self.tables[kind].pop(record_id, None)
            self.deletions[kind].append((record_id, at or ""))
        else:
            self.tables[kind][record_id] = record
        if operation == "create" and at:
            self._born[kind, record_id] = from_zulu(at).timestamp()
        self._note_ids(kind, record_id, record)
        self._tell(kind, before, None if operation == "delete" else record)

    def _note_ids(self, kind: str, record_id: int, record: Record) -> None:
        self._last_ids[kind] = max(self._last_ids.get(kind, 0), record_id)
        rows = ((row, name) for key, name in self._row_keys.items() for row in record.get(key) or ())
        last = max((row[name] for row, name in rows), default=0)
        self._last_ids["row"] = max(self._last_ids.get("row", 0), last)

    def _tell(self, kind: str, before: Record | None, after: Record | None) -> None:
        for watcher in self._watchers[kind]:
            watcher(before, after)
