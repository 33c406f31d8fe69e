"""How the answer to a request for consent comes back: to a port of this machine, or pasted by the person."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from connectors.errors import safe_word
from runtime.errors import Stop

LONGEST_LINE = 16 * 1024
LINE_SECONDS = 5.0
DONE = "Ledgerline has what it needs. You can close this page and go back to the terminal."
STRANGE = "This page belongs to another attempt. Use the address that the terminal shows now."
HEADERS = "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close"


class NoRedirect(Stop):
    """The answer to a request for consent cannot be had, or is not for us."""


@dataclass(frozen=True)
class Redirect:
    """What a redirect brought: a code, or the reason why there is none. `state` is None if only a code was pasted.

    Zoho's says beside it which accounts server issued the code, and in which data centre (`location`) that is.
    """

    code: SecretStr | None
    state: SecretStr | None
    error: str | None
    accounts_server: str | None = None
    location: str | None = None

    def is_for(self, state: SecretStr) -> bool:
        """Return whether it answers this request and no other."""
        said = self.state.get_secret_value() if self.state else ""
        return hmac.compare_digest(said.encode(), state.get_secret_value().encode())


def read_redirect(address: str) -> Redirect:
    """Return what an address holds that the person was sent to, or its query alone."""
    query = parse_qs(urlsplit(address).query or address)

    def first(name: str) -> str | None:
        return query[name][0] if query.get(name) else None

    code, state, error = first("code"), first("state"), first("error")
    said = (safe_word(error) or "unknown reason") if error else None
    return Redirect(
        SecretStr(code) if code else None,
        SecretStr(state) if state else None,
        said,
        first("accounts-server"),
        first("location"),
    )


def read_pasted(text: str, state: SecretStr) -> Redirect:
    """Return what a person pasted: the whole address, or the code alone. Raises NoRedirect if it is neither."""
    pasted = text.strip()
    if "code=" in pasted or "error=" in pasted:
        redirect = read_redirect(pasted)
        if not redirect.is_for(state):
            raise NoRedirect("that address belongs to another attempt; run the command again and use its address")
        return redirect
    if not re.fullmatch(r"[!-~]{4,4096}", pasted):
        raise NoRedirect("that is neither an address with a code nor a code; run the command again")
    return Redirect(SecretStr(pasted), None, None)


def is_local(redirect_uri: str) -> bool:
    """Return whether we can receive the redirect ourselves."""
    return urlsplit(redirect_uri).scheme == "http"


@asynccontextmanager
async def redirects_to(redirect_uri: str, state: SecretStr) -> AsyncIterator["asyncio.Future[Redirect]"]:
    """Listen at a local address while the block runs; the first redirect with this state is the future's result.

    Raises NoRedirect if the port cannot be had.
    """
    parts = urlsplit(redirect_uri)
    found: asyncio.Future[Redirect] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            status, text = _answer(await _target(reader), parts.path or "/", state, found)
            writer.write(f"HTTP/1.1 {status}\r\n{HEADERS}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
            await writer.drain()
        except (OSError, ValueError, TimeoutError):
            pass  # somebody knocked and said nothing of use
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(serve, parts.hostname, parts.port or 80, limit=LONGEST_LINE)
    except OSError as error:
        text = f"cannot listen on {parts.netloc} for the redirect ({error.strerror}): free the port, or use --paste"
        raise NoRedirect(text) from error
    async with server:
        yield found


async def _target(reader: asyncio.StreamReader) -> str:
    """Read the head of a request and return what it asks for, an empty text if it is no GET. Raises ValueError."""
    async with asyncio.timeout(LINE_SECONDS):
        first = (await reader.readline()).decode("latin-1").split(" ")
        while (await reader.readline()).strip():
            pass
    return first[1] if first[0] == "GET" and len(first) == 3 else ""


def _answer(target: str, path: str, state: SecretStr, found: "asyncio.Future[Redirect]") -> tuple[str, str]:
    if urlsplit(target).path != path:
        return "404 Not Found", ""
    redirect = read_redirect(target)
    # Any page in the person's browser can call this port; what does not know the state changes nothing.
    if not redirect.is_for(state):
        return "400 Bad Request", STRANGE
    if not found.done():
        found.set_result(redirect)
    return "200 OK", DONE
