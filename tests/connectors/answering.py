"""APIs that talk to a scripted transport instead of a system, and keep what they sent."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.capsule.api import CapsuleApi
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import fixed_token, http_client
from connectors.zoho_crm.api import ZohoCrmApi

Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]

TOKEN = "token-of-the-books"
SECOND = timedelta(seconds=1)


class Script:
    """Answers the first request with the first step, and so on; `sent` keeps the requests."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.sent: list[httpx.Request] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    @property
    def query(self) -> dict[str, str]:
        return dict(self.sent[-1].url.params)

    @property
    def body(self) -> Any:
        return json.loads(self.sent[-1].content)


def capsule(*steps: Step) -> tuple[CapsuleApi, Script]:
    script = Script(*steps)
    http = http_client(httpx.MockTransport(script.handle))
    return CapsuleApi(http, fixed_token(SecretStr(TOKEN)), time_limit=SECOND), script


def freshbooks(*steps: Step) -> tuple[FreshBooksApi, Script]:
    script = Script(*steps)
    http = http_client(httpx.MockTransport(script.handle))
    return FreshBooksApi(http, fixed_token(SecretStr(TOKEN)), "aB3xYz", time_limit=SECOND), script


def zoho_crm(*steps: Step) -> tuple[ZohoCrmApi, Script]:
    script = Script(*steps)
    http = http_client(httpx.MockTransport(script.handle))
    return ZohoCrmApi(http, fixed_token(SecretStr(TOKEN)), time_limit=SECOND), script


def one_client(**values: Any) -> httpx.Response:
    return httpx.Response(200, json={"response": {"result": {"client": {"id": 330101, **values}}}})


def clients(rows: Sequence[dict[str, Any]], page: int = 1, pages: int = 1) -> httpx.Response:
    result = {"clients": list(rows), "page": page, "pages": pages, "per_page": 100, "total": len(rows)}
    return httpx.Response(200, json={"response": {"result": result}})


def one_party(**values: Any) -> httpx.Response:
    return httpx.Response(200, json={"party": {"id": 11, **values}})
