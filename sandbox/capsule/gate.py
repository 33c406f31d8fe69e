"""What Capsule does with every call: 4,000 an hour for each user, bearer token, scope.

Source: https://developer.capsulecrm.com/v2/overview/handling-api-responses
"""

from collections import Counter
from time import time

from starlette.responses import Response

from sandbox.calls import Call, Refusal, answer
from sandbox.capsule.errors import failure, forbidden, unauthorized
from sandbox.ledger import Record
from sandbox.settings import CapsuleSettings
from sandbox.tokens import Tokens


class Gate:
    """Counts calls by user and full hour, whichever of the user's tokens they carry; not those over the limit.

    The settings can make an hour shorter.
    """

    def __init__(self, tokens: Tokens, settings: CapsuleSettings, per_hour: int) -> None:
        self._tokens, self._settings, self.per_hour = tokens, settings, per_hour
        self._window = 0
        self._counts: Counter[int] = Counter()

    def admit(self, call: Call, scope: str | None) -> Record:
        """Count the call and return its token. Raises the 401, the 403 or the 429."""
        if scope is None:
            return {}
        token = self._tokens.live(call.bearer)
        if token is None:
            raise unauthorized()
        if self._remaining(token["user_id"]) == 0:
            raise Refusal(429, failure(429))
        self._counts[token["user_id"]] += 1
        if scope not in token["scope"].split():
            raise forbidden("Requires additional scope")
        return token

    def headers(self, call: Call) -> dict[str, str]:
        """Return the state of the quota. There is no `Retry-After`."""
        token = self._tokens.known(call.bearer) or {"user_id": 0}
        remaining = self._remaining(token["user_id"])
        return {
            "X-RateLimit-Limit": str(self.per_hour),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(
                (self._window + 1) * self._settings.quota_seconds + int(self._settings.clock_skew)
            ),
        }

    def refused(self, refusal: Refusal) -> Response:
        """Return a refusal as JSON."""
        return answer(refusal.body, refusal.status, refusal.headers)

    def no_route(self, status: int) -> Response:
        """Return the answer to an unknown path or method."""
        if status == 405:
            return answer({"message": "Method not allowed"}, status)
        return answer({"message": "Could not find resource"}, 404)

    def reset(self) -> None:
        """Give everybody the full quota."""
        self._counts.clear()

    def _remaining(self, user_id: int) -> int:
        window = int(time()) // self._settings.quota_seconds
        if window != self._window:
            self._window = window
            self._counts.clear()
        return max(self.per_hour - self._counts[user_id], 0)
