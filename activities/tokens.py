"""Where the access tokens of an account come from: the settings, or a grant that is renewed in time, and only once.

All processes share one row. Whoever finds a renewal due claims it, asks the system, stores both tokens and only then
uses them (`activities.renewal`); everybody else waits for the new version.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from activities.renewal import Renewal
from connectors.errors import ConsentLost, Unavailable, Wait
from connectors.http import AccessToken
from connectors.oauth import Provider
from store.tokens import NEEDS_CONSENT, USABLE, Account, Grant, Tokens

# What the store said is believed for so long: a thousand callers cost one look.
LOOK_EVERY = 1.0
# A token is renewed at a moment between these parts of its life, drawn anew by each process for each token.
RENEW_FROM, RENEW_UNTIL = 0.75, 0.80
POLL = 0.05  # how often to look for the version that another process fetches
OLD_TOKEN_AFTER = 5.0  # a renewal that takes longer than this is not waited for while the old token still works
PATIENCE = 20.0  # without any token, an activity waits so long before it lets Temporal try again
MARGIN = 10.0  # beyond the time limit of a request, before its claim is taken over
# A system may need a moment before all of it knows a token that it has just given. After that another one is fetched;
# when so many have never worked, none will.
DOUBT_FOR, MOST_USELESS = 10.0, 3


class FixedToken:
    """The token of the settings. Once it was refused nothing is sent with it before a person has seen to it."""

    def __init__(self, connection: str, provider: Provider, token: SecretStr, tokens: Tokens) -> None:
        self._place, self._provider = (connection, provider.system), provider
        self._token, self._tokens = token.get_secret_value(), tokens
        self._version, self._looked_at = 0, 0.0

    async def current(self) -> AccessToken:
        """Return the token. Raises ConsentLost once it has been refused."""
        if time.monotonic() - self._looked_at > LOOK_EVERY:
            self._looked_at = time.monotonic()
            account = await self._tokens.account(*self._place)
            if account is not None and account.state == NEEDS_CONSENT and not self.cured(account):
                self._looked_at = 0.0
                raise ConsentLost(self._provider.system, account.reason)
            self._version = account.version if account else 0
        return AccessToken(self._token, self._version)

    async def rejected(self, token: AccessToken) -> None:
        """Remember, for all processes, that this token is refused."""
        connection, system = self._place
        reason = (
            f"{self._provider.title} does not accept the token in the settings (connections.{connection}.{system}"
            ".token): put another one there and restart the workers"
        )
        await self._tokens.refuse(*self._place, reason, self._token, version=token.version)
        self._looked_at = 0.0

    def accepted(self, token: AccessToken) -> None:
        """A fixed token has no past."""

    def cured(self, account: Account) -> bool:
        """Return whether what was refused is another secret than the one that we have now."""
        return account.rejected != self._tokens.fingerprint(self._token)

    async def finish(self) -> None:
        """Nothing is ever under way."""


@dataclass(frozen=True)
class _Known:
    """A token as the store last had it: good without another look until either moment."""

    token: AccessToken
    until: datetime
    looked_at: float


class RenewedToken:
    """The access token of one account that a person connected, renewed by whichever process gets to it first."""

    def __init__(self, connection: str, renewal: Renewal, tokens: Tokens, time_limit: timedelta) -> None:
        """`time_limit` is that of the request for new tokens."""
        self._place, self._provider = (connection, renewal.provider.system), renewal.provider
        self._renewal, self._tokens = renewal, tokens
        self._lease = time_limit.total_seconds() + MARGIN
        self._known: _Known | None = None
        self._work: asyncio.Task[AccessToken] | None = None
        self._claim: tuple[str | None, float] = (None, 0.0)  # the claim that we see, and since when
        self._due: tuple[int, datetime] = (0, datetime.max.replace(tzinfo=UTC))
        self._first = 0  # the version that was there when we came
        self._accepted = 0
        self._refused = 0
        self._doubted: tuple[int, float] = (0, 0.0)  # a new version that did not work, and since when
        self._useless = 0  # new versions in a row that never worked
        self._draining = False

    async def current(self) -> AccessToken:
        """Return the token to use. Raises ConsentLost, or Unavailable while none is to be had."""
        known = self._known
        if known is not None and known.token.version > self._refused and not self._is_stale(known):
            return known.token
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._obtain())
            self._work.add_done_callback(_heard)
        # Shielded: whoever asked may be cancelled, a renewal under way must not be.
        return await asyncio.shield(self._work)

    async def rejected(self, token: AccessToken) -> AccessToken | None:
        """Return a newer token than the one refused; None if even a fresh one is refused."""
        if token.version > self._refused:
            if not await self._is_worth_renewing(token.version):
                return None
            self._refused = token.version
        while True:
            fresh = await self.current()
            if fresh.version > self._refused:
                return fresh

    def accepted(self, token: AccessToken) -> None:
        """Remember that this version worked."""
        self._accepted, self._useless = max(self._accepted, token.version), 0

    def cured(self, account: Account) -> bool:
        """Return whether our registration was refused and is another one now; a lost grant is not cured that way."""
        return account.rejected is not None and account.rejected != self._tokens.fingerprint(self._renewal.client)

    async def finish(self) -> None:
        """Begin no renewal that can wait, and let the one under way come to its end."""
        self._draining = True
        if self._work is not None:
            await asyncio.wait({self._work})

    def _is_stale(self, known: _Known) -> bool:
        return time.monotonic() - known.looked_at > LOOK_EVERY or datetime.now(UTC) >= known.until

    async def _is_worth_renewing(self, version: int) -> bool:
        """Return False for a new token that never worked; for good once others like it never did, either."""
        if version in (self._accepted, self._first) or self._is_over(version):
            return True
        account = await self._tokens.account(*self._place)
        if account is None or account.version != version:  # somebody has renewed it
            return True
        if self._doubted[0] != version:
            self._doubted = (version, time.monotonic())
        if time.monotonic() - self._doubted[1] < DOUBT_FOR:
            return False
        self._useless += 1
        if self._useless < MOST_USELESS:
            return True
        said = f"{self._provider.title} does not even accept new access tokens: a person has to connect again"
        await self._renewal.lose(account, said)
        self._known = None
        return False

    def _is_over(self, version: int) -> bool:
        """Return whether it is due to be renewed in any case."""
        known = self._known
        return known is not None and known.token.version == version and datetime.now(UTC) >= known.until

    async def _obtain(self) -> AccessToken:
        """Return a token that works, as far as we know; renew it if that is due and nobody else is at it."""
        give_up = time.monotonic() + PATIENCE
        while True:
            account, grant = self._checked(*await self._tokens.read(*self._place))
            works = account.version > self._refused and datetime.now(UTC) < grant.expires_at
            if self._may_be_left(account, grant, works=works):
                return self._remember(account, grant)
            if account.state == USABLE or self._seen_for() > self._lease:
                try:
                    await self._renewal.begin(account, grant)
                except Wait:
                    if works:
                        return self._remember(account, grant)
                    raise
            elif time.monotonic() > give_up:
                raise Unavailable(self._provider.system, f"{self._provider.title}: the access token is being renewed")
            else:
                await asyncio.sleep(POLL)

    def _checked(self, account: Account | None, grant: Grant | None) -> tuple[Account, Grant]:
        if account is None or grant is None:
            connection, system = self._place
            remedy = f"run `ledgerline connect {system} --connection {connection}`"
            raise ConsentLost(system, f"{self._provider.title} is not connected: {remedy}")
        if account.state == NEEDS_CONSENT:
            raise ConsentLost(self._provider.system, account.reason)
        self._first = self._first or account.version
        if account.holder != self._claim[0]:
            self._claim = (account.holder, time.monotonic())
        return account, grant

    def _may_be_left(self, account: Account, grant: Grant, *, works: bool) -> bool:
        """Return whether the token is to be used as it is."""
        if not works:
            return False
        if account.state != USABLE:
            return OLD_TOKEN_AFTER < self._seen_for() <= self._lease
        due = datetime.now(UTC) >= self._due_at(account, grant)
        return not due or self._draining or grant.refresh is None or self._renewal.put_off_by(account) is not None

    def _seen_for(self) -> float:
        """Return for how long we have seen the claim: the clocks of two machines are not compared."""
        return time.monotonic() - self._claim[1]

    def _due_at(self, account: Account, grant: Grant) -> datetime:
        """Return when to renew this version."""
        if self._due[0] != account.version:
            part = random.uniform(RENEW_FROM, RENEW_UNTIL)  # noqa: S311 - it only keeps processes from colliding
            self._due = (account.version, grant.issued_at + part * (grant.expires_at - grant.issued_at))
        return self._due[1]

    def _remember(self, account: Account, grant: Grant) -> AccessToken:
        token, due = AccessToken(grant.access.get_secret_value(), account.version), self._due_at(account, grant)
        until = due if datetime.now(UTC) < due else grant.expires_at  # what was put off waits for the next look
        self._known = _Known(token, until, time.monotonic())
        return token


def _heard(work: asyncio.Task[AccessToken]) -> None:
    """Take note of an error that nobody waits for any more, so that asyncio does not complain of it."""
    if not work.cancelled():
        work.exception()
