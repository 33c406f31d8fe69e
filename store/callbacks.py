"""Verifiers of FreshBooks callbacks: the key that signs each callback's deliveries.

A handshake offers a verifier; it is trusted only once FreshBooks has accepted it back. Anybody can send a handshake.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.keys import KeyRing
from store.database import Database
from store.sealed import seal, unseal
from store.tables import CallbackRow

# A handshake is answered within seconds; one that is an hour old never will be, and a new one can be asked for.
OFFER_LIFE = timedelta(hours=1)
MOST_OFFERS = 20  # of one connection, waiting at the same time: we register a handful of callbacks


class TooManyOffers(Exception):
    """More handshakes wait than we have callbacks: somebody makes them up. A genuine one is sent again."""


class Callbacks:
    """The callbacks of all connections."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    async def offer(self, connection: str, callback_id: str, verifier: str) -> None:
        """Keep a verifier until FreshBooks has been asked about it. Raises TooManyOffers."""
        sealed = seal(self._keys, verifier, "callbacks", "verifier", connection, callback_id)
        async with self._database.writing() as session:
            await _forget_old_offers(session, connection)
            row = await session.get(CallbackRow, (connection, callback_id), with_for_update=True)
            if (row is None or row.sealed_offer is None) and await _count_offers(session, connection) >= MOST_OFFERS:
                raise TooManyOffers(f"{MOST_OFFERS} handshakes of {connection} wait already")
            if row is None:
                row = CallbackRow(connection=connection, callback_id=callback_id)
                session.add(row)
            row.sealed_offer, row.updated_at = sealed, datetime.now(UTC)

    async def refuse(self, connection: str, callback_id: str) -> None:
        """FreshBooks does not know the verifier that was offered: forget it."""
        async with self._database.writing() as session:
            row = await session.get(CallbackRow, (connection, callback_id), with_for_update=True)
            if row is not None:
                row.sealed_offer = None
                if row.sealed_verifier is None:
                    await session.delete(row)

    async def offered(self, connection: str, callback_id: str) -> str | None:
        """Return the verifier that waits to be sent back, None if none does."""
        async with self._database.reading() as session:
            row = await session.get(CallbackRow, (connection, callback_id))
        return self._open(row, row.sealed_offer) if row and row.sealed_offer else None

    async def trust(self, connection: str, callback_id: str, verifier: str) -> None:
        """FreshBooks accepted this verifier: deliveries signed with it are genuine."""
        sealed = seal(self._keys, verifier, "callbacks", "verifier", connection, callback_id)
        async with self._database.writing() as session:
            row = await session.get(CallbackRow, (connection, callback_id), with_for_update=True)
            if row is not None:
                row.sealed_verifier, row.sealed_offer, row.updated_at = sealed, None, datetime.now(UTC)

    async def trusted(self, connection: str) -> list[str]:
        """Return every trusted verifier of a connection: a delivery does not say which callback it belongs to."""
        query = select(CallbackRow).where(
            CallbackRow.connection == connection, CallbackRow.sealed_verifier.is_not(None)
        )
        async with self._database.reading() as session:
            rows = await session.scalars(query)
            return [self._open(row, row.sealed_verifier) for row in rows if row.sealed_verifier]

    async def waiting(self, connection: str) -> list[str]:
        """Return the offered verifiers about which FreshBooks is being asked: nothing signed with them is believed."""
        query = select(CallbackRow).where(CallbackRow.connection == connection, CallbackRow.sealed_offer.is_not(None))
        async with self._database.reading() as session:
            rows = await session.scalars(query)
            return [self._open(row, row.sealed_offer) for row in rows if row.sealed_offer]

    def _open(self, row: CallbackRow, sealed: bytes) -> str:
        return str(unseal(self._keys, sealed, "callbacks", "verifier", row.connection, row.callback_id))


async def _forget_old_offers(session: AsyncSession, connection: str) -> None:
    old = (CallbackRow.connection == connection, CallbackRow.updated_at < datetime.now(UTC) - OFFER_LIFE)
    await session.execute(delete(CallbackRow).where(*old, CallbackRow.sealed_verifier.is_(None)))
    await session.execute(
        update(CallbackRow).where(*old, CallbackRow.sealed_offer.is_not(None)).values(sealed_offer=None)
    )


async def _count_offers(session: AsyncSession, connection: str) -> int:
    query = select(func.count()).where(CallbackRow.connection == connection, CallbackRow.sealed_offer.is_not(None))
    return await session.scalar(query) or 0
