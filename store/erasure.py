"""Erasing a person: every value that we keep of one record goes; ids, links and the proof of the audit log stay.

The link stays, without values, so that nothing is created anew. The next pass over the record, if there is one, merges
without a base.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, event, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.keys import KeyProblem, KeyRing
from store.audit import AuditEntry, all_ids
from store.audit_chain import append
from store.database import Database
from store.records import RecordKey
from store.sealed import seal, unseal
from store.tables import AuditRow, AuditValuesRow, HoldRow, LinkRow


@dataclass(frozen=True)
class Kept:
    """What is kept of one record. `written` are the rows of the audit log that still have values: (seq, CRM id).

    `linked` are the ids of its links that hold values, `held` and `workflows` ids of workflows.
    """

    key: RecordKey
    crm_ids: tuple[str, ...]
    books_ids: tuple[str, ...]
    written: tuple[tuple[int, str], ...]
    linked: tuple[int, ...]
    held: tuple[str, ...]
    workflows: tuple[str, ...]


class Erasure:
    """Finds and erases the values of one record."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys
        if database.engine.dialect.name == "sqlite":
            event.listen(database.engine.sync_engine, "connect", _overwrite_what_is_deleted)

    async def find(self, key: RecordKey) -> Kept | None:
        """Return what is kept of a record, None if it is not known at all."""
        async with self._database.reading() as session:
            return await self._find(session, key)

    async def erase(self, key: RecordKey, cause: str) -> Kept | None:
        """Erase it in one transaction that also says so in the audit log, and return what was there.

        Repeating it does nothing. None if the record is not known at all.
        """
        async with self._database.writing() as session:
            kept = await self._find(session, key)
            if kept is not None and (kept.written or kept.linked or kept.held):
                await self._forget(session, kept)
                await self._record(session, kept, cause)
        await self._give_up_the_space()
        return kept

    async def _find(self, session: AsyncSession, key: RecordKey) -> Kept | None:
        crm_ids, books_ids = await _ids(session, key)
        links = (await session.scalars(select(LinkRow).where(*_place(LinkRow, key), _linked(crm_ids, books_ids)))).all()
        holds = (await session.scalars(select(HoldRow).where(*_place(HoldRow, key), _held(crm_ids, books_ids)))).all()
        rows = (await session.execute(_rows(key, crm_ids, books_ids))).all()
        if not (links or holds or rows):
            return None
        return Kept(
            key=key,
            crm_ids=tuple(crm_ids),
            books_ids=tuple(books_ids),
            written=tuple((row.seq, row.crm_id) for row in rows if row.values_seq is not None),
            linked=tuple(each.id for each in links if each.sealed_base or each.crm_seen or each.books_seen),
            held=tuple(each.workflow_id for each in holds if self._has_evidence(each)),
            workflows=tuple(dict.fromkeys(row.workflow_id for row in rows if row.workflow_id)),
        )

    def _has_evidence(self, hold: HoldRow) -> bool:
        try:
            return bool(unseal(self._keys, hold.sealed_evidence, "holds", "evidence", hold.workflow_id))
        except KeyProblem:  # sealed with a key that is gone, and a backup may have it
            return True

    async def _forget(self, session: AsyncSession, kept: Kept) -> None:
        gone: dict[str, Any] = {"sealed_base": None, "crm_seen": None, "books_seen": None}
        await session.execute(update(LinkRow).where(LinkRow.id.in_(kept.linked)).values(gone))
        await session.execute(delete(AuditValuesRow).where(AuditValuesRow.seq.in_([seq for seq, _ in kept.written])))
        for workflow_id in kept.held:
            nothing = seal(self._keys, {}, "holds", "evidence", workflow_id)
            change = update(HoldRow).where(HoldRow.workflow_id == workflow_id)
            await session.execute(change.values(sealed_evidence=nothing))

    async def _record(self, session: AsyncSession, kept: Kept, cause: str) -> None:
        """Add a row for every id under which values were erased: without it their absence would look like tampering."""
        crm_ids = {crm_id: None for _, crm_id in kept.written} or dict.fromkeys(kept.crm_ids[:1] or [""])
        books_id = next(iter(kept.books_ids), "")
        for crm_id in crm_ids:
            key = replace(kept.key, record_id=crm_id, side="crm")
            await append(session, self._keys, key, books_id, AuditEntry("erase", cause, ""))

    async def _give_up_the_space(self) -> None:
        """What was deleted may still stand in the write-ahead log, or in rows that nobody sees any more."""
        async with self._database.reading() as session:
            if session.get_bind().dialect.name == "postgresql":
                await session.execute(text("VACUUM audit_values, links, holds, plan_items, plan_staged, mismatches"))
            else:
                await session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _overwrite_what_is_deleted(connection: Any, record: object) -> None:
    """SQLite, as some build it, leaves deleted content in the file until its place is needed."""
    del record
    cursor = connection.cursor()
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


async def _ids(session: AsyncSession, key: RecordKey) -> tuple[Sequence[str], Sequence[str]]:
    """Return the CRM ids and the books ids under which one person's record is known."""
    query = select(LinkRow.crm_id, LinkRow.books_id).where(*_place(LinkRow, key))
    if key.side == "books":
        partner = (await session.execute(query.where(LinkRow.books_id == key.record_id))).first()
        if partner is None:
            return [], [key.record_id]
        key = replace(key, record_id=partner.crm_id, side="crm")
    crm_ids = await all_ids(session, key)
    linked = await session.execute(query.where(LinkRow.crm_id.in_(crm_ids), LinkRow.books_id.is_not(None)))
    return crm_ids, [row.books_id for row in linked]


def _place(table: type[LinkRow | AuditRow | HoldRow], key: RecordKey) -> Sequence[ColumnElement[bool]]:
    return (table.connection == key.connection, table.flow == key.flow)


def _rows(key: RecordKey, crm_ids: Sequence[str], books_ids: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(AuditRow.seq, AuditRow.crm_id, AuditRow.workflow_id, AuditValuesRow.seq.label("values_seq"))
        .outerjoin(AuditValuesRow, AuditValuesRow.seq == AuditRow.seq)
        .where(*_place(AuditRow, key), or_(AuditRow.crm_id.in_(crm_ids), AuditRow.books_id.in_(books_ids)))
        .order_by(AuditRow.seq)
    )


def _linked(crm_ids: Sequence[str], books_ids: Sequence[str]) -> ColumnElement[bool]:
    return or_(LinkRow.crm_id.in_(crm_ids), LinkRow.books_id.in_(books_ids))


def _held(crm_ids: Sequence[str], books_ids: Sequence[str]) -> ColumnElement[bool]:
    return or_(
        and_(HoldRow.side == "crm", HoldRow.record_id.in_(crm_ids)),
        and_(HoldRow.side == "books", HoldRow.record_id.in_(books_ids)),
    )
