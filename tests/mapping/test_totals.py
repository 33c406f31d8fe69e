"""What FreshBooks will compute, by examples that were worked out by hand."""

from decimal import Decimal

import pytest

from mapping.lines import DocumentLine, LineTax
from mapping.money import Money
from mapping.rounding import DEFAULT_POLICY, BooksDecimals, Rounding, RoundingPolicy, TaxRounding
from mapping.totals import Totals, compare, predict
from mapping.values import UnmappableValue

MINOR_UNITS = RoundingPolicy(decimals=BooksDecimals.MINOR_UNITS)
GST = ("GST", "5")
QST = ("QST", "9.975")


def line(cost: str, *taxes: tuple[str, str], quantity: str = "1", currency: str = "EUR") -> DocumentLine:
    return DocumentLine(
        name="Design",
        unit_cost=Money.parse(cost, currency),
        quantity=Decimal(quantity),
        taxes=tuple(LineTax(name, Decimal(percent)) for name, percent in taxes),
    )


def told(totals: Totals) -> tuple[str, str, list[str], str]:
    """Return net, discount, taxes and gross as text."""
    taxes = [f"{each.tax.name} {each.amount.format()}" for each in totals.taxes]
    return totals.net.format(), totals.discount.format(), taxes, totals.gross.format()


def test_the_recorded_invoice_comes_to_what_freshbooks_said() -> None:
    """S39: two at 500.00 less a tenth, with a quarter of VAT: 1000.00 - 100.00 + 225.00."""
    totals = predict([line("500.00", ("VAT", "25"), quantity="2", currency="SEK")], Decimal(10))
    assert told(totals) == ("1000.00", "100.00", ["VAT 225.00"], "1125.00")


def test_the_recorded_discount_comes_to_what_freshbooks_said() -> None:
    """Five percent of 14.43 is 0.7215."""
    assert told(predict([line("14.43")], Decimal(5))) == ("14.43", "0.72", [], "13.71")


def test_a_tax_of_9_975_percent_on_4495_16_is_rounded_to_39_cents() -> None:
    """F23: 448.39221 of tax, though some programs say .40."""
    assert told(predict([line("4495.16", ("QST", "9.975"))])) == ("4495.16", "0.00", ["QST 448.39"], "4943.55")


def test_two_taxes_are_on_what_the_discount_leaves() -> None:
    """S39: 90.00 are left of 100.00; 5 percent are 4.50, and 9.975 percent are 8.9775."""
    totals = predict([line("100.00", GST, QST)], Decimal(10))
    assert told(totals) == ("100.00", "10.00", ["GST 4.50", "QST 8.98"], "103.48")


def test_a_compounded_tax_is_on_the_first_one_too() -> None:
    """9.975 percent of 105.00 are 10.47375."""
    taxes = (LineTax("GST", Decimal(5)), LineTax("QST", Decimal("9.975")))
    compounded = DocumentLine(name="Design", unit_cost=Money.parse("100.00", "CAD"), taxes=taxes, compounded=True)
    assert told(predict([compounded])) == ("100.00", "0.00", ["GST 5.00", "QST 10.47"], "115.47")


def test_the_same_tax_on_two_lines_is_one_tax_and_another_rate_another() -> None:
    lines = [line("10.00", ("VAT", "19")), line("20.00", ("VAT", "19.0")), line("5.00", ("VAT", "7"))]
    assert told(predict(lines)) == ("35.00", "0.00", ["VAT 0.35", "VAT 5.70"], "41.05")


def test_hours_that_do_not_divide_are_rounded_on_their_line() -> None:
    """One and a half at 33.33 are 49.995."""
    assert told(predict([line("33.33", quantity="1.5")])) == ("50.00", "0.00", [], "50.00")


def test_a_credit_on_a_line_comes_off() -> None:
    assert told(predict([line("80.00", ("VAT", "25")), line("-30.00", ("VAT", "25"))])) == (
        "50.00",
        "0.00",
        ["VAT 12.50"],
        "62.50",
    )


@pytest.mark.parametrize(
    ("rounding", "tax"), [(Rounding.HALF_UP, "0.13"), (Rounding.HALF_EVEN, "0.12"), (Rounding.DOWN, "0.12")]
)
def test_how_half_a_cent_is_rounded_is_declared(rounding: Rounding, tax: str) -> None:
    """F23: five percent of 2.50 are 0.125."""
    assert predict([line("2.50", GST)], policy=RoundingPolicy(rounding)).taxes[0].amount.format() == tax


@pytest.mark.parametrize(("taxes", "gross"), [(TaxRounding.LINE, "0.33"), (TaxRounding.DOCUMENT, "0.32")])
def test_whether_tax_is_rounded_by_line_is_declared(taxes: TaxRounding, gross: str) -> None:
    """F23: three times half a cent are three cents, or one and a half of them rounded to two."""
    policy = RoundingPolicy(taxes=taxes)
    assert predict([line("0.10", GST)] * 3, policy=policy).gross.format() == gross


def test_a_yen_has_no_decimals() -> None:
    """S40: eight percent of 1,255 yen are 100.4."""
    totals = predict([line("1255", ("JCT", "8"), currency="JPY")], policy=MINOR_UNITS)
    assert told(totals) == ("1255", "0", ["JCT 100"], "1355")


def test_a_kuwaiti_dinar_has_three_decimals() -> None:
    """S40: 2.5 percent off 10.125 dinars are 0.253125; five percent of the 9.871875 that are left are 0.49359375."""
    totals = predict([line("10.125", ("VAT", "5"), currency="KWD")], Decimal("2.5"), MINOR_UNITS)
    assert told(totals) == ("10.125", "0.253", ["VAT 0.494"], "10.366")


