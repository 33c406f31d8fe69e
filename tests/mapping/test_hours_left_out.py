"""Time that is not billed: left out with a reason where that is sound, and otherwise nothing is billed at all."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mapping.hours import BilledClient, HoursFacts, plan_hours
from mapping.line_words import GroupBy
from mapping.lines import LineTax
from mapping.rates import Rates
from mapping.rounding import BooksDecimals, RoundingPolicy
from mapping.time_entries import EXPLAINED, LeftOut, Project
from mapping.values import UnmappableValue
from tests.mapping.hours import DESIGN, MARCH, PROJECTS, RATES, RULES, SUPPORT, entry, money, planned, refusal

NO_RATE = "(billing-method, service, project, staff, client); set one in FreshBooks, or mark the time as not billable"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"is_deleted": True}, LeftOut.DELETED),
        ({"client_id": 8, "project_id": None}, LeftOut.OTHER_CLIENT),
        ({"client_id": None, "project_id": None}, LeftOut.NO_CLIENT),
        ({"client_id": None, "project_id": 404}, LeftOut.UNKNOWN_PROJECT),
        ({"is_running": True, "seconds": None}, LeftOut.RUNNING),
        ({"is_billable": False}, LeftOut.NOT_BILLABLE),
        ({"is_billed": True}, LeftOut.BILLED),
        ({"seconds": 0}, LeftOut.NO_TIME),
        ({"retainer_id": 5}, LeftOut.RETAINER),
    ],
)
def test_what_is_not_to_be_billed_is_left_out_with_its_reason(values: dict[str, Any], reason: LeftOut) -> None:
    """F31: what is billed already, also by hand, is never billed again. S14: and nothing vanishes without a word."""
    plan = planned(entry(1), replace(entry(2), **values))
    assert [each.entry_ids for each in plan.invoices] == [(1,)]
    assert [(each.entry_id, each.reason) for each in plan.left_out] == [(2, reason)]


@pytest.mark.parametrize(
    ("began", "reason"),
    [("2026-02-28T12:00", LeftOut.EARLIER), ("2026-04-01T12:00", LeftOut.LATER)],
)
def test_work_of_another_period_is_left_out(began: str, reason: LeftOut) -> None:
    """F32"""
    assert planned(entry(1, began=began)).left_out[0].reason == reason


@pytest.mark.parametrize(
    ("project", "reason"),
    [
        (Project(SUPPORT, 7, "fixed_price"), LeftOut.FLAT_RATE),
        (Project(SUPPORT, 7, "fixed_price", "business_rate"), LeftOut.FLAT_RATE),
        (Project(SUPPORT, 7, "hourly_rate", "flat_rate"), LeftOut.NOT_HOURLY),
        (Project(SUPPORT, 7, "milestones"), LeftOut.NOT_HOURLY),
    ],
)
def test_a_project_that_is_not_charged_by_the_hour_is_left_out(project: Project, reason: LeftOut) -> None:
    """S3: a website for 6,000.00 does not cost more because it took longer."""
    plan = planned(entry(1), entry(2, project_id=SUPPORT), projects={**PROJECTS, SUPPORT: project})
    assert [each.entry_ids for each in plan.invoices] == [(1,)]
    assert [(each.entry_id, each.reason) for each in plan.left_out] == [(2, reason)]


@pytest.mark.parametrize("method", [None, "business_rate", "project_rate", "service_rate", "team_member_rate"])
def test_every_billing_method_that_is_documented_charges_hours(method: str | None) -> None:
    plan = planned(entry(1), projects={**PROJECTS, 61: Project(61, 7, "hourly_rate", method)})
    assert len(plan.invoices) == 1


def test_an_entry_without_a_client_belongs_to_the_one_of_its_project() -> None:
    assert planned(entry(1, client_id=None)).invoices[0].entry_ids == (1,)


def test_every_reason_is_explained() -> None:
    assert set(EXPLAINED) == set(LeftOut)


def test_one_entry_without_a_rate_refuses_the_whole_invoice_and_is_named() -> None:
    """F29"""
    assert refusal(entry(1), entry(2, service_id=99)) == ["time entry 2: no rate " + NO_RATE]
    assert refusal(entry(1), entry(2, service_id=99), entry(3, service_id=98)) == [
        "time entries 2, 3: no rate " + NO_RATE
    ]


def test_all_reasons_are_told_at_once() -> None:
    """F29"""
    torn = [entry(4), entry(4, "3:00")]
    assert refusal(
        entry(1, service_id=99),
        entry(2, project_id=404),
        replace(entry(3), seconds=None),
        replace(entry(5), seconds=-60),
        entry(6, client_id=8),
        *torn,
    ) == [
        "time entry 4: changed while the list was read; bill again",
        "time entry 1: no rate " + NO_RATE,
        "time entry 2: the project could not be read; restore it, or give the time another one",
        "time entries 3, 5: no duration, though no timer runs; correct it",
        "time entry 6: the project belongs to another client than the time; correct either",
    ]


def test_of_very_many_entries_only_the_first_are_named() -> None:
    (reason,) = refusal(*(entry(number, service_id=99) for number in range(1, 31)))
    assert "18, 19, 20 and 10 more: no rate" in reason


def test_an_entry_that_was_listed_twice_is_billed_once() -> None:
    """F31: pages shift while they are read."""
    plan = planned(entry(1), entry(2), entry(1))
    assert plan.invoices[0].entry_ids == (1, 2)
    assert plan.invoices[0].lines[0].charged == 7200


def test_a_rate_in_another_currency_is_not_converted() -> None:
    """F26"""
    facts = HoursFacts([entry(1)], PROJECTS, RATES)
    with pytest.raises(UnmappableValue) as refused:
        plan_hours(BilledClient(7, "SEK"), MARCH, facts, RULES)
    assert refused.value.reason == (
        "time entry 1: a rate in EUR, and client 7 is billed in SEK; nothing here converts, so give the client a rate "
        "in SEK"
    )


def test_a_client_in_another_currency_is_billed_at_its_own_rate() -> None:
    """F26: the service's rate is in EUR and does not count."""
    rates = Rates(services={DESIGN: money("95.00")}, clients={7: money("1000.00", "SEK")})
    plan = plan_hours(BilledClient(7, "SEK"), MARCH, HoursFacts([entry(1, "1:30")], PROJECTS, rates), RULES)
    assert plan.invoices[0].totals.net == money("1500.00", "SEK")


