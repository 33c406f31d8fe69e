"""What FreshBooks does with every call: a moving minute of quota, bearer token, scope, role, and the style of errors.

Source: https://www.freshbooks.com/api/errors, /api/scopes
"""

from collections import deque
from time import time

from starlette.responses import Response

from sandbox.calls import Call, Refusal, answer
from sandbox.freshbooks.errors import (
    ACCOUNTING,
    AUTH,
    BUSINESS,
    EVENTS,
    denied,
    failure,
    grpc_style,
    unauthenticated,
)
from sandbox.ledger import Record
from sandbox.settings import FreshBooksSettings
from sandbox.tokens import Tokens

WINDOW = 60.0
FAMILIES = {"events": EVENTS, "accounting": ACCOUNTING} | dict.fromkeys(
    ("projects", "timetracking", "comments"), BUSINESS
)
"""The family of addresses by the first word of a path."""


class Gate:
    """Counts calls of the whole account over the last sixty seconds. Calls over the limit do not count."""

    def __init__(self, tokens: Tokens, settings: FreshBooksSettings, per_minute: int) -> None:
        self._tokens, self._settings, self._per_minute = tokens, settings, per_minute
        self._calls: deque[float] = deque()

    def admit(self, call: Call, scope: str | None) -> Record:
        """Count the call and return its token. Raises the 401, the 403 or the 429."""
        if scope is None:
            return {}
        if self._remaining() == 0:
            raise Refusal(429, failure(429), AUTH, {"Retry-After": str(self._wait())})
        self._calls.append(time())
        family = _family(call.path)
        token = self._tokens.live(call.bearer)
        if token is None:
            raise unauthenticated(family)
        role, reading = self._settings.role_in(call.params.get("account"), token["role"]), call.method == "GET"
        if scope not in token["scope"].split() or (role == "client" and not reading):
            raise denied(family)
        return token

    def headers(self, _call: Call) -> dict[str, str]:
        """Return the state of the quota, with a `Retry-After` that also comes with success and then means nothing."""
        return {
            "X-RateLimit-Limit": str(self._per_minute),
            "X-RateLimit-Remaining": str(self._remaining()),
            "X-RateLimit-Reset": str(int(time() + self._settings.clock_skew) + 61),
            "Retry-After": str(self._wait() if self._remaining() == 0 else 60),
        }

    def refused(self, refusal: Refusal) -> Response:
        """Return a refusal in the style that the settings ask for."""
        shaped = self._settings.grpc_errors and refusal.family in {ACCOUNTING, EVENTS}
        body = grpc_style(refusal) if shaped else refusal.body
        hidden = self._settings.errors_as_200 and refusal.family == ACCOUNTING
        return answer(body, 200 if hidden else refusal.status, refusal.headers)

    def no_route(self, status: int) -> Response:
        """Return the answer to an unknown path or method."""
        text = "Method not allowed." if status == 405 else "Requested resource could not be found."
        return answer({"error": text}, status)

    def reset(self) -> None:
        """Give back the full quota."""
        self._calls.clear()

    def _remaining(self) -> int:
        while self._calls and self._calls[0] <= time() - WINDOW:
            self._calls.popleft()
        return max(self._per_minute - len(self._calls), 0)

    def _wait(self) -> int:
        """Return the seconds until the oldest call leaves the window, at least one."""
        return max(int(self._calls[0] + WINDOW - time()) + 1, 1) if self._calls else 1


def _family(path: str) -> str:
    first = path.split("/")[1]
    return FAMILIES.get(first, AUTH)
