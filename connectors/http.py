"""Sending one request to a system and saying what came of it. Never retries: Temporal does, and shows each attempt."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import SecretStr

from connectors.answers import Answer
from connectors.dialect import Dialect, Verdict, lost, refusal, wait_after
from connectors.errors import RateLimited, Unauthorized, Unavailable
from connectors.metering import Meter, MeteredToken, Unmetered, read_quota

T = TypeVar("T")


@dataclass(frozen=True)
class AccessToken:
    """An access token and the version of it: a later one has a higher number."""

    text: str = field(repr=False)
    version: int = 0


class TokenSource(Protocol):
    """Gives the access token to use now. Asked before every request, so a refreshed token is used at once."""

    async def current(self) -> AccessToken:
        """Return the token to use. Raises ConsentLost, or Unavailable while none is to be had."""

    async def rejected(self, token: AccessToken) -> AccessToken | None:
        """The system answered 401 to this token: return a fresh one to try once more, None if that does not help."""

    def accepted(self, token: AccessToken) -> None:
        """The system took this token, whatever it then said to the request."""


TIME_LIMIT = timedelta(seconds=60)
CONNECT_LIMIT = timedelta(seconds=5)
# An idle connection that the provider closes just as we write costs an unknown outcome: we close it first.
KEEP_ALIVE = timedelta(seconds=4)
# Who is asked for a record that does not exist, or refuses its values, has looked at the token before.
TOKEN_ACCEPTED = {200, 201, 202, 204, 404, 409, 422}
LARGEST_BODY = 16 * 1024 * 1024

# The connection never stood, so no byte of the request has left.
NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True)
class Request:
    """One request. `doing` completes "refused to …" in error texts, with ids only: "update party 7"."""

    doing: str
    method: str
    url: str
    query: Sequence[tuple[str, str]] = ()
    json: Mapping[str, Any] | None = None
    form: str | None = None
    """A body that is URL-encoded already."""
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    """Whether sending it twice leaves the system as sending it once does."""


class BodyTooLargeError(Exception):
    """The body of an answer is larger than we are willing to hold."""


def http_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the client that all APIs share: no retries, no redirects, no cookies. Close it when the worker ends."""
    # httpx writes every URL to its log at INFO, and a search carries an email address in its URL.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        transport=transport,
        follow_redirects=False,
        limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE.total_seconds()),
        headers={"User-Agent": f"Ledgerline/{_version()}", "Accept": "application/json"},
        # One client serves many accounts: a session cookie of one must never travel with the token of another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def _version() -> str:
    try:
        return version("ledgerline")
    except PackageNotFoundError:
        return "0"


def fixed_token(token: SecretStr) -> TokenSource:
    """Return a source that always gives this token and remembers nothing of what becomes of it."""
    return _Fixed(token)


class _Fixed:
    def __init__(self, token: SecretStr) -> None:
        self._token = AccessToken(token.get_secret_value())

    async def current(self) -> AccessToken:
        return self._token

    async def rejected(self, token: AccessToken) -> AccessToken | None:
        del token
        return None

    def accepted(self, token: AccessToken) -> None:
        del token


async def send(
    http: httpx.AsyncClient,
    dialect: Dialect,
    request: Request,
    headers: Mapping[str, str],
    limit: timedelta = TIME_LIMIT,
) -> Answer:
    """Send a request once and return the answer, whatever its status. `limit` spans it from connect to last byte.

    Raises Unavailable if nothing was sent or the request is repeatable, else UnknownOutcome. Cancellation passes.
    """
    try:
        async with asyncio.timeout(limit.total_seconds()):
            response = await http.send(_build(http, request, headers, limit), stream=True, follow_redirects=False)
            try:
                return await _read(response)
            finally:
                await response.aclose()
    # "from None" throughout: the messages of httpx and h11 can quote headers, and the token is one.
    except NOTHING_SENT as error:
        text = f"{dialect.title} could not be reached to {request.doing} ({type(error).__name__})"
        raise Unavailable(dialect.system, f"{text}: nothing was sent, trying again later is safe") from None
    except (httpx.RequestError, OSError, BodyTooLargeError) as error:  # asyncio's TimeoutError is an OSError
        reason = f"{type(error).__name__}, limit {limit.total_seconds():g} s"
        raise lost(dialect, request.doing, reason, repeatable=request.repeatable) from None


def _build(http: httpx.AsyncClient, request: Request, headers: Mapping[str, str], limit: timedelta) -> httpx.Request:
    seconds, connect = limit.total_seconds(), min(limit, CONNECT_LIMIT).total_seconds()
    form = {"Content-Type": "application/x-www-form-urlencoded"} if request.form is not None else {}
    return http.build_request(
        request.method,
        request.url,
        params=list(request.query) or None,
        json=request.json,
        content=request.form,
        headers={**request.headers, **headers, **form},
        timeout=httpx.Timeout(seconds, connect=connect, pool=connect),
    )


