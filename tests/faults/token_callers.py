"""A process full of callers who take tokens: `python -m tests.faults.token_callers TASK`, started by `begin`."""

import asyncio
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import activities.tokens
import connectors.zoho
from activities.renewal import Renewal
from activities.tokens import RenewedToken
from connectors.errors import ConnectorError
from connectors.http import http_client
from runtime.logs import set_up_logs
from store.store import Store
from store.tokens import Account, Tokens
from tests.databases import TEST_KEYS
from tests.faults.token_givers import GIVERS, Call

REQUESTS_PER_SECOND = 50.0  # of one process; every caller asks for a token far more often than that
PAUSE = 0.25  # of a caller, on average


async def begin(
    url: str, database_url: str, client: Mapping[str, str], callers: int, **more: Any
) -> asyncio.subprocess.Process:
    """Start a process whose callers take tokens.

    More: `provider` (FreshBooks without it), `claims` and `heeds` (False leaves that safeguard out), `margin` (of a
    dead claim, in seconds), `blocked_for` (how long Zoho's ten minutes last, in seconds).
    """
    task = {"url": url, "database": database_url, "client": dict(client), "callers": callers, **more}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.token_callers",
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
    use: Call
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
                    await self.use()
                    self.requests += 1
            except ConnectorError as error:
                self.failures[type(error).__name__] += 1
                await asyncio.sleep(1)
            await asyncio.sleep(random.uniform(0, 2 * PAUSE))


async def work(task: dict[str, Any]) -> None:
    """Be one of the processes."""
    _change(task)
    giver, client, store = (
        GIVERS[task.get("provider", "freshbooks")],
        task["client"],
        Store(task["database"], TEST_KEYS),
    )
    async with http_client() as http:
        http.headers["User-Agent"] = f"callers {os.getpid()}"
        registration = f"{client['client_id']}:{client['client_secret']}"
        renewal = Renewal(giver.provider, giver.oauth(task["url"], client, http), store.tokens, registration)
        source = RenewedToken("acme", renewal, store.tokens, giver.limit)
        callers = Callers(source, giver.call(http, source, task["url"], giver.limit), task["callers"])
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


def _change(task: Mapping[str, Any]) -> None:
    """Leave out what the task wants left out, in this process alone, and shorten what nobody waits for in a test."""
    if not task.get("claims", True):
        Tokens.claim = _everybody  # type: ignore[method-assign]
    if not task.get("heeds", True):
        Tokens.release = _forgetfully  # type: ignore[method-assign]
    activities.tokens.MARGIN = task.get("margin", activities.tokens.MARGIN)
    if "blocked_for" in task:
        connectors.zoho.BLOCKED_FOR = timedelta(seconds=task["blocked_for"])


async def _everybody(self: Tokens, account: Account, holder: str) -> bool:
    del self, account, holder
    return True


_release = Tokens.release


async def _forgetfully(self: Tokens, account: Account, holder: str, not_before: datetime | None = None) -> None:
    """Keep from the others that the system wants to be left alone."""
    del not_before
    await _release(self, account, holder)


if __name__ == "__main__":
    set_up_logs("tokens", level="error")
    asyncio.run(work(json.loads(sys.argv[1])))
