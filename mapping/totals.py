"""What FreshBooks will compute of a document's lines, predicted before the document is written, and compared after.

Source: https://www.freshbooks.com/api/invoices (tax is reckoned of each line, after its share of the discount)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from mapping.currencies import decimals
from mapping.lines import WHOLE, DocumentLine, LineTax, line_problems, refuse
from mapping.money import EXACT, Money, MoneyError, plain, total
from mapping.rounding import DEFAULT_POLICY, RoundingPolicy, TaxRounding
from mapping.values import UnmappableValue

NO_DISCOUNT = Decimal(0)


@dataclass(frozen=True)
class TaxTotal:
    """What one tax at one rate comes to in a whole document."""

    tax: LineTax
    amount: Money


@dataclass(frozen=True)
class Totals:
    """What a document comes to: `net` before discount and tax, the discount that comes off it, each tax, and `gross`.

    FreshBooks shows the discount with a minus, here it has none.
    """

    net: Money
    discount: Money
    taxes: tuple[TaxTotal, ...]
    gross: Money


def predict(
    lines: Sequence[DocumentLine],
    discount_percent: Decimal = NO_DISCOUNT,
    policy: RoundingPolicy = DEFAULT_POLICY,
) -> Totals:
    """Return what the books will make of these lines, with a discount on all of them.

    Raises UnmappableValue for a document that the books would not take, or not take as it is, with every reason.
    """
    refuse([*line_problems(lines), *_too_fine(lines, policy), *_discount_problems(discount_percent)])
    try:
        with localcontext(EXACT):
            return _reckoned(lines, 1 - discount_percent.scaleb(-2), policy)
    except MoneyError as error:
        raise UnmappableValue("lines", str(error)) from None
    except ArithmeticError:
        raise UnmappableValue("lines", "quantities and amounts have too many digits to be reckoned exactly") from None


@dataclass(frozen=True)
class Difference:
    """A total that the books computed otherwise than predicted. The answer is kept as it came, whatever it is."""

    predicted: Money
    answered: Decimal
    currency: str

    @property
    def minor(self) -> Decimal | None:
        """By how many minor units the answer is above the prediction; None where its currency is another."""
        if self.currency != self.predicted.currency:
            return None
        return EXACT.subtract(
            self.answered.scaleb(decimals(self.currency), context=EXACT), Decimal(self.predicted.minor)
        )

    def reason(self, document: str) -> str:
        """Return what is wrong and what to do, fit for logs: it holds no amounts. `document` is "invoice I-701"."""
        todo = "compare its lines, discount and taxes, then approve what FreshBooks says, or correct it and retry"
        minor = self.minor
        if minor is None:
            return f"FreshBooks answers {document} in {self.currency}, not in {self.predicted.currency}: {todo}"
        units = f"{plain(abs(minor))} minor unit{'' if abs(minor) == 1 else 's'} of {self.currency}"
        which = "above" if minor > 0 else "below"
        return f"the total of {document} in FreshBooks is {units} {which} the predicted one: {todo}"

    def amounts(self, document: str) -> str:
        """Return both totals, for the evidence of a hold alone."""
        return f"{document}: predicted {self.predicted}, FreshBooks says {self.answered:f} {self.currency}"


def compare(predicted: Money, answered: Decimal, currency: str) -> Difference | None:
    """Return how the total that the books answered differs from the predicted one, None if it does not.

    It never raises for what was answered: the document is there, and a person has to see it.
    """
    if currency == predicted.currency and answered == predicted.amount:
        return None
    return Difference(predicted, answered, currency)


def _reckoned(lines: Sequence[DocumentLine], kept: Decimal, policy: RoundingPolicy) -> Totals:
    """Return the totals of lines that the books can take. `kept` is the part that the discount leaves, from 0 to 1."""
    currency = lines[0].unit_cost.currency
    amounts = [policy.rounded(line.quantity * line.unit_cost.amount, currency) for line in lines]
    net = total(amounts, currency)
    discount = policy.rounded(net.amount * (1 - kept), currency)
    taxed = [(line, amount.amount * kept) for line, amount in zip(lines, amounts, strict=True)]
    taxes = _tax_totals(taxed, currency, policy)
    gross = net - discount + total((each.amount for each in taxes), currency)
    return Totals(net, discount, taxes, gross)


def _tax_totals(
    taxed: Sequence[tuple[DocumentLine, Decimal]], currency: str, policy: RoundingPolicy
) -> tuple[TaxTotal, ...]:
    """Return each tax by name and rate, in that order, of lines and what is left of each after the discount."""
    found: dict[LineTax, Decimal] = {}
    for line, base in taxed:
        for tax, exact in _taxes_of(line, base):
            by_line = policy.taxes is TaxRounding.LINE
            found[tax] = found.get(tax, Decimal(0)) + (policy.rounded(exact, currency).amount if by_line else exact)
    in_order = sorted(found, key=lambda tax: (tax.name, tax.percent))
    return tuple(TaxTotal(tax, policy.rounded(found[tax], currency)) for tax in in_order)


def _taxes_of(line: DocumentLine, base: Decimal) -> Iterator[tuple[LineTax, Decimal]]:
    """Give the exact amount of each tax of a line; compounded, the second one is also on the first."""
    for tax in line.taxes:
        amount = base * tax.percent.scaleb(-2)
        yield tax, amount
        base += amount if line.compounded else 0


def _too_fine(lines: Sequence[DocumentLine], policy: RoundingPolicy) -> list[str]:
    """Return which unit costs the books would round without a word."""
    return [
        f"line {place} has a unit cost with more than the {policy.places(line.unit_cost.currency)} decimals that the "
        f"books keep of {line.unit_cost.currency}: round it, then retry"
        for place, line in enumerate(lines, 1)
        if policy.is_too_fine(line.unit_cost)
    ]


def _discount_problems(percent: Decimal) -> list[str]:
    found = percent.is_finite() and 0 <= percent <= WHOLE
    return [] if found else ["the discount is no percentage between 0 and 100: correct it"]
