"""The tokens of each account: sealed, renewed by one process at a time, and stored before anybody uses them.

A row is `usable`; `refreshing` while one process asks the system for new tokens, and after it died or lost the answer;
or `needs-consent`, when only a person can help. An account without tokens of its own has none in its row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import ColumnElement, LargeBinary, String, Text, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from runtime.keys import KeyRing
from store.database import Database
from store.sealed import seal, unseal
from store.tables import Table

USABLE, REFRESHING, NEEDS_CONSENT = "usable", "refreshing", "needs-consent"
NO_CLAIM = {"refreshing_by": None, "refreshing_since": None}
FRESH = {"state": USABLE, "reason": "", "rejected": None, "not_before": None, **NO_CLAIM}


class TokensRow(Table):
    """One account of one connection. `version` grows with every pair of tokens, and with every new try of the old one:
    who speaks of an earlier version is late.
    """

    __tablename__ = "tokens"

    connection: Mapped[str] = mapped_column(String(40), primary_key=True)
    system: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    sealed_tokens: Mapped[bytes | None] = mapped_column(LargeBinary)
    scope: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    account_id: Mapped[str | None]
    refreshing_by: Mapped[str | None] = mapped_column(String(40))
    refreshing_since: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text)
    rejected: Mapped[str | None] = mapped_column(String(64))
    not_before: Mapped[datetime | None]
    updated_at: Mapped[datetime]


@dataclass(frozen=True)
class Grant:
    """What a system granted: two tokens, the scope in its own words, and the life of the access token."""

    access: SecretStr
    refresh: SecretStr | None
    scope: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Account:
    """How one account stands, without its tokens.

    `holder` names the refresh under way; before `not_before` the system wants to be asked for none. `reason` says why
    consent is needed; `rejected` is the fingerprint of the secret in the settings that was refused, None if it was the
    grant.
    """

    connection: str
    system: str
    state: str
    version: int
    connected: bool
    scope: str
    account_id: str | None
    holder: str | None
    reason: str
    rejected: str | None
    not_before: datetime | None
    updated_at: datetime


class Tokens:
    """The tokens of all accounts. Every method is one committed transaction; no two of them undo each other."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    def fingerprint(self, secret: str) -> str:
        """Return what tells one secret from another and says nothing about either."""
        return self._keys.fingerprint(secret.encode())

    async def all(self) -> Mapping[tuple[str, str], Account]:
        """Return every account that has a row, by connection and system."""
        async with self._database.reading() as session:
            return {(row.connection, row.system): _account(row) for row in await session.scalars(select(TokensRow))}

    async def account(self, connection: str, system: str) -> Account | None:
        """Return how one account stands, None if it was never connected and never refused."""
        async with self._database.reading() as session:
            row = await session.get(TokensRow, (connection, system))
            return _account(row) if row else None

    async def read(self, connection: str, system: str) -> tuple[Account | None, Grant | None]:
        """Return how one account stands, and its tokens if it is connected."""
        async with self._database.reading() as session:
            row = await session.get(TokensRow, (connection, system))
        return (_account(row), self._grant(row)) if row else (None, None)

    async def claim(self, account: Account, holder: str) -> bool:
        """Take the one refresh of this version, or take it over from `account.holder`. False if somebody was faster.

        Take over only a holder that can no longer be heard of: its request is older than a request may be. False, too,
        if somebody was told meanwhile that the system wants to be asked later.
        """
        free, now = TokensRow.state == USABLE, datetime.now(UTC)
        if account.state == REFRESHING:
            free = _held_by(account.holder)
        due = or_(TokensRow.not_before.is_(None), TokensRow.not_before <= now)
        claimed = {"state": REFRESHING, "refreshing_by": holder, "refreshing_since": now}
        return await self._change(account.connection, account.system, claimed, _version(account), free, due)

    async def renew(self, account: Account, grant: Grant) -> bool:
        """Store the tokens that a refresh of this version brought. False if there is a newer version already.

        Whoever holds the claim by now: these tokens are good, and the ones they replace are not.
        """
        new = self._granted(account.connection, account.system, grant)
        return await self._change(account.connection, account.system, new, _version(account))

    async def release(self, account: Account, holder: str, not_before: datetime | None = None) -> None:
        """Nothing came of it: the refresh is anybody's again, but not before the system said."""
        ours = (_version(account), _held_by(holder))
        free = {"state": USABLE, "not_before": not_before, **NO_CLAIM}
        await self._change(account.connection, account.system, free, *ours)

    async def lose(self, account: Account, reason: str, holder: str | None = None, secret: str | None = None) -> bool:
        """Only a person can help from here on. False if that was overtaken: by a newer version or another's refresh.

        `holder` is the refresh that was refused, None if it was the access token; `secret` is the one in the settings
        that was, None if it was the grant.
        """
        ours = TokensRow.state == USABLE if holder is None else _held_by(holder)
        return await self._change(
            account.connection, account.system, self._refused(reason, secret), _version(account), ours
        )

    async def refuse(self, connection: str, system: str, reason: str, secret: str, *, version: int = 0) -> None:
        """The token in the settings was refused: a person puts another one there, or says that it works again.

        What was refused before such a person said so (an earlier version) counts no more.
        """
        await self._ensure(connection, system)
        await self._change(connection, system, self._refused(reason, secret), TokensRow.version <= version)

    async def consented(self, connection: str, system: str, grant: Grant, account_id: str) -> None:
        """Store what a person consented to, whatever stood there before."""
        await self._ensure(connection, system)
        new = self._granted(connection, system, grant)
        await self._change(connection, system, {**new, "account_id": account_id})

    async def try_again(self, connection: str, system: str) -> bool:
        """Somebody thinks that it works again: use once more what is there. False if nothing was amiss."""
        cured = {"state": USABLE, "reason": "", "rejected": None, "version": TokensRow.version + 1}
        return await self._change(connection, system, cured, TokensRow.state == NEEDS_CONSENT)

    async def forget(self, connection: str, system: str) -> None:
        """Forget the tokens. Which account they were for stays known: the links belong to it."""
        nothing = {"sealed_tokens": None, "scope": "", "issued_at": None, "expires_at": None}
        await self._change(connection, system, {**nothing, **FRESH, "version": TokensRow.version + 1})

    async def _change(
        self, connection: str, system: str, values: Mapping[str, Any], *only_if: ColumnElement[bool]
    ) -> bool:
        change = (
            update(TokensRow)
            .where(TokensRow.connection == connection, TokensRow.system == system, *only_if)
            .values(**values, updated_at=datetime.now(UTC))
            .returning(TokensRow.version)
            .execution_options(synchronize_session=False)
        )
        async with self._database.writing() as session:
            return (await session.execute(change)).first() is not None

    async def _ensure(self, connection: str, system: str) -> None:
        """Make the row of an account that has none."""
        try:
            async with self._database.writing() as session:
                if await session.get(TokensRow, (connection, system)) is None:
                    now = datetime.now(UTC)
                    row = TokensRow(connection=connection, system=system, state=USABLE, version=0, updated_at=now)
                    row.scope = row.reason = ""
                    session.add(row)
        except IntegrityError:  # PostgreSQL: another process was faster, and that is as good
            return

    def _granted(self, connection: str, system: str, grant: Grant) -> dict[str, Any]:
        pair = {
            "access": grant.access.get_secret_value(),
            "refresh": grant.refresh.get_secret_value() if grant.refresh else None,
        }
        return {
            "sealed_tokens": seal(self._keys, pair, "tokens", "pair", connection, system),
            "scope": grant.scope,
            "issued_at": grant.issued_at,
            "expires_at": grant.expires_at,
            "version": TokensRow.version + 1,
            **FRESH,
        }

    def _refused(self, reason: str, secret: str | None) -> dict[str, Any]:
        rejected = None if secret is None else self.fingerprint(secret)
        return {"state": NEEDS_CONSENT, "reason": reason, "rejected": rejected, **NO_CLAIM}

    def _grant(self, row: TokensRow) -> Grant | None:
        if row.sealed_tokens is None or row.issued_at is None or row.expires_at is None:
            return None
        pair = unseal(self._keys, row.sealed_tokens, "tokens", "pair", row.connection, row.system)
        refresh = None if pair["refresh"] is None else SecretStr(pair["refresh"])
        return Grant(SecretStr(pair["access"]), refresh, row.scope, row.issued_at, row.expires_at)


def _version(account: Account) -> ColumnElement[bool]:
    return TokensRow.version == account.version


def _held_by(holder: str | None) -> ColumnElement[bool]:
    return (TokensRow.state == REFRESHING) & (TokensRow.refreshing_by == holder)


def _account(row: TokensRow) -> Account:
    return Account(
        row.connection,
        row.system,
        row.state,
        row.version,
        connected=row.sealed_tokens is not None,
        scope=row.scope,
        account_id=row.account_id,
        holder=row.refreshing_by,
        reason=row.reason,
        rejected=row.rejected,
        not_before=row.not_before,
        updated_at=row.updated_at,
    )
