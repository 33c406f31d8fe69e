"""What one connection needs to bill its hours and to check its payments: its rules, and the activities."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from activities.billing_rules import BillingRules
from activities.document_rules import Approvals
from mapping.durations import DurationMode, DurationOf, DurationRounding
from mapping.hours import HoursRules
from mapping.line_words import GroupBy, LineWords
from mapping.lines import LineTax
from mapping.payments import OverpaidShown, PaymentRules
from mapping.periods import Calendar, ClosingDays, EveryWeeks, Monthly
from mapping.rates import RatePlace
from mapping.rounding import BooksDecimals, Rounding, RoundingPolicy, TaxRounding
from runtime.billing import BillingFlow, PeriodRules

MONDAY = date(2024, 1, 1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def billing_rules(flow: BillingFlow) -> BillingRules:
    """Return how a connection's hours become invoices."""
    asked = flow.approvals
    return BillingRules(
        version=hashlib.sha256(flow.model_dump_json().encode()).hexdigest()[:16],
        zone=ZoneInfo(flow.time_zone) if flow.time_zone else None,
        calendar=_calendar(flow.periods),
        hours=_hours(flow),
        rates_currency=flow.rates_currency,
        client_rates=flow.client_rates,
        business_rate=flow.business_rate,
        number_prefix=flow.invoice_prefix,
        is_final=flow.invoice == "final",
        due_days=flow.due_days,
        approvals=Approvals(asked.above, asked.first_invoice, asked.escalate_after, asked.expire_after),
        payments=PaymentRules(flow.payments.under_percent, OverpaidShown(flow.payments.overpaid_shown)),
    )


def _calendar(periods: PeriodRules) -> Calendar:
    match periods.every:
        case "month":
            return Monthly()
        case "week":
            return EveryWeeks(1, MONDAY + timedelta(days=WEEKDAYS.index(periods.week_starts)))
        case "weeks":
            return EveryWeeks(periods.weeks or 1, periods.anchor or MONDAY)
        case "closing-day":
            return ClosingDays(periods.closing_days)


def _hours(flow: BillingFlow) -> Callable[[ZoneInfo], HoursRules]:
    durations, rounding = flow.durations, flow.rounding

    def in_zone(zone: ZoneInfo) -> HoursRules:
        return HoursRules(
            zone=zone,
            group_by=tuple(GroupBy(each) for each in flow.group_by),
            durations=DurationRounding(
                int(durations.increment.total_seconds()),
                DurationMode(durations.mode),
                DurationOf(durations.of),
                durations.hour_digits,
            ),
            rate_order=tuple(RatePlace(each) for each in flow.rate_order),
            taxes=tuple(LineTax(each.name, each.percent) for each in flow.taxes),
            rounding=RoundingPolicy(
                Rounding(rounding.mode), TaxRounding(rounding.taxes), BooksDecimals(rounding.decimals)
            ),
            words=LineWords(flow.line_name, flow.line_description),
            late_from=flow.late_from,
            most_lines=flow.most_lines,
        )

    return in_zone
