"""What an hour costs: the first rate in the invoice's currency, in the order that the connection states.

FreshBooks gives the rates of services, projects and team members as numbers without a currency, and does not say which
of several counts. Source: https://www.freshbooks.com/api/services, /api/project, /api/team-members
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mapping.money import Money, MoneyError, exact_number
from mapping.values import UnmappableValue


class RatePlace(StrEnum):
    """Where a rate may stand. `billing-method` is the one place that the project's own billing method names."""

    BILLING_METHOD = "billing-method"
    SERVICE = "service"
    PROJECT = "project"
    STAFF = "staff"
    CLIENT = "client"
    BUSINESS = "business"


DEFAULT_ORDER = (
    RatePlace.BILLING_METHOD,
    RatePlace.SERVICE,
    RatePlace.PROJECT,
    RatePlace.STAFF,
    RatePlace.CLIENT,
)

_METHODS = {
    "business_rate": RatePlace.BUSINESS,
    "project_rate": RatePlace.PROJECT,
    "service_rate": RatePlace.SERVICE,
    "team_member_rate": RatePlace.STAFF,
}
HOURLY_METHODS = frozenset(_METHODS)
"""The billing methods that are documented; each of them charges hours."""


@dataclass(frozen=True)
class Rates:
    """The hourly rates that are known, by the ids of FreshBooks. A place without an entry has no rate."""

    services: Mapping[int, Money] = field(default_factory=dict)
    projects: Mapping[int, Money] = field(default_factory=dict)
    staff: Mapping[int, Money] = field(default_factory=dict)
    clients: Mapping[int, Money] = field(default_factory=dict)
    business: Money | None = None


@dataclass(frozen=True)
class Work:
    """What a rate depends on: for whom, on what and by whom the work was done. None is what the entry does not say."""

    client_id: int
    project_id: int | None = None
    service_id: int | None = None
    person_id: int | None = None
    billing_method: str | None = None


@dataclass(frozen=True)
class FoundRate:
    """The price of an hour, and where it stood; never `billing-method`, which only points to a place."""

    rate: Money
    place: RatePlace


def find_rates(work: Work, rates: Rates, order: Sequence[RatePlace] = DEFAULT_ORDER) -> list[FoundRate]:
    """Return every rate that there is, in the stated order: the first one in the currency of the invoice counts."""
    found: dict[RatePlace, FoundRate] = {}
    for stated in order:
        place = _METHODS.get(work.billing_method or "") if stated is RatePlace.BILLING_METHOD else stated
        rate = _rate_at(place, work, rates) if place is not None else None
        if rate is not None and place is not None:
            found.setdefault(place, FoundRate(rate, place))
    return list(found.values())


def hourly_rate(said: object, currency: str) -> Money | None:
    """Return a rate that FreshBooks gave as text or number, in the currency that the connection declares for rates.

    Nothing, an empty text and zero are no rate: work for nothing is marked as not billable. Raises UnmappableValue for
    anything that is no amount of this currency, such as 110.50 JPY, and for less than zero.
    """
    if said in (None, ""):
        return None
    try:
        number = exact_number(said)
        rate = Money(number, currency)
    except MoneyError as error:
        raise UnmappableValue("rate", str(error)) from None
    if number < 0:
        raise UnmappableValue("rate", "a rate is more than nothing: correct it in FreshBooks")
    return rate if rate.minor else None


def _rate_at(place: RatePlace, work: Work, rates: Rates) -> Money | None:
    by_id: dict[RatePlace, tuple[Mapping[int, Money], int | None]] = {
        RatePlace.SERVICE: (rates.services, work.service_id),
        RatePlace.PROJECT: (rates.projects, work.project_id),
        RatePlace.STAFF: (rates.staff, work.person_id),
        RatePlace.CLIENT: (rates.clients, work.client_id),
    }
    if place is RatePlace.BUSINESS:
        return rates.business
    known, number = by_id[place]
    return None if number is None else known.get(number)
