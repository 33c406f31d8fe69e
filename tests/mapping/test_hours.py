"""How logged time becomes the lines of an invoice, by examples that a bookkeeper can check."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pydantic import TypeAdapter

from mapping.durations import DurationMode, DurationRounding
from mapping.hours import BilledClient, HoursFacts, HoursPlan, HoursRules, plan_hours
from mapping.line_words import GroupBy, LineWords
from mapping.lines import LineTax
from mapping.rates import RatePlace, Rates
from mapping.rounding import BooksDecimals, RoundingPolicy, TaxRounding
from tests.mapping.hours import (
    DESIGN,
    IDA,
    MARCH,
    NAMES,
    PROJECTS,
    RULES,
    SUPPORT,
    TOM,
    TRAVEL,
    entry,
    money,
    only,
    planned,
    told,
)

VAT = LineTax("VAT", Decimal(15))
QUARTERS = DurationRounding(900, DurationMode.UP)


def grouped(*keys: GroupBy) -> HoursRules:
    return replace(RULES, group_by=keys)


def test_many_time_entries_become_one_line_of_their_project_and_service() -> None:
    """Z16, Z104, S14: 6:30:00 and 6:29:40 are 46,780 seconds, or 12.99 hours; at 95.00 those are 1,234.05."""
    plan = planned(entry(1, "6:30"), entry(2, "6:29:40", "2026-03-05T09:00"))
    assert told(plan) == [("Website, Design", "12.99", "95.00", "1234.05")]
    line = only(plan).lines[0]
    assert (line.entry_ids, line.worked, line.charged) == ((1, 2), 46_780, 46_780)
    assert line.line.description == "2026-03-02 to 2026-03-05"
    assert line.rate_places == (RatePlace.SERVICE,)


def test_an_invoice_of_1234_50_euros_has_15_percent_of_tax_on_it() -> None:
    """S39: 12.50 hours at 98.76 are 1,234.50; 15 percent are 185.175, so 185.18, and 1,419.68 in all."""
    rules = replace(RULES, taxes=(VAT,))
    invoice = only(planned(entry(1, "12:30"), rules=rules, rates=Rates(services={DESIGN: money("98.76")})))
    totals = invoice.totals
    assert (totals.net.format(), totals.taxes[0].amount.format(), totals.gross.format()) == (
        "1234.50",
        "185.18",
        "1419.68",
    )
    assert invoice.lines[0].line.taxes == (VAT,)


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ((GroupBy.PROJECT,), [("Website", "4.00"), ("Support", "1.00")]),
        ((GroupBy.SERVICE,), [("Design", "5.00")]),
        ((GroupBy.PERSON,), [("Ida Berg", "3.00"), ("Tom Ruiz", "2.00")]),
        ((GroupBy.DAY,), [("2026-03-02", "3.00"), ("2026-03-03", "2.00")]),
        (
            (GroupBy.PERSON, GroupBy.DAY),
            [("Ida Berg, 2026-03-02", "1.00"), ("Tom Ruiz, 2026-03-02", "2.00"), ("Ida Berg, 2026-03-03", "2.00")],
        ),
        (
            (GroupBy.ENTRY,),
            [
                ("Website, Design", "1.00"),
                ("Website, Design", "2.00"),
                ("Website, Design", "1.00"),
                ("Support, Design", "1.00"),
            ],
        ),
    ],
)
def test_lines_are_grouped_as_the_business_wants_them(keys: tuple[GroupBy, ...], lines: list[tuple[str, str]]) -> None:
    """Z104"""
    plan = planned(
        entry(1, "1:00"),
        entry(2, "2:00", "2026-03-02T11:00", person_id=TOM),
        entry(3, "1:00", "2026-03-03T09:00"),
        entry(4, "1:00", "2026-03-03T11:00", project_id=SUPPORT),
        rules=grouped(*keys),
    )
    assert [(name, quantity) for name, quantity, _, _ in told(plan)] == lines


def test_work_after_midnight_at_the_business_is_on_the_line_of_the_next_day() -> None:
    """F32: 23:30 UTC on the 2nd is half past midnight on the 3rd in Berlin."""
    plan = planned(
        entry(1, "1:00", "2026-03-02T22:30"), entry(2, "1:00", "2026-03-02T23:30"), rules=grouped(GroupBy.DAY)
    )
    assert [name for name, *_ in told(plan)] == ["2026-03-02", "2026-03-03"]


def test_different_rates_never_share_a_line() -> None:
    rates = Rates(staff={IDA: money("95.00"), TOM: money("80.00")})
    plan = planned(entry(1), entry(2, person_id=TOM), entry(3), rules=grouped(GroupBy.PROJECT), rates=rates)
    assert told(plan) == [("Website", "2.00", "95.00", "190.00"), ("Website", "1.00", "80.00", "80.00")]
    assert [line.entry_ids for line in only(plan).lines] == [(1, 3), (2,)]


def test_three_entries_of_20_minutes_are_an_hour_on_one_line() -> None:
    """Z104: rounded on their own they would be 0.33 hours each."""
    thirds = [entry(number, "0:20") for number in (1, 2, 3)]
    assert told(planned(*thirds)) == [("Website, Design", "1.00", "95.00", "95.00")]
    assert [hours for _, hours, _, _ in told(planned(*thirds, rules=grouped(GroupBy.ENTRY)))] == ["0.33"] * 3


def test_quarters_of_an_hour_are_billed_for_each_entry_that_has_begun_one() -> None:
    """Three times 20 minutes are three times half an hour: 1.50 hours at 95.00."""
    plan = planned(*(entry(number, "0:20") for number in (1, 2, 3)), rules=replace(RULES, durations=QUARTERS))
    assert told(plan) == [("Website, Design", "1.50", "95.00", "142.50")]
    line = only(plan).lines[0]
    assert (line.worked, line.charged) == (3600, 5400)


def test_yen_are_billed_without_decimals() -> None:
    """S40: a quarter of an hour at 9,002 yen are 2,250.5 yen, so 2,251."""
    rules = replace(RULES, rounding=RoundingPolicy(decimals=BooksDecimals.MINOR_UNITS))
    facts = HoursFacts([entry(1, "0:15")], PROJECTS, Rates(services={DESIGN: money("9002", "JPY")}), NAMES)
    plan = plan_hours(BilledClient(7, "JPY"), MARCH, facts, rules)
    assert told(plan) == [("Website, Design", "0.25", "9002", "2251")]
    assert only(plan).totals.gross == money("2251", "JPY")


def test_kuwaiti_dinars_are_billed_with_three_decimals() -> None:
    """S40: 1.25 hours at 10.125 dinars are 12.65625, so 12.656."""
    rules = replace(RULES, rounding=RoundingPolicy(decimals=BooksDecimals.MINOR_UNITS))
    facts = HoursFacts([entry(1, "1:15")], PROJECTS, Rates(services={DESIGN: money("10.125", "KWD")}), NAMES)
    assert told(plan_hours(BilledClient(7, "KWD"), MARCH, facts, rules)) == [
        ("Website, Design", "1.25", "10.125", "12.656")
    ]


def test_customers_read_the_words_that_the_business_chose() -> None:
    words = LineWords("{service} by {person}", "{project}, {days}:\n{notes}")
    entries = [
        entry(1, note="Kick-off "),
        entry(2, "2:00", "2026-03-04T09:00", note="Drafts {days}"),
        entry(3, began="2026-03-05T09:00"),
    ]
    line = only(planned(*entries, rules=replace(RULES, words=words))).lines[0].line
    assert (line.name, line.description) == (
        "Design by Ida Berg",
        "Website, 2026-03-02 to 2026-03-05:\nKick-off\nDrafts {days}",
    )


def test_what_has_no_name_is_shown_with_its_id_and_nothing_at_all_as_hours() -> None:
    """The same rate, but one entry says neither project nor service."""
    bare = entry(2, "2:00", project_id=None, service_id=None)
    rates = Rates(clients={7: money("90.00")})
    plan = plan_hours(BilledClient(7, "EUR"), MARCH, HoursFacts([entry(1), bare], PROJECTS, rates), RULES)
    assert [name for name, *_ in told(plan)] == ["project 61, service 41", "Hours"]


def test_an_unknown_word_in_the_text_of_a_line_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no \{client\}: use days, group"):
        LineWords("{client}")


def test_more_lines_than_one_invoice_may_have_go_to_further_invoices() -> None:
    """Z105: three lines of 95.00, at most two each: 190.00 and 95.00."""
    rules = replace(grouped(GroupBy.ENTRY), most_lines=2)
    plan = planned(entry(1), entry(2), entry(3), rules=rules)
    assert [(each.entry_ids, each.totals.net.format()) for each in plan.invoices] == [
        ((1, 2), "190.00"),
        ((3,), "95.00"),
    ]


def test_without_anything_to_bill_there_is_no_invoice() -> None:
    plan = planned(entry(1, is_billable=False))
    assert plan.invoices == ()
    assert planned().invoices == ()


def test_an_approval_is_void_when_a_line_an_entry_or_a_total_changes() -> None:
    """F29: whoever approved 2.00 hours did not approve 2.25."""
    approved = planned(entry(1), entry(2)).digest
    assert planned(entry(2), entry(1)).digest == approved
    assert planned(entry(1), entry(2), entry(9, is_billable=False)).digest == approved
    others = [
        planned(entry(1), entry(2, "1:15")),
        planned(entry(1), entry(3)),
        planned(entry(1)),
        planned(entry(1), entry(2), rules=replace(RULES, taxes=(VAT,))),
        planned(entry(1), entry(2), rates=Rates(services={DESIGN: money("95.01")})),
        planned(entry(1), entry(2), rules=replace(RULES, words=LineWords("Work"))),
        planned(entry(1), entry(2), rules=replace(grouped(GroupBy.ENTRY), most_lines=1)),
    ]
    assert len({approved, *(each.digest for each in others)}) == len(others) + 1


def test_a_note_that_customers_do_not_read_voids_no_approval() -> None:
    assert planned(entry(1, note="a")).digest == planned(entry(1, note="b")).digest
    shown = replace(RULES, words=LineWords(description="{notes}"))
    assert planned(entry(1, note="a"), rules=shown).digest != planned(entry(1, note="b"), rules=shown).digest


def test_an_entry_that_was_edited_after_billing_is_told_by_its_content() -> None:
    """F31: marking it as billed is no edit."""
    billed = entry(1)
    assert replace(billed, is_billed=True, note="later").content() == billed.content()
    edits = [replace(billed, seconds=1), replace(billed, client_id=8), replace(billed, is_billable=False)]
    assert len({billed.content(), *(each.content() for each in edits)}) == 4


def test_a_plan_is_the_same_after_it_was_kept_as_json() -> None:
    kept = TypeAdapter(HoursPlan)
    plan = planned(
        entry(1, "1:20"), entry(2, service_id=TRAVEL), entry(3, is_billed=True), rules=replace(RULES, taxes=(VAT,))
    )
    read = kept.validate_json(kept.dump_json(plan))
    assert read == plan
    assert read.digest == plan.digest


def test_taxes_rounded_over_a_document_are_predicted_for_each_invoice() -> None:
    """F23: 0.125 hours at 0.40 are 0.05; 5 percent of three such lines are 0.0075, so one cent on one invoice."""
    policy = RoundingPolicy(taxes=TaxRounding.DOCUMENT)
    rules = replace(
        grouped(GroupBy.ENTRY),
        taxes=(LineTax("GST", Decimal(5)),),
        rounding=policy,
        durations=DurationRounding(hour_digits=3),
    )
    rates = Rates(services={DESIGN: money("0.40")})
    entries = [entry(number, "0:07:30") for number in (1, 2, 3)]
    assert only(planned(*entries, rules=rules, rates=rates)).totals.gross.format() == "0.16"
    apart = planned(*entries, rules=replace(rules, most_lines=1), rates=rates)
    assert [each.totals.gross.format() for each in apart.invoices] == ["0.05"] * 3


def test_time_that_nobody_billed_in_its_own_period_is_billed_later_only_from_the_stated_day_on() -> None:
    """F22: turning billing on must not bill what was left for years."""
    old, late = entry(1, began="2025-11-30T09:00"), entry(2, began="2026-02-27T09:00")
    assert planned(old, late).invoices == ()
    plan = planned(old, late, entry(3), rules=replace(RULES, late_from=date(2026, 2, 1)))
    assert only(plan).entry_ids == (2, 3)
    assert [each.entry_id for each in plan.left_out] == [1]
    first_day = planned(late, rules=replace(RULES, late_from=date(2026, 2, 27)))
    assert only(first_day).entry_ids == (2,)
    assert planned(late, rules=replace(RULES, late_from=date(2026, 2, 28))).invoices == ()


def test_lines_are_in_the_order_of_the_work_not_in_that_of_typing_it_in() -> None:
    monday, tuesday = entry(2, service_id=TRAVEL), entry(1, began="2026-03-03T09:00")
    assert [name for name, *_ in told(planned(tuesday, monday))] == ["Website, Travel", "Website, Design"]


def test_a_line_that_rounds_to_nothing_is_still_a_line() -> None:
    """F29: 10 minutes of hours begun downwards are none, and the customer sees it."""
    rules = replace(RULES, durations=DurationRounding(3600, DurationMode.DOWN))
    assert told(planned(entry(1, "0:10"), rules=rules)) == [("Website, Design", "0.00", "95.00", "0.00")]


def test_the_period_is_that_of_the_business_and_not_of_greenwich() -> None:
    """F32: 22:30 UTC on 31 March is already April in Berlin, and 23:00 UTC on 28 February is already March."""
    plan = planned(
        entry(1, began="2026-03-31T22:30"), entry(2, began="2026-02-28T22:30"), entry(3, began="2026-02-28T23:00")
    )
    assert only(plan).entry_ids == (3,)
