"""One stand-in as a service: its records, knobs, faults and hooks, and the front door of its HTTP interface."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

import httpx
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from sandbox.background import Background
from sandbox.calls import Call, Operation, Refusal
from sandbox.courier import Courier
from sandbox.faults import CutConnection, Faults
from sandbox.hands import Hands
from sandbox.ledger import Record
from sandbox.records import Records
from sandbox.refreshes import Refreshes
from sandbox.settings import Settings
from sandbox.tokens import Tokens


class Gate(Protocol):
    """What each system does with every call: quota, token, scope, and the style of its refusals."""

    def admit(self, call: Call, scope: str | None) -> Record:
        """Count the call and return its token. Raises Refusal."""

    def headers(self, call: Call) -> dict[str, str]:
        """Return the headers that every answer to this call carries."""

    def refused(self, refusal: Refusal) -> Response:
        """Return a refusal as the system writes it."""

    def no_route(self, status: int) -> Response:
        """Return the answer to a path (404) or method (405) that does not exist."""

    def reset(self) -> None:
        """Forget what was counted."""


@dataclass
class Service:
    """One stand-in. `seeded` fills the records with what is there from the start; `about` adds to the control info;
    `under_way` surrounds every call from its beginning to its end.
    """

    system: str
    seed: int
    records: Records
    tokens: Tokens
    settings: Settings
    background: Background
    faults: Faults
    courier: Courier
    gate: Gate
    refreshes: Refreshes
    seeded: Callable[[], None]
    about: Callable[[], Record]
    operations: Sequence[Operation] = ()
    shown: Callable[[str, Record], Record] = lambda _kind, record: record
    hands: Mapping[str, Hands] = field(default_factory=dict)
    under_way: Callable[[Call], AbstractContextManager[None]] = lambda _call: nullcontext()
    requests: Counter[str] = field(default_factory=Counter)

    def fill(self) -> None:
        """Bring the records to where the ledger says they are."""
        self.seeded()
        self.records.replay()

    async def reset(self) -> None:
        """Return to the seed state, with plain settings and no faults. The ledger is its owner's to truncate."""
        await self.background.stop()
        self.records.clear()
        self.tokens.forget()
        self.refreshes.reset()
        self.settings.reset()
        self.faults.reset()
        self.courier.reset()
        self.gate.reset()
        self.requests.clear()
        self.seeded()


class Endpoint:
    """Answers one operation as an ASGI app: counts, lets faults happen, admits, handles."""

    def __init__(self, service: Service, operation: Operation) -> None:
        self._service, self._operation = service, operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call. Raises CutConnection."""
        call = await Call.read(scope, receive)
        service, operation = self._service, self._operation
        service.requests[f"{operation.method} {operation.path}"] += 1
        if operation.gives_tokens:
            is_gone = Request(scope, receive).is_disconnected
            response = await service.refreshes.watch(call, lambda: self._perform(call), is_gone)
        else:
            response = await self._perform(call)
        for name, value in service.gate.headers(call).items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _perform(self, call: Call) -> Response:
        with self._service.under_way(call):
            return await self._service.faults.perform(call, lambda: self._process(call))

    def _process(self, call: Call) -> Response:
        gate = self._service.gate
        try:
            token = gate.admit(call, self._operation.scope)
            return self._operation.handler(replace(call, token=token))
        except Refusal as refusal:
            return gate.refused(refusal)


class Front:
    """The ASGI app of one stand-in. Doubled slashes in a path count as one: a known client sends them."""

    def __init__(self, service: Service, control: Sequence[BaseRoute]) -> None:
        routes = [
            Route(operation.path, Endpoint(service, operation), methods=[operation.method])
            for operation in service.operations
        ]
        self._router = Router([*control, *routes], redirect_slashes=False)
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or cut its connection."""
        if scope["type"] != "http":
            return
        scope["path"] = re.sub("/{2,}", "/", scope["path"])
        scope["app"] = self  # makes the router raise where nothing matches
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            await self._service.gate.no_route(error.status_code)(scope, receive, send)
        except ClientDisconnect:
            return  # the caller went away before its request was complete
        except CutConnection:
            await _cut(send)
        except asyncio.CancelledError:
            if _transport(send) is None:
                raise
            await _cut(send)  # the sandbox stops: the caller sees a dead socket, and nobody a traceback


async def _cut(send: Send) -> None:
    """Close the socket without an answer.

    Behind uvicorn the transport belongs to the object that `send` is a method of. Without a socket (a client in this
    process) the client's own error is raised in its place.
    """
    transport = _transport(send)
    if transport is None:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    transport.abort()
    await asyncio.sleep(0)  # lets the server hear of it: else it would try to answer 500


def _transport(send: Send) -> asyncio.Transport | None:
    return getattr(getattr(send, "__self__", None), "transport", None)
