"""What a billing report says of a period, by examples that a bookkeeper can check."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.billing_report_facts import By, ReportEntry, ReportInvoice, ReportPayment
from activities.billing_report_lags import median, slowest_tenth
from activities.billing_report_models import Basis, BillingReport, HoursKind
from mapping.allocations import Payment
from mapping.money import Money
from mapping.payments import Invoice, reconcile
from mapping.statements import statements
from tests.billing_reports import ANNA, BO, MARCH, busy_march, day, entry, invoice, payment, report

OCTOBER_TO_JANUARY = (date(2025, 10, 1), date(2026, 1, 31))


def told(made: BillingReport, by: By) -> dict[int | None, dict[str, int]]:
    """Return the minutes by record and kind."""
    sums = made.hours_by(by)
    return {
        each.record_id: {kind.value: part.seconds // 60 for kind, part in each.parts.items() if part.seconds}
        for each in sums
    }


def waits(made: BillingReport) -> list[tuple[str, str, str, int, Decimal | None, int | None]]:
    return [(each.step, each.basis, each.month, each.count, each.median, each.p90) for each in made.lags]


def owed(made: BillingReport) -> dict[tuple[int, str, str], int]:
    return {(each.client_id, each.currency, each.bucket): each.minor for each in made.ages}


def test_hours_are_billed_unbilled_or_not_billable_by_whoever_they_are_summed() -> None:
    """S14, Z96: 3:45 billed, 0:20 to be billed, 0:50 for nothing; February's four hours are not March's."""
    made = busy_march()
    assert told(made, By.CLIENT) == {7: {"billed": 225, "unbilled": 20}, 8: {"not-billable": 50}}
    assert told(made, By.PROJECT) == {61: {"billed": 225, "unbilled": 20}, 62: {"not-billable": 50}}
    assert told(made, By.SERVICE) == {42: {"billed": 135}, 41: {"billed": 90, "unbilled": 20, "not-billable": 50}}
    assert told(made, By.PERSON) == {ANNA: {"billed": 90, "unbilled": 20, "not-billable": 50}, BO: {"billed": 135}}


def test_every_number_of_hours_names_its_entries() -> None:
    client = busy_march().hours_by(By.CLIENT)[0]
    assert {kind.value: part.entry_ids for kind, part in client.parts.items()} == {
        "billed": [901, 902],
        "unbilled": [903],
        "not-billable": [],
    }


def test_time_that_names_no_client_belongs_to_the_client_of_its_project() -> None:
    """S3."""
    made = report([entry(1, "2026-03-02", "1:00", client_id=None)], project_clients={61: 8})
    assert told(made, By.CLIENT) == {8: {"unbilled": 60}}


def test_time_of_nobody_is_shown_as_such_behind_all_others() -> None:
    lost = entry(1, "2026-03-02", "9:00", client_id=None, project_id=None, service_id=None, person_id=None)
    made = report([lost, entry(2, "2026-03-02", "1:00")])
    for by in By:
        assert [each.record_id is None for each in made.hours_by(by)] == [False, True]
    assert made.names.of(By.CLIENT, None) == "no client"


def test_time_that_is_billed_counts_as_billed_though_it_is_not_ticked_as_billable() -> None:
    made = report([entry(1, "2026-03-02", "1:00", is_billed=True, is_billable=False)])
    assert made.hours_in_all().parts[HoursKind.BILLED].seconds == 3600


def test_an_entry_that_was_listed_twice_counts_once() -> None:
    """F31: rows shift while a list is read page by page."""
    twice = [entry(1, "2026-03-02", "1:00"), entry(1, "2026-03-02", "1:00")]
    assert report(twice).hours_in_all().seconds == 3600


def test_each_currency_stands_for_itself() -> None:
    """Z13: 1,234.50 EUR of which 1,000.00 was paid and 34.50 came from credit; yen have no cents, dinars a thousand."""
    made = busy_march()
    sums = {each.currency: each for each in made.sums}
    assert list(sums) == ["EUR", "JPY", "KWD"]
    assert (sums["EUR"].invoiced, sums["EUR"].drafts) == (123_450, 1_000)
    assert (sums["EUR"].received, sums["EUR"].from_credit, sums["EUR"].outstanding) == (100_000, 3_450, 21_000)
    assert (sums["JPY"].invoiced, sums["JPY"].outstanding) == (125_000, 125_000)
    assert (sums["KWD"].invoiced, sums["KWD"].outstanding) == (0, 99_125)
    assert made.decimals == {"EUR": 2, "JPY": 0, "KWD": 3}


def test_every_sum_of_money_names_its_invoices_and_payments() -> None:
    euro = busy_march().sums[0]
    assert (euro.invoice_ids, euro.draft_ids) == ([71], [74])
    assert (euro.payment_ids, euro.credit_payment_ids) == ([81], [82])
    assert euro.outstanding_ids == [71, 74]


def test_what_is_outstanding_is_of_the_last_day_whatever_was_paid_since() -> None:
    """An invoice of 100.00 of 10 March, paid in two parts: 40.00 on the 20th, 60.00 on 1 April."""
    bill = invoice(71, "2026-03-10", "100.00", due=day("2026-03-24"))
    parts = [payment(1, "2026-03-20", "40.00", 71), payment(2, "2026-04-01", "60.00", 71)]
    made = report([], [bill], parts)
    assert made.invoices[0].outstanding == 6_000
    assert owed(made) == {(7, "EUR", "1-30"): 6_000}
    assert [each.id for each in made.payments] == [1]
    april = report([], [bill], parts, days=(day("2026-04-01"), day("2026-04-30")))
    assert owed(april) == {}


def test_the_ages_are_those_of_the_statements() -> None:
    """The same invoices and payments, weighed by the statements of the reconciliation."""
    made = busy_march()
    made_of = [
        Invoice(71, 7, euro("1234.50"), euro("0"), euro("1234.50"), "partial", day("2026-03-20")),
        Invoice(74, 7, euro("10.00"), euro("0"), euro("10.00"), "unpaid", is_draft=True),
    ]
    paid = [
        Payment(81, euro("1000.00"), day("2026-03-12"), 71),
        Payment(82, euro("34.50"), day("2026-03-14"), 71, from_credit=True),
    ]
    (statement,) = statements(reconcile(made_of, paid), [], day("2026-03-31"))
    said = {bucket.value: amount.minor for bucket, amount in statement.ageing.items() if amount.minor}
    assert said == {each.bucket: each.minor for each in made.ages if (each.client_id, each.currency) == (7, "EUR")}
    assert said == {"not-due": 1_000, "1-30": 20_000}


def test_an_old_invoice_is_in_the_oldest_bucket_on_its_ninety_first_day() -> None:
    """Due on 30 December, it has been due for 91 days on 31 March."""
    assert owed(busy_march())[7, "KWD", "over-90"] == 99_125


def test_of_a_month_that_is_not_over_the_numbers_are_of_today() -> None:
    bill = invoice(71, "2026-03-10", "100.00", due=day("2026-03-14"))
    made = report([], [bill], [], today=day("2026-03-15"))
    assert (made.is_over, made.as_of) == (False, day("2026-03-15"))
    assert owed(made) == {(7, "EUR", "1-30"): 10_000}


def test_october_hours_invoiced_in_november_are_cash_in_january() -> None:
    """Z96: logged on 20 October, invoiced on 3 November (14 days), paid by half in December and January (68 days)."""
    made = report(
        [entry(901, "2025-10-20", "2:00", is_billed=True)],
        [invoice(71, "2025-11-03", "200.00")],
        [payment(81, "2025-12-01", "100.00", 71), payment(82, "2026-01-10", "100.00", 71)],
        days=OCTOBER_TO_JANUARY,
        bills={71: [901]},
    )
    assert waits(made) == [
        ("entry-to-invoice", "known", "2025-11", 1, Decimal(14), 14),
        ("invoice-to-cash", "known", "2026-01", 1, Decimal(68), 68),
    ]
    assert told(made, By.CLIENT) == {7: {"billed": 120}}
    assert [each.invoice_ids for each in made.lags] == [[71], [71]]


def test_months_before_and_after_a_change_can_be_compared() -> None:
    """Z96: before, a person billed on the first of the next month; in March we bill after ten days."""
    entries = [entry(1, "2026-01-10", "1:00", is_billed=True), entry(2, "2026-03-01", "1:00", is_billed=True)]
    invoices = [invoice(71, "2026-02-01", "80.00"), invoice(72, "2026-03-11", "80.00")]
    made = report(entries, invoices, days=(day("2026-01-01"), MARCH[1]), bills={72: [2]})
    assert waits(made) == [
        ("entry-to-invoice", "estimated", "2026-02", 1, Decimal(22), 22),
        ("entry-to-invoice", "known", "2026-03", 1, Decimal(10), 10),
    ]


def test_a_person_s_bill_is_estimated_by_the_next_invoice_of_the_same_client_alone() -> None:
    """Neither another client's, nor an earlier one, nor one that we made of other hours, nor a draft."""
    invoices = [
        invoice(70, "2026-03-01", "80.00"),
        invoice(71, "2026-03-03", "80.00", client_id=8),
        invoice(72, "2026-03-04", "80.00"),
        invoice(73, "2026-03-05", "80.00", is_draft=True),
        invoice(74, "2026-03-09", "80.00"),
    ]
    made = report([entry(1, "2026-03-02", "1:00", is_billed=True)], invoices, bills={72: [9]})
    (estimated,) = [each for each in made.lags if each.basis is Basis.ESTIMATED]
    assert (estimated.median, estimated.invoice_ids) == (Decimal(7), [74])


