"""The lines of documents, and what FreshBooks will make of them, as the settings of a connection want them."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from activities.document_rules import Predicted
from activities.opportunity_crm import CrmOpportunity
from activities.opportunity_models import Line, LineTax
from activities.opportunity_sides import MakeLines
from mapping import lines as documents
from mapping.money import Money, MoneyError, plain
from mapping.rounding import BooksDecimals, Rounding, RoundingPolicy, TaxRounding
from mapping.totals import predict
from mapping.values import UnmappableValue
from runtime.opportunities import OpportunitiesFlow


def line_maker(flow: OpportunitiesFlow) -> MakeLines:
    """Return what makes the lines of an opportunity: one of its own name, or those of the template."""
    taxes = [documents.LineTax(each.name, each.percent) for each in flow.taxes]
    template = [documents.TemplateLine(each.name, each.description, each.percent) for each in flow.lines]

    def made(opportunity: CrmOpportunity, amount: Money) -> Sequence[Line]:
        if template:
            found = documents.template_lines(template, amount, taxes)
        else:
            found = documents.one_line(opportunity.name, amount, taxes)
        return [_told(line) for line in found]

    return made


def predictor(flow: OpportunitiesFlow) -> Callable[[Sequence[Line], str], Predicted]:
    """Return what tells beforehand what FreshBooks will compute of lines, by its declared way of rounding."""
    rounding = flow.rounding
    policy = RoundingPolicy(Rounding(rounding.mode), TaxRounding(rounding.taxes), BooksDecimals(rounding.decimals))

    def predicted(lines: Sequence[Line], currency: str) -> Predicted:
        try:
            meant = [_meant(line, currency) for line in lines]
        except MoneyError as error:
            raise UnmappableValue("lines", str(error)) from None
        totals = predict(meant, policy=policy)
        return Predicted(net=totals.net.format(), gross=totals.gross.format())

    return predicted


def _told(line: documents.DocumentLine) -> Line:
    """Return a line as workflows carry it."""
    return Line(
        name=line.name,
        description=line.description,
        quantity=plain(line.quantity),
        unit_cost=line.unit_cost.format(),
        taxes=[LineTax(name=tax.name, percent=plain(tax.percent)) for tax in line.taxes],
    )


def _meant(line: Line, currency: str) -> documents.DocumentLine:
    """Return a line as it is reckoned with. Raises MoneyError for one that is finer than its currency."""
    return documents.DocumentLine(
        name=line.name,
        unit_cost=Money(Decimal(line.unit_cost), currency),
        description=line.description,
        quantity=Decimal(line.quantity),
        taxes=tuple(documents.LineTax(tax.name, Decimal(tax.percent)) for tax in line.taxes),
    )
