"""Sending one Capsule account's requests: what the methods for parties and those for opportunities share."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import httpx

from connectors.answers import Answer
from connectors.capsule.problems import DIALECT
from connectors.http import Caller, Request, TokenSource

T = TypeVar("T")

Query = Sequence[tuple[str, str]]


class Calls:
    """The requests of one account, which wait together when Capsule says wait. `doing` completes "refused to …".

    Every method raises the errors of `connectors.errors`.
    """

    def __init__(self, http: httpx.AsyncClient, token: TokenSource, base_url: str, time_limit: timedelta) -> None:
        self._caller = Caller(DIALECT, http, token, time_limit)
        self._url = base_url.rstrip("/") + "/api/v2"

    async def get(self, doing: str, path: str, read: Callable[[Answer], T], query: Query = ()) -> T:
        """Read something."""
        return await self.send(doing, "GET", path, read, query)

    async def create(
        self, doing: str, path: str, read: Callable[[Answer], T], body: Mapping[str, Any], query: Query = ()
    ) -> T:
        """Make something that a repeat would make twice. Raises UnknownOutcome if it may or may not have been made."""
        return await self.send(doing, "POST", path, read, query, body=body, repeatable=False)

    async def send(
        self,
        doing: str,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        query: Query = (),
        *,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = True,
    ) -> T:
        """Do something else; `repeatable` says whether doing it twice leaves the account as doing it once does."""
        request = Request(doing, method, self._url + path, query, body, repeatable=repeatable)
        return await self._caller.call(request, read)