def test_unbilled_time_waits_for_nothing_yet() -> None:
    assert report([entry(1, "2026-03-02", "1:00")], [invoice(71, "2026-03-09", "80.00")]).lags == []


def test_a_draft_is_not_yet_an_invoice_that_anybody_waited_for() -> None:
    billed = [entry(1, "2026-03-02", "1:00", is_billed=True)]
    made = report(billed, [invoice(71, "2026-03-09", "80.00", is_draft=True)], bills={71: [1]})
    assert made.lags == []


def test_entries_from_before_the_report_looks_are_said_to_be_unmeasured() -> None:
    made = report([], [invoice(71, "2026-03-09", "80.00")], bills={71: [1, 2]})
    (row,) = made.lags
    assert (row.count, row.median, row.p90, row.unmeasured) == (0, None, None, 2)


def test_an_invoice_that_is_paid_in_part_is_not_cash_yet() -> None:
    made = report([], [invoice(71, "2026-03-01", "80.00")], [payment(1, "2026-03-09", "79.99", 71)])
    assert made.lags == []


def test_money_that_was_given_back_keeps_an_invoice_from_being_cash() -> None:
    parts = [payment(1, "2026-03-09", "80.00", 71), payment(2, "2026-03-20", "-80.00", 71)]
    made = report([], [invoice(71, "2026-03-01", "80.00")], parts)
    assert made.lags == []
    assert (made.sums[0].received, made.sums[0].outstanding) == (0, 8_000)


