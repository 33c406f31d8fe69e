"""The lines of documents, and what FreshBooks will make of them, as the settings of a connection want them."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from activities.document_rules import Predicted
from activities.opportunity_crm import CrmOpportunity
from activities.opportunity_models import Line, LineTax
from activities.opportunity_sides import MakeLines
from mapping import lines as documents
from mapping.conditions import Condition
from mapping.money import Money, MoneyError, plain
from mapping.rounding import BooksDecimals, Rounding, RoundingPolicy, TaxRounding
from mapping.totals import predict
from mapping.values import MappingError, UnmappableValue
from runtime.opportunities import LineShare, OpportunitiesFlow
from worker.opportunity_conditions import Conditions, meets


def line_maker(flow: OpportunitiesFlow, asked: Conditions) -> MakeLines:
    """Return what makes the lines of an opportunity: its custom fields, a template, or one line of its own name.

    Raises MappingError for a fixed amount that is none in its currency.
    """
    taxes = [documents.LineTax(each.name, each.percent) for each in flow.taxes]
    fields = [documents.LineFields(each.name, each.amount, each.quantity) for each in flow.line_fields]
    template = [_template_line(place, each) for place, each in enumerate(flow.lines)]
    policy = _policy(flow)

    def made(opportunity: CrmOpportunity, amount: Money) -> Sequence[Line]:
        if fields:
            found = documents.field_lines(fields, opportunity.fields, amount.currency, taxes)
            found = [*found, *_rest(flow.rest_line, found, amount, taxes, policy)]
        elif template:
            met = [each for place, each in enumerate(template) if _is_met(asked.lines.get(place), opportunity)]
            found = documents.template_lines(met, amount, taxes)
        else:
            found = documents.one_line(opportunity.name, amount, taxes)
        return [_told(line) for line in found]

    return made


def _template_line(place: int, share: LineShare) -> documents.TemplateLine:
    try:
        fixed = None if share.amount is None else Money(share.amount, share.currency or "")
    except MoneyError as error:
        raise MappingError(("lines", place, "amount"), str(error)) from None
    return documents.TemplateLine(share.name, share.description, share.percent, fixed)


def _is_met(condition: Condition | None, opportunity: CrmOpportunity) -> bool:
    return condition is None or meets(condition, opportunity)


def _rest(
    name: str,
    lines: Sequence[documents.DocumentLine],
    amount: Money,
    taxes: Sequence[documents.LineTax],
    policy: RoundingPolicy,
) -> list[documents.DocumentLine]:
    """Return the line that takes what the others lack of the amount; none if nothing is lacking or nobody wants it."""
    lacking = amount - predict(lines, policy=policy).net
    return documents.one_line(name, lacking, taxes) if name and lacking.minor > 0 else []


def predictor(flow: OpportunitiesFlow) -> Callable[[Sequence[Line], str], Predicted]:
    """Return what tells beforehand what FreshBooks will compute of lines, by its declared way of rounding."""
    policy = _policy(flow)

    def predicted(lines: Sequence[Line], currency: str) -> Predicted:
        try:
            meant = [_meant(line, currency) for line in lines]
        except MoneyError as error:
            raise UnmappableValue("lines", str(error)) from None
        totals = predict(meant, policy=policy)
        return Predicted(net=totals.net.format(), gross=totals.gross.format())

    return predicted


def _policy(flow: OpportunitiesFlow) -> RoundingPolicy:
    rounding = flow.rounding
    return RoundingPolicy(Rounding(rounding.mode), TaxRounding(rounding.taxes), BooksDecimals(rounding.decimals))


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
