"""One grant, four processes, a thousand callers: `python -m tests.faults.tokens` prints one JSON line of findings.

FreshBooks' refresh tokens work once. The stand-in's access tokens live for two seconds, or are ended in mid-life;
whoever calls just wants a token that works. The stand-in's records are the judge: they say which refresh tokens came
back twice.
"""

import argparse
import asyncio
import contextlib
import json
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import activities.tokens
from activities.renewal import Renewal
from activities.tokens import RenewedToken
from connectors import freshbooks
from connectors.errors import ConnectorError
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import http_client
from connectors.oauth import Application, OAuth
from runtime.logs import set_up_logs
from sandbox.app import Sandbox, build_sandbox
from sandbox.faults import FaultRule
from store.store import Store
from store.tokens import Tokens
from tests.consents import REDIRECT, consent, grant, renewals, reuses
from tests.databases import TEST_KEYS, sqlite_url

PLACE = ("acme", "freshbooks")
LIMIT = timedelta(seconds=3)
LIFE = 2  # seconds; real ones live for twelve hours
REQUESTS_PER_SECOND = 50.0  # of one process; every caller asks for a token far more often than that
PAUSE = 0.25  # of a caller, on average
ANSWERS_BETWEEN = 50  # so that every process has used a token before it is ended


@dataclass(frozen=True)
class Size:
    """How much is done, at most: renewals of tokens that live for seconds, and of tokens that are ended in mid-life."""

    expiries: int = 60
    revocations: int = 140
    callers: int = 1000
    processes: int = 4
    claims: bool = True


@dataclass
class Findings:
    """What the stand-in saw, and what the callers met."""

    refreshes: int = 0
    used_twice: int = 0
    at_once: int = 0
    version: int = 0
    state: str = ""
    works: bool = False
    tokens_given: int = 0
    requests: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    seconds: float = 0


