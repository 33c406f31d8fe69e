"""Intents: what was about to be created, saved before the request, so that a lost answer can be resolved.

States: reserved → sending → done, or in-doubt when nobody knows whether the request took effect, or refused.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.keys import KeyRing
from store.database import Database
from store.records import RecordKey
from store.tables import OPEN_STATES, IntentRow

# Built once: every create asks this, and building it costs as much as asking.
_OPEN = select(IntentRow).where(
    IntentRow.connection == bindparam("connection"),
    IntentRow.flow == bindparam("flow"),
    IntentRow.side == bindparam("side"),
    IntentRow.record_id == bindparam("record_id"),
    IntentRow.state.in_(OPEN_STATES),
)


ADMISSION_LOCK = 4_711_202_612


class FenceLost(Exception):
    """Another attempt has taken this intent over: this one must not send anything."""


@dataclass(frozen=True)
class Intent:
    """An intent as it stands. `settle_until` is set while it is in doubt; `touched_at` is when it last moved."""

    id: int
    reference: str
    state: str
    fence: int
    sent_at: datetime | None
    settle_until: datetime | None
    touched_at: datetime | None = field(default=None, compare=False)


class Intents:
    """The intents of all connections. Every method is one committed transaction."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    def reference(self, key: RecordKey) -> str:
        """Return the reference that the created record carries; the same for ever for one record."""
        side = () if key.side == "crm" else (key.side,)
        return self._keys.reference(key.connection, key.flow, *side, key.record_id)

    async def open_one(self, key: RecordKey) -> Intent | None:
        """Return the open intent of a record, None if it has none."""
        async with self._database.reading() as session:
            row = await _open_row(session, key)
        return _intent(row) if row else None

    async def reserve(self, key: RecordKey) -> Intent:
        """Return the record's open intent, made now if there is none. There is never a second one."""
        try:
            async with self._database.writing() as session:
                row = await _open_row(session, key)
                if row is None:
                    row = self._new_row(key)
                    session.add(row)
                    await session.flush()
                return _intent(row)
        except IntegrityError:  # PostgreSQL: another worker inserted between our look and our insert
            found = await self.open_one(key)
            if found is None:
                raise
            return found

    async def mark_sending(self, intent: Intent) -> Intent:
        """Take the intent for one request. Raises FenceLost unless it is still reserved under the same fence."""
        now = datetime.now(UTC)
        changed = await self._move(
            intent, to="sending", only_from=("reserved",), fence=intent.fence + 1, sent_at=now, settle_until=None
        )
        if not changed:
            raise FenceLost(f"intent {intent.id} is no longer ours to send")
        return Intent(intent.id, intent.reference, "sending", intent.fence + 1, now, None)

    async def release(self, intent: Intent) -> None:
        """Nothing was sent, or it was certainly refused for now: it may be sent again."""
        await self._move(intent, to="reserved", only_from=("sending",))

    async def doubt(self, intent: Intent, settle_until: datetime) -> None:
        """Nobody knows whether the request took effect; it may still do so until `settle_until`."""
        await self._move(intent, to="in-doubt", only_from=("sending", "in-doubt"), settle_until=settle_until)

    async def reopen(self, intent: Intent) -> Intent:
        """After the wait nothing was found: the record may be created after all. Raises FenceLost."""
        changed = await self._move(
            intent, to="reserved", only_from=("in-doubt", "reserved"), fence=intent.fence + 1, settle_until=None
        )
        if not changed:
            raise FenceLost(f"intent {intent.id} is no longer ours")
        return Intent(intent.id, intent.reference, "reserved", intent.fence + 1, intent.sent_at, None)

    async def refuse(self, intent: Intent) -> None:
        """The provider refused the request: nothing was created, and the intent is closed."""
        await self._move(intent, to="refused", only_from=("sending",))

    async def drop(self, key: RecordKey) -> None:
        """The record is gone or found its partner another way: nothing is to be created for it any more."""
        change = update(IntentRow).where(*_place(key), IntentRow.state == "reserved")
        async with self._database.writing() as session:
            await session.execute(change.values(state="dropped", updated_at=datetime.now(UTC)))

    async def owner_of(self, connection: str, flow: str, reference: str) -> RecordKey | None:
        """Return the record for which we once reserved this reference, None if it is none of ours."""
        query = select(IntentRow).where(
            IntentRow.reference == reference, IntentRow.connection == connection, IntentRow.flow == flow
        )
        async with self._database.reading() as session:
            row = await session.scalar(query.limit(1))
        return _key(row) if row else None

    async def left_open(self, connection: str, before: datetime) -> Sequence[RecordKey]:
        """Return the records whose intents have been open since before an instant, oldest first."""
        query = select(IntentRow).where(
            IntentRow.connection == connection, IntentRow.state.in_(OPEN_STATES), IntentRow.updated_at < before
        )
        async with self._database.reading() as session:
            return [_key(row) for row in await session.scalars(query.order_by(IntentRow.updated_at))]

    async def admit(self, key: RecordKey, limit: int, since: datetime) -> bool:
        """Return whether the record's create may go on: fewer than `limit` were admitted since an instant.

        A create that was admitted once, or approved by a person, stays so.
        """
        admitted = select(func.count()).where(
            IntentRow.connection == key.connection,
            IntentRow.flow == key.flow,
            IntentRow.admission == "counted",
            IntentRow.admitted_at > since,
        )
        async with self._database.writing() as session:
            await self._one_at_a_time(session)
            row = await _open_row(session, key)
            if row is None or row.admission:
                return row is not None
            if (await session.scalar(admitted) or 0) >= limit:
                return False
            row.admission, row.admitted_at = "counted", datetime.now(UTC)
            return True

    async def approve(self, key: RecordKey) -> None:
        """A person agreed to this create: it does not count against the limit."""
        async with self._database.writing() as session:
            row = await _open_row(session, key)
            if row is None:
                row = self._new_row(key)
                session.add(row)
            row.admission, row.admitted_at = "approved", datetime.now(UTC)

    async def _one_at_a_time(self, session: AsyncSession) -> None:
        """PostgreSQL: two admissions must not both see the last free place. SQLite has one writer in any case."""
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(select(func.pg_advisory_xact_lock(ADMISSION_LOCK)))

    async def _move(self, intent: Intent, *, to: str, only_from: tuple[str, ...], **values: object) -> bool:
        change = (
            update(IntentRow)
            .where(IntentRow.id == intent.id, IntentRow.fence == intent.fence, IntentRow.state.in_(only_from))
            .values(state=to, updated_at=datetime.now(UTC), **values)
            .returning(IntentRow.id)
        )
        async with self._database.writing() as session:
            return (await session.execute(change)).first() is not None

    def _new_row(self, key: RecordKey) -> IntentRow:
        now = datetime.now(UTC)
        return IntentRow(
            connection=key.connection,
            flow=key.flow,
            side=key.side,
            record_id=key.record_id,
            reference=self.reference(key),
            state="reserved",
            fence=0,
            admission="",
            created_at=now,
            updated_at=now,
        )


async def finish(session: AsyncSession, intent_id: int) -> None:
    """Close an intent inside the transaction that confirms what it created or found."""
    await session.execute(
        update(IntentRow).where(IntentRow.id == intent_id).values(state="done", updated_at=datetime.now(UTC))
    )


async def _open_row(session: AsyncSession, key: RecordKey) -> IntentRow | None:
    return (await session.execute(_OPEN, asdict(key))).scalar_one_or_none()


def _place(key: RecordKey) -> Sequence[ColumnElement[bool]]:
    return (
        IntentRow.connection == key.connection,
        IntentRow.flow == key.flow,
        IntentRow.side == key.side,
        IntentRow.record_id == key.record_id,
    )


def _key(row: IntentRow) -> RecordKey:
    return RecordKey(row.connection, row.flow, row.record_id, "books" if row.side == "books" else "crm")


def _intent(row: IntentRow) -> Intent:
    return Intent(row.id, row.reference, row.state, row.fence, row.sent_at, row.settle_until, row.updated_at)
