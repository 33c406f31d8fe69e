"""A worker that seals nothing and prints the headers that it sends: `python -m tests.faults.leaky_worker`.

It shows that the search for planted strings bites: with this worker it has to find them. Production code has no such
switch.
"""

import sys
from typing import Any

import httpx
import uvloop

from runtime.keys import KeyRing
from runtime.load import load_settings
from runtime.logs import set_up_logs
from worker.main import work

OPEN = b"not sealed: "

_sealed_open, _send = KeyRing.open, httpx.AsyncClient.send


def seal_nothing(self: KeyRing, plain: bytes, context: str) -> bytes:
    """Leave everything as it is, in the store and on its way through Temporal."""
    del self, context
    return OPEN + plain


def open_either(self: KeyRing, sealed: bytes, context: str) -> bytes:
    """Open what other processes have sealed, too."""
    return sealed.removeprefix(OPEN) if sealed.startswith(OPEN) else _sealed_open(self, sealed, context)


async def send_aloud(self: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
    """Print the headers of every request."""
    sys.stderr.write(f"{request.method} {dict(request.headers)}\n")
    return await _send(self, request, **options)


if __name__ == "__main__":
    KeyRing.seal, KeyRing.open = seal_nothing, open_either  # type: ignore[method-assign]
    httpx.AsyncClient.send = send_aloud  # type: ignore[method-assign]
    settings = load_settings()
    set_up_logs("worker", settings.log_format, settings.log_level)
    uvloop.run(work(settings))