async def _read(response: httpx.Response) -> Answer:
    """Read the answer to its end. Of a refusal the status is enough, if the rest cannot be had."""
    body = bytearray()
    try:
        async for part in response.aiter_bytes():
            body += part
            _check_size(body)
    except (httpx.RequestError, BodyTooLargeError):
        if response.status_code < 400:
            raise
        body.clear()
    return Answer(response.status_code, dict(response.headers), bytes(body))


def _check_size(body: bytearray) -> None:
    if len(body) > LARGEST_BODY:
        raise BodyTooLargeError


class Caller:
    """Sends one account's requests to one system, and holds them back while that system said wait."""

    def __init__(self, dialect: Dialect, http: httpx.AsyncClient, token: TokenSource, limit: timedelta) -> None:
        self._dialect, self._http, self._token, self._limit = dialect, http, token, limit
        self._meter: Meter = token.meter if isinstance(token, MeteredToken) else Unmetered()
        self._held_until = datetime.min.replace(tzinfo=UTC)

    async def call(self, request: Request, read: Callable[[Answer], T]) -> T:
        """Send the request and return what `read` makes of the answer. Raises the errors of `connectors.errors`.

        `read` raises ValueError, KeyError, TypeError or AttributeError for an answer that is not as documented.
        """
        answer, verdict = await self._answer(request)
        if not 200 <= verdict.status < 300:
            raise refusal(self._dialect, request.doing, verdict, answer, repeatable=request.repeatable)
        try:
            return read(answer)
        # "from None": what a validation error shows of its input may be a person's data.
        except (ValueError, KeyError, TypeError, AttributeError):
            reason = f"HTTP {answer.status}, unreadable"
            raise lost(self._dialect, request.doing, reason, repeatable=request.repeatable) from None

    async def _answer(self, request: Request) -> tuple[Answer, Verdict]:
        """Send the request; once more if a fresh token is to be had after a 401, with which nothing was done."""
        began = time.monotonic()
        token = await self._token.current()
        answer, verdict = await self._send(request, token, began)
        if verdict.status != 401:
            return answer, verdict
        fresh = await self._token.rejected(token)
        if fresh is None:
            return answer, verdict
        answer, verdict = await self._send(request, fresh, began)
        if verdict.status == 401:
            await self._token.rejected(fresh)
        return answer, verdict

    async def _send(self, request: Request, token: AccessToken, began: float) -> tuple[Answer, Verdict]:
        headers = {"Authorization": f"{self._dialect.auth_scheme} {self._checked(token, request)}"}
        self._check_held(request)
        await self._meter.admit(request.doing)
        answer = await send(self._http, self._dialect, request, headers, self._left(request, began))
        verdict = self._dialect.judge(answer)
        await self._note_limits(answer, verdict)
        if verdict.status in TOKEN_ACCEPTED:
            self._token.accepted(token)
        return answer, verdict

    def _left(self, request: Request, began: float) -> timedelta:
        """Return what is left of the time limit, in full seconds: waiting for a token, and a 401, count towards it."""
        left = self._limit - timedelta(seconds=int(time.monotonic() - began))
        if left <= timedelta(0):
            text = f"{self._dialect.title} gave no access token in time, so we did not {request.doing}"
            raise Unavailable(self._dialect.system, f"{text}: trying again later is safe")
        return left

    def _checked(self, token: AccessToken, request: Request) -> str:
        # A line break in a header would fail inside h11, whose message quotes the whole header.
        if re.fullmatch(r"[!-~]+", token.text):
            return token.text
        text = f"The access token for {self._dialect.title} is empty or damaged, so we did not {request.doing}"
        raise Unauthorized(self._dialect.system, f"{text}: connect again")

    def _check_held(self, request: Request) -> None:
        wait = self._held_until - datetime.now(UTC)
        if wait > timedelta(0):
            text = f"{self._dialect.title} asked us to wait, so we did not {request.doing} yet"
            raise RateLimited(self._dialect.system, f"{text}: wait {wait.total_seconds():.0f} s", wait)

    async def _note_limits(self, answer: Answer, verdict: Verdict) -> None:
        """Remember until when nothing may be sent. `Retry-After` on a success is no such demand.

        On a 503 it concerns this one request: others may be answered meanwhile.
        """
        used_up = self._dialect.obeys_remaining and answer.headers.get("x-ratelimit-remaining", "").strip() == "0"
        wait = wait_after(verdict, answer) if verdict.status == 429 or used_up else None
        if wait is not None:
            self._held_until = max(self._held_until, datetime.now(UTC) + wait)
        await self._meter.heard(read_quota(answer, wait))