def test_whole_yen_are_fine_in_books_that_reckon_two_decimals() -> None:
    assert told(predict([line("1000", ("JCT", "10"), currency="JPY")])) == ("1000", "0", ["JCT 100"], "1100")


def test_books_that_would_charge_fractions_of_a_yen_get_no_document() -> None:
    """S40: ten percent of 999 yen are 99.90, which no customer can pay."""
    with pytest.raises(UnmappableValue, match="2 decimals of JPY, which has 0: avoid taxes"):
        predict([line("999", ("JCT", "10"), currency="JPY")])


def test_a_dinar_is_not_cut_to_two_decimals_without_a_word() -> None:
    """S39, S40: such books would make 10.13 of 10.125."""
    with pytest.raises(UnmappableValue, match="line 2 has a unit cost with more than the 2 decimals"):
        predict([line("1.230", currency="KWD"), line("10.125", currency="KWD")])


def test_a_third_tax_is_refused_with_its_line_and_its_taxes() -> None:
    """Z52: FreshBooks would leave the third one out without a word."""
    with pytest.raises(UnmappableValue) as refused:
        predict([line("10.00"), line("10.00", GST, QST, ("Eco", "2"))])
    assert refused.value.reason == (
        "line 2 has 3 taxes (GST, QST, Eco), and FreshBooks has room for 2: take one off, or make one tax of two, "
        "then retry"
    )


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (line("1.00", GST, GST), "line 1 has the tax GST twice"),
        (line("1.00", (" ", "5")), "line 1 has a tax without a name"),
        (line("1.00", ("VAT", "100.5")), "line 1 has the tax VAT at a rate that is not between 0 and 100"),
        (line("1.00", ("VAT", "-1")), "line 1 has the tax VAT at a rate"),
        (line("1.00", ("VAT", "7.1234")), "with 3 decimals at most"),
        (line("1.00", ("VAT", "NaN")), "line 1 has the tax VAT at a rate"),
        (line("1.00", quantity="Infinity"), "line 1 has a quantity that is no number"),
    ],
)
def test_a_line_that_freshbooks_would_refuse_is_not_sent(wrong: DocumentLine, text: str) -> None:
    """S39"""
    with pytest.raises(UnmappableValue, match=text):
        predict([wrong])


def test_every_reason_against_a_document_is_told_at_once() -> None:
    """F29"""
    lines = [line("1.00", ("VAT", "101")), line("1.00"), line("1.00", GST, GST), line("1.00", currency="USD")]
    with pytest.raises(UnmappableValue) as refused:
        predict(lines, Decimal(101))
    first, second, third, fourth = refused.value.reason.split("; ")
    assert first.startswith("line 1 has the tax VAT")
    assert second.startswith("line 3 has the tax GST twice")
    assert third.startswith("the lines are in EUR and USD")
    assert fourth.startswith("the discount is no percentage")


def test_a_document_without_lines_is_none() -> None:
    with pytest.raises(UnmappableValue, match="one line at least"):
        predict([])


def test_amounts_too_long_to_be_exact_are_refused_and_not_rounded() -> None:
    with pytest.raises(UnmappableValue, match="digits"):
        predict([line("9" * 40 + ".99", quantity="1." + "3" * 30)])
    with pytest.raises(UnmappableValue, match="digits"):
        predict([line("9" * 50 + ".99", quantity="1" + "0" * 20)])


def test_a_discount_of_everything_leaves_nothing_to_tax() -> None:
    assert told(predict([line("100.00", GST)], Decimal(100))) == ("100.00", "100.00", ["GST 0.00"], "0.00")


def test_a_total_as_predicted_is_no_difference() -> None:
    assert compare(Money.parse("1125.00", "SEK"), Decimal("1125.0"), "SEK") is None


def test_a_cent_of_difference_is_told_without_amounts_and_shown_with_them() -> None:
    """F23, F24: the reason may be logged, the amounts are for the hold alone."""
    difference = compare(Money.parse("4943.55", "CAD"), Decimal("4943.56"), "CAD")
    assert difference is not None
    assert difference.minor == 1
    assert difference.reason("invoice I-701") == (
        "the total of invoice I-701 in FreshBooks is 1 minor unit of CAD above the predicted one: compare its lines, "
        "discount and taxes, then approve what FreshBooks says, or correct it and retry"
    )
    assert difference.amounts("invoice I-701") == "invoice I-701: predicted 4943.55 CAD, FreshBooks says 4943.56 CAD"


@pytest.mark.parametrize(
    ("predicted", "answered", "currency", "text"),
    [
        ("12.34", "12.30", "EUR", "4 minor units of EUR below"),
        ("1099", "1098.90", "JPY", "0.1 minor units of JPY below"),
        ("10.125", "10.13", "KWD", "5 minor units of KWD above"),
    ],
)
def test_a_difference_is_counted_in_minor_units(predicted: str, answered: str, currency: str, text: str) -> None:
    """F23, S40"""
    difference = compare(Money.parse(predicted, currency), Decimal(answered), currency)
    assert difference is not None
    assert text in difference.reason("estimate E-7")


def test_the_same_number_in_another_currency_is_a_difference() -> None:
    """F26, S40"""
    difference = compare(Money.parse("500.00", "EUR"), Decimal("500.00"), "SEK")
    assert difference is not None
    assert difference.minor is None
    assert difference.reason("invoice I-7").startswith("FreshBooks answers invoice I-7 in SEK, not in EUR")


def test_where_nothing_is_declared_half_a_cent_of_each_line_goes_up() -> None:
    declared = RoundingPolicy(Rounding("half-up"), TaxRounding("line"), BooksDecimals("two"))
    assert declared == DEFAULT_POLICY
