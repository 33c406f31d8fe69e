"""What holds of predicted totals whatever the lines are, reckoned a second time in fractions."""

from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from mapping.lines import DocumentLine, LineTax
from mapping.money import Money
from mapping.rounding import BooksDecimals, Rounding, RoundingPolicy, TaxRounding
from mapping.totals import predict
from sandbox.freshbooks.totals import reckoner, totals
from sandbox.settings import FreshBooksSettings
from tests.mapping.parties import patient

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
PERCENTS = st.integers(0, 100_000).map(lambda thousandths: Decimal(thousandths).scaleb(-3))
QUANTITIES = st.integers(-100_000, 1_000_000).map(lambda hundredths: Decimal(hundredths).scaleb(-2))
TAXES = st.lists(
    st.builds(LineTax, st.sampled_from(["GST", "PST", "VAT"]), PERCENTS), max_size=2, unique_by=lambda tax: tax.name
)
DISCOUNTS = st.just(Decimal(0)) | PERCENTS
POLICIES = st.builds(
    RoundingPolicy,
    st.sampled_from(Rounding),
    st.sampled_from(TaxRounding),
    st.just(BooksDecimals.MINOR_UNITS),
)


def documents(currency: str) -> st.SearchStrategy[list[DocumentLine]]:
    line = st.builds(
        DocumentLine,
        name=st.just("Design"),
        unit_cost=st.integers(-(10**9), 10**12).map(lambda minor: Money.of_minor(minor, currency)),
        quantity=QUANTITIES,
        taxes=TAXES.map(tuple),
        compounded=st.booleans(),
    )
    return st.lists(line, min_size=1, max_size=6)


DOCUMENTS = CURRENCIES.flatmap(documents)


@patient
@given(DOCUMENTS, DISCOUNTS, POLICIES)
def test_gross_is_net_less_discount_plus_taxes(
    lines: list[DocumentLine], discount: Decimal, policy: RoundingPolicy
) -> None:
    """S39"""
    found = predict(lines, discount, policy)
    assert found.gross.minor == found.net.minor - found.discount.minor + sum(tax.amount.minor for tax in found.taxes)


@patient
@given(DOCUMENTS.flatmap(lambda lines: st.tuples(st.just(lines), st.permutations(lines))), DISCOUNTS, POLICIES)
def test_the_order_of_lines_changes_no_total(
    orders: tuple[list[DocumentLine], list[DocumentLine]], discount: Decimal, policy: RoundingPolicy
) -> None:
    one, other = orders
    assert predict(one, discount, policy) == predict(other, discount, policy)


@patient
@given(DOCUMENTS, DISCOUNTS)
def test_totals_are_those_of_fractions_rounded_half_up(lines: list[DocumentLine], discount: Decimal) -> None:
    """F23: reckoned in fractions of minor units, each tax of each line."""
    kept = 1 - Fraction(discount) / 100
    net = tax = 0
    for line in lines:
        amount = half_up(Fraction(line.quantity) * line.unit_cost.minor)
        rates = [Fraction(each.percent) / 100 for each in line.taxes]
        bases = [Fraction(1), 1 + rates[0] if rates and line.compounded else Fraction(1)]
        net += amount
        tax += sum(half_up(amount * kept * base * rate) for base, rate in zip(bases, rates, strict=False))
    found = predict(lines, discount, RoundingPolicy(decimals=BooksDecimals.MINOR_UNITS))
    assert (found.net.minor, found.gross.minor) == (net, net - half_up(net * (1 - kept)) + tax)


def half_up(exact: Fraction) -> int:
    size = floor(abs(exact) + Fraction(1, 2))
    return size if exact >= 0 else -size


@patient
@given(DOCUMENTS, DISCOUNTS, POLICIES)
def test_the_sandbox_which_reckons_on_its_own_comes_to_the_same(
    lines: list[DocumentLine], discount: Decimal, policy: RoundingPolicy
) -> None:
    """F23"""
    currency = lines[0].unit_cost.currency
    settings = FreshBooksSettings.model_validate(
        {"rounding": policy.rounding.replace("-", "_"), "tax_rounding": policy.taxes.value, "decimals": "minor_units"}
    )
    reckon = reckoner(settings, currency)
    stored = [
        {
            "amount": reckon.money(line.quantity * line.unit_cost.amount),
            "compounded_tax": line.compounded,
            **{f"taxName{slot}": None for slot in (1, 2)},
            **{f"taxAmount{slot}": "0" for slot in (1, 2)},
            **{f"taxName{slot}": tax.name for slot, tax in enumerate(line.taxes, 1)},
            **{f"taxAmount{slot}": str(tax.percent) for slot, tax in enumerate(line.taxes, 1)},
        }
        for line in lines
    ]
    reduction, gross = totals(reckon, stored, str(discount))
    found = predict(lines, discount, policy)
    assert (found.discount.amount, found.gross.amount) == (-reduction, gross)