def test_a_payment_that_counts_towards_no_invoice_is_told() -> None:
    """Z13: nobody is to wonder why it lowers nothing."""
    made = report([], [invoice(71, "2026-03-01", "80.00")], [payment(5, "2026-03-09", "80.00", None)])
    assert made.notes == ["payment 5 names no invoice: apply it to one"]
    assert owed(made) == {(7, "EUR", "not-due"): 8_000}


def test_money_for_an_invoice_of_next_month_is_in_order() -> None:
    made = report([], [invoice(71, "2026-04-05", "80.00")], [payment(5, "2026-03-09", "80.00", 71)])
    assert made.notes == []
    assert made.sums[0].received == 8_000


def test_an_empty_period_is_a_report_of_nothing() -> None:
    made = report()
    assert (made.hours, made.invoices, made.payments, made.ages, made.lags, made.sums) == ([], [], [], [], [], [])
    assert made.hours_in_all().seconds == 0


@pytest.mark.parametrize(
    ("days", "middle", "slowest"),
    [([5], "5", 5), ([1, 4], "2.5", 4), ([30, 2, 3, 8], "5.5", 30), (list(range(1, 11)), "5.5", 9)],
)
def test_the_median_lies_in_the_middle_and_a_tenth_at_most_is_slower(
    days: list[int], middle: str, slowest: int
) -> None:
    assert (median(days), slowest_tenth(days)) == (Decimal(middle), slowest)


def euro(text: str) -> Money:
    return Money.parse(text, "EUR")


ids = st.none() | st.integers(1, 4)
entries_of_a_spring = st.builds(
    ReportEntry,
    id=st.integers(1, 10_000),
    day=st.dates(date(2026, 2, 1), date(2026, 4, 30)),
    seconds=st.integers(0, 100_000),
    is_billable=st.booleans(),
    is_billed=st.booleans(),
    client_id=ids,
    project_id=ids,
    service_id=ids,
    person_id=ids,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(entries_of_a_spring, max_size=30, unique_by=lambda each: each.id))
def test_hours_by_client_project_service_and_person_come_to_the_same(entries: list[ReportEntry]) -> None:
    """S14: however they are summed, no second is lost, none counted twice, and every entry of the month is named."""
    made = report(entries, project_clients={1: 2})
    march = {each.id: each.seconds for each in entries if MARCH[0] <= each.day <= MARCH[1]}
    assert made.hours_in_all().seconds == sum(march.values())
    for by in By:
        sums = made.hours_by(by)
        assert sum(each.seconds for each in sums) == sum(march.values())
        named = Counter(number for each in sums for part in each.parts.values() for number in part.entry_ids)
        assert named == Counter(list(march))


amounts = st.integers(1, 10**9)
BEGIN = date(2026, 2, 1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(amounts, st.sampled_from(["EUR", "JPY"]), st.integers(0, 60)), max_size=6),
    st.lists(st.tuples(amounts, st.integers(0, 5), st.integers(0, 60)), max_size=8),
)
def test_what_is_outstanding_is_the_sum_of_its_ages_and_of_its_invoices(
    made_of: list[tuple[int, str, int]], paid: list[tuple[int, int, int]]
) -> None:
    """Z13: per currency, to the minor unit, and never below zero for invoices above it."""
    invoices = [
        ReportInvoice(id=place, number="", client_id=7, day=BEGIN + timedelta(after), currency=currency, minor=minor)
        for place, (minor, currency, after) in enumerate(made_of)
    ]
    payments = [
        ReportPayment(id=place, day=BEGIN + timedelta(after), currency="EUR", minor=minor, invoice_id=of)
        for place, (minor, of, after) in enumerate(paid)
    ]
    made = report([], invoices, payments, days=(BEGIN, MARCH[1]))
    for each in made.sums:
        rows = [row for row in made.invoices if row.currency == each.currency]
        assert each.outstanding == sum(row.outstanding for row in rows)
        assert all(0 <= row.outstanding <= row.minor for row in rows)
