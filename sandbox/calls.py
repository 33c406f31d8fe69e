"""One API call as the stand-ins see it, and the answers that they give."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from sandbox.ledger import Record

JSON_TYPE = "application/json"
LONGEST_ID = 19
"""Digits of the longest id of any system."""


@dataclass(frozen=True)
class Call:
    """A request that has been read in full, and the token that it was admitted with (empty where none is needed)."""

    method: str
    path: str
    params: Mapping[str, str]
    query: QueryParams
    headers: Headers
    body: bytes
    base_url: str
    token: Record = field(default_factory=dict)

    @classmethod
    async def read(cls, scope: Scope, receive: Receive) -> "Call":
        """Read a request to its end."""
        request = Request(scope, receive)
        body = await request.body()
        base = f"{request.url.scheme}://{request.url.netloc}"
        return cls(
            request.method, scope["path"], request.path_params, request.query_params, request.headers, body, base
        )

    @property
    def bearer(self) -> str:
        """The token in the Authorization header, or an empty text."""
        return self.credential("Bearer")

    def credential(self, scheme: str) -> str:
        """Return what the Authorization header carries under a scheme, or an empty text if it names another one."""
        found, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if found.casefold() == scheme.casefold() else ""

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError, also for half a surrogate pair, which no text can hold."""
        if b"\\ud" in self.body.lower():
            json.dumps(json.loads(self.body), ensure_ascii=False).encode()
        return json.loads(self.body)

    def form_or_json(self) -> dict[str, str]:
        """Return the flat body of a token request, which comes as a form or as JSON. Raises ValueError."""
        if JSON_TYPE in self.headers.get("content-type", ""):
            body = self.json()
            return {str(key): str(value) for key, value in body.items()} if isinstance(body, dict) else {}
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def parameters(self) -> dict[str, str]:
        """Return the parameters of a token request that may stand in its query too. Raises ValueError."""
        return {**self.query, **self.form_or_json()}


def id_of(text: str) -> int:
    """Return the id that a part of a path names, or 0, which no record has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID else 0


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Operation:
    """A method and a path of an API, what answers it, and the scope it asks for: None asks for no token at all.
    Whether it gives out tokens decides what is counted of it.
    """

    method: str
    path: str
    handler: Handler
    scope: str | None
    gives_tokens: bool = False


class Refusal(Exception):
    """An answer other than success, as a handler raises it. `family` names the style of its body where a system has
    more than one.
    """

    def __init__(self, status: int, body: Record, family: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.family, self.headers = status, body, family, headers or {}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None, media: str = JSON_TYPE) -> Response:
    """Return a JSON response, minified, in UTF-8."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, headers, media)
