"""Bills: invoices made of time entries. Each entry is claimed for one bill, in the transaction that begins it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from runtime.keys import KeyRing
from store.bill_tables import BilledEntryRow, BillRow
from store.database import Database
from store.sealed import seal, unseal

ASKED_AT_ONCE = 500  # SQLite takes only so many parameters


class EntriesTaken(Exception):
    """Another bill has one of the entries, or the client has an open bill: look again."""


@dataclass(frozen=True)
class ClaimedEntry:
    """One time entry of a bill. `fingerprint` is of what was billed."""

    entry_id: int
    fingerprint: str
    is_marked: bool


@dataclass(frozen=True)
class Bill:
    """A bill as it stands. `plan` is what its invoice is made of, and is not to be logged: notes name people."""

    id: int
    connection: str
    client_id: int
    state: str
    invoice_id: int | None
    plan: dict[str, Any]
    entries: tuple[ClaimedEntry, ...]


class Bills:
    """The bills of all connections. Every method is one short transaction."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    async def open_one(self, connection: str, client_id: int) -> Bill | None:
        """Return the client's bill that is not finished yet, None if there is none."""
        query = select(BillRow).where(
            BillRow.connection == connection, BillRow.client_id == str(client_id), BillRow.state == "open"
        )
        return await self._first(query)

    async def find(self, bill_id: int) -> Bill | None:
        """Return a bill, None if there is none of this id."""
        return await self._first(select(BillRow).where(BillRow.id == bill_id))

    async def of_invoice(self, connection: str, invoice_id: int) -> Bill | None:
        """Return the bill that became an invoice, None if the invoice is not one of ours."""
        query = select(BillRow).where(BillRow.connection == connection, BillRow.invoice_id == str(invoice_id))
        return await self._first(query)

    async def of_entries(self, connection: str, entry_ids: Sequence[int]) -> list[Bill]:
        """Return the bills that have any of the entries, oldest first."""
        ids: set[int] = set()
        async with self._database.reading() as session:
            for start in range(0, len(entry_ids), ASKED_AT_ONCE):
                part = [str(each) for each in entry_ids[start : start + ASKED_AT_ONCE]]
                query = select(BilledEntryRow.bill_id).where(
                    BilledEntryRow.connection == connection, BilledEntryRow.entry_id.in_(part)
                )
                ids |= set(await session.scalars(query))
        found = [await self.find(each) for each in sorted(ids)]
        return [each for each in found if each is not None]

    async def taken(self, connection: str, entry_ids: Sequence[int]) -> set[int]:
        """Return those of the entries that some bill has."""
        taken: set[int] = set()
        async with self._database.reading() as session:
            for start in range(0, len(entry_ids), ASKED_AT_ONCE):
                part = [str(each) for each in entry_ids[start : start + ASKED_AT_ONCE]]
                query = select(BilledEntryRow.entry_id).where(
                    BilledEntryRow.connection == connection, BilledEntryRow.entry_id.in_(part)
                )
                taken |= {int(each) for each in await session.scalars(query)}
        return taken

    async def claim(self, connection: str, client_id: int, plan: Mapping[str, Any], entries: Mapping[int, str]) -> Bill:
        """Begin a bill of these entries, by id with their fingerprints. Raises EntriesTaken, and then nothing is kept.

        Claiming again what the client's open bill has gives that bill.
        """
        try:
            bill_id = await self._insert(connection, client_id, plan, entries)
        except IntegrityError:
            known = await self.open_one(connection, client_id)
            if known is not None and {each.entry_id: each.fingerprint for each in known.entries} == dict(entries):
                return known
            raise EntriesTaken(f"time entries of client {client_id} are in another bill") from None
        bill = await self.find(bill_id)
        if bill is None:
            raise EntriesTaken(f"the bill of client {client_id} was dropped in the meantime")
        return bill

    async def invoiced(self, bill_id: int, invoice_id: int) -> None:
        """Note which invoice the bill became; repeating it changes nothing."""
        await self._set(bill_id, invoice_id=str(invoice_id))

    async def marked(self, bill_id: int, entry_id: int) -> None:
        """Note that FreshBooks knows the entry as billed; repeating it changes nothing."""
        change = (
            update(BilledEntryRow)
            .where(
                BilledEntryRow.bill_id == bill_id,
                BilledEntryRow.entry_id == str(entry_id),
                BilledEntryRow.marked_at.is_(None),
            )
            .values(marked_at=datetime.now(UTC))
        )
        async with self._database.writing() as session:
            await session.execute(change)

    async def finish(self, bill_id: int) -> None:
        """Nothing is left to do for this bill. Its entries stay its own for ever."""
        await self._set(bill_id, state="done")

    async def drop(self, bill_id: int) -> None:
        """The invoice will not be made, or is void: its entries may be billed again. Repeating it changes nothing."""
        async with self._database.writing() as session:
            await session.execute(delete(BilledEntryRow).where(BilledEntryRow.bill_id == bill_id))
            await session.execute(
                update(BillRow).where(BillRow.id == bill_id).values(state="dropped", updated_at=datetime.now(UTC))
            )

    async def _insert(
        self, connection: str, client_id: int, plan: Mapping[str, Any], entries: Mapping[int, str]
    ) -> int:
        now = datetime.now(UTC)
        async with self._database.writing() as session:
            row = BillRow(
                connection=connection,
                client_id=str(client_id),
                state="open",
                sealed_plan=seal(self._keys, dict(plan), *_place(connection, client_id)),
                created_at=now,
                updated_at=now,
            )
            session.add(row)
            await session.flush()
            for entry_id, fingerprint in entries.items():
                session.add(
                    BilledEntryRow(
                        connection=connection, entry_id=str(entry_id), bill_id=row.id, fingerprint=fingerprint
                    )
                )
            await session.flush()
            return row.id

    async def _set(self, bill_id: int, **values: object) -> None:
        change = update(BillRow).where(BillRow.id == bill_id).values(updated_at=datetime.now(UTC), **values)
        async with self._database.writing() as session:
            await session.execute(change)

    async def _first(self, query: Any) -> Bill | None:
        async with self._database.reading() as session:
            row = await session.scalar(query)
            if row is None:
                return None
            entries = await session.scalars(select(BilledEntryRow).where(BilledEntryRow.bill_id == row.id))
            return self._bill(row, list(entries))

    def _bill(self, row: BillRow, entries: Sequence[BilledEntryRow]) -> Bill:
        claimed = [ClaimedEntry(int(each.entry_id), each.fingerprint, each.marked_at is not None) for each in entries]
        return Bill(
            id=row.id,
            connection=row.connection,
            client_id=int(row.client_id),
            state=row.state,
            invoice_id=int(row.invoice_id) if row.invoice_id else None,
            plan=dict(unseal(self._keys, row.sealed_plan, *_place(row.connection, int(row.client_id)))),
            entries=tuple(sorted(claimed, key=lambda each: each.entry_id)),
        )


def _place(connection: str, client_id: int) -> tuple[str, ...]:
    return ("bills", "plan", connection, str(client_id))
