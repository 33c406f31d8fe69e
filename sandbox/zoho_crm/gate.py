"""What Zoho CRM does with every call: token, limits at the same time, credits of a moving day, scope.

Source: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html, /scopes.html
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import time

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.ledger import Record
from sandbox.settings import ZohoCrmSettings
from sandbox.tokens import Tokens
from sandbox.zoho_crm.account import API
from sandbox.zoho_crm.costs import credits_of, is_heavy
from sandbox.zoho_crm.errors import error, failure, refused, said

SCHEME = "Zoho-oauthtoken"
DAY = 86_400.0
CROWDED: ContextVar[bool] = ContextVar("crowded", default=False)
"""Whether the present call came while too many others were under way."""


class Gate:
    """Counts credits of the whole organisation, and calls that are under way."""

    def __init__(self, tokens: Tokens, settings: ZohoCrmSettings) -> None:
        self._tokens, self._settings = tokens, settings
        self._spent: deque[tuple[float, int]] = deque()
        self._used = self._under_way = self._heavy = 0

    def admit(self, call: Call, scope: str | None) -> Record:
        """Count the call and return its token. Raises the 401 or the 429."""
        if scope is None:
            return {}
        token = self._tokens.live(call.credential(SCHEME))
        if token is None:
            code = "INVALID_TOKEN" if "authorization" in call.headers else "AUTHENTICATION_FAILURE"
            raise refused(code, "invalid oauth token", 401)
        cost = credits_of(call, self._settings.costs)
        if CROWDED.get() or self.used() + cost > self._settings.credits:
            raise Refusal(429, {**failure(429), "code": self._settings.limit_code})
        self._spent.append((time(), cost))
        self._used += cost
        granted = {each.casefold() for each in token["scope"].split()}
        wanted = scope.format(module=call.params.get("module", "")).split()
        if not all(_covers(granted, each.casefold()) for each in wanted):
            raise Refusal(401, error("OAUTH_SCOPE_MISMATCH", "Unauthorized"))
        return token

    @contextmanager
    def under_way(self, call: Call) -> Iterator[None]:
        """Count a call from its beginning to its end."""
        counts = call.path.startswith(API)
        heavy = counts and is_heavy(call)
        knobs = self._settings
        crowded = counts and (self._under_way >= knobs.concurrency or (heavy and self._heavy >= knobs.heavy_calls))
        mark = CROWDED.set(crowded)
        self._under_way += counts
        self._heavy += heavy
        try:
            yield
        finally:
            self._under_way -= counts
            self._heavy -= heavy
            CROWDED.reset(mark)

    def headers(self, call: Call) -> dict[str, str]:
        """Return what is left of the credits, once half of them are used. There is no `Retry-After`."""
        used, most = self.used(), self._settings.credits
        if not call.path.startswith(API) or used * 2 < most:
            return {}
        return {"X-API-CREDITS-REMAINING": str(max(most - used, 0))}

    def refused(self, refusal: Refusal) -> Response:
        """Return a refusal as JSON."""
        return said(refusal.body, refusal.status, refusal.headers)

    def no_route(self, status: int) -> Response:
        """Return the answer to an unknown path or method."""
        return said(failure(status), status)

    def reset(self) -> None:
        """Give back all credits."""
        self._spent.clear()
        self._used = 0

    def used(self) -> int:
        """Return the credits that were used in the last 24 hours."""
        while self._spent and self._spent[0][0] <= time() - DAY:
            self._used -= self._spent.popleft()[1]
        return self._used


def _covers(granted: set[str], needed: str) -> bool:
    """Return whether scopes allow what needs `service.area.part.operation`, by that name or by a wider one."""
    service, *areas, operation = needed.split(".")
    wider = [".".join([service, *areas[:length]]) for length in range(1, len(areas) + 1)]
    return any(f"{each}.{end}" in granted for each in wider for end in (operation, "all"))
