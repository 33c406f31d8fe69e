"""One grant, four processes, a thousand callers: `python -m tests.faults.tokens` prints one JSON line of findings.

FreshBooks' refresh tokens work once. The stand-in's access tokens live for two seconds, or are ended in mid-life;
whoever calls just wants a token that works. The stand-in's records are the judge: they say which refresh tokens came
back twice. With `--provider zoho` it is another run, see `zoho_tokens.py`.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from pathlib import Path

from connectors.http import http_client
from runtime.logs import set_up_logs
from sandbox.faults import FaultRule
from store.store import Store
from tests.consents import consent, grant, renewals, reuses
from tests.databases import TEST_KEYS, sqlite_url
from tests.faults import zoho_tokens
from tests.faults.token_callers import begin, end
from tests.faults.token_givers import FRESHBOOKS, Till, until

LIFE = 2  # seconds; real ones live for twelve hours
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

    def is_clean(self) -> bool:
        """Return whether there is nothing that must never be."""
        once = self.used_twice == 0 and self.at_once == 1
        return once and self.works and self.version == self.refreshes + 1


async def campaign(size: Size, database_url: str, seed: int = 20261122) -> Findings:
    """Run the campaign and return what was found."""
    random.seed(seed)
    books, found, began = Till(FRESHBOOKS), Findings(), time.monotonic()
    store = Store(database_url, TEST_KEYS)
    await store.database.migrate()
    async with books.open() as url, http_client() as http:
        # Long enough for two processes to meet in it, if they can.
        slow = FaultRule(path="/oauth/token$", fault="latency", seconds=0.02)
        books.service.tokens.lifetime = LIFE
        tokens = await consent(FRESHBOOKS.oauth(url, books.client, http), http)
        books.service.faults.add(slow)
        await store.tokens.consented(*FRESHBOOKS.place, grant(tokens, life=timedelta(seconds=LIFE)), "sBx7Qz")
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


async def _expire(books: Till, size: Size) -> None:
    """Let the tokens live for a short time each."""
    await until(lambda: renewals(books.sandbox) >= size.expiries, time.monotonic() + 2 * LIFE * size.expiries)
    books.service.tokens.lifetime = 43_200


async def _revoke(books: Till, size: Size) -> None:
    """End token after token in mid-life, each after all processes have used it."""
    deadline = time.monotonic() + 10 + size.revocations
    for _ in range(size.revocations):
        answered, before = books.answered, renewals(books.sandbox)
        await until(lambda known=answered: books.answered >= known + ANSWERS_BETWEEN, deadline)
        if time.monotonic() > deadline:
            return
        books.end_newest()
        await until(lambda known=before: renewals(books.sandbox) > known, deadline + FRESHBOOKS.limit.total_seconds())


async def _judge(books: Till, store: Store, found: Findings) -> None:
    account, kept = await store.tokens.read(*FRESHBOOKS.place)
    assert account is not None
    assert kept is not None
    found.refreshes, found.used_twice = renewals(books.sandbox), reuses(books.sandbox)
    found.at_once, found.version, found.state = books.at_once, account.version, account.state
    found.works = books.is_live(kept.access)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign of a provider in full, or as much of it as was asked for; print its findings."""
    parser = _parser()
    said = vars(parser.parse_args(arguments))
    provider, database = said.pop("provider"), said.pop("database")
    known = {each.name for each in fields(zoho_tokens.Size if provider == "zoho" else Size)}
    if said.keys() - known:
        parser.error(f"not for {provider}: {', '.join(sorted(said.keys() - known))}")
    set_up_logs("tokens", level="error")
    with tempfile.TemporaryDirectory() as folder:
        url = database or sqlite_url(Path(folder))
        found: Findings | zoho_tokens.Findings
        if provider == "zoho":
            found = asyncio.run(zoho_tokens.campaign(zoho_tokens.Size(**said), url))
        else:
            found = asyncio.run(campaign(Size(**said), url))
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return 0 if found.is_clean() else 1


def _parser() -> argparse.ArgumentParser:
    """Only what was asked for is in what it returns: the rest is the size's own."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.tokens", description=__doc__, argument_default=argparse.SUPPRESS
    )
    parser.add_argument("--provider", choices=("freshbooks", "zoho"), default="freshbooks")
    parser.add_argument("--database", default="", help="address of an empty PostgreSQL database; SQLite without")
    for name in ("expiries", "revocations", "blocks", "callers", "processes"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--without-claims", dest="claims", action="store_false", help="must find tokens used twice")
    parser.add_argument("--heedless", dest="heeds", action="store_false", help="must find requests within the block")
    return parser


if __name__ == "__main__":
    sys.exit(main())
