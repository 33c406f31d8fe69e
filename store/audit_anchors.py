"""Anchors: the head of the audit log, written down beside the database and told to the log of the worker.

A chain shows what was changed within it, but not that its end was cut off, or that all of it was put back to how it was
yesterday. Whoever kept a head from before can show that: the row of that number must still have that hash.
"""

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from runtime.errors import Stop
from runtime.keys import KeyProblem, KeyRing
from store.audit_chain import Head, head
from store.database import Database
from store.tables import AuditRow

log = structlog.get_logger()

FILE_NAME = "audit-anchors.jsonl"
EVERY_ROWS = 1000
EVERY = timedelta(hours=1)
LOOK_EVERY = timedelta(minutes=1)
LONGEST_LINE = 1000


class WrongAnchor(Stop):
    """What was given as an anchor is none."""


class LogAltered(Stop):
    """The audit log is not the one that was anchored."""


@dataclass(frozen=True)
class Anchor:
    """A head as somebody kept it. `origin` says who, for people; `problem` why it cannot be believed, if it cannot."""

    head: Head
    origin: str
    problem: str = ""


def parse_anchor(text: str) -> Anchor:
    """Return the anchor that a person holds, written `SEQ:HASH`. Raises WrongAnchor."""
    seq, _, digest = text.strip().partition(":")
    try:
        head_kept = Head(int(seq), bytes.fromhex(digest))
    except ValueError:
        head_kept = Head(0, b"")
    if len(head_kept.hash) != 32:
        raise WrongAnchor(
            "an anchor is a number, a colon and 64 hexadecimal digits: what `ledgerline audit anchor` says"
        )
    return Anchor(head_kept, "the anchor given")


class Anchors:
    """The anchors of this installation: a line of JSON each, only ever added, each forced to the disk."""

    def __init__(self, folder: Path, database: Database, keys: KeyRing) -> None:
        self.path = folder / FILE_NAME
        self._database, self._keys = database, keys

    def read(self) -> Iterator[Anchor]:
        """Give the anchors of the file, oldest first; lines that we did not write are given with their problem."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield self._parse(line, f"line {number} of {self.path}")

    async def write(self, *, if_due: bool = False) -> Head | None:
        """Add the head of the log and return it; None if it is there already, or there is none yet.

        With `if_due` it is added only if a thousand rows or an hour lie between it and the last anchor.
        Raises LogAltered if the row that was anchored last is not in the log any more, and OSError.
        """
        last, written_at = self._last()
        async with self._database.reading() as session:
            newest = await head(session)
            if last is not None and await session.scalar(select(AuditRow.hash).filter_by(seq=last.seq)) != last.hash:
                raise LogAltered(
                    f"row {last.seq} of the audit log is not the one that was anchored; run `ledgerline audit verify`"
                )
        if newest is None or newest == last:
            return None
        recent = last and newest.seq < last.seq + EVERY_ROWS and datetime.now(UTC) < written_at + EVERY
        if if_due and recent:
            return None
        await asyncio.to_thread(self._append, newest)
        return newest

    @contextlib.asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """Write what is due, every minute, until the block is left."""
        task = asyncio.create_task(self._keep_up())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _keep_up(self) -> None:
        told = False
        while True:
            try:
                anchored = await self.write(if_due=True)
                if anchored:  # whoever collects our logs holds this where nobody who can write here can change it
                    log.info("audit log anchored", head=str(anchored))
            except LogAltered as problem:
                if not told:
                    log.error("audit log altered", problem=str(problem))  # noqa: TRY400 - no trace: it is no mistake of ours
                told = True
            except (OSError, SQLAlchemyError) as error:
                log.warning("audit log not anchored", problem=type(error).__name__, file=str(self.path))
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    def _append(self, newest: Head) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # several processes may share the folder
            if self._last()[0] != newest:
                # A line that a power cut tore must not take this one with it.
                torn = not self._tail().endswith(b"\n") and file.tell() > 0
                file.write(b"\n" * torn + self._line(newest))
                file.flush()
                os.fsync(file.fileno())

    def _line(self, newest: Head) -> bytes:
        content = {"at": datetime.now(UTC).isoformat(), "head": str(newest), "key": self._keys.active}
        signed = content | {"signature": self._signature(content)}
        return json.dumps(signed).encode() + b"\n"

    def _last(self) -> tuple[Head | None, datetime]:
        """Return the newest anchor of the file and when it was written."""
        line = self._tail().rstrip(b"\n").rpartition(b"\n")[2]
        anchor = self._parse(line, "the last line")
        if anchor.problem:
            return None, datetime.min.replace(tzinfo=UTC)
        return anchor.head, datetime.fromisoformat(json.loads(line)["at"])

    def _tail(self) -> bytes:
        """Return the end of the file, more than its last line; nothing if there is no file."""
        if not self.path.exists():
            return b""
        with self.path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - LONGEST_LINE))
            return file.read()

    def _parse(self, line: bytes, origin: str) -> Anchor:
        try:
            content: dict[str, Any] = json.loads(line)
            signature = content.pop("signature")
            kept = parse_anchor(content["head"]).head
            if signature == self._signature(content):
                return Anchor(kept, origin)
        except (ValueError, KeyError, TypeError, AttributeError, WrongAnchor, KeyProblem):
            pass
        return Anchor(Head(0, b""), origin, "is not as it was written, or its key is not here")

    def _signature(self, content: dict[str, Any]) -> str:
        text = json.dumps(content, sort_keys=True)
        return self._keys.audit_hash(b"anchor " + text.encode(), content["key"]).hex()
