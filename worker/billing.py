"""What one connection needs to bill its hours: its rules, and the activities."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from activities.billing import BillingActivities, BillingBooks
from activities.billing_books import HoursBooks
from activities.billing_models import AnnounceBilling
from activities.billing_passes import BillingPassActivities
from activities.billing_rules import BillingRules
from activities.billing_undo import BillingUndoActivities
from activities.document_rules import Approvals
from activities.queues import FRESHBOOKS
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.documents import FreshBooksDocuments
from connectors.freshbooks.hours import Hours
from mapping.durations import DurationMode, DurationOf, DurationRounding
from mapping.hours import HoursRules
from mapping.line_words import GroupBy, LineWords
from mapping.lines import LineTax
from mapping.periods import Calendar, ClosingDays, EveryWeeks, Monthly
from mapping.rates import RatePlace
from mapping.rounding import BooksDecimals, Rounding, RoundingPolicy, TaxRounding
from runtime.billing import BillingFlow, PeriodRules
from runtime.settings import Connection, Settings
from store.store import Store
from worker.write_once import write_once
from workflows.billing_models import BillingWish

MONDAY = date(2024, 1, 1)
Activities = list[Callable[..., Any]]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def billing_passes(
    settings: Settings, store: Store, tell: Callable[[str, int, BillingWish], Awaitable[None]]
) -> Activities:
    """Return the local steps of billing; `tell` lets the workflow of a client know that its hours are wanted."""

    async def announce(asked: AnnounceBilling) -> None:
        wish = BillingWish(until=asked.until, first=asked.first, cause=asked.cause, priority=asked.priority)
        await tell(asked.key.connection, asked.key.client_id, wish)

    billing = {name: each.billing for name, each in settings.connections.items() if each.billing is not None}
    rules = {name: billing_rules(flow) for name, flow in billing.items()}
    once = {name: write_once(settings.connections[name], store, FRESHBOOKS) for name in billing}
    steps = BillingPassActivities(store, rules, once, announce)
    return [
        steps.begin_billing,
        steps.announce_billing,
        steps.claim_entries,
        steps.reserve_bill,
        steps.reopen_bill,
        steps.finish_bill,
        steps.drop_bill,
    ]


def billing_activities(connection: Connection, freshbooks: FreshBooksApi, store: Store) -> Activities:
    """Return what runs on the queue of FreshBooks; nothing where no hours are billed."""
    flow, account = connection.billing, freshbooks.account
    if flow is None:
        return []
    rules, hours = billing_rules(flow), Hours(freshbooks)
    books = BillingBooks(hours, HoursBooks(hours, freshbooks, rules), FreshBooksDocuments(account).invoices)
    billing = BillingActivities(books, rules, store, write_once(connection, store, FRESHBOOKS))
    undo = BillingUndoActivities(books, store)
    return [
        undo.list_void_bills,
        undo.free_entry,
        undo.release_bill,
        billing.billing_days,
        billing.list_unbilled,
        billing.plan_bill,
        billing.check_entries,
        billing.look_for_bill,
        billing.create_bill,
        billing.adopt_bill,
        billing.send_bill,
        billing.mark_entry,
    ]


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
