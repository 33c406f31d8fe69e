"""Decrypts payloads for the Temporal UI, which asks from the operator's browser.

It decrypts for whoever can reach it: it listens on loopback, or behind a proxy that knows who may look.
Source: https://docs.temporal.io/production-deployment/data-encryption
"""

from collections.abc import Awaitable, Callable, Sequence

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from runtime.codec import SealingCodec
from runtime.keys import KeyProblem, KeyRing

Convert = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]
MAX_BODY_BYTES = 8_000_000  # a page of history; one payload may have 2 MiB


def codec_app(keys: KeyRing, ui_origins: Sequence[str]) -> Starlette:
    """Return the app with `POST /decode` and `/encode` for pages that come from `ui_origins`."""
    codec = SealingCodec(keys)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(ui_origins),
        allow_methods=["POST"],
        allow_headers=["content-type", "x-namespace", "authorization"],
    )
    routes = [
        Route("/decode", _handler(codec.decode), methods=["POST"]),
        Route("/encode", _handler(codec.encode), methods=["POST"]),
        Route("/health", _health),
    ]
    return Starlette(routes=routes, middleware=[cors], max_body_size=MAX_BODY_BYTES)


def _handler(convert: Convert) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        try:
            asked = json_format.Parse(await request.body(), Payloads())
        except (json_format.ParseError, UnicodeDecodeError, RecursionError):
            return JSONResponse({"message": "the body must be Temporal payloads as JSON"}, status_code=400)
        try:
            answer = Payloads(payloads=await convert(asked.payloads))
        except KeyProblem as problem:
            return JSONResponse({"message": str(problem)}, status_code=400)
        return Response(json_format.MessageToJson(answer), media_type="application/json")

    return handle


async def _health(request: Request) -> Response:
    del request
    return JSONResponse({"status": "up"})
