"""The chain of the audit log: each row carries a keyed hash of itself, of its values, and of the row before it.

`hash = HMAC-SHA256(audit key, format | seq | hash of the row before | the row | keyed hash of the sealed values)`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.keys import KeyRing
from store.audit import AuditEntry, values_place
from store.records import RecordKey
from store.sealed import seal
from store.tables import AuditRow

FORMAT = 1
START = bytes(32)
AUDIT_LOCK = 4_711_202_613
_json = json.JSONEncoder(ensure_ascii=False).encode
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
PAGE = 2000  # rows held at once: what is read of a long log never fills the memory

WORDS = (
    AuditRow.connection,
    AuditRow.flow,
    AuditRow.crm_id,
    AuditRow.books_id,
    AuditRow.side,
    AuditRow.action,
    AuditRow.cause,
    AuditRow.workflow_id,
    AuditRow.fields,
    AuditRow.mapping_version,
    AuditRow.request,
    AuditRow.answer,
)
"""The columns of text that the hash covers, in its order. Beside them: seq, at, key_id, values_commit."""

# Built once: every write asks this, and building it costs as much as asking.
_LAST = select(AuditRow.seq, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1)
_LAST_IN_CHAIN = select(AuditRow.hash).where(AuditRow.hash.is_not(None)).order_by(AuditRow.seq.desc()).limit(1)
_PRECEDING = select(AuditRow.seq, AuditRow.at, *WORDS).where(AuditRow.hash.is_(None)).order_by(AuditRow.seq)
# Whoever cut the log off may have left values behind: they must not stop every write from now on.
_KEEP_VALUES = text(
    "INSERT INTO audit_values (seq, sealed) VALUES (:seq, :sealed)"
    " ON CONFLICT (seq) DO UPDATE SET sealed = excluded.sealed"
)


@dataclass(frozen=True)
class Head:
    """The newest row of the log. Its hash vouches for every row before it. Written `SEQ:HASH`."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


async def append(session: AsyncSession, keys: KeyRing, key: RecordKey, books_id: str, entry: AuditEntry) -> None:
    """Add one row at the end of the chain, in the transaction of the caller: kept with what it tells of, or not at all.

    Until that transaction ends every other appender waits, so do this late in it.
    """
    await session.flush()  # with the lock nobody may wait for a row: its holder may be waiting for the lock
    await _one_at_a_time(session)
    row = _row(keys, key, books_id, entry)
    row.seq, row.prev_hash = await _next(session, keys)
    sealed = _sealed(keys, key, entry)
    row.values_commit = commit(keys, keys.active, sealed) if sealed else None
    words = [getattr(row, column.key) for column in WORDS]
    row.hash = row_hash(
        keys, keys.active, row.prev_hash, words, seq=row.seq, at=row.at, values_commit=row.values_commit
    )
    session.add(row)
    if sealed:
        await session.execute(_KEEP_VALUES, {"seq": row.seq, "sealed": sealed})


async def head(session: AsyncSession) -> Head | None:
    """Return the newest row of the chain, None before the first write."""
    query = select(AuditRow.seq, AuditRow.hash).where(AuditRow.hash.is_not(None)).order_by(AuditRow.seq.desc()).limit(1)
    found = (await session.execute(query)).first()
    return Head(found.seq, found.hash or b"") if found else None


def row_hash(
    keys: KeyRing,
    key_name: str,
    previous: bytes,
    words: Sequence[str],
    *,
    seq: int,
    at: datetime,
    values_commit: bytes | None = None,
) -> bytes:
    """Return the hash of one row; `words` are its WORDS. Raises KeyProblem if the key is not in the ring."""
    since_epoch = (at - EPOCH) // MICROSECOND
    parts = [FORMAT, seq, previous.hex(), since_epoch, key_name, values_commit.hex() if values_commit else None, *words]
    return keys.audit_hash(b"row " + _json(parts).encode(), key_name)


def commit(keys: KeyRing, key_name: str, sealed: bytes) -> bytes:
    """Return the keyed hash by which a row knows its sealed values.

    Sealed bytes hold chance, so that nothing can be guessed from it once they are erased, not even with the key.
    """
    return keys.audit_hash(b"values " + sealed, key_name)


async def hash_of_preceding(session: AsyncSession, keys: KeyRing, key_name: str, before: int | None = None) -> bytes:
    """Return one hash over the rows of the first version, which have none of their own: the chain begins with it.

    With `before` only rows of a smaller number count.
    """
    so_far, last = START, -1
    while page := (await session.execute(_PRECEDING.where(AuditRow.seq > last).limit(PAGE))).all():
        for row in page:
            if before is not None and row.seq >= before:
                return so_far
            so_far = row_hash(keys, key_name, so_far, words_of(row), seq=row.seq, at=row.at)
        last = page[-1].seq
    return so_far


def words_of(row: Sequence[Any]) -> Sequence[str]:
    """Return the WORDS of a row in which they stand last."""
    return row[-len(WORDS) :]


async def _one_at_a_time(session: AsyncSession) -> None:
    """PostgreSQL: two appenders must not both follow the same row. SQLite has one writer in any case."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(AUDIT_LOCK)))


async def _next(session: AsyncSession, keys: KeyRing) -> tuple[int, bytes]:
    """Return the number of the next row and the hash that it follows."""
    last = (await session.execute(_LAST)).first()
    if last is None:
        return 1, START
    if last.hash is not None:
        return last.seq + 1, last.hash
    # The first row of the chain; or somebody added one without a hash, which must not begin the chain anew.
    found = await session.scalar(_LAST_IN_CHAIN)
    return last.seq + 1, found or await hash_of_preceding(session, keys, keys.active)


def _row(keys: KeyRing, key: RecordKey, books_id: str, entry: AuditEntry) -> AuditRow:
    return AuditRow(
        at=datetime.now(UTC),
        connection=key.connection,
        flow=key.flow,
        crm_id=key.record_id,
        books_id=books_id,
        side=entry.side,
        action=entry.action,
        cause=entry.cause,
        workflow_id=entry.workflow_id,
        fields=", ".join(sorted(entry.after)),
        mapping_version=entry.mapping_version,
        request=entry.request,
        answer=entry.answer,
        key_id=keys.active,
    )


def _sealed(keys: KeyRing, key: RecordKey, entry: AuditEntry) -> bytes | None:
    if not (entry.before or entry.after or entry.rules or entry.times):
        return None
    content: dict[str, Any] = {"before": dict(entry.before), "after": dict(entry.after), "rules": dict(entry.rules)}
    if entry.times:
        content["times"] = {name: at.astimezone(UTC).isoformat() for name, at in entry.times.items()}
    return seal(keys, content, *values_place(key.connection, key.flow, key.record_id))
