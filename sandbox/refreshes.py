"""What callers do with refresh tokens, counted: each works once, and one refresh at a time is enough."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.responses import Response

from sandbox.calls import Call
from sandbox.faults import CutConnection
from sandbox.ledger import Record
from sandbox.settings import Settings
from sandbox.tokens import Tokens


@dataclass
class Use:
    """One call that presented a refresh token, and whether it was answered with new tokens, as far as can be seen."""

    answered: bool = False


class Refreshes:
    """Watches every refresh of one stand-in, and makes it last as long as the settings say."""

    def __init__(self, tokens: Tokens, settings: Settings) -> None:
        self._tokens, self._settings = tokens, settings
        self.reset()

    def reset(self) -> None:
        """Start counting anew."""
        self._uses: dict[str, list[Use]] = defaultdict(list)
        self._in_flight: Counter[int] = Counter()
        self._at_once = self._at_once_of_one_grant = 0

    async def watch(
        self, call: Call, proceed: Callable[[], Awaitable[Response]], is_gone: Callable[[], Awaitable[bool]]
    ) -> Response:
        """Return the answer of a call for tokens. `is_gone` tells whether its caller is still there to hear it."""
        token = _refresh_token(call)
        if token is None:
            return await proceed()
        use = Use()
        self._uses[token].append(use)
        async with self._flight(self._tokens.grant_of(token)):
            try:
                response = await proceed()
            except CutConnection:
                await self._last()
                raise
            await self._last()
        use.answered = _has_tokens(response) and not await is_gone()
        return response

    def told(self) -> Record:
        """Return the counts as the control API shows them."""
        uses = list(self._uses.values())
        first_answers = [next((n for n, use in enumerate(each) if use.answered), None) for each in uses]
        return {
            "asked": sum(len(each) for each in uses),
            "succeeded": self._tokens.rotations,
            "answered": sum(use.answered for each in uses for use in each),
            "used_again": sum(len(each) - 1 for each in uses),
            "used_again_after_success": sum(
                len(each) - 1 - first for each, first in zip(uses, first_answers, strict=True) if first is not None
            ),
            "at_once": self._at_once,
            "at_once_of_one_grant": self._at_once_of_one_grant,
        }

    @asynccontextmanager
    async def _flight(self, grant_id: int) -> AsyncIterator[None]:
        self._in_flight[grant_id] += 1
        self._at_once = max(self._at_once, self._in_flight.total())
        self._at_once_of_one_grant = max(self._at_once_of_one_grant, self._in_flight[grant_id])
        try:
            yield
        finally:
            self._in_flight[grant_id] -= 1

    async def _last(self) -> None:
        await asyncio.sleep(self._settings.oauth.refresh_seconds)


def _refresh_token(call: Call) -> str | None:
    """Return the refresh token that a call presents, or None if it wants something else."""
    try:
        form = call.parameters()
    except ValueError:
        return None
    return form.get("refresh_token") if form.get("grant_type") == "refresh_token" else None


def _has_tokens(response: Response) -> bool:
    """Return whether an answer holds tokens and can be read."""
    try:
        return response.status_code == 200 and "access_token" in json.loads(bytes(response.body))
    except ValueError:
        return False
