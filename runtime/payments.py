"""What an installation is told about payments. Left out, a connection does not look at any."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from runtime.fields import Duration, Section
from runtime.opportunities import Percent


class PaymentsFlow(Section):
    """How payments are matched to their invoices and judged."""

    sweep_every: Duration = timedelta(minutes=5)
    # An invoice that lacks at most this share of its amount was paid too little; one that lacks more, in part.
    under_percent: Percent = Decimal(2)
    # What FreshBooks shows as paid of an overpaid invoice, which nobody says: its amount, or all that was paid.
    overpaid_shown: Literal["capped", "counted"] = "capped"
