"""Asking a system for new tokens, once among all processes.

A claim on the account's row comes first. It ends when

- new tokens are stored (good whoever holds the claim by then, because the system has forgotten the old ones),
- nothing was sent, so that anybody may try again,
- the system refused: consent is lost, unless somebody stored a newer version meanwhile.

Of an answer that was lost, and of a process that died, nobody knows whether the system has replaced the refresh token.
The claim stays until that request can no longer be under way; then somebody asks once more with the token that we have.
Either it still works, or the answer is `invalid_grant` and a person has to connect again, as without asking.
"""

import asyncio
import time
import uuid
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import ConsentLost, Refused, Unavailable, UnknownOutcome, Wait
from connectors.oauth import OAuth, Provider
from store.tokens import Account, Grant, Tokens

log = structlog.get_logger()

TRY_AGAIN_AFTER = 10.0  # seconds, after a request that could not be sent
# A process that was frozen between its claim and its request must not send it: somebody else may have.
LONGEST_PAUSE = 5.0
SOON, LATER = 0.05, 5.0  # seconds until the next attempt to store new tokens


class Renewal:
    """The renewals of one account. `client` is our registration's id and secret, by which a corrected one is known."""

    def __init__(self, provider: Provider, oauth: OAuth, tokens: Tokens, client: str) -> None:
        self.provider, self.client = provider, client
        self._oauth, self._tokens = oauth, tokens
        self._put_off: tuple[float, Wait | None] = (0.0, None)

    def put_off_by(self, account: Account) -> Wait | None:
        """Return why this process does not ask just now, None if it may."""
        # Zoho gives ten tokens in ten minutes, and asking on prolongs the wait: what one process was told, all heed.
        wait = account.not_before - datetime.now(UTC) if account.not_before else timedelta(0)
        if wait > timedelta(0):
            return Unavailable(account.system, f"{self.provider.title} wants to be asked for new tokens later", wait)
        until, error = self._put_off
        return error if time.monotonic() < until else None

    async def begin(self, account: Account, grant: Grant) -> None:
        """Claim the renewal and see it through, unless somebody is faster. Look at the row again afterwards.

        Raises Wait if new tokens are not to be had now.
        """
        error, began, holder = self.put_off_by(account), time.monotonic(), uuid.uuid4().hex
        if error is not None:
            raise error
        if grant.refresh is None:
            await self.lose(account, f"{self.provider.title} gave no means to renew the access token")
        elif await self._tokens.claim(account, holder):
            if time.monotonic() - began > LONGEST_PAUSE:
                await self._tokens.release(account, holder)
            else:
                await self._ask(account, grant.refresh, holder)

    async def lose(self, account: Account, reason: str, holder: str | None = None, secret: str | None = None) -> None:
        """Leave it to a person, unless that was overtaken."""
        if await self._tokens.lose(account, reason, holder, secret):
            log.error("consent is needed", connection=account.connection, system=account.system, reason=reason)

    async def _ask(self, account: Account, refresh: SecretStr, holder: str) -> None:
        try:
            given = await self._oauth.refresh(refresh)
        except ConsentLost as error:
            await self.lose(account, str(error), holder)
        except Refused as error:  # our registration, not the grant
            await self.lose(account, str(error), holder, self.client)
        except Wait as error:  # nothing was sent, or it was certainly put off
            said = error.retry_after
            await self._tokens.release(account, holder, datetime.now(UTC) + said if said else None)
            self._put_off = (time.monotonic() + (said.total_seconds() if said else TRY_AGAIN_AFTER), error)
            raise
        except UnknownOutcome:
            log.warning("a renewal was not answered", connection=account.connection, system=account.system)
            text = f"{self.provider.title} did not answer when asked for a new access token; we ask once more, later"
            raise Unavailable(account.system, text) from None
        else:
            new = Grant(given.access, given.refresh, given.scope, given.issued_at, given.expires_at)
            await self._store(account, new)

    async def _store(self, account: Account, grant: Grant) -> None:
        """Store what nobody else knows, however long the database takes: to lose it is to lose the consent."""
        wait = SOON
        while True:
            try:
                stored = await self._tokens.renew(account, grant)
            except (SQLAlchemyError, OSError) as error:
                log.warning("new tokens cannot be stored yet", reason=type(error).__name__, system=account.system)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LATER)
            else:
                log.info("renewed", connection=account.connection, system=account.system, overtaken=not stored)
                return
