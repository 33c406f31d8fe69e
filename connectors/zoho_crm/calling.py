"""Building and sending the requests of one Zoho CRM account, for whatever part of it they are about."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import httpx

from connectors.answers import Answer
from connectors.http import Caller, Request, TokenSource
from connectors.zoho_crm.models import Failed
from connectors.zoho_crm.problems import DIALECT, failure

T = TypeVar("T")


class Calls:
    """The calls of one account. All of them together heed a wait that Zoho asked for."""

    def __init__(self, http: httpx.AsyncClient, token: TokenSource, base_url: str, time_limit: timedelta) -> None:
        self._caller = Caller(DIALECT, http, token, time_limit)
        self._url = base_url.rstrip("/") + "/crm/v8"

    async def call(self, request: Request, read: Callable[[Answer], T]) -> T:
        """Send a request and return what `read` makes of the answer. Raises the errors of `connectors.errors`."""
        return await self._caller.call(request, read)

    async def single(self, request: Request, read: Callable[[Answer], T | Failed]) -> T:
        """Return the one result of a request. Raises the error that a failed one stands for."""
        result = await self._caller.call(request, read)
        if isinstance(result, Failed):
            raise failure(request.doing, result, repeatable=request.repeatable)
        return result

    def request(
        self,
        doing: str,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = True,
    ) -> Request:
        """Return a request to a path of the API; `doing` is as in `Request`."""
        return Request(doing, method, self._url + path, query, body, headers=headers or {}, repeatable=repeatable)
