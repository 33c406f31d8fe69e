"""A gateway in front of a system: passes everything on, marks the headers of every answer, and is rude when told to.

Providers put into their errors whatever they like: the value that they refuse, the token that they were sent. The
sandbox is better behaved than that.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.faults.planted import text

Answer = Callable[[bytes, str], Response]
"""Makes an answer of a request's body and of its Authorization header."""

HOP_BY_HOP = {"content-length", "transfer-encoding", "connection", "content-encoding", "host"}


@dataclass
class Rule:
    """Requests that are answered rudely, so many times."""

    method: str
    path: str
    answer: Answer
    times: int
    given: int = 0


@dataclass
class Gateway:
    """An ASGI app in front of `upstream`, which has to be set before the first request."""

    http: httpx.AsyncClient
    upstream: str = ""
    rules: list[Rule] = field(default_factory=list)

    def rude(self, method: str, path: str, answer: Answer, times: int = 1) -> Rule:
        """Answer requests to a path (a regular expression) in this way from now on."""
        rule = Rule(method, path, answer, times)
        self.rules.append(rule)
        return rule

    @property
    def all_given(self) -> bool:
        """Whether every rude answer has been given: one that was not would prove nothing."""
        return all(rule.given == rule.times for rule in self.rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = await request.body()
        response = self._rudely(request, body) or await self._passed_on(request, body)
        response.headers["Set-Cookie"] = f"session={text('cookie that a provider sets')}; Path=/"
        response.headers["X-Debug-Context"] = text("header of an answer")
        await response(scope, receive, send)

    def _rudely(self, request: Request, body: bytes) -> Response | None:
        for rule in self.rules:
            fits = rule.method == request.method and re.search(rule.path, request.url.path)
            if fits and rule.given < rule.times:
                rule.given += 1
                return rule.answer(body, request.headers.get("authorization", ""))
        return None

    async def _passed_on(self, request: Request, body: bytes) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        url = f"{self.upstream}{request.url.path}?{request.url.query}".rstrip("?")
        try:
            answered = await self.http.request(request.method, url, content=body, headers=headers)
        except httpx.TransportError:  # the system behind us has cut the connection
            return Response(status_code=502)
        kept = {name: value for name, value in answered.headers.items() if name not in HOP_BY_HOP}
        return Response(answered.content, answered.status_code, kept)


class _Server(uvicorn.Server):
    """A server that leaves signals to the tests."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


@dataclass
class Mailbox:
    """An ASGI app that takes whatever it is sent, as the receiver of a firm's alerts does."""

    letters: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one letter."""
        if scope["type"] == "http":
            self.letters.append(await Request(scope, receive).body())
            await Response()(scope, receive, send)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app on a free port of this machine; give its address without the scheme."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(app, lifespan="off", access_log=False, log_level="error"))
    served = asyncio.create_task(server.serve([listening]))
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await served
