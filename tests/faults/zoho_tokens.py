"""One grant of Zoho's, four processes, a thousand callers: `python -m tests.faults.tokens --provider zoho`.

Zoho's refresh tokens neither rotate nor end, but within ten minutes it gives only ten access tokens, and to ask on
prolongs the wait. Here ten minutes last `window` seconds, for the stand-in and for us. First somebody else has used the
ten up while our token is due to be renewed: it still works, so nobody has to notice. Then tokens live for seconds each.
Then they are ended in mid-life until there are no more to be had (somebody else takes what is left), again and again.
The stand-in's record of when we asked is the judge.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from connectors.errors import RateLimited
from connectors.http import http_client
from connectors.oauth import OAuth, Tokens
from store.store import Store
from store.tokens import USABLE
from tests.consents import consent, grant
from tests.databases import TEST_KEYS
from tests.faults.token_callers import begin, end
from tests.faults.token_givers import ZOHO, Asked, Till, until

LIFE, LONG_LIFE = 6, 3600  # seconds
DUE = 0.81  # of its life is over: every process wants to renew such a token
SPARE = 20.0  # seconds for which the token that is due outlives the wait
PATIENCE = 60.0  # seconds, beside what a step has to wait for
# That every process gets before a token is ended. One that never knew a token to work doubts it, and does not renew it.
ANSWERS = 5
PLENTY = 10_000_000
PAUSE = 0.2  # seconds between the requests of others while there is nothing to be had
TO_BE_EXPECTED = {"RateLimited", "Unavailable", "Unauthorized"}
"""What a caller may meet while there is no token that works."""


@dataclass(frozen=True)
class Size:
    """How much is done: renewals of tokens that live for seconds, and how often tokens are ended until none is given.

    The stand-in gives `mints` access tokens within `window` seconds. Before each block at most `ends` tokens are ended.
    """

    expiries: int = 6
    blocks: int = 3
    ends: int = 12
    callers: int = 1000
    processes: int = 4
    mints: int = 10
    window: float = 15.0
    heeds: bool = True


@dataclass
class Findings:
    """What the stand-in saw, and what the callers met, while a token worked and while none did."""

    size: Size
    given: int = 0
    refused: int = 0
    within_the_wait: int = 0
    most_in_a_window: int = 0
    at_once: int = 0
    version: int = 0
    state: str = ""
    works: bool = False
    tokens_given: int = 0
    requests: int = 0
    failures_with_a_token: dict[str, int] = field(default_factory=dict)
    failures_without: dict[str, int] = field(default_factory=dict)
    seconds: float = 0

    def is_clean(self) -> bool:
        """Return whether the limit was met as often as planned, and there is nothing that must never be.

        That the limit is reached is learnt by being refused: once each time, by one process for all.
        """
        met = self.refused == self.size.blocks + 1 and self.given > self.size.expiries
        heeded = self.within_the_wait == 0 and self.at_once == 1 and self.most_in_a_window <= self.size.mints
        served = not self.failures_with_a_token and self.failures_without.keys() <= TO_BE_EXPECTED
        return met and heeded and served and self.works and self.state == USABLE and self.version == self.given + 2


async def campaign(size: Size, database_url: str, seed: int = 20261122) -> Findings:
    """Run the campaign and return what was found."""
    random.seed(seed)
    began, store = time.monotonic(), Store(database_url, TEST_KEYS)
    await store.database.migrate()
    run = _Run(size, database_url, store, Till(ZOHO), Findings(size))
    # Whatever comes this way is not counted: it is not ours.
    async with run.till.open() as run.url, http_client(httpx.ASGITransport(run.till.front)) as http:
        await run.connect(http)
        run.found.failures_with_a_token = await run.with_callers(run.while_a_token_works)
        if size.blocks:
            run.found.failures_without = await run.with_callers(run.until_there_are_no_more)
        await run.judge()
    await store.close()
    run.found.seconds = round(time.monotonic() - began, 1)
    return run.found


@dataclass
class _Run:
    """One campaign."""

    size: Size
    database_url: str
    store: Store
    till: Till
    found: Findings
    url: str = ""
    others: OAuth = field(init=False)
    tokens: Tokens = field(init=False)

    async def connect(self, http: httpx.AsyncClient) -> None:
        """Let a person consent."""
        knobs = {"mints": self.size.mints, "mints_within": self.size.window}
        self.till.note(**knobs, credits=PLENTY, concurrency=PLENTY)
        self.others = ZOHO.oauth(self.url, self.till.client, http)
        self.tokens = await consent(self.others, http, *ZOHO.scopes)
        await self._granted(timedelta(0), timedelta(seconds=LONG_LIFE))

    async def with_callers(self, happens: Callable[[], Awaitable[None]]) -> dict[str, int]:
        """Let something happen while all callers call; return what they failed by."""
        starting = [self._process() for _ in range(self.size.processes)]
        processes = await asyncio.gather(*starting)
        await happens()
        failures: Counter[str] = Counter()
        for said in await asyncio.gather(*(end(each) for each in processes)):
            self.found.tokens_given += said["tokens"]
            self.found.requests += said["requests"]
            failures.update(said["failures"])
        return dict(failures)

    async def while_a_token_works(self) -> None:
        """Use the limit up while the token is due, then let tokens end by themselves, more slowly than the limit."""
        await self._answers()
        async with self._others_ask_on():
            life = (self.size.window + SPARE) / (1 - DUE)
            await self._granted(timedelta(seconds=DUE * life), timedelta(seconds=life))
            await self._until(lambda: len(self.till.refused) > 0)
        expiries = self.size.expiries
        self.till.service.tokens.lifetime = LIFE if expiries else LONG_LIFE
        await self._until(lambda: self.till.given >= max(expiries, 1), self.size.window + LIFE * expiries)
        self.till.service.tokens.lifetime = LONG_LIFE
        await self._until(lambda: self.till.given > expiries)

    async def until_there_are_no_more(self) -> None:
        """End token after token, each after all processes have used it, and wait the block out; again and again."""
        for _ in range(self.size.blocks):
            refused = len(self.till.refused)
            for _ in range(self.size.ends):
                await self._end_one()
                if len(self.till.refused) > refused:
                    break
            else:
                async with self._others_ask_on():
                    await self._end_one()
            given = self.till.given
            await self._until(lambda known=given: self.till.given > known, self.size.window)
        await self._answers()

    async def _end_one(self) -> None:
        """End the token that all use, and see another asked for."""
        await self._answers()
        asked = len(self.till.asked)
        self.till.end_all()
        await self._until(lambda: len(self.till.asked) > asked)

    @asynccontextmanager
    async def _others_ask_on(self) -> AsyncIterator[None]:
        """Let somebody else use the same consent so that there are no tokens to be had as long as this lasts."""
        used_up = asyncio.Event()

        async def ask() -> None:
            while True:
                try:
                    await self.others.refresh(self.tokens.refresh or self.tokens.access)
                except RateLimited:
                    used_up.set()
                    await asyncio.sleep(PAUSE)

        asking = asyncio.create_task(ask())
        try:
            await used_up.wait()
            yield
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking

    async def judge(self) -> None:
        """Read the stand-in's record."""
        account, kept = await self.store.tokens.read(*ZOHO.place)
        assert account is not None
        assert kept is not None
        found, till, window = self.found, self.till, self.size.window
        found.given, found.refused, found.at_once = till.given, len(till.refused), till.at_once
        found.within_the_wait = sum(_came_after(each, till.asked, window) for each in till.refused)
        good = [each for each in till.asked if each.given]
        found.most_in_a_window = max((1 + _came_after(each, good, window) for each in good), default=0)
        found.version, found.state, found.works = account.version, account.state, till.is_live(kept.access)

    async def _process(self) -> asyncio.subprocess.Process:
        callers = self.size.callers // self.size.processes
        more = {"provider": "zoho", "heeds": self.size.heeds, "blocked_for": self.size.window}
        return await begin(self.url, self.database_url, self.till.client, callers, **more)

    async def _granted(self, age: timedelta, life: timedelta) -> None:
        await self.store.tokens.consented(*ZOHO.place, grant(self.tokens, age=age, life=life), "")

    async def _answers(self) -> None:
        """Wait until every process has used the token."""
        before = self.till.answered_to.copy()

        def enough() -> int:
            return sum(count >= before[each] + ANSWERS for each, count in self.till.answered_to.items())

        await self._until(lambda: enough() >= self.size.processes)

    async def _until(self, found: Callable[..., bool], seconds: float = 0) -> None:
        """Wait, not for ever: what did not come is missing in the findings."""
        await until(found, time.monotonic() + seconds + PATIENCE)


def _came_after(one: Asked, others: Sequence[Asked], window: float) -> int:
    """Return how many requests came after one, within so many seconds."""
    return sum(one.at < each.at < one.at + window for each in others)
