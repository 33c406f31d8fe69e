"""Conditions and small computed values in mappings: texts in CEL, behind a guard. Source: https://cel.dev

A text is compiled against declared names and types when it is loaded, and refused with line and column if it could not
work, or could take up too much: see `mapping.condition_text`. What is empty is an empty text, an empty list or no;
an empty number is null, and has to be asked for (`amount != null && amount > 100`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeAlias

from mapping.cel import CannotEvaluate, Program, require_pattern
from mapping.condition_text import Reading, WrongText, names_used, read_text, spot

__all__ = ["CannotEvaluate", "Computation", "Condition", "Declared", "Holds", "WrongText", "custom_fields_in"]

FIELDS = "fields"
"""The name of which custom fields are asked: `fields["VAT number"]`."""
LONGEST_VALUE = 10_000
MOST_ITEMS = 1_000
MOST_TEXT = 50_000
MOST_DIGITS = 15  # as many as a binary number keeps: with more, two amounts that differ could be equal


class Holds(StrEnum):
    """What a declared name stands for. Custom fields go by the name `fields`, and are given as texts by their names."""

    TEXT = "a text"
    FLAG = "yes/no"
    NUMBER = "a number"
    TEXTS = "a list of texts"
    ROWS = "a list of rows"
    FIELDS = "custom fields"


@dataclass(frozen=True)
class Declared:
    """One name that a condition may use. `parts` are those that rows of a list have, all of them texts."""

    holds: Holds
    parts: tuple[str, ...] = ()


Names: TypeAlias = Mapping[str, Declared]
"""What a record offers, by name. A name may have dots: `organisation.name`."""
Answer: TypeAlias = str | bool | float | None


@dataclass(frozen=True)
class _Compiled:
    """A text that was checked, with what has to be handed in to work it out. `rule` and `of` are for errors only."""

    text: str
    names: Names = field(repr=False, hash=False)
    rule: str
    of: str
    reading: Reading = field(init=False, repr=False, compare=False)
    used: Names = field(init=False, repr=False, compare=False)
    program: Program = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = {part for each in self.names.values() for part in each.parts}
        reading = read_text(self.text, parts, FIELDS)
        used = {name: self.names[name] for name in names_used(reading, self.names)}
        types = {name: each.holds.name for name, each in self.names.items()}
        numbers = sorted(name for name, each in used.items() if each.holds is Holds.NUMBER)
        program = Program(self.text, types, numbers, whole_allowed=not reading.computes)
        for pattern, start in reading.patterns:
            require_pattern(pattern, *spot(self.text, start))
        for name, value in (("reading", reading), ("used", used), ("program", program)):
            object.__setattr__(self, name, value)

    @property
    def custom_fields(self) -> frozenset[str]:
        """The custom fields that the text names: the account has to have them."""
        return self.reading.fields

    def _answer(self, values: Mapping[str, Any]) -> Answer:
        where = f"{self.rule}: for this {self.of} it"
        try:
            given = {name: _given(each, values.get(name), self.reading) for name, each in self.used.items()}
            _require_small(given)
            answer = self.program.evaluate(given)
        except CannotEvaluate as error:
            raise CannotEvaluate(f"{where} {error}") from None
        if isinstance(answer, str) and len(answer) > LONGEST_VALUE:
            raise CannotEvaluate(f"{where} gives a text longer than {LONGEST_VALUE:,} characters")
        return answer


@dataclass(frozen=True)
class Condition(_Compiled):
    """A text that says yes or no of a record: `currency == "EUR" && amount != null && amount > 100`.

    `names` are those of the record, `rule` is what people call the condition (`when`, `vat_number.when`), and `of` the
    kind of record (`party`, `opportunity`); both stand in errors, which never quote a value. Raises WrongText.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.program.gives != Holds.FLAG.name:
            raise WrongText(1, 1, f"must say yes or no, but gives {_in_words(self.program.gives)}")

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether a record meets it. A name that `values` lacks is empty there. Raises CannotEvaluate."""
        return self._answer(values) is True


@dataclass(frozen=True)
class Computation(_Compiled):
    """A text that gives a value for a record: `firstName + " " + lastName`. Read and refused as a Condition is.

    `gives` is what it has to be: a text, yes/no or a number.
    """

    gives: Holds = Holds.TEXT

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.program.gives != self.gives.name:
            hint = ": put string(…) around it" if self.gives is Holds.TEXT else ""
            raise WrongText(1, 1, f"must give {self.gives}, but gives {_in_words(self.program.gives)}{hint}")

    def value(self, values: Mapping[str, Any]) -> Answer:
        """Return the value for a record; None for an empty one. Raises CannotEvaluate."""
        answer = self._answer(values)
        return None if answer == "" else answer


def custom_fields_in(expressions: Sequence[Condition | Computation]) -> frozenset[str]:
    """Return the custom fields that any of these name."""
    return frozenset().union(*(each.custom_fields for each in expressions))


def _in_words(gives: str) -> str:
    return Holds[gives].value if gives in Holds.__members__ else f"{gives} (not a text, a number or yes/no)"


def _given(declared: Declared, value: Any, reading: Reading) -> Any:
    """Return a value of a record as the engine takes it. Raises CannotEvaluate for what is too large."""
    match declared.holds:
        case Holds.FLAG:
            return value is True
        case Holds.NUMBER:
            return _number(value)
        case Holds.TEXTS:
            return [_text(each) for each in _items(value)]
        case Holds.ROWS:
            return [_row(row, declared) for row in _items(value)]
        case Holds.FIELDS:
            known = {str(name).casefold(): each for name, each in (value or {}).items()}
            return {name: _text(known.get(name.casefold())) for name in reading.fields}
    return _text(value)


def _row(row: Mapping[str, Any], declared: Declared) -> dict[str, str]:
    return {part: _text(row.get(part)) for part in declared.parts}


def _items(value: Any) -> Sequence[Any]:
    items = value or []
    if len(items) > MOST_ITEMS:
        raise CannotEvaluate(f"asks a list of more than {MOST_ITEMS:,} items")
    return list(items)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    if len(text) > LONGEST_VALUE:
        raise CannotEvaluate(f"asks a text of more than {LONGEST_VALUE:,} characters")
    return text.encode("utf-8", "replace").decode("utf-8")  # half a letter, which JSON allows, would end the engine


def _number(value: Any) -> float | None:
    """Return a number as CEL has it. Compared, such numbers are exact as long as they have no more than 15 digits."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise CannotEvaluate("compares a number that is none") from None
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > MOST_DIGITS:
        raise CannotEvaluate(f"compares a number of more than {MOST_DIGITS} digits")
    return float(number)


def _require_small(given: Mapping[str, Any]) -> None:
    if sum(_length(each) for each in given.values()) > MOST_TEXT:
        raise CannotEvaluate(f"asks for more than {MOST_TEXT:,} characters in all")


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list) else 0
