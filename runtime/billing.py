"""What an installation is told about billing hours. Left out, a connection bills none."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from runtime.fields import Duration, Section, TimeZone
from runtime.opportunities import ApprovalRules, Currency, RoundingRules, TaxRule

GroupBy = Literal["entry", "day", "service", "person", "project"]
RatePlace = Literal["billing-method", "service", "project", "staff", "client", "business"]
WORDS = ("group", "project", "service", "person", "days", "notes")
Rate = Annotated[Decimal, Field(gt=0)]


def _known_words(text: str) -> str:
    unknown = [word for word in re.findall(r"\{([^{}]*)\}", text) if word not in WORDS]
    if unknown:
        raise ValueError(f"there is no {{{unknown[0]}}}: use {', '.join(f'{{{word}}}' for word in WORDS)}")
    return text


LineText = Annotated[str, Field(max_length=1000), AfterValidator(_known_words)]


class PeriodRules(Section):
    """When an invoice is due to be made: after each month, each week, every so many weeks, or given closing days."""

    every: Literal["month", "week", "weeks", "closing-day"] = "month"
    # With `week`: its first day.
    week_starts: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    # With `weeks`: how many, and a day on which one of these periods begins.
    weeks: Annotated[int, Field(ge=1, le=53)] | None = None
    anchor: date | None = None
    # With `closing-day`: the last day of each period. After the last of them nothing is billed until one is added.
    closing_days: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if any((self.every == "weeks") != (said is not None) for said in (self.weeks, self.anchor)):
            raise ValueError("give both `weeks` and `anchor` with `every: weeks`, and neither without")
        if (self.every == "closing-day") != bool(self.closing_days):
            raise ValueError("give `closing_days` with `every: closing-day`, and none without")
        if len(set(self.closing_days)) < len(self.closing_days):
            raise ValueError("give each of the `closing_days` once")
        return self


class DurationRules(Section):
    """How time is rounded before it is charged."""

    # 15m bills quarters of an hour; 1s rounds nothing.
    increment: Duration = timedelta(seconds=1)
    mode: Literal["up", "nearest", "down"] = "nearest"
    of: Literal["entry", "line"] = "entry"
    # Decimals of the hours on an invoice, rounded the same way: 20 minutes are 0.33 hours, or 0.34 with `up`.
    hour_digits: Annotated[int, Field(ge=0, le=6)] = 2

    @model_validator(mode="after")
    def _whole_seconds(self) -> Self:
        if self.increment < timedelta(seconds=1) or self.increment % timedelta(seconds=1):
            raise ValueError("`increment` is a whole number of seconds, such as 6m or 900s")
        return self


class BillingFlow(Section):
    """How logged time becomes invoices."""

    # The currency of the rates in FreshBooks, which names none. Clients in another one need a rate of their own below.
    rates_currency: Currency
    # None: the time zone that FreshBooks has for the business. An entry belongs to the day on which it began there.
    time_zone: TimeZone | None = None
    periods: PeriodRules = PeriodRules()
    # From this day on, time of earlier periods that nobody billed is billed with the next one. None: it is left out.
    late_from: date | None = None
    # What the entries of one line have in common. Different rates never share a line.
    group_by: Annotated[tuple[GroupBy, ...], Field(min_length=1, max_length=5)] = ("project", "service")
    durations: DurationRules = DurationRules()
    # Where the price of an hour is looked for; the first one counts. `billing-method` is what the project names.
    rate_order: Annotated[tuple[RatePlace, ...], Field(min_length=1, max_length=6)] = (
        "billing-method",
        "service",
        "project",
        "staff",
        "client",
    )
    # The price of an hour by the id of the client in FreshBooks, in the client's own currency.
    client_rates: dict[int, Rate] = Field(default_factory=dict)
    # The business's own price of an hour, by currency: FreshBooks does not show it to programs.
    business_rate: dict[Currency, Rate] = Field(default_factory=dict)
    # Customers read both. Words in braces: {group}, {project}, {service}, {person}, {days}, {notes}.
    line_name: LineText = "{group}"
    line_description: LineText = "{days}"
    # More lines go to further invoices. FreshBooks publishes no limit.
    most_lines: Annotated[int, Field(ge=1)] | None = None
    taxes: Annotated[tuple[TaxRule, ...], Field(max_length=2)] = ()
    rounding: RoundingRules = RoundingRules()
    invoice: Literal["draft", "final"] = "draft"
    due_days: Annotated[int, Field(ge=0, le=365)] = 30
    invoice_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,12}$")] = "H-"
    approvals: ApprovalRules = ApprovalRules()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.group_by)) < len(self.group_by) or len(set(self.rate_order)) < len(self.rate_order):
            raise ValueError("name each word of `group_by` and `rate_order` once")
        return self
