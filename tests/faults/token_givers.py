"""Systems that give tokens, each as a stand-in on a port that notes who asks, and when."""

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors import freshbooks, zoho_crm
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import TokenSource
from connectors.oauth import Application, OAuth, Provider
from connectors.zoho_crm.api import ZohoCrmApi
from sandbox.app import Sandbox, build_sandbox
from sandbox.service import Front, Service
from tests.consents import REDIRECT

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Giver:
    """One system. `call` is a request of its API that wants a token; `limit` is the time limit of all requests."""

    provider: Provider
    token_path: str
    limit: timedelta
    stands: Callable[[Sandbox], tuple[Service, Front]]
    call: Callable[[httpx.AsyncClient, TokenSource, str, timedelta], Call]

    @property
    def place(self) -> tuple[str, str]:
        """The account, as the store knows it."""
        return "acme", self.provider.system

    @property
    def scopes(self) -> list[str]:
        """What a person is asked to consent to."""
        return [scope.name for scope in self.provider.scopes]

    def oauth(self, url: str, client: Mapping[str, str], http: httpx.AsyncClient) -> OAuth:
        """Return the grants of our application at the stand-in."""
        application = Application(client["client_id"], SecretStr(client["client_secret"]), REDIRECT)
        return OAuth(http, self.provider.at(url), application, self.limit)


def _of_freshbooks(http: httpx.AsyncClient, token: TokenSource, url: str, limit: timedelta) -> Call:
    return FreshBooksApi(http, token, "sBx7Qz", url, limit).identity


def _of_zoho(http: httpx.AsyncClient, token: TokenSource, url: str, limit: timedelta) -> Call:
    return ZohoCrmApi(http, token, url, limit).current_user


FRESHBOOKS = Giver(
    freshbooks.PROVIDER,
    "/oauth/token",
    timedelta(seconds=3),
    lambda sandbox: (sandbox.freshbooks_service, sandbox.freshbooks),
    _of_freshbooks,
)
# Nothing is to be lost here but time, so a machine with much else to do is no fault.
ZOHO = Giver(
    zoho_crm.PROVIDER,
    "/oauth/v2/token",
    timedelta(seconds=20),
    lambda sandbox: (sandbox.zoho_crm_service, sandbox.zoho_crm),
    _of_zoho,
)
GIVERS: Mapping[str, Giver] = {"freshbooks": FRESHBOOKS, "zoho": ZOHO}


@dataclass(frozen=True)
class Asked:
    """One request for tokens: when it came, in seconds of this process' own clock, and how it was answered."""

    at: float
    status: int

    @property
    def given(self) -> bool:
        """Whether it brought tokens."""
        return self.status == 200


class Till:
    """A system's stand-in on a port. Counts the requests for tokens, and those of them that are under way at once."""

    def __init__(self, giver: Giver) -> None:
        self.giver = giver
        self.sandbox: Sandbox = build_sandbox(freshbooks_requests_per_minute=10_000_000)
        self.service, self.front = giver.stands(self.sandbox)
        self.answered = self.at_once = self.under_way = 0
        self.answered_to: Counter[bytes] = Counter()
        """By what the callers' processes call themselves."""
        self.asked: list[Asked] = []

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Give its address."""
        listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
        config = uvicorn.Config(self._counted(self.front), lifespan="off", access_log=False, log_level="error")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = server.force_exit = True
        await asyncio.wait({serving}, timeout=5)
        await self.sandbox.close()

    def _counted(self, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            asks = str(scope.get("path", "")).endswith(self.giver.token_path)
            came, caller = time.monotonic(), dict(scope.get("headers", [])).get(b"user-agent", b"")

            async def answer(message: Message) -> None:
                status = message.get("status")
                if asks and status is not None:
                    self.asked.append(Asked(came, status))
                if not asks and status == 200:
                    self.answered += 1
                    self.answered_to[caller] += 1
                await send(message)

            self.under_way += asks
            self.at_once = max(self.at_once, self.under_way)
            try:
                await app(scope, receive, answer)
            finally:
                self.under_way -= asks

        return counted

    @property
    def client(self) -> dict[str, str]:
        """Our registration."""
        return dict(self.service.about()["oauth"])

    @property
    def given(self) -> int:
        """How many requests for tokens brought some."""
        return sum(each.given for each in self.asked)

    @property
    def refused(self) -> list[Asked]:
        """The requests for tokens that brought none."""
        return [each for each in self.asked if not each.given]

    def is_live(self, token: SecretStr) -> bool:
        """Return whether an access token works."""
        return self.service.tokens.live(token.get_secret_value()) is not None

    def end_newest(self) -> None:
        """End the newest access token; its refresh token still works."""
        self.service.tokens.revoke_access(self.service.records.all("token")[-1]["access_token"])

    def end_all(self) -> None:
        """End every access token; the refresh tokens still work."""
        self.service.tokens.expire_all()

    def note(self, **settings: Any) -> None:
        """Change the stand-in's settings."""
        self.service.settings.change(settings)


async def until(found: Callable[..., bool], deadline: float) -> None:
    """Return once it is so, or at the deadline."""
    while not found() and time.monotonic() < deadline:  # noqa: ASYNC110 - the stand-in offers no event
        await asyncio.sleep(0.01)
