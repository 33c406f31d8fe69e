"""How an opportunity becomes the lines of a document: all of them, or none with every reason."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.lines import (
    DocumentLine,
    LineFields,
    LineTax,
    TemplateLine,
    field_lines,
    one_line,
    template_lines,
)
from mapping.money import Money, total
from mapping.values import UnmappableValue
from tests.mapping.parties import patient

VAT = LineTax("VAT", Decimal(25))
FIRST = LineFields("Line 1", "Line 1 amount", "Line 1 hours")
SECOND = LineFields("Line 2", "Line 2 amount")
DRAFT, FINAL = TemplateLine("Draft", percent=Decimal(40)), TemplateLine("Final", percent=Decimal(60))
TRAVEL = TemplateLine("Travel", fixed=Money.parse("150.00", "EUR"))
WORK = TemplateLine("Work", "All that is left")


def euros(text: str) -> Money:
    return Money.parse(text, "EUR")


def costs(lines: list[DocumentLine]) -> list[tuple[str, str]]:
    return [(line.name, line.unit_cost.format()) for line in lines]


def refusal(asked: list[LineFields], fields: dict[str, object]) -> list[str]:
    with pytest.raises(UnmappableValue) as refused:
        field_lines(asked, fields, "EUR")
    return refused.value.reason.split("; ")


def test_without_a_template_an_opportunity_is_one_line_of_its_name() -> None:
    """S41"""
    assert one_line("Website rebuild", euros("1250.50"), [VAT]) == [
        DocumentLine("Website rebuild", euros("1250.50"), "", Decimal(1), (VAT,))
    ]


def test_a_template_shares_the_amount_out() -> None:
    """40 percent of 100.01 are 40.004 and 60 percent 60.006: the cent goes to the larger remainder."""
    assert costs(template_lines([DRAFT, FINAL], euros("100.01"))) == [("Draft", "40.00"), ("Final", "60.01")]


def test_a_template_has_fixed_amounts_and_one_line_for_the_rest() -> None:
    lines = template_lines([TRAVEL, WORK], euros("1000.00"), [VAT])
    assert costs(lines) == [("Travel", "150.00"), ("Work", "850.00")]
    assert lines[1].description == "All that is left"
    assert {line.taxes for line in lines} == {(VAT,)}


def test_shares_are_of_the_whole_amount_beside_fixed_amounts_too() -> None:
    """40 percent of 1000.00 are 400.00; the rest of 600.00 less 150.00 of travel is 450.00."""
    lines = template_lines([WORK, DRAFT, TRAVEL], euros("1000.00"))
    assert costs(lines) == [("Work", "450.00"), ("Draft", "400.00"), ("Travel", "150.00")]


def test_fixed_amounts_that_are_the_amount_need_no_rest() -> None:
    assert costs(template_lines([TRAVEL, TRAVEL], euros("300.00"))) == [("Travel", "150.00")] * 2


def test_nothing_left_for_the_rest_is_a_line_of_nothing() -> None:
    """F29: a line is never left out without a word."""
    assert costs(template_lines([TRAVEL, WORK], euros("150.00"))) == [("Travel", "150.00"), ("Work", "0.00")]


def test_a_fixed_amount_may_come_off_and_an_opportunity_may_be_a_credit() -> None:
    credit = TemplateLine("Credit", fixed=euros("-20.00"))
    assert costs(template_lines([credit, WORK], euros("100.00"))) == [("Credit", "-20.00"), ("Work", "120.00")]
    assert costs(template_lines([credit, WORK], euros("-100.00"))) == [("Credit", "-20.00"), ("Work", "-80.00")]


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_a_template_splits_into_whole_minor_units_of_any_currency(currency: str) -> None:
    """S40"""
    lines = template_lines([DRAFT, FINAL], Money.of_minor(1001, currency))
    assert [line.unit_cost.minor for line in lines] == [400, 601]


@pytest.mark.parametrize(
    ("template", "amount", "text"),
    [
        ([TRAVEL], "150.01", "come to another amount than the opportunity"),
        ([TRAVEL, FINAL], "1000.00", "come to another amount than the opportunity"),
        ([TRAVEL, WORK], "149.99", "come to more than the opportunity"),
        ([TRAVEL, WORK], "0.00", "come to more than the opportunity"),
    ],
)
def test_lines_that_do_not_come_to_the_amount_make_no_document(
    template: list[TemplateLine], amount: str, text: str
) -> None:
    """F25, F29"""
    with pytest.raises(UnmappableValue, match=text):
        template_lines(template, euros(amount))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ([], "one line at least"),
        ([WORK, WORK], "2 lines of the template want the rest"),
        ([DRAFT, FINAL, WORK], "come to more than there is, or leave no rest"),
        ([FINAL, FINAL], "come to more than there is, or leave no rest"),
        ([TemplateLine("Both", percent=Decimal(5), fixed=TRAVEL.fixed)], "line 1 of the template has both"),
        ([TemplateLine("Less", percent=Decimal(-5)), WORK], "line 1 of the template has no share between 0 and 100"),
    ],
)
def test_a_template_that_makes_no_sense_is_refused(template: list[TemplateLine], text: str) -> None:
    with pytest.raises(UnmappableValue, match=text):
        template_lines(template, euros("1000.00"))


def test_a_fixed_amount_is_in_the_opportunitys_currency() -> None:
    """F26, S40"""
    with pytest.raises(UnmappableValue, match="line 1 of the template is in EUR and the opportunity in SEK"):
        template_lines([TRAVEL, WORK], Money.parse("1000.00", "SEK"))


def test_a_third_tax_of_the_settings_is_refused_before_anything_is_written() -> None:
    """Z52"""
    taxes = [LineTax(name, Decimal(5)) for name in ("GST", "PST", "Eco")]
    with pytest.raises(UnmappableValue, match=r"line 1 has 3 taxes \(GST, PST, Eco\)"):
        one_line("Website rebuild", euros("10.00"), taxes)


def test_custom_fields_say_the_lines() -> None:
    """S25: hours at a price of one, and a line without hours."""
    fields: dict[str, object] = {
        "Line 1": " Design ",
        "Line 1 amount": "95.00",
        "Line 1 hours": Decimal("7.5"),
        "Line 2": "Travel",
        "Line 2 amount": 150,
    }
    assert field_lines([FIRST, SECOND], fields, "EUR", [VAT]) == [
        DocumentLine("Design", euros("95.00"), quantity=Decimal("7.5"), taxes=(VAT,)),
        DocumentLine("Travel", euros("150.00"), taxes=(VAT,)),
    ]


def test_a_line_of_which_nothing_is_filled_in_is_none() -> None:
    fields: dict[str, object] = {"Line 1": "", "Line 1 amount": None, "Line 2": "Travel", "Line 2 amount": "150"}
    assert costs(field_lines([FIRST, SECOND], fields, "EUR")) == [("Travel", "150.00")]


def test_a_line_that_cannot_be_made_refuses_the_document_with_every_reason() -> None:
    """F29: nothing is skipped, and no reason repeats what the fields hold."""
    fields: dict[str, object] = {
        "Line 1": "Nora's site",
        "Line 1 amount": "1,250.50",
        "Line 1 hours": "many",
        "Line 2": True,
    }
    assert refusal([FIRST, SECOND], fields) == [
        'the custom field "Line 1 amount" cannot be read: a number is digits with a decimal point, such as 1250.50',
        'the custom field "Line 1 hours" cannot be read: a number is digits with a decimal point, such as 1250.50',
        'the custom field "Line 2" cannot be read: a line is named by a text field',
        'the custom field "Line 2 amount" is empty, and others of its line are not: fill it in',
    ]


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"Line 1 amount": "95.00"}, ["Line 1"]),
        ({"Line 1 hours": "2"}, ["Line 1", "Line 1 amount"]),
        ({"Line 1": "Design"}, ["Line 1 amount"]),
    ],
)
def test_a_line_that_is_filled_in_by_half_is_not_left_out(fields: dict[str, object], missing: list[str]) -> None:
    """F29"""
    others = {"Line 2": "Travel", "Line 2 amount": "150.00"}
    reasons = refusal([FIRST, SECOND], {**fields, **others})
    assert [reason.split('"')[1] for reason in reasons] == missing


def test_an_amount_finer_than_the_currency_refuses_the_document() -> None:
    """F23, S39"""
    (reason,) = refusal([SECOND], {"Line 2": "Travel", "Line 2 amount": "10.005"})
    assert reason.startswith('the custom field "Line 2 amount" cannot be read: EUR has 2 decimals')


def test_a_line_keeps_its_number_when_the_one_before_it_cannot_be_read() -> None:
    """Z52, F29"""
    taxes = [LineTax(name, Decimal(5)) for name in ("GST", "PST", "Eco")]
    fields: dict[str, object] = {"Line 1": "Design", "Line 1 amount": "?", "Line 2": "Travel", "Line 2 amount": "1"}
    with pytest.raises(UnmappableValue) as refused:
        field_lines([FIRST, SECOND], fields, "EUR", taxes)
    unreadable, third_tax = refused.value.reason.split("; ")
    assert unreadable.startswith('the custom field "Line 1 amount" cannot be read')
    assert third_tax.startswith("line 2 has 3 taxes")


def test_an_opportunity_whose_fields_are_all_empty_is_refused() -> None:
    (reason,) = refusal([FIRST, SECOND], {})
    assert reason == (
        'no custom field of the opportunity says a line: fill in "Line 1 amount", "Line 2 amount", then retry'
    )


TEMPLATES = st.lists(st.integers(1, 20_000), min_size=0, max_size=5).filter(lambda parts: sum(parts) < 100_000)


@patient
@given(TEMPLATES, st.integers(0, 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_shares_and_a_rest_always_come_to_the_amount(thousandths: list[int], minor: int, currency: str) -> None:
    """F23, S39"""
    shares = [TemplateLine("Part", percent=Decimal(each).scaleb(-3)) for each in thousandths]
    amount = Money.of_minor(minor, currency)
    lines = template_lines([*shares, WORK], amount)
    assert total((line.unit_cost for line in lines), currency) == amount
    assert all(0 <= line.unit_cost.minor <= minor for line in lines)
