"""What passes before and after every request of one account, and what an answer's headers say of the quota.

Source: https://developer.capsulecrm.com/v2/overview/handling-api-responses. FreshBooks sends the same headers with most
answers and documents none. Zoho CRM counts credits over 24 hours, which no window of requests can be learned from.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from connectors.answers import Answer, epoch, http_date
from connectors.service_state import service_state
from runtime.quota import Reading

if TYPE_CHECKING:
    from connectors.http import AccessToken, TokenSource

__all__ = ["Meter", "MeteredToken", "Reading", "Unmetered", "read_quota"]

QUOTA_HEADER = "x-ratelimit-remaining"


class Meter(Protocol):
    """Counts the requests of one account for all processes."""

    async def admit(self, doing: str) -> None:
        """Count a request that is about to be sent. Raises RateLimited if it has to wait, else Unavailable."""

    async def heard(self, reading: Reading) -> None:
        """Take note of what an answer said; returns once other processes can know of a wait."""


class Unmetered:
    """Counts nothing: for single questions of a person at the command line, and for tests."""

    async def admit(self, doing: str) -> None:
        """Let it pass."""

    async def heard(self, reading: Reading) -> None:
        """Forget it."""


@dataclass(frozen=True)
class MeteredToken:
    """The way into one account whose requests are counted: its tokens, and its meter."""

    token: "TokenSource"
    meter: Meter

    async def current(self) -> "AccessToken":
        """Return the token to use."""
        return await self.token.current()

    async def rejected(self, token: "AccessToken") -> "AccessToken | None":
        """Return a fresh token, if that may help."""
        return await self.token.rejected(token)

    def accepted(self, token: "AccessToken") -> None:
        """The system took this token."""
        self.token.accepted(token)


def read_quota(answer: Answer, wait: timedelta | None) -> Reading:
    """Return what an answer says of the quota; `wait` is how long nothing may be sent, if it means that.

    The reset is told by the provider's clock, and so is `Date`: what lies between them is added to ours.
    """
    state, now = service_state(answer), datetime.now(UTC)
    reset = epoch(answer.headers.get("x-ratelimit-reset", ""))
    counted = QUOTA_HEADER in answer.headers and reset is not None
    return Reading(
        limit=state.limit or None,
        remaining=state.remaining if counted else None,
        resets_at=now + (reset - (http_date(answer.headers.get("date", "")) or now)) if reset is not None else None,
        wait=wait,
    )
