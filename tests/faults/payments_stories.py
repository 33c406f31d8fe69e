"""What customers do with their invoices in the payments campaign, and what has to come of it, reckoned by hand.

Nothing here knows the product's own arithmetic: each story says in minor units what its invoice must show as paid, and
of every payment how it must be judged, or why it must be held.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLACES: Mapping[str, int] = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
"""The currencies of the campaign, and the decimals of each."""
DAY = "2026-03-10"
PAID, PARTIAL, UNDER, OVER, REFUNDED, DELETED = "paid", "partial", "under", "over", "refunded", "deleted"


@dataclass(frozen=True)
class Step:
    """One payment: minor units, below zero for money given back. What becomes of it afterwards, and what must be said.

    A step with a `reason` is held for it; any other is judged as one of `verdicts`. `marks` are written over the
    payment once it is entered, as a bank's import would.
    """

    minor: int
    verdicts: frozenset[str] = frozenset()
    reason: str = ""
    currency: str = ""
    has_invoice: bool = True
    marks: Mapping[str, Any] = field(default_factory=dict)
    is_deleted: bool = False
    loses_invoice: bool = False

    @property
    def is_stray(self) -> bool:
        """Whether it counts towards no invoice of its client, so that the client's sums cannot meet."""
        return bool(self.reason) and self.reason != "duplicate-found"


@dataclass(frozen=True)
class Story:
    """The payments of one invoice in the order in which they are entered, and what it must show as paid in the end."""

    kind: str
    steps: Sequence[Step]
    shown_paid: int

    @property
    def keeps_invoice(self) -> bool:
        """Whether the invoice still stands at the end."""
        return not any(each.loses_invoice for each in self.steps)


def _judged(minor: int, *verdicts: str, **more: Any) -> Step:
    return Step(minor, frozenset(verdicts), **more)


@dataclass(frozen=True)
class Owed:
    """An invoice over so many minor units. `stranger` is another client."""

    amount: int
    currency: str
    number: int
    stranger: int

    @property
    def part(self) -> int:
        """Two fifths of it."""
        return self.amount * 2 // 5

    @property
    def marks(self) -> Mapping[str, str]:
        """What a bank knows a transfer for it by."""
        return {"transactionid": f"TRX-{self.number}"}


def _thirds(owed: Owed) -> Sequence[Step]:
    first = owed.amount // 3
    some = [_judged(first, PARTIAL, PAID) for _ in range(2)]
    return [*some, _judged(owed.amount - 2 * first, PAID)]


def _foreign(owed: Owed) -> Sequence[Step]:
    return [Step(10_000, reason="money-mismatch", currency="USD" if owed.currency != "USD" else "EUR")]


def _twice(owed: Owed) -> Sequence[Step]:
    return [
        _judged(owed.part, PARTIAL, marks=owed.marks),
        Step(owed.part, reason="duplicate-found", marks=owed.marks),
    ]


STORIES: Mapping[str, tuple[Callable[[Owed], Sequence[Step]], Callable[[Owed], int]]] = {
    "full": (lambda owed: [_judged(owed.amount, PAID)], lambda owed: owed.amount),
    "thirds": (_thirds, lambda owed: owed.amount),
    "part": (lambda owed: [_judged(owed.part, PARTIAL)], lambda owed: owed.part),
    "cent short": (lambda owed: [_judged(owed.amount - 1, UNDER)], lambda owed: owed.amount - 1),
    "too much": (lambda owed: [_judged(owed.amount + owed.amount // 10, OVER)], lambda owed: owed.amount),
    "given back": (
        lambda owed: [_judged(owed.amount, PAID, REFUNDED), _judged(-owed.amount, REFUNDED)],
        lambda _: 0,
    ),
    "withdrawn": (lambda owed: [_judged(owed.part, DELETED, is_deleted=True)], lambda _: 0),
    "foreign": (_foreign, lambda _: 0),
    "no invoice": (lambda owed: [Step(owed.part, reason="missing-parent", has_invoice=False)], lambda _: 0),
    "invoice deleted": (
        lambda owed: [Step(owed.amount, reason="missing-parent", loses_invoice=True)],
        lambda owed: owed.amount,
    ),
    "of another": (
        lambda owed: [Step(owed.part, reason="conflict", marks={"clientid": owed.stranger})],
        lambda owed: owed.part,
    ),
    "twice": (_twice, lambda owed: 2 * owed.part),
}
"""What may happen to an invoice: the payments, and what it must show as paid once all of them were made."""


def story(kind: str, owed: Owed) -> Story:
    """Return a story of an invoice."""
    steps, shown_paid = STORIES[kind]
    return Story(kind, steps(owed), shown_paid(owed))


CLEAN = ("full", "thirds", "part", "cent short", "too much", "given back", "withdrawn")
ODD = ("foreign", "no invoice", "invoice deleted", "of another", "twice")
CHANCES = (3, 6, 1, 1, 1, 1, 1)
"""How often each of the clean stories is told, of fourteen."""


def draw(chance: random.Random, count: int, *, messy: bool) -> list[str]:
    """Return what happens to the invoices of a customer. A messy one does all that is odd, as far as it can."""
    odd = chance.sample(ODD, min(count, len(ODD))) if messy else []
    more = chance.choices(ODD, k=(count - len(odd)) // 2) if messy else []
    return [*odd, *more, *chance.choices(CLEAN, CHANCES, k=count - len(odd) - len(more))]


def text(minor: int, currency: str) -> str:
    """Return minor units as decimal text. 1250, EUR: "12.50"."""
    places = PLACES[currency]
    sign, digits = "-" if minor < 0 else "", f"{abs(minor):0{places + 1}}"
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"
