"""What holds of every bill of hours, whatever was logged: no entry twice, none lost, and sums to the minor unit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.durations import DurationMode, DurationOf, DurationRounding
from mapping.hours import BilledClient, HoursFacts, HoursPlan, HoursRules, plan_hours
from mapping.line_words import GroupBy
from mapping.lines import LineTax
from mapping.money import Money, total
from mapping.rates import Rates
from mapping.rounding import BooksDecimals, Rounding, RoundingPolicy, TaxRounding
from mapping.time_entries import LeftOut, Project, TimeEntry
from mapping.totals import predict
from tests.mapping.hours import BERLIN, MARCH

fewer = settings(deadline=None, max_examples=50)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
PROJECTS = {61: Project(61, 7), 62: Project(62, 7, "fixed_price"), 63: Project(63, 8)}
POLICIES = st.builds(
    RoundingPolicy, st.sampled_from(Rounding), st.sampled_from(TaxRounding), st.just(BooksDecimals.MINOR_UNITS)
)
DURATIONS = st.builds(
    DurationRounding,
    st.sampled_from([1, 36, 360, 900]),
    st.sampled_from(DurationMode),
    st.sampled_from(DurationOf),
    st.integers(0, 4),
)
RULES = st.builds(
    HoursRules,
    zone=st.just(BERLIN),
    group_by=st.lists(st.sampled_from(GroupBy), min_size=1, max_size=3, unique=True).map(tuple),
    durations=DURATIONS,
    taxes=st.just(()) | st.just((LineTax("VAT", Decimal(15)),)) | st.just((LineTax("QST", Decimal("9.975")),)),
    rounding=POLICIES,
    late_from=st.none() | st.just(date(2026, 2, 1)),
    most_lines=st.none() | st.integers(1, 4),
)


def a_time_entry(number: int) -> st.SearchStrategy[TimeEntry]:
    """Mostly sound work of client 7 around March; some that is to be left out."""
    rarely = st.integers(0, 9).map(lambda drawn: drawn == 0)
    return st.builds(
        TimeEntry,
        st.just(number),
        st.integers(0, 90 * 86_400).map(lambda later: datetime(2026, 2, 1, tzinfo=UTC) + timedelta(seconds=later)),
        st.integers(0, 90_000),
        is_billable=rarely.map(lambda drawn: not drawn),
        is_billed=rarely,
        client_id=st.just(7),
        project_id=st.sampled_from([None, 61, 61, 62]),
        service_id=st.sampled_from([41, 42]),
        person_id=st.sampled_from([701, 702]),
        is_deleted=rarely,
    )


ENTRIES = st.integers(0, 12).flatmap(lambda count: st.tuples(*(a_time_entry(number) for number in range(1, count + 1))))


def facts_of(entries: Sequence[TimeEntry], currency: str, first: int = 9_517, second: int = 6_003) -> HoursFacts:
    rates = {41: Money.of_minor(first, currency), 42: Money.of_minor(second, currency)}
    return HoursFacts(entries, PROJECTS, Rates(services=rates))


def planned(entries: Sequence[TimeEntry], currency: str, rules: HoursRules) -> HoursPlan:
    return plan_hours(BilledClient(7, currency), MARCH, facts_of(entries, currency), rules)


def net(plan: HoursPlan, currency: str) -> Money:
    return total((each.totals.net for each in plan.invoices), currency)


@fewer
@given(ENTRIES, CURRENCIES, RULES)
def test_every_entry_is_in_one_line_or_left_out_with_a_reason(
    entries: tuple[TimeEntry, ...], currency: str, rules: HoursRules
) -> None:
    """F29, F31: none is billed twice, and none is lost."""
    plan = planned(entries, currency, rules)
    in_lines = [number for invoice in plan.invoices for line in invoice.lines for number in line.entry_ids]
    left_out = [each.entry_id for each in plan.left_out]
    assert sorted(in_lines + left_out) == [each.id for each in entries]
    by_id = {each.id: each for each in entries}
    for number in in_lines:
        billed = by_id[number]
        assert billed.is_billable
        assert not (billed.is_billed or billed.is_deleted or billed.project_id == 62)


@fewer
@given(ENTRIES, CURRENCIES, RULES)
def test_the_lines_come_to_the_net_of_their_invoice_and_gross_adds_the_taxes(
    entries: tuple[TimeEntry, ...], currency: str, rules: HoursRules
) -> None:
    """S39, F24: under every policy, to the minor unit."""
    for invoice in planned(entries, currency, rules).invoices:
        assert total((each.amount for each in invoice.lines), currency) == invoice.totals.net
        taxes = total((each.amount for each in invoice.totals.taxes), currency)
        assert invoice.totals.net + taxes == invoice.totals.gross
        assert invoice.totals == predict([each.line for each in invoice.lines], policy=rules.rounding)


@fewer
@given(ENTRIES, CURRENCIES, RULES)
def test_amounts_are_those_of_fractions(entries: tuple[TimeEntry, ...], currency: str, rules: HoursRules) -> None:
    """F23: reckoned a second time without decimals."""
    half_up = replace(rules, rounding=replace(rules.rounding, rounding=Rounding.HALF_UP))
    for invoice in planned(entries, currency, half_up).invoices:
        for each in invoice.lines:
            hours = Fraction(each.line.quantity)
            assert abs(hours - Fraction(each.charged, 3600)) < Fraction(1, 10**rules.durations.hour_digits)
            assert each.amount.minor == floor(hours * each.line.unit_cost.minor + Fraction(1, 2))


@fewer
@given(ENTRIES.flatmap(lambda entries: st.tuples(st.just(entries), st.permutations(entries))), CURRENCIES, RULES)
def test_the_order_in_which_entries_were_read_changes_nothing(
    orders: tuple[tuple[TimeEntry, ...], list[TimeEntry]], currency: str, rules: HoursRules
) -> None:
    one, other = (planned(entries, currency, rules) for entries in orders)
    assert one == other
    assert one.digest == other.digest


@fewer
@given(ENTRIES, CURRENCIES, RULES)
def test_several_invoices_come_to_what_one_would(
    entries: tuple[TimeEntry, ...], currency: str, rules: HoursRules
) -> None:
    """Z105"""
    apart, whole = planned(entries, currency, rules), planned(entries, currency, replace(rules, most_lines=None))
    assert net(apart, currency) == net(whole, currency)
    lines = [line for invoice in apart.invoices for line in invoice.lines]
    assert lines == [line for invoice in whole.invoices for line in invoice.lines]
    assert all(len(each.lines) <= (rules.most_lines or len(lines)) for each in apart.invoices)


@fewer
@given(ENTRIES, RULES, RULES)
def test_however_lines_are_grouped_the_same_work_is_in_them(
    entries: tuple[TimeEntry, ...], rules: HoursRules, other: HoursRules
) -> None:
    """Z104"""
    regrouped = replace(rules, group_by=other.group_by)
    worked = [
        sum(line.worked for invoice in plan.invoices for line in invoice.lines)
        for plan in (planned(entries, "EUR", rules), planned(entries, "EUR", regrouped))
    ]
    assert worked[0] == worked[1]


@fewer
@given(ENTRIES, CURRENCIES, RULES)
def test_what_was_billed_is_not_billed_again(entries: tuple[TimeEntry, ...], currency: str, rules: HoursRules) -> None:
    """F31: once its entries are marked, a second run finds nothing."""
    billed = {number for invoice in planned(entries, currency, rules).invoices for number in invoice.entry_ids}
    marked = [replace(each, is_billed=each.is_billed or each.id in billed) for each in entries]
    again = planned(marked, currency, rules)
    assert again.invoices == ()
    assert billed <= {each.entry_id for each in again.left_out if each.reason is LeftOut.BILLED}


@fewer
@given(ENTRIES, CURRENCIES, RULES, st.integers(1, 10**6))
def test_any_other_duration_voids_the_approval_if_it_changes_an_hour(
    entries: tuple[TimeEntry, ...], currency: str, rules: HoursRules, more: int
) -> None:
    plan = planned(entries, currency, rules)
    billed = {number for invoice in plan.invoices for number in invoice.entry_ids}
    if not billed:
        return
    edited = [replace(each, seconds=(each.seconds or 0) + more) if each.id == min(billed) else each for each in entries]
    changed = planned(edited, currency, rules)
    quantities = [[line.line.quantity for each in one.invoices for line in each.lines] for one in (plan, changed)]
    assert (plan.digest == changed.digest) == (quantities[0] == quantities[1])
