"""Who may see the console, and which requests a page of ours really sent.

A browser that visits a hostile page can be made to send requests to this machine, so loopback alone protects nothing:
the Host header must be a name of ours (no rebinding of names), a POST must come from a page of ours (Origin, and a
token that only our pages hold), and no page may frame or script ours.
"""

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from runtime.console import Console

COOKIE = "ledgerline_session"
SESSION_SECONDS = 8 * 3600.0
MOST_SESSIONS = 1000
LOGIN_ATTEMPTS, WITHIN_SECONDS = 5, 60.0
MOST_BODY_BYTES = 256_000
OPEN_PATHS = ("/login", "/static/", "/health")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",  # pages may quote personal data
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # no-referrer would make browsers send `Origin: null`
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class TooManyAttempts(Exception):
    """So many wrong passphrases were tried that everybody has to wait."""


@dataclass
class Guard:
    """The sessions of one process. They end with it: whoever is logged in logs in again."""

    settings: Console
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _sessions: dict[str, float] = field(default_factory=dict)
    _failures: "deque[float]" = field(default_factory=deque)

    async def __call__(self, request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answer a request, or refuse it with a text that says why."""
        request.state.session = session = request.cookies.get(COOKIE) or secrets.token_urlsafe(32)
        request.state.csrf = self.csrf(session)
        response = self._refusal(request) or await self._forged(request) or self._to_login(request)
        if response is None:
            response = await go_on(request)
        if COOKIE not in request.cookies and COOKIE not in response.headers.get("set-cookie", ""):
            self.remember(response, session)
        response.headers.update(HEADERS)
        return response

    def csrf(self, session: str) -> str:
        """Return the token that only pages of this session hold."""
        return hmac.new(self._secret, session.encode(), hashlib.sha256).hexdigest()

    def is_logged_in(self, session: str) -> bool:
        """Return whether a session may see the pages; without a passphrase every one may."""
        return self.settings.passphrase is None or self._sessions.get(session, 0) > time.monotonic()

    def log_in(self, passphrase: str) -> str | None:
        """Return a new session, None if the passphrase is wrong. Raises TooManyAttempts.

        Attempts are counted over all addresses: one behind a proxy is everybody's, and others are easily changed.
        """
        now = time.monotonic()
        while self._failures and self._failures[0] < now - WITHIN_SECONDS:
            self._failures.popleft()
        if len(self._failures) >= LOGIN_ATTEMPTS:
            raise TooManyAttempts
        wanted = self.settings.passphrase
        if wanted is None or not _same(passphrase, wanted.get_secret_value()):
            self._failures.append(now)
            return None
        self._sessions = {known: end for known, end in self._sessions.items() if end > now}
        if len(self._sessions) >= MOST_SESSIONS:
            self._sessions.pop(min(self._sessions, key=self._sessions.__getitem__))
        session = secrets.token_urlsafe(32)  # a new one: somebody may have planted the old one
        self._sessions[session] = now + SESSION_SECONDS
        return session

    def log_out(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(session, None)

    def remember(self, response: Response, session: str) -> None:
        """Let the browser keep a session: for our pages alone, and out of reach of scripts."""
        secure = self.settings.public_url is not None
        response.set_cookie(COOKIE, session, httponly=True, samesite="strict", secure=secure, path="/")

    def _refusal(self, request: Request) -> Response | None:
        if _host_name(request.headers.get("host", "")) not in self.settings.hosts:
            text = "this name is not the console's; name it in the settings: `console: {public_url: https://…}`"
            return PlainTextResponse(text, 421)
        return None

    async def _forged(self, request: Request) -> Response | None:
        """Refuse what no page of ours sent."""
        if request.method in {"GET", "HEAD"}:
            return None
        size = request.headers.get("content-length", "")
        if not size.isdecimal() or int(size) > MOST_BODY_BYTES:
            return PlainTextResponse("too much at once", 413)
        if not self._is_own_origin(request):
            return PlainTextResponse("refused: this did not come from a page of the console", 403)
        await request.body()  # kept, so that the route reads it again
        token = (await request.form()).get("csrf")
        if not isinstance(token, str) or not _same(token, request.state.csrf):
            return PlainTextResponse("refused: this page is out of date; go back, reload it and try again", 403)
        return None

    def _is_own_origin(self, request: Request) -> bool:
        origin, host = request.headers.get("origin", ""), request.headers.get("host", "").lower()
        parts = urlsplit(origin)
        if self.settings.public_url is not None and origin.lower() == self.settings.public_url:
            return True
        return parts.scheme == "http" and parts.netloc.lower() == host

    def _to_login(self, request: Request) -> Response | None:
        if self.is_logged_in(request.state.session) or request.url.path.startswith(OPEN_PATHS):
            return None
        if "hx-request" in request.headers:  # htmx would put the login page, or nothing of it, into the part
            return Response(status_code=204, headers={"HX-Redirect": "/login"})
        return RedirectResponse("/login", 303)


def _host_name(header: str) -> str:
    """Return the name of a Host header without its port, "" if it is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower() if "@" not in header else ""
    except ValueError:
        return ""


def _same(given: str, wanted: str) -> bool:
    """Compare in a time that tells nothing, not even the length."""
    one, other = (hashlib.sha256(each.encode(errors="replace")).digest() for each in (given, wanted))
    return hmac.compare_digest(one, other)
