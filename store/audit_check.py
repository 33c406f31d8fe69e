"""Checks the audit log from its first row to its last, in constant memory, and says what is wrong and where."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Row, exists, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from runtime.keys import KeyProblem, KeyRing
from store.audit_anchors import Anchor
from store.audit_chain import PAGE, START, WORDS, Head, commit, hash_of_preceding, row_hash, words_of
from store.database import Database
from store.tables import AuditRow, AuditValuesRow

SHOWN = 20
ANCHORS_AT_ONCE = 500

AnyRow: TypeAlias = Row[*tuple[Any, ...]]

_ROWS = (
    select(
        AuditRow.seq,
        AuditRow.at,
        AuditRow.key_id,
        AuditRow.values_commit,
        AuditRow.prev_hash,
        AuditRow.hash,
        AuditValuesRow.sealed,
        *WORDS,
    )
    .outerjoin(AuditValuesRow, AuditValuesRow.seq == AuditRow.seq)
    .order_by(AuditRow.seq)
)
_FIRST = (
    select(AuditRow.seq, AuditRow.key_id, AuditRow.prev_hash)
    .where(AuditRow.hash.is_not(None))
    .order_by(AuditRow.seq)
    .limit(1)
)
_UNREADABLE = (SQLAlchemyError, ValueError, TypeError, KeyError)  # what a damaged value makes of reading it


@dataclass
class Verdict:
    """What was found. `rows` are those of the chain, `preceding` those of the first version, which had none."""

    rows: int = 0
    preceding: int = 0
    erased: int = 0
    anchors: int = 0
    head: Head | None = None
    problems: list[str] = field(default_factory=list)
    more: int = 0

    def note(self, problem: str) -> None:
        """Keep one problem; beyond the first twenty they are only counted."""
        if len(self.problems) < SHOWN:
            self.problems.append(problem)
        else:
            self.more += 1


async def verify(database: Database, keys: KeyRing, anchors: Iterable[Anchor] = ()) -> Verdict:
    """Read the whole log and return what is wrong with it. Changes nothing; writers are not held up."""
    verdict = Verdict()
    async with database.reading() as session:
        first = (await session.execute(_FIRST)).first()
        before = AuditRow.seq < first.seq if first else AuditRow.hash.is_(None)
        verdict.preceding = await session.scalar(select(func.count()).where(before)) or 0
        if first is not None:
            walk = _Walk(session, keys, verdict)
            await walk.begin(first)
            await walk.to_the_end()
            await _check_missing_values(session, verdict)
        await _check_left_values(session, verdict)
        await _check_anchors(session, verdict, anchors)
    return verdict


class _Walk:
    """Goes from row to row and remembers only the last one."""

    def __init__(self, session: AsyncSession, keys: KeyRing, verdict: Verdict) -> None:
        self._session, self._keys, self._verdict = session, keys, verdict
        self._last = 0
        self._hash: bytes | None = START  # None after a row that cannot be read
        self._unknown_keys: set[str] = set()

    async def begin(self, first: AnyRow) -> None:
        """Check how the chain begins: with row 1, or with a hash over the rows that precede it."""
        if not self._verdict.preceding:
            return
        self._last, self._hash = first.seq - 1, first.prev_hash or b""
        try:
            expected = await hash_of_preceding(self._session, self._keys, first.key_id or "", before=first.seq)
        except _UNREADABLE:
            expected = b""
        except KeyProblem:  # said once more, and better, when the row itself is checked
            return
        if expected != first.prev_hash:
            self._verdict.note(f"the rows before row {first.seq}, those of the first version, were changed")

    async def to_the_end(self) -> None:
        """Check every row of the chain."""
        last = self._last
        while page := await self._page(last):
            for seq, row in page:
                self._check(seq, row)
            last = page[-1][0]

    async def _page(self, after: int) -> Sequence[tuple[int, AnyRow | None]]:
        """Return the next rows by their number; None for one that cannot be read."""
        try:
            found = await self._session.execute(_ROWS.where(AuditRow.seq > after).limit(PAGE))
            return [(row.seq, row) for row in found]
        except _UNREADABLE:
            numbers = select(AuditRow.seq).where(AuditRow.seq > after).order_by(AuditRow.seq).limit(PAGE)
            return [(seq, await self._row(seq)) for seq in (await self._session.scalars(numbers)).all()]

    async def _row(self, seq: int) -> AnyRow | None:
        try:
            return (await self._session.execute(_ROWS.where(AuditRow.seq == seq))).one()
        except _UNREADABLE:
            return None

    def _check(self, seq: int, row: AnyRow | None) -> None:
        if row is None or row.hash is None:
            self._verdict.note(f"row {seq} {'cannot be read' if row is None else 'was inserted: it is in no chain'}")
            self._last, self._hash = seq, self._hash if row else None
            return
        self._verdict.rows += 1
        self._check_place(row)
        self._check_values(row)
        self._last, self._hash = row.seq, row.hash
        self._verdict.head = Head(row.seq, row.hash)

    def _check_place(self, row: AnyRow) -> None:
        missing = row.seq - self._last - 1
        if missing:
            which = f"row {self._last + 1} is" if missing == 1 else f"rows {self._last + 1} to {row.seq - 1} are"
            self._verdict.note(f"{which} missing")
        if not self._is_as_written(row):
            self._verdict.note(f"row {row.seq} is not as it was written: it was changed, moved or inserted")
        elif not missing and self._hash not in {None, row.prev_hash}:
            self._verdict.note(f"row {row.seq} does not follow row {self._last}: what stood before it was replaced")

    def _is_as_written(self, row: AnyRow) -> bool:
        try:
            expected = row_hash(
                self._keys,
                row.key_id,
                row.prev_hash,
                words_of(row),
                seq=row.seq,
                at=row.at,
                values_commit=row.values_commit,
            )
        except KeyProblem as problem:
            if row.key_id is None:
                return False
            if row.key_id not in self._unknown_keys:
                self._unknown_keys.add(row.key_id)
                self._verdict.note(f"row {row.seq} and perhaps others cannot be checked: {problem}")
            return True
        except (TypeError, AttributeError):  # empty, or of another kind
            return False
        return bool(expected == row.hash)

    def _check_values(self, row: AnyRow) -> None:
        if row.sealed is None:
            self._verdict.erased += row.values_commit is not None
            return
        try:
            expected = commit(self._keys, row.key_id, row.sealed)
        except KeyProblem:  # said of the row itself
            return
        if row.values_commit != expected:
            self._verdict.note(f"the values of row {row.seq} are not those that it wrote")


async def _check_left_values(session: AsyncSession, verdict: Verdict) -> None:
    """Whoever cuts the log off in haste leaves the values behind."""
    ends = select(
        select(func.max(AuditRow.seq)).scalar_subquery().label("row"),
        select(func.max(AuditValuesRow.seq)).scalar_subquery().label("values"),
    )
    last = (await session.execute(ends)).one()
    if (last.values or 0) > (last.row or 0):
        verdict.note(f"row {last.values} is gone, but its values are here: the end of the log was cut off")


async def _check_missing_values(session: AsyncSession, verdict: Verdict) -> None:
    """Values may be missing only if a later row says that they were erased."""
    if not verdict.erased:
        return
    erasure = aliased(AuditRow)
    erased_later = exists().where(
        erasure.action == "erase",
        erasure.crm_id == AuditRow.crm_id,
        erasure.connection == AuditRow.connection,
        erasure.flow == AuditRow.flow,
        erasure.seq > AuditRow.seq,
    )
    missing = (
        select(AuditRow.seq)
        .outerjoin(AuditValuesRow, AuditValuesRow.seq == AuditRow.seq)
        .where(AuditRow.values_commit.is_not(None), AuditValuesRow.seq.is_(None), ~erased_later)
        .order_by(AuditRow.seq)
    )
    for seq in await session.scalars(missing.limit(PAGE)):
        verdict.erased -= 1
        verdict.note(f"the values of row {seq} are missing, and nobody asked to erase them")


async def _check_anchors(session: AsyncSession, verdict: Verdict, anchors: Iterable[Anchor]) -> None:
    remaining = iter(anchors)
    while page := list(itertools.islice(remaining, ANCHORS_AT_ONCE)):
        query = select(AuditRow.seq, AuditRow.hash).where(AuditRow.seq.in_([each.head.seq for each in page]))
        hashes = {row.seq: row.hash for row in await session.execute(query)}
        for anchor in page:
            verdict.anchors += 1
            if anchor.problem:
                verdict.note(f"{anchor.origin} {anchor.problem}")
            elif anchor.head.seq not in hashes:
                verdict.note(
                    f"row {anchor.head.seq} is gone, which {anchor.origin} holds: the end of the log was cut off, "
                    "or an older copy was put back"
                )
            elif hashes[anchor.head.seq] != anchor.head.hash:
                verdict.note(f"row {anchor.head.seq} is not the one that {anchor.origin} holds: the log was replaced")
