"""What can go wrong between us and a system, named by what helps.

Texts name the system, the request, the record's id, the HTTP status, field names and error codes: never a value, a
name, an address or a token. What a provider said in its own words may quote a value; it is kept in `Problem.message`
for the person who resolves the hold, and stays out of every text and `repr`.
"""

import dataclasses
import re
from datetime import timedelta


class ConnectorError(Exception):
    """A request to a system did not do what it should. `system` is the name from the list of systems."""

    def __init__(self, system: str, text: str) -> None:
        super().__init__(text)
        self.system = system


class Wait(ConnectorError):
    """Nothing was written. Try again later: after `retry_after` if the system named a time, else when you like."""

    def __init__(self, system: str, text: str, retry_after: timedelta | None = None) -> None:
        super().__init__(system, text)
        self.retry_after = retry_after


class RateLimited(Wait):
    """The account's quota is used up, and nothing is sent before it is filled again."""


class Unavailable(Wait):
    """The system could not be reached, or answered something repeatable with 5xx, too late, or not readably."""


class Locked(Wait):
    """The record is closed to changes for now, by a process or an approval in the system; nothing was written."""


class Unauthorized(ConnectorError):
    """The access token is not accepted: refresh it; if that does not help, a person connects again."""


class ConsentLost(ConnectorError):
    """The grant is gone (revoked, or its refresh token was used before): only a person can connect again."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing that a system refused.

    `field` is the system's own name of the field, `code` its error number or word; both are safe to log.
    `message` is the system's text, which may quote personal data.
    """

    field: str | None = None
    code: str | None = None
    message: str = dataclasses.field(default="", repr=False)


def safe_word(value: object) -> str | None:
    """Return a field's name or an error code as text, or None for what looks like neither: it might be a value."""
    text = str(value) if isinstance(value, (str, int)) else ""
    return text if re.fullmatch(r"[A-Za-z0-9_.\[\]]{1,60}", text) else None


class Refused(ConnectorError):
    """The system understood and said no; nothing was written. Sending the same again gives the same answer."""

    def __init__(self, system: str, text: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(system, text)
        self.problems = problems


class NotFound(Refused):
    """The record, or one that the request refers to, does not exist or is not visible to us."""


class Forbidden(Refused):
    """The user, role, scope or plan behind the token does not allow this."""


class UnknownOutcome(ConnectorError):
    """The write may or may not have happened. Look before trying again: a repeat could write it twice."""


class MalformedHook(ValueError):
    """The body of a webhook delivery is not what the system's documentation describes."""
