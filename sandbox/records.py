"""The records of one stand-in, in memory, and the one way that every write takes to them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from sandbox.clock import from_zulu
from sandbox.ledger import SILENT, Ledger, Record
from sandbox.past import Change, Lag, Past

Watcher = Callable[[Record | None, Record | None], None]
"""Called with a record before and after each change of its kind, also while a ledger is replayed: keeps an index."""

Listener = Callable[[str, str, Record | None, Record], None]
"""Called with operation, kind, and the record before and after a write that really happens now: sends hooks."""


class Records:
    """All records of a system by kind and id, in the order of their creation. A stored record is never changed in
    place: a write stores another one, which lets answers and ledger share it.

    `row_keys` names the lists inside records whose rows have ids of their own, and the key of that id.
    """

    def __init__(self, system: str, seed: int, ledger: Ledger, row_keys: Mapping[str, str]) -> None:
        self.system, self.ledger = system, ledger
        self.tables: dict[str, dict[int, Record]] = defaultdict(dict)
        self.deletions: dict[str, list[tuple[int, str]]] = defaultdict(list)
        """Id and instant of every deletion, oldest first."""
        self.graves: dict[str, dict[int, Record]] = defaultdict(dict)
        """Deleted records as they last were."""
        self.listeners: list[Listener] = []
        self._row_keys = row_keys
        self._watchers: dict[str, list[Watcher]] = defaultdict(list)
        self._last_ids: dict[str, int] = {}
        self._past = Past(seed)

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
        """Accept a write (`create`, `update`, `delete` or `restore`): apply it, write it to the ledger, tell the
        listeners.
        """
        before = self.get(kind, record_id)
        entry = self.ledger.append(self.system, operation, kind, record_id, record)
        self._apply(operation, kind, record_id, record, entry["at"])
        for listener in () if SILENT.get() else self.listeners:
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
        for memory in (self.tables, self.deletions, self.graves, self._last_ids, self._past):
            memory.clear()

    def listed(self, kind: str, lag: Lag, among: Iterable[int] | None = None) -> list[Record]:
        """Return the records of a kind by id, as a list or a search shows them that lags behind. With `among` only
        those, and those that an index may still know under other values: each must be looked at again.
        """
        table, shown = self.tables[kind], self._past.shown(kind, lag)
        if among is None and not shown:
            return list(table.values())
        if among is None and shown.keys() <= table.keys():
            ids: Iterable[int] = table
        else:
            ids = sorted({*(table if among is None else among), *shown})
        found = (shown[each] if each in shown else table.get(each) for each in ids)
        return [each for each in found if each is not None]

    def _apply(self, operation: str, kind: str, record_id: int, record: Record, at: str | None = None) -> None:
        table, graves = self.tables[kind], self.graves[kind]
        before = table.get(record_id)
        if operation == "delete":
            table.pop(record_id, None)
            graves[record_id] = record
            self.deletions[kind].append((record_id, at or ""))
        else:
            table[record_id] = record
        if operation == "restore":
            graves.pop(record_id, None)
            self.tables[kind] = dict(sorted(table.items()))
        if at:
            self._past.note(kind, Change(from_zulu(at).timestamp(), record_id, before))
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
