"""How one connection bills hours: its settings, as activities need them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from activities.document_rules import Approvals
from mapping.hours import HoursRules
from mapping.periods import Calendar


@dataclass(frozen=True)
class BillingRules:
    """One connection's rules. `zone` is None where FreshBooks says which it is; `hours` takes the zone.

    `client_rates` are by the id of the client, in the client's currency; `business_rate` is by currency.
    `version` changes with any of it.
    """

    version: str
    zone: ZoneInfo | None
    calendar: Calendar
    hours: Callable[[ZoneInfo], HoursRules]
    rates_currency: str
    client_rates: Mapping[int, Decimal]
    business_rate: Mapping[str, Decimal]
    number_prefix: str
    is_final: bool
    due_days: int
    approvals: Approvals

    def number(self, bill_id: int) -> str:
        """Return the number of a bill's invoice: always the same, so that it can be found again.

        FreshBooks counts on from the latest number, whoever chose it: behind H-7-1 comes H-7-2, which is nobody's.
        """
        return f"{self.number_prefix}{bill_id}-1"
