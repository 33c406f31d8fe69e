"""The lines of estimates and invoices, and how an opportunity becomes lines: all of them, or none with every reason.

Source: https://www.freshbooks.com/api/invoices (a line has two slots for taxes, each with a name and a percentage)
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from mapping.money import Money, MoneyError, exact_number, total
from mapping.values import CannotTransform, UnmappableValue, tidy

TAX_SLOTS = 2
PERCENT_PLACES = 3
WHOLE = Decimal(100)

Read = TypeVar("Read")


@dataclass(frozen=True)
class LineTax:
    """A tax on a line: its name in the books, and its rate in percent."""

    name: str
    percent: Decimal


@dataclass(frozen=True)
class DocumentLine:
    """One line of a document, before tax and discount. `compounded` puts the second tax on top of the first."""

    name: str
    unit_cost: Money
    description: str = ""
    quantity: Decimal = Decimal(1)
    taxes: tuple[LineTax, ...] = ()
    compounded: bool = False


@dataclass(frozen=True)
class TemplateLine:
    """One line of a template: its share of the amount in percent, or a fixed amount; with neither it takes the rest."""

    name: str
    description: str = ""
    percent: Decimal | None = None
    fixed: Money | None = None

    @property
    def takes_rest(self) -> bool:
        """Whether it takes what the others leave."""
        return self.percent is None and self.fixed is None


@dataclass(frozen=True)
class LineFields:
    """The custom fields that say one line. Where there is a quantity, the amount is the price of one."""

    name: str
    amount: str
    quantity: str | None = None


def one_line(name: str, amount: Money, taxes: Sequence[LineTax] = ()) -> list[DocumentLine]:
    """Return the whole amount as one line. Raises UnmappableValue with everything that is wrong."""
    return whole([DocumentLine(name=name, unit_cost=amount, taxes=tuple(taxes))])


def template_lines(
    template: Sequence[TemplateLine], amount: Money, taxes: Sequence[LineTax] = ()
) -> list[DocumentLine]:
    """Return the lines of a template, which together come to exactly the amount.

    Shares are of the whole amount; cents that do not divide go to the largest remainders. Raises UnmappableValue with
    everything that is wrong.
    """
    refuse(_template_problems(template, amount.currency))
    costs = _template_costs(template, amount)
    lines = [
        DocumentLine(each.name, cost, each.description, taxes=tuple(taxes))
        for each, cost in zip(template, costs, strict=True)
    ]
    return whole(lines)


def field_lines(
    asked: Sequence[LineFields], fields: Mapping[str, object], currency: str, taxes: Sequence[LineTax] = ()
) -> list[DocumentLine]:
    """Return the lines that custom fields, given by name, say. A line of which nothing is filled in is none.

    What they come to is for the caller to compare with the opportunity's amount. Raises UnmappableValue with
    everything that is wrong with any of them.
    """
    reader = _FieldReader(fields)
    filled = [each for each in asked if not reader.is_empty(each)]
    if not filled:
        names = ", ".join(f'"{each.amount}"' for each in asked)
        refuse([f"no custom field of the opportunity says a line: fill in {names}, then retry"])
    read = [reader.line(each, currency, tuple(taxes)) for each in filled]
    refuse([*reader.problems, *_numbered_problems(read)])
    return [line for line in read if line is not None]


def whole(lines: Sequence[DocumentLine]) -> list[DocumentLine]:
    """Return the lines if the books can take every one. Raises UnmappableValue with everything that is wrong."""
    refuse(line_problems(lines))
    return list(lines)


def line_problems(lines: Sequence[DocumentLine]) -> list[str]:
    """Return why the books cannot take these lines, each reason with the number of its line and what to do."""
    if not lines:
        return ["a document needs one line at least"]
    problems = _numbered_problems(lines)
    currencies = sorted({line.unit_cost.currency for line in lines})
    if len(currencies) > 1:
        problems.append(f"the lines are in {' and '.join(currencies)}, but a document has one currency: choose one")
    return problems


def refuse(problems: Sequence[str]) -> None:
    """Refuse a document whole. Raises UnmappableValue with all problems at once, if there is one."""
    if problems:
        raise UnmappableValue("lines", "; ".join(problems))


def _numbered_problems(lines: Sequence[DocumentLine | None]) -> list[str]:
    """Return what is wrong with each line. None stands for one that could not be read, and keeps its number."""
    numbered = [(place, line) for place, line in enumerate(lines, 1) if line is not None]
    return [f"line {place} {problem}" for place, line in numbered for problem in _problems_of(line)]


def _problems_of(line: DocumentLine) -> list[str]:
    """Return what is wrong with one line. The texts name taxes, never lines: people's names may be in those."""
    problems = [] if line.quantity.is_finite() else ["has a quantity that is no number: correct it"]
    if len(line.taxes) > TAX_SLOTS:
        names = ", ".join(tax.name for tax in line.taxes)
        problems.append(
            f"has {len(line.taxes)} taxes ({names}), and FreshBooks has room for {TAX_SLOTS}: take one off, or make "
            "one tax of two, then retry"
        )
    twice = [name for name, count in Counter(tax.name for tax in line.taxes).items() if count > 1]
    problems += [f"has the tax {name} twice: take one off" for name in twice]
    return problems + [problem for tax in line.taxes for problem in _problems_of_tax(tax)]


