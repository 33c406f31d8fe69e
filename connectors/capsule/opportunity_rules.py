"""What follows from an opportunity and the table of milestones. Pure.

Source: https://developer.capsulecrm.com/v2/models/opportunity, /v2/operations/Milestone
"""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, Inexact
from typing import Any, Literal

from connectors.capsule.models import User
from connectors.capsule.opportunity_models import Milestone, Opportunity, OpportunityValue, UserAddresses
from connectors.capsule.problems import DIALECT
from connectors.errors import Refused

Status = Literal["open", "won", "lost"]

FIXED = "FIXED"
EXACT = Context(prec=60, traps=[Inexact])


def status_of(opportunity: Opportunity, milestones: Mapping[int, Milestone]) -> Status:
    """Return whether an opportunity is open, won or lost, by its milestone in the table of all milestones.

    A milestone that the table does not have (its pipeline may be archived) counts as the opportunity embeds it. Raises
    Refused if that says nothing, and for a closing milestone that is neither 100 nor 0 percent: we do not guess.
    """
    own = opportunity.milestone
    if own is None:
        raise Refused(DIALECT.system, f"opportunity {opportunity.id} has no milestone: give it one in Capsule")
    milestone = milestones.get(own.id, own)
    if milestone.complete is False:
        return "open"
    if milestone.complete and milestone.probability in (0, 100):
        return "won" if milestone.probability == 100 else "lost"
    text = f"milestone {own.id} of opportunity {opportunity.id} does not say whether it is won or lost"
    raise Refused(DIALECT.system, f"{text}: make it 100 percent (won) or 0 percent (lost) in Capsule, then retry")


def total_of(opportunity: Opportunity) -> OpportunityValue:
    """Return what an opportunity is worth in all: unless its price is fixed, the amount times the duration.

    Without an amount there is none. Raises Refused for an amount per unit without a duration, or without a currency.
    """
    value = opportunity.value or OpportunityValue()
    if value.amount is None:
        return value
    if not value.currency:
        text = f"the amount of opportunity {opportunity.id} has no currency"
        raise Refused(DIALECT.system, f"{text}: set it in Capsule, then retry")
    basis = opportunity.duration_basis or FIXED
    if basis == FIXED:
        return value
    if opportunity.duration is None:
        text = f"opportunity {opportunity.id} is priced per unit of time but has no duration"
        raise Refused(DIALECT.system, f"{text}: set the duration, or make the value fixed, in Capsule, then retry")
    return OpportunityValue(amount=EXACT.multiply(value.amount, opportunity.duration), currency=value.currency)


def addresses_of(user: User) -> UserAddresses:
    """Return a user's email addresses, those of type Work first, as far as the user's party was told in full."""
    party = user.party
    if party is None:
        return UserAddresses(user, None, ())
    if "email_addresses" not in party.model_fields_set:
        return UserAddresses(user, party.id, None)
    rows = sorted(party.email_addresses, key=lambda row: row.type != "Work")
    return UserAddresses(user, party.id, tuple(row.address for row in rows if row.address))


def on_the_wire(value: Any) -> Any:
    """Return a value as JSON can say it: amounts become numbers that read as exactly the same amount.

    Raises ValueError for an amount with more digits than Capsule's numbers hold, rather than write another one.
    """
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return {key: on_the_wire(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [on_the_wire(each) for each in value]
    return value


def _number(amount: Decimal) -> int | float:
    number = float(amount)
    if not amount.is_finite() or Decimal(repr(number)) != amount:
        raise ValueError("an amount has more digits than Capsule keeps: round it to the currency's minor unit first")
    return int(amount) if number.is_integer() else number
