"""Work for the examples of these tests: Nora's Quist AB (client 7) is billed in EUR for March 2026, in Berlin."""

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mapping.hours import BilledClient, HoursFacts, HoursInvoice, HoursPlan, HoursRules, plan_hours
from mapping.line_words import Names
from mapping.money import Money
from mapping.periods import Period
from mapping.rates import Rates
from mapping.time_entries import Project, TimeEntry
from mapping.values import UnmappableValue

BERLIN = ZoneInfo("Europe/Berlin")
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
QUIST = BilledClient(7, "EUR")
WEBSITE, SUPPORT = 61, 62
DESIGN, TRAVEL = 41, 42
IDA, TOM = 701, 702
PROJECTS = {WEBSITE: Project(WEBSITE, 7), SUPPORT: Project(SUPPORT, 7)}
NAMES = Names(
    projects={WEBSITE: "Website", SUPPORT: "Support"},
    services={DESIGN: "Design", TRAVEL: "Travel"},
    people={IDA: "Ida Berg", TOM: "Tom Ruiz"},
)


def money(text: str, currency: str = "EUR") -> Money:
    return Money.parse(text, currency)


RATES = Rates(services={DESIGN: money("95.00"), TRAVEL: money("60.00")})
RULES = HoursRules(BERLIN)


def entry(number: int, duration: str = "1:00", began: str = "2026-03-02T09:00", **values: Any) -> TimeEntry:
    """Return an entry of client 7 for design on the website; the duration is "h:mm", or "h:mm:ss"."""
    hours, minutes, seconds = (int(part) for part in f"{duration}:0".split(":")[:3])
    started = datetime.fromisoformat(began).replace(tzinfo=UTC)
    known = {"client_id": 7, "project_id": WEBSITE, "service_id": DESIGN, "person_id": IDA}
    return TimeEntry(number, started, hours * 3600 + minutes * 60 + seconds, **{**known, **values})


def planned(*entries: TimeEntry, rules: HoursRules = RULES, **facts: Any) -> HoursPlan:
    given: dict[str, Any] = {"projects": PROJECTS, "rates": RATES, "names": NAMES, **facts}
    return plan_hours(QUIST, MARCH, HoursFacts(entries, **given), rules)


def only(plan: HoursPlan) -> HoursInvoice:
    (invoice,) = plan.invoices
    return invoice


def told(plan: HoursPlan) -> list[tuple[str, str, str, str]]:
    """Return name, hours, rate and amount of every line of all invoices, as text."""
    lines = [line for invoice in plan.invoices for line in invoice.lines]
    return [
        (each.line.name, f"{each.line.quantity:f}", each.line.unit_cost.format(), each.amount.format())
        for each in lines
    ]


def refusal(*entries: TimeEntry, **facts: Any) -> list[str]:
    """Return every reason for which nothing of these entries is billed."""
    with pytest.raises(UnmappableValue) as refused:
        planned(*entries, **facts)
    return re.split("; (?=time entr)", refused.value.reason)
