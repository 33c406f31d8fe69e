"""How the control API reads bodies and refuses."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.calls import answer
from sandbox.ledger import Record

Endpoint = Callable[[Request], Awaitable[Response]]
Endpoints = dict[str, dict[str, Endpoint]]
"""Paths under `/_sandbox/`, and for each method what answers it."""


async def body_of(request: Request) -> Any:
    """Return the body of a call as JSON, or None if it is not."""
    try:
        return await request.json()
    except ValueError:
        return None


def refused(reason: str, status: int = 422) -> Response:
    """Return the refusal of a call, with a reason that helps."""
    error: Record = {"error": reason}
    return answer(error, status)
