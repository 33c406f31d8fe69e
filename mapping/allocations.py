"""How the payments of one invoice are allocated to it, to the minor unit: never more than was paid, nor than is asked.

Source: https://www.freshbooks.com/api/payments (each payment names one invoice; refunds have no object of their own)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from mapping.money import Money, total


@dataclass(frozen=True)
class Payment:
    """A payment as FreshBooks shows it. An amount below zero gives money back.

    `reference` is what tells it from others, such as the bank's number of a transfer. Payments that one transfer paid
    together share a `bulk_id`. `from_credit` spends a credit and is no new money.
    """

    id: int
    amount: Money
    day: date
    invoice_id: int | None = None
    client_id: int | None = None
    reference: str | None = None
    bulk_id: int | None = None
    from_credit: bool = False
    is_deleted: bool = False


@dataclass(frozen=True)
class Allocation:
    """What became of a payment: applied to the invoice, refunded, and over. The three come to exactly its amount.

    Of a payment that gives money back nothing is applied; `refunded` is what it takes off others, and `over` what it
    gives back beyond all that was paid: both with a minus.
    """

    payment: Payment
    applied: Money
    refunded: Money
    over: Money


def in_order(payments: Iterable[Payment]) -> list[Payment]:
    """Return payments in the order in which they count: by day, and on one day by id."""
    return sorted(payments, key=lambda each: (each.day, each.id))


def allocate(asked: Money, payments: Sequence[Payment]) -> list[Allocation]:
    """Return what becomes of each payment of one invoice, in order. All are in the invoice's currency.

    What is given back comes off the last payments first; what is left of each pays the invoice, the first one first.
    Raises MoneyError for another currency.
    """
    currency = asked.currency
    ordered = in_order(payments)
    paid = sum(each.amount.minor for each in ordered if each.amount.minor > 0)
    taken = _taken_off(ordered, paid)
    room = max(asked.minor, 0)
    found = []
    for payment, refunded in zip(ordered, taken, strict=True):
        left = (payment.amount - Money.of_minor(refunded, currency)).minor
        applied = max(min(left, room), 0)
        room -= applied
        parts = (Money.of_minor(minor, currency) for minor in (applied, refunded, left - applied))
        found.append(Allocation(payment, *parts))
    return found


def sums(allocations: Sequence[Allocation], currency: str) -> tuple[Money, Money, Money]:
    """Return what is applied, what was given back of what was paid, and what is over, of these payments together."""
    given_back = total((each.refunded for each in allocations if each.payment.amount.minor > 0), currency)
    applied = total((each.applied for each in allocations), currency)
    return applied, given_back, total((each.over for each in allocations), currency)


def _taken_off(ordered: Sequence[Payment], paid: int) -> list[int]:
    """Return for each payment what of it is refunded, in minor units, and for each refund what it finds to take off."""
    covered, taken = 0, [0] * len(ordered)
    for place, payment in enumerate(ordered):
        if payment.amount.minor < 0:
            found = min(-payment.amount.minor, paid - covered)
            covered, taken[place] = covered + found, -found
    for place in reversed(range(len(ordered))):
        if ordered[place].amount.minor > 0:
            taken[place] = min(covered, ordered[place].amount.minor)
            covered -= taken[place]
    return taken
