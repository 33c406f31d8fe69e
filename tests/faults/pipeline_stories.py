"""What becomes of the opportunities of the pipeline campaign: stories that the people who sell tell by their CRM.

A story waits for what it has to come upon (an estimate that can be lost needs to be there), and hurries otherwise.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from store.store import Store
from tests.faults.pipeline_judge import House, Kind
from tests.faults.pipeline_rig import Firm
from tests.faults.pipeline_sales import LOST, NEW, PROPOSAL, WON, Price
from tests.faults.pipeline_terms import PLACES

LOOK_SECONDS, HOLD_SECONDS = 0.1, 0.5
MOST_HESITATION = 0.3
PER_PARTY = 3
"""So many opportunities have one customer."""


@dataclass(frozen=True)
class Opportunity:
    """One opportunity of a story, known by its number in the campaign and by its id in the CRM."""

    number: int
    id: int


Story = Callable[["Stories", Opportunity], Awaitable[None]]


class Stories:
    """The stories of one firm. `told` counts the opportunities whose stories have come to their ends."""

    def __init__(self, firm: Firm, store: Store, count: int, seed: int) -> None:
        self._firm, self._store, self._count = firm, store, count
        self._random = random.Random(f"{seed} {firm.sales.connection}")
        self._parties: dict[int, asyncio.Task[int]] = {}
        self.entered = self.told = 0
        self._tales = [*DRAFT, *COMMON] if firm.sales.terms.invoice == "draft" else [*FINAL, *COMMON]

    @property
    def planned(self) -> Counter[str]:
        """How many documents of each kind the stories make, and how many customers buy."""
        tales = [self._tales[number % len(self._tales)][1] for number in range(self._count)]
        planned = Counter(kind for kinds in tales for kind in kinds)
        return planned + Counter(client=-(-self._count // PER_PARTY))

    async def tell(self, in_flight: int) -> None:
        """Tell them all, so many at a time."""
        places = asyncio.Semaphore(in_flight)

        async def one(number: int) -> None:
            async with places:
                await self._one(number)

        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(one(number))

    async def _one(self, number: int) -> None:
        story, kinds, first = self._tales[number % len(self._tales)]
        del kinds
        party = self._parties.setdefault(number // PER_PARTY, asyncio.create_task(self._enter_party(number)))
        sales, crm = self._firm.sales, self._firm.crm
        record_id = await sales.enter(crm, await party, f"Project {number:05}", first, price_of(number, 0))
        self.entered += 1
        await story(self, Opportunity(number, record_id))
        self.told += 1

    async def _enter_party(self, number: int) -> int:
        return await self._firm.sales.enter_party(self._firm.crm, f"Buyer {number // PER_PARTY:05}")

    # What people do

    async def move(self, opportunity: Opportunity, milestone: str) -> None:
        """Move it, after a moment."""
        await self._hesitate()
        await self._firm.sales.move(self._firm.crm, opportunity.id, milestone)

    async def price(self, opportunity: Opportunity, version: int) -> None:
        """Change its value, after a moment."""
        await self._hesitate()
        await self._firm.sales.price(self._firm.crm, opportunity.id, price_of(opportunity.number, version))

    async def customer_accepts(self, opportunity: Opportunity) -> None:
        """Let the customer accept the estimate."""
        await self.comes(lambda house: bool(house.living("estimate", opportunity.id)))
        await self._firm.books.do("estimate", self._firm.house.made("estimate", opportunity.id)[0], "accept")

    # What they wait for

    async def comes(self, holds: Callable[[House], bool]) -> None:
        """Return once the ledger says so."""
        while not holds(self._firm.house):  # noqa: ASYNC110 - it is the file of another process
            await asyncio.sleep(LOOK_SECONDS)

    async def stands(self, kind: Kind, opportunity: Opportunity) -> None:
        """Return once the opportunity has a document of this kind that can be seen."""
        await self.comes(lambda house: house.living(kind, opportunity.id) is not None)

    async def is_gone(self, kind: Kind, opportunity: Opportunity) -> None:
        """Return once it has none any more."""
        await self.comes(lambda house: house.living(kind, opportunity.id) is None)

    async def is_held(self, opportunity: Opportunity) -> None:
        """Return once the opportunity waits for a person."""
        while True:
            holds = await self._store.holds.listed()
            if any((each.flow, each.record_id) == ("opportunities", str(opportunity.id)) for each in holds):
                return
            await asyncio.sleep(HOLD_SECONDS)

    async def _hesitate(self) -> None:
        await asyncio.sleep(self._random.uniform(0, MOST_HESITATION))


def price_of(number: int, version: int) -> Price:
    """Return what an opportunity is worth at first, and after each change: amounts that do not divide."""
    currency = list(PLACES)[number % len(PLACES)]
    minor = 100_003 + (number * 7_919 + version * 31_337) % 900_001
    places = PLACES[currency]
    whole, rest = divmod(minor, 10**places)
    return Price(f"{whole}.{rest:0{places}}" if places else str(whole), currency)


async def _stays_new(stories: Stories, opportunity: Opportunity) -> None:
    await stories.price(opportunity, 1)


async def _stays_open(stories: Stories, opportunity: Opportunity) -> None:
    await stories.price(opportunity, 1)
    await stories.price(opportunity, 2)


async def _is_won(stories: Stories, opportunity: Opportunity) -> None:
    await stories.move(opportunity, PROPOSAL)
    await stories.stands("estimate", opportunity)
    await stories.price(opportunity, 1)
    await stories.move(opportunity, WON)


async def _is_won_at_once(stories: Stories, opportunity: Opportunity) -> None:
    await stories.move(opportunity, WON)


async def _is_lost(stories: Stories, opportunity: Opportunity) -> None:
    await stories.stands("estimate", opportunity)
    await stories.price(opportunity, 1)
    await stories.move(opportunity, LOST)


async def _is_reopened(stories: Stories, opportunity: Opportunity) -> None:
    await stories.stands("estimate", opportunity)
    await stories.move(opportunity, LOST)
    await stories.is_gone("estimate", opportunity)
    await stories.move(opportunity, PROPOSAL)
    await stories.stands("estimate", opportunity)
    await stories.price(opportunity, 1)
    await stories.move(opportunity, WON)


async def _is_accepted(stories: Stories, opportunity: Opportunity) -> None:
    await stories.customer_accepts(opportunity)
    await stories.stands("invoice", opportunity)


async def _changes_after_the_draft(stories: Stories, opportunity: Opportunity) -> None:
    await stories.stands("estimate", opportunity)
    await stories.move(opportunity, WON)
    await stories.stands("invoice", opportunity)
    await stories.price(opportunity, 1)


async def _changes_after_sending(stories: Stories, opportunity: Opportunity) -> None:
    """A person is asked, and puts the opportunity back."""
    await stories.stands("estimate", opportunity)
    await stories.move(opportunity, WON)
    await stories.stands("invoice", opportunity)
    await stories.comes(lambda house: (house.living("invoice", opportunity.id) or {}).get("v3_status") == "sent")
    await stories.price(opportunity, 1)
    await stories.is_held(opportunity)
    await stories.price(opportunity, 0)


async def _is_won_no_more_and_again(stories: Stories, opportunity: Opportunity) -> None:
    await stories.stands("estimate", opportunity)
    await stories.move(opportunity, WON)
    await stories.stands("invoice", opportunity)
    await stories.move(opportunity, PROPOSAL)
    await stories.is_gone("invoice", opportunity)
    await stories.move(opportunity, WON)


Tale = tuple[Story, Sequence[str], str]
"""A story, the documents that come of it, and where its opportunity begins."""
BOTH = ("estimate", "invoice")
COMMON: Sequence[Tale] = (
    (_is_won, BOTH, NEW),
    (_is_accepted, BOTH, PROPOSAL),
    (_is_reopened, BOTH, PROPOSAL),
    (_is_lost, ("estimate",), PROPOSAL),
    (_is_won_at_once, ("invoice",), NEW),
    (_stays_open, ("estimate",), PROPOSAL),
    (_stays_new, (), NEW),
    (_is_won, BOTH, NEW),
)
DRAFT: Sequence[Tale] = (
    (_changes_after_the_draft, BOTH, PROPOSAL),
    (_is_won_no_more_and_again, BOTH, PROPOSAL),
)
FINAL: Sequence[Tale] = ((_changes_after_sending, BOTH, PROPOSAL),)
