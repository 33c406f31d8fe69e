"""The ledger: an append-only file with one JSON line per accepted write, the only truth that checks read."""

import json
import logging
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sandbox.clock import now

Record = dict[str, Any]
"""A JSON object, in the words of the system that it belongs to."""

VIA: ContextVar[str] = ContextVar("via", default="api")
"""How the present write came: `api`, `control`, or `late` (after its caller had given up)."""

SILENT: ContextVar[bool] = ContextVar("silent", default=False)
"""Whether the present write sends no hooks."""

log = logging.getLogger("sandbox")


@contextmanager
def by_control(*, hooks: bool = True) -> Iterator[None]:
    """Mark all writes inside as made without a caller of the API; without `hooks` nobody is told of them."""
    via, silent = VIA.set("control"), SILENT.set(not hooks)
    try:
        yield
    finally:
        VIA.reset(via)
        SILENT.reset(silent)


class LedgerError(Exception):
    """The ledger file cannot be read; the text says what to do."""


class Ledger:
    """Every accepted write of both systems, in order; in the file at `path`, or in memory alone if that is None.

    Raises LedgerError if a line other than the last is broken. A broken last line is what a crash leaves of a write
    that nobody was answered: it is dropped with a warning.
    """

    def __init__(self, path: Path | None) -> None:
        self.entries: list[Record] = []
        self._file: BinaryIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            self._load(self._file, path)

    def append(self, system: str, operation: str, kind: str, record_id: int, record: Record) -> Record:
        """Add one write and flush it, so that it stands in the file before the caller is answered."""
        entry = {
            "seq": self.entries[-1]["seq"] + 1 if self.entries else 1,
            "at": now().isoformat(timespec="milliseconds"),
            "system": system,
            "operation": operation,
            "kind": kind,
            "id": record_id,
            "record": record,
            "via": VIA.get(),
        }
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        self.entries.append(entry)
        return entry

    def of(self, system: str, after: int = 0, kind: str | None = None) -> Iterator[Record]:
        """Return the entries of one system behind a sequence number, of one kind or of all."""
        first = bisect_right(self.entries, after, key=lambda entry: int(entry["seq"]))
        for entry in islice(self.entries, first, None):
            if entry["system"] == system and kind in {None, entry["kind"]}:
                yield entry

    def truncate(self) -> None:
        """Forget every write, in the file too."""
        self.entries.clear()
        if self._file:
            self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _load(self, file: BinaryIO, path: Path) -> None:
        file.seek(0)
        lines = file.read().split(b"\n")
        tail = lines.pop()
        good = 0
        for number, line in enumerate(lines, 1):
            try:
                self.entries.append(json.loads(line))
            except ValueError as error:
                if number < len(lines) or tail:
                    raise LedgerError(
                        f"line {number} of the ledger {path} is not JSON: repair it, or move the file away"
                    ) from error
                tail = line
                break
            good += len(line) + 1
        if tail:
            log.warning("the last line of the ledger %s was cut off by a crash: dropped", path)
            file.truncate(good)
