"""Verifiers of FreshBooks callbacks: the key that signs each callback's deliveries."""

from datetime import UTC, datetime

from sqlalchemy import select

from runtime.keys import KeyRing
from store.database import Database
from store.sealed import seal, unseal
from store.tables import CallbackRow


class Callbacks:
    """The callbacks of all connections. A verifier is only ever replaced by a later handshake of its callback."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    async def remember(self, connection: str, callback_id: str, verifier: str) -> None:
        """Keep the verifier of a callback."""
        sealed = seal(self._keys, verifier, "callbacks", "verifier", connection, callback_id)
        async with self._database.writing() as session:
            row = await session.get(CallbackRow, (connection, callback_id), with_for_update=True)
            if row is None:
                row = CallbackRow(connection=connection, callback_id=callback_id)
                session.add(row)
            row.sealed_verifier, row.updated_at = sealed, datetime.now(UTC)

    async def verifier(self, connection: str, callback_id: str) -> str | None:
        """Return the verifier of one callback, None if no handshake came."""
        async with self._database.reading() as session:
            row = await session.get(CallbackRow, (connection, callback_id))
        return self._open(row) if row else None

    async def verifiers(self, connection: str) -> list[str]:
        """Return every verifier of a connection: a delivery does not say which callback it belongs to."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(CallbackRow).where(CallbackRow.connection == connection))
            return [self._open(row) for row in rows]

    def _open(self, row: CallbackRow) -> str:
        place = ("callbacks", "verifier", row.connection, row.callback_id)
        return str(unseal(self._keys, row.sealed_verifier, *place))