def test_books_that_would_charge_fractions_of_a_yen_bill_nothing() -> None:
    """S40: a quarter of an hour at 9,001 yen are 2,250.25, which such books would write down."""
    facts = HoursFacts([entry(1, "0:15")], PROJECTS, Rates(services={DESIGN: money("9001", "JPY")}))
    with pytest.raises(UnmappableValue, match="time entry 1: the books would reckon 2 decimals of JPY"):
        plan_hours(BilledClient(7, "JPY"), MARCH, facts, RULES)


def test_a_rate_that_the_books_would_cut_bills_nothing() -> None:
    """S39: books with two decimals would make 10.13 of 10.125 dinars."""
    facts = HoursFacts([entry(1)], PROJECTS, Rates(services={DESIGN: money("10.125", "KWD")}))
    with pytest.raises(UnmappableValue, match=r"time entry 1: a rate \(service\) finer than the books keep of KWD"):
        plan_hours(BilledClient(7, "KWD"), MARCH, facts, RULES)
    minor = replace(RULES, rounding=RoundingPolicy(decimals=BooksDecimals.MINOR_UNITS))
    assert len(plan_hours(BilledClient(7, "KWD"), MARCH, facts, minor).invoices) == 1


def test_a_third_tax_bills_nothing() -> None:
    """Z52"""
    taxes = tuple(LineTax(name, Decimal(5)) for name in ("GST", "PST", "Eco"))
    with pytest.raises(UnmappableValue, match=r"line 2 has 3 taxes \(GST, PST, Eco\)"):
        planned(entry(1), entry(2), rules=replace(RULES, taxes=taxes, group_by=(GroupBy.ENTRY,)))


def test_reasons_hold_no_names_and_no_notes() -> None:
    told = " ".join(refusal(entry(1, service_id=99, note="Divorce of Nora Quist")))
    assert not any(name in told for name in ("Nora", "Ida", "Website", "Design"))
