"""Links: which client belongs to which party, and what both last agreed on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.keys import KeyRing
from store.audit import AuditEntry
from store.audit_chain import append
from store.database import Database
from store.intents import finish
from store.records import RecordKey
from store.sealed import seal, unseal
from store.tables import OPEN_STATES, AliasRow, IntentRow, LinkRow

Value = str | bool | int | None
LinkState = Literal["active", "orphaned", "tombstoned"]
"""Active: both records live. Orphaned: the books record was deleted by a person. Tombstoned: the CRM record was."""


# Built once: every pass asks this, and building it costs as much as asking.
_OF_CRM = select(LinkRow).where(
    LinkRow.connection == bindparam("connection"),
    LinkRow.flow == bindparam("flow"),
    LinkRow.crm_id == bindparam("record_id"),
)


class LinkTaken(Exception):
    """The books record was linked to another CRM record in the meantime: look again."""


@dataclass(frozen=True)
class Agreement:
    """What is known of both sides once a pass is over.

    `base` holds the mapped values on which both agree; `crm_seen` and `books_seen` are fingerprints of each side's
    mapped values under `mapping_version`.
    """

    books_id: str
    base: Mapping[str, Value]
    crm_seen: str
    books_seen: str
    mapping_version: str


@dataclass(frozen=True)
class Link:
    """A link as it stands."""

    crm_id: str
    books_id: str | None
    state: str
    base: dict[str, Value] | None
    crm_seen: str | None
    books_seen: str | None
    mapping_version: str | None
    updated_at: datetime


@dataclass(frozen=True)
class StandingCounts:
    """How many records of one flow are linked, are being created, and may have been created without an answer.

    `linked` are pairs of which both live, `gone` those of which one was archived or deleted.
    """

    linked: int
    creating: int
    in_doubt: int
    gone: int = 0


class Links:
    """The links of all connections."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    def fingerprint(self, values: Mapping[str, Value]) -> str:
        """Return what one side's mapped values are known by when they are seen again."""
        return self._keys.fingerprint(json.dumps(values, sort_keys=True).encode())

    async def of_crm(self, key: RecordKey) -> Link | None:
        """Return the link of a CRM record, None if it has none yet."""
        async with self._database.reading() as session:
            row = await _row(session, key)
        return self._link(row) if row else None

    async def of_books(self, connection: str, flow: str, books_id: str) -> Link | None:
        """Return the link of a books record, None if it has none."""
        query = select(LinkRow).where(
            LinkRow.connection == connection, LinkRow.flow == flow, LinkRow.books_id == books_id
        )
        async with self._database.reading() as session:
            row = await session.scalar(query)
        return self._link(row) if row else None

    async def crm_id_of(self, connection: str, flow: str, books_id: str) -> str | None:
        """Return the CRM record to which a books record is linked, None if to none."""
        return (await self.owners(connection, flow, [books_id])).get(books_id)

    async def is_active(self, key: RecordKey) -> bool:
        """Return whether a record of either side is linked and neither it nor its partner is gone."""
        column = LinkRow.crm_id if key.side == "crm" else LinkRow.books_id
        query = select(LinkRow.state).where(
            LinkRow.connection == key.connection, LinkRow.flow == key.flow, column == key.record_id
        )
        async with self._database.reading() as session:
            return await session.scalar(query) == "active"

    async def owners(self, connection: str, flow: str, books_ids: Sequence[str]) -> dict[str, str]:
        """Return, for those of `books_ids` that are linked, the CRM record each is linked to."""
        if not books_ids:
            return {}
        query = select(LinkRow.books_id, LinkRow.crm_id).where(
            LinkRow.connection == connection, LinkRow.flow == flow, LinkRow.books_id.in_(books_ids)
        )
        async with self._database.reading() as session:
            return {books_id: crm_id for books_id, crm_id in await session.execute(query) if books_id}

    async def seen(
        self, connection: str, flow: str, crm_ids: Sequence[str]
    ) -> dict[str, tuple[str | None, str | None]]:
        """Return, for those of `crm_ids` that are linked, the fingerprint last seen and the mapping version then."""
        query = select(LinkRow.crm_id, LinkRow.crm_seen, LinkRow.mapping_version).where(
            LinkRow.connection == connection, LinkRow.flow == flow, LinkRow.crm_id.in_(crm_ids)
        )
        async with self._database.reading() as session:
            return {crm_id: (seen, version) for crm_id, seen, version in await session.execute(query)}

    async def standing(self, connection: str, flow: str) -> StandingCounts:
        """Return how a flow stands, in numbers."""
        links = select(LinkRow.state, func.count()).where(LinkRow.connection == connection, LinkRow.flow == flow)
        intents = select(IntentRow.state, func.count()).where(
            IntentRow.connection == connection, IntentRow.flow == flow, IntentRow.state.in_(OPEN_STATES)
        )
        async with self._database.reading() as session:
            linked = dict((await session.execute(links.group_by(LinkRow.state))).all())
            rows = await session.execute(intents.group_by(IntentRow.state))
            states = dict(rows.all())
        doubted = states.get("in-doubt", 0)
        creating = sum(states.values()) - doubted
        living = linked.get("active", 0)
        return StandingCounts(living, creating, doubted, sum(linked.values()) - living)

    async def confirm(
        self, key: RecordKey, agreed: Agreement, *, audit: AuditEntry | None = None, intent_id: int | None = None
    ) -> None:
        """Save link, base, audit row and the end of the intent in one transaction.

        Raises LinkTaken if the books record belongs to another CRM record.
        """
        try:
            async with self._database.writing() as session:
                # A step that is repeated after a crash tells of an adoption once.
                told = audit is not None and audit.action == "adopt" and await _is_tied(session, key, agreed.books_id)
                await self._save(session, key, agreed)
                if audit and not told:
                    await self._audit(session, key, agreed.books_id, audit)
                if intent_id is not None:
                    await finish(session, intent_id)
        except IntegrityError as error:
            raise LinkTaken(f"books record {agreed.books_id} is linked to another record") from error

    async def claim(
        self, key: RecordKey, books_id: str, *, intent_id: int | None = None, audit: AuditEntry | None = None
    ) -> None:
        """Tie two records together before anything is agreed upon; a tie that is there already stays as it is.

        Raises LinkTaken if one of the two is linked to another record.
        """
        try:
            async with self._database.writing() as session:
                row = await _row(session, key)
                if row is None:
                    session.add(_new_row(key, books_id))
                    await session.flush()
                    if audit:
                        await self._audit(session, key, books_id, audit)
                elif row.books_id != books_id:
                    raise LinkTaken(f"record {key.record_id} is linked to books record {row.books_id}")
                if intent_id is not None:
                    await finish(session, intent_id)
        except IntegrityError as error:
            raise LinkTaken(f"books record {books_id} is linked to another record") from error

    async def set_state(self, key: RecordKey, state: LinkState, *, audit: AuditEntry | None = None) -> None:
        """Say how a link stands, with the audit row of what was done for it, in one transaction."""
        async with self._database.writing() as session:
            row = await _row(session, key)
            if row is None or row.books_id is None or row.state == state:
                return
            row.state, row.updated_at = state, datetime.now(UTC)
            if audit:
                await self._audit(session, key, row.books_id, audit)

    async def agree(self, key: RecordKey, agreed: Agreement, *, audit: AuditEntry | None = None) -> None:
        """Save what a linked record agrees on, with an audit row, and leave the state of the link as it is."""
        async with self._database.writing() as session:
            row = await _row(session, key)
            if row is not None and row.books_id == agreed.books_id:
                state = row.state
                await self._save(session, key, agreed)
                row.state = state
                if audit:
                    await self._audit(session, key, agreed.books_id, audit)

    async def state_count(self, connection: str, flow: str, state: LinkState, since: datetime) -> int:
        """Return how many links have come into a state since an instant."""
        query = select(func.count()).where(
            LinkRow.connection == connection,
            LinkRow.flow == flow,
            LinkRow.state == state,
            LinkRow.updated_at > since,
        )
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def follow_merge(self, key: RecordKey, now_crm_id: str, audit: AuditEntry) -> None:
        """The CRM merged this record into another: the link follows, and the old id leads to the new one from now on.

        Raises LinkTaken if the record that is left has a link of its own.
        """
        try:
            async with self._database.writing() as session:
                row = await _row(session, key)
                if row is None or row.books_id is None:
                    return
                base = unseal(self._keys, row.sealed_base, *_place(row)) if row.sealed_base else None
                row.crm_id, row.crm_seen, row.updated_at = now_crm_id, None, datetime.now(UTC)
                row.sealed_base = seal(self._keys, base, *_place(row)) if base is not None else None
                await session.merge(_alias(key, now_crm_id))
                await self._audit(session, replace(key, record_id=now_crm_id), row.books_id, audit)
                await session.flush()
        except IntegrityError as error:
            raise LinkTaken(f"record {now_crm_id} is linked to another client already") from error

    async def merged_into(self, key: RecordKey) -> str | None:
        """Return the record into which this one was merged, through as many merges as there were; None if into none."""
        found: str | None = None
        async with self._database.reading() as session:
            alias = await session.get(AliasRow, (key.connection, key.flow, key.record_id))
            while alias is not None and alias.now_crm_id != found:
                found = alias.now_crm_id
                alias = await session.get(AliasRow, (key.connection, key.flow, found))
        return found

    async def _save(self, session: AsyncSession, key: RecordKey, agreed: Agreement) -> None:
        now = datetime.now(UTC)
        row = await _row(session, key)
        if row is None:
            row = LinkRow(connection=key.connection, flow=key.flow, crm_id=key.record_id, created_at=now)
            session.add(row)
        row.books_id, row.state, row.updated_at = agreed.books_id, "active", now
        row.sealed_base = seal(self._keys, dict(agreed.base), *_place(row))
        row.crm_seen, row.books_seen = agreed.crm_seen, agreed.books_seen
        row.mapping_version = agreed.mapping_version
        await session.flush()

    async def _audit(self, session: AsyncSession, key: RecordKey, books_id: str, entry: AuditEntry) -> None:
        await append(session, self._keys, key, books_id, entry)

    def _link(self, row: LinkRow) -> Link:
        base = unseal(self._keys, row.sealed_base, *_place(row)) if row.sealed_base else None
        return Link(
            crm_id=row.crm_id,
            books_id=row.books_id,
            state=row.state,
            base=base,
            crm_seen=row.crm_seen,
            books_seen=row.books_seen,
            mapping_version=row.mapping_version,
            updated_at=row.updated_at,
        )


def _new_row(key: RecordKey, books_id: str) -> LinkRow:
    now = datetime.now(UTC)
    return LinkRow(
        connection=key.connection,
        flow=key.flow,
        crm_id=key.record_id,
        books_id=books_id,
        state="active",
        created_at=now,
        updated_at=now,
    )


def _alias(key: RecordKey, now_crm_id: str) -> AliasRow:
    return AliasRow(
        connection=key.connection,
        flow=key.flow,
        crm_id=key.record_id,
        now_crm_id=now_crm_id,
        created_at=datetime.now(UTC),
    )


async def _row(session: AsyncSession, key: RecordKey) -> LinkRow | None:
    return (await session.execute(_OF_CRM, asdict(key))).scalar_one_or_none()


async def _is_tied(session: AsyncSession, key: RecordKey, books_id: str) -> bool:
    row = await _row(session, key)
    return row is not None and row.books_id == books_id


def _place(row: LinkRow) -> tuple[str, ...]:
    return ("links", "base", row.connection, row.flow, row.crm_id)