def _problems_of_tax(tax: LineTax) -> list[str]:
    problems = [] if tax.name.strip() else ["has a tax without a name: give it the one that it has in FreshBooks"]
    if not is_percent(tax.percent):
        allowed = f"between 0 and 100 percent, with {PERCENT_PLACES} decimals at most"
        problems.append(f"has the tax {tax.name} at a rate that is not {allowed}: correct it")
    return problems


def is_percent(number: Decimal) -> bool:
    """Return whether it is a percentage as FreshBooks takes them: from 0 to 100, with three decimals at most."""
    return number.is_finite() and 0 <= number <= WHOLE and number == round(number, PERCENT_PLACES)


def _template_problems(template: Sequence[TemplateLine], currency: str) -> list[str]:
    if not template:
        return ["the template has no lines: give it one line at least"]
    shares = [each.percent for each in template if each.percent is not None]
    rests = sum(each.takes_rest for each in template)
    problems = [
        f"line {place} of the template {problem}"
        for place, each in enumerate(template, 1)
        for problem in _template_line_problems(each, currency)
    ]
    if rests > 1:
        problems.append(f"{rests} lines of the template want the rest: give all but one a share or an amount")
    if not problems and (sum(shares) > WHOLE or (rests and sum(shares) == WHOLE)):
        problems.append("the shares of the template come to more than there is, or leave no rest: make them smaller")
    return problems


def _template_line_problems(line: TemplateLine, currency: str) -> list[str]:
    problems = []
    if line.percent is not None and line.fixed is not None:
        problems.append("has both a share and an amount: take one away")
    if line.percent is not None and not is_percent(line.percent):
        problems.append("has no share between 0 and 100 percent: correct it")
    if line.fixed is not None and line.fixed.currency != currency:
        problems.append(f"is in {line.fixed.currency} and the opportunity in {currency}: nothing here converts")
    return problems


def _template_costs(template: Sequence[TemplateLine], amount: Money) -> list[Money]:
    """Return what each line of a sound template costs. Raises UnmappableValue if that is not the amount."""
    shares = [each.percent for each in template if each.percent is not None]
    *parts, left = amount.split([*shares, WHOLE - sum(shares)])
    left -= total((each.fixed for each in template if each.fixed is not None), amount.currency)
    refuse(_rest_problems(left, amount, has_rest=any(each.takes_rest for each in template)))
    by_share = iter(parts)
    return [next(by_share) if each.percent is not None else each.fixed or left for each in template]


def _rest_problems(left: Money, amount: Money, *, has_rest: bool) -> list[str]:
    """Return why what the template's lines leave of the amount makes no document."""
    zero = total((), amount.currency)
    if left == zero:
        return []
    if not has_rest:
        text = "the lines of the template come to another amount than the opportunity"
        return [f"{text}: correct its value, or let one line of the template take the rest"]
    if (left < zero) != (amount < zero):
        return ["the lines of the template come to more than the opportunity: correct its value, or the template"]
    return []


class _FieldReader:
    """Reads custom fields, and remembers everything that is wrong with them. No text repeats a value."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields
        self.problems: list[str] = []

    def is_empty(self, asked: LineFields) -> bool:
        """Return whether nothing of a line is filled in."""
        named = (asked.name, asked.amount, asked.quantity)
        return all(self._said(field) is None for field in named if field is not None)

    def line(self, asked: LineFields, currency: str, taxes: tuple[LineTax, ...]) -> DocumentLine | None:
        """Return one line, or None after a problem."""
        name = self._read(asked.name, _line_name)
        cost = self._read(asked.amount, lambda value: Money(exact_number(value), currency))
        without = asked.quantity is None or self._said(asked.quantity) is None
        quantity = Decimal(1) if without else self._read(asked.quantity or "", exact_number)
        if name is None or cost is None or quantity is None:
            return None
        return DocumentLine(name=name, unit_cost=cost, quantity=quantity, taxes=taxes)

    def _read(self, field: str, read: Callable[[object], Read]) -> Read | None:
        value = self._said(field)
        if value is None:
            self.problems.append(f'the custom field "{field}" is empty, and others of its line are not: fill it in')
            return None
        try:
            return read(value)
        except (MoneyError, CannotTransform) as error:
            self.problems.append(f'the custom field "{field}" cannot be read: {error}')
            return None

    def _said(self, field: str) -> object:
        """Return what a field holds; None stands for empty, however the CRM says it."""
        value = self._fields.get(field)
        return tidy(value) if isinstance(value, str) else value


def _line_name(value: object) -> str:
    if not isinstance(value, str):
        raise CannotTransform("a line is named by a text field")
    return value