class Books:
    """FreshBooks' stand-in on a port, which counts the requests for tokens that are under way at once."""

    def __init__(self) -> None:
        self.sandbox: Sandbox = build_sandbox(freshbooks_requests_per_minute=10_000_000)
        self.answered = self.at_once = 0
        self.under_way = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Give its address."""
        listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
        config = uvicorn.Config(
            self._counted(self.sandbox.freshbooks), lifespan="off", access_log=False, log_level="error"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = server.force_exit = True
        await asyncio.wait({serving}, timeout=5)
        await self.sandbox.close()

    def _counted(self, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            asks = str(scope.get("path", "")).endswith("/oauth/token")

            async def answer(message: Message) -> None:
                self.answered += not asks and message.get("status") == 200
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
        return dict(self.sandbox.freshbooks_service.about()["oauth"])

    def end_newest(self) -> None:
        """End the newest access token; its refresh token still works."""
        tokens = self.sandbox.freshbooks_service.tokens
        tokens.revoke_access(self.sandbox.freshbooks_service.records.all("token")[-1]["access_token"])


def source_of(store: Store, oauth: OAuth, client: str) -> RenewedToken:
    """Return the source of tokens of one process."""
    renewal = Renewal(freshbooks.PROVIDER, oauth, store.tokens, client)
    return RenewedToken("acme", renewal, store.tokens, LIMIT)


def oauth_at(url: str, client: dict[str, str], http: Any) -> OAuth:
    """Return the grants of our application at the stand-in."""
    application = Application(client["client_id"], SecretStr(client["client_secret"]), REDIRECT)
    return OAuth(http, freshbooks.PROVIDER.at(url), application, LIMIT)


async def campaign(size: Size, database_url: str, seed: int = 20261122) -> Findings:
    """Run the campaign and return what was found."""
    random.seed(seed)
    books, found, began = Books(), Findings(), time.monotonic()
    store = Store(database_url, TEST_KEYS)
    await store.database.migrate()
    async with books.open() as url, http_client() as http:
        # Long enough for two processes to meet in it, if they can.
        slow = FaultRule(path="/oauth/token$", fault="latency", seconds=0.02)
        books.sandbox.freshbooks_service.tokens.lifetime = LIFE
        tokens = await consent(oauth_at(url, books.client, http), http)
        books.sandbox.freshbooks_service.faults.add(slow)
        await store.tokens.consented(*PLACE, grant(tokens, life=timedelta(seconds=LIFE)), "sBx7Qz")
        callers = size.callers // size.processes
        starting = [begin(url, database_url, books.client, callers, claims=size.claims) for _ in range(size.processes)]
        workers = await asyncio.gather(*starting)
        await _expire(books, size)
        await _revoke(books, size)
        for said in await asyncio.gather(*(end(worker) for worker in workers)):
            found.tokens_given += said["tokens"]
            found.requests += said["requests"]
            found.failures = dict(Counter(found.failures) + Counter(said["failures"]))
        await _judge(books, store, found)
    await store.close()
    found.seconds = round(time.monotonic() - began, 1)
    return found


async def _expire(books: Books, size: Size) -> None:
    """Let the tokens live for a short time each."""
    await _until(lambda: renewals(books.sandbox) >= size.expiries, time.monotonic() + 2 * LIFE * size.expiries)
    books.sandbox.freshbooks_service.tokens.lifetime = 43_200


async def _revoke(books: Books, size: Size) -> None:
    """End token after token in mid-life, each after all processes have used it."""
    deadline = time.monotonic() + 10 + size.revocations
    for _ in range(size.revocations):
        answered, before = books.answered, renewals(books.sandbox)
        await _until(lambda known=answered: books.answered >= known + ANSWERS_BETWEEN, deadline)
        if time.monotonic() > deadline:
            return
        books.end_newest()
        await _until(lambda known=before: renewals(books.sandbox) > known, deadline + LIMIT.total_seconds())


async def _until(found: Callable[..., bool], deadline: float) -> None:
    while not found() and time.monotonic() < deadline:  # noqa: ASYNC110 - the stand-in offers no event
        await asyncio.sleep(0.01)


async def _judge(books: Books, store: Store, found: Findings) -> None:
    account, kept = await store.tokens.read(*PLACE)
    assert account is not None
    assert kept is not None
    found.refreshes, found.used_twice = renewals(books.sandbox), reuses(books.sandbox)
    found.at_once, found.version, found.state = books.at_once, account.version, account.state
    found.works = books.sandbox.freshbooks_service.tokens.live(kept.access.get_secret_value()) is not None


async def begin(
    url: str, database_url: str, client: dict[str, str], callers: int, **more: Any
) -> asyncio.subprocess.Process:
    """Start a process whose callers take tokens; more: `claims` (False leaves them out), `margin` (of a dead claim)."""
    task = {"url": url, "database": database_url, "client": client, "callers": callers, "claims": True, **more}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.tokens",
        "--work",
        json.dumps(task),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def end(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """Stop a process, and return what its callers met."""
    said, _ = await process.communicate(b"stop\n")
    if process.returncode == 0:
        return dict(json.loads(said))
    return {"tokens": 0, "requests": 0, "failures": {"died": 1}}


@dataclass
class Callers:
    """The callers of one process. Each takes a token again and again; some of the time it is used at once."""

    source: RenewedToken
    api: FreshBooksApi
    count: int
    tokens: int = 0
    requests: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Call until stopped."""
        await asyncio.gather(*(self._call() for _ in range(self.count)))

    async def _call(self) -> None:
        share = REQUESTS_PER_SECOND * PAUSE / self.count
        while not self.stopped.is_set():
            try:
                await self.source.current()
                self.tokens += 1
                if random.random() < share:
                    await self.api.identity()
                    self.requests += 1
            except ConnectorError as error:
                self.failures[type(error).__name__] += 1
                await asyncio.sleep(1)
            await asyncio.sleep(random.uniform(0, 2 * PAUSE))


async def work(task: dict[str, Any]) -> None:
    """Be one of the processes."""
    if not task["claims"]:

        async def everybody(*_: Any) -> bool:
            return True

        Tokens.claim = everybody  # type: ignore[method-assign, assignment]
    activities.tokens.MARGIN = task.get("margin", activities.tokens.MARGIN)
    store = Store(task["database"], TEST_KEYS)
    async with http_client() as http:
        client = f"{task['client']['client_id']}:{task['client']['client_secret']}"
        source = source_of(store, oauth_at(task["url"], task["client"], http), client)
        callers = Callers(source, FreshBooksApi(http, source, "sBx7Qz", task["url"], LIMIT), task["callers"])
        running = asyncio.create_task(callers.run())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        callers.stopped.set()
        await running
        await source.finish()
    await store.close()
    said = {"tokens": callers.tokens, "requests": callers.requests, "failures": callers.failures}
    sys.stdout.write(json.dumps(said) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign in full, or be one of its processes."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.tokens", description=__doc__)
    parser.add_argument("--work", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--database", default="", help="address of an empty PostgreSQL database; SQLite without")
    for name, value in asdict(Size()).items():
        if name != "claims":
            parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--without-claims", dest="claims", action="store_false", help="must find tokens used twice")
    said = vars(parser.parse_args(arguments))
    task, database = said.pop("work"), said.pop("database")
    set_up_logs("tokens", level="error")
    if task is not None:
        asyncio.run(work(task))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(campaign(Size(**said), database or sqlite_url(Path(folder))))
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    clean = found.used_twice == 0 and found.at_once == 1 and found.works
    return 0 if clean and found.version == found.refreshes + 1 else 1


if __name__ == "__main__":
    sys.exit(main())
