"""Payments as they were last judged, so that what has not changed is not looked at again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from store.bill_tables import PaymentRow
from store.database import Database


@dataclass(frozen=True)
class JudgedPayment:
    """One payment: which invoice it is for, how it looked, and what came of it."""

    payment_id: int
    invoice_id: int | None
    fingerprint: str
    verdict: str


class Payments:
    """The judged payments of all connections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, connection: str, payment_ids: Sequence[int]) -> dict[int, JudgedPayment]:
        """Return those of a page of payments that were judged before, by id."""
        ids = [str(each) for each in payment_ids]
        query = select(PaymentRow).where(PaymentRow.connection == connection, PaymentRow.payment_id.in_(ids))
        async with self._database.reading() as session:
            return {int(row.payment_id): _judged(row) for row in await session.scalars(query)}

    async def of_invoices(self, connection: str, invoice_ids: Sequence[int]) -> list[JudgedPayment]:
        """Return the payments that were judged as payments of one of a page of invoices."""
        ids = [str(each) for each in invoice_ids]
        query = select(PaymentRow).where(PaymentRow.connection == connection, PaymentRow.invoice_id.in_(ids))
        async with self._database.reading() as session:
            return [_judged(row) for row in await session.scalars(query.order_by(PaymentRow.payment_id))]

    async def judge(self, connection: str, judged: JudgedPayment) -> None:
        """Note what came of a payment; repeating it changes nothing."""
        async with self._database.writing() as session:
            row = await session.get(PaymentRow, (connection, str(judged.payment_id)), with_for_update=True)
            if row is None:
                row = PaymentRow(connection=connection, payment_id=str(judged.payment_id))
                session.add(row)
            row.invoice_id = None if judged.invoice_id is None else str(judged.invoice_id)
            row.fingerprint, row.verdict, row.updated_at = judged.fingerprint, judged.verdict, datetime.now(UTC)

    async def counts(self, connection: str) -> dict[str, int]:
        """Return how many payments there are of each verdict."""
        query = (
            select(PaymentRow.verdict, func.count())
            .where(PaymentRow.connection == connection)
            .group_by(PaymentRow.verdict)
        )
        async with self._database.reading() as session:
            return {row[0]: row[1] for row in await session.execute(query)}


def _judged(row: PaymentRow) -> JudgedPayment:
    invoice_id = int(row.invoice_id) if row.invoice_id else None
    return JudgedPayment(int(row.payment_id), invoice_id, row.fingerprint, row.verdict)
