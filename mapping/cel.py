"""The engine that works out conditions, and the two things we ask of it: compile, evaluate.

It is Google's, from the package cel-expr-python, which is pinned: its 0.1.3 counts references to None wrongly, so that
Python 3.11 ends after some thousand nulls whose value was asked for. Here nobody asks for it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]

from mapping.condition_text import WrongText

# Names are declared inside of this, so that a record may have some that the language uses itself, such as `type`.
_CONTAINER = "ledgerline_record"
_MOST_COMBINED = 4  # numbers in one text, for which both spellings are tried
_WHERE = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")
_NO_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")

# An empty number is null. Engine and checker see it differently: the checker knows numbers that may be null, the engine
# is handed whatever there is.
_NULLABLE_DOUBLE, _NULLABLE_INT = cel.Type("google.protobuf.DoubleValue"), cel.Type("google.protobuf.Int64Value")
_ROW = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
_TYPES = {
    "TEXT": cel.Type.STRING,
    "FLAG": cel.Type.BOOL,
    "TEXTS": cel.Type.List(cel.Type.STRING),
    "ROWS": cel.Type.List(_ROW),
    "FIELDS": _ROW,
}
_GIVES = {"string": "TEXT", "bool": "FLAG", "double": "NUMBER", "int": "NUMBER"}
_GIVES |= {"wrapper(double)": "NUMBER", "wrapper(int)": "NUMBER", "null": "nothing"}
_WORDS = {"string": "text", "bool": "yes/no", "double": "number", "int": "whole number", "null_type": "null"}
_WORDS |= {"wrapper(double)": "number", "wrapper(int)": "number", "map(string, string)": "row"}
_WORDS |= {"list(string)": "list of texts", "list(map(string, string))": "list of rows"}
# What an error of the engine is about. Its own words are not repeated: they quote values.
_FAILURES = (
    ("No matching overload", "compares or computes with an empty number: ask first, `amount != null && amount > 100`"),
    ("divide by zero", "divides by zero"),
    ("modulus by zero", "divides by zero"),
    ("OUT_OF_RANGE", "computes with a number that is too large"),
    ("overflow", "computes with a number that is too large"),
    ("regular expression", "has a pattern that cannot be read"),
    ("onver", "reads a text as a number or a time that is none: ask first whether it is empty"),
    ("Index", "asks for an item that is not there"),
    ("NOT_FOUND", "asks for a part that is not there"),
)


class CannotEvaluate(ValueError):
    """A condition cannot be worked out for one record, for this reason. The text never repeats a value."""


class Program:
    """A compiled text; `gives` says what: TEXT, FLAG, NUMBER, or the engine's word for anything else.

    `types` are the declared names, `numbers` those of them that hold numbers and are used. A number may be compared
    with a whole one unless the text also computes (`whole_allowed`): then it is written 2.0. Raises WrongText.
    """

    def __init__(self, text: str, types: Mapping[str, str], numbers: Sequence[str], *, whole_allowed: bool) -> None:
        self.gives = _checked(text, types, numbers if whole_allowed else ())
        engine = {name: _TYPES.get(each, cel.Type.DYN) for name, each in types.items()}
        self._program = _compiled(engine, text)

    def evaluate(self, values: Mapping[str, Any]) -> str | bool | float | None:
        """Return what the text gives. Every used name has a value. Raises CannotEvaluate."""
        try:
            found = self._program.eval(data={f"{_CONTAINER}.{name}": each for name, each in values.items()})
        except RuntimeError:
            raise CannotEvaluate("cannot be worked out") from None
        kind = found.type()
        if kind == cel.Type.NULL:
            return None
        value = found.value()
        if kind == cel.Type.ERROR:
            raise CannotEvaluate(next((text for sign, text in _FAILURES if sign in value), "cannot be worked out"))
        if not isinstance(value, str | bool | int | float):
            raise CannotEvaluate("cannot be worked out")
        return value


def require_pattern(literal: str, line: int, column: int) -> None:
    """Raise WrongText for a pattern, still in its quotes, that the engine could not read."""
    try:
        found = cel.NewEnv().compile(f'"".matches({literal})').eval()
    except RuntimeError:
        found = None
    if found is None or found.type() == cel.Type.ERROR:
        raise WrongText(line, column, "a pattern that cannot be read: https://github.com/google/re2/wiki/Syntax")


def _checked(text: str, types: Mapping[str, str], numbers: Sequence[str]) -> str:
    """Return what the text gives, by the checker. Of numbers both spellings are tried: 100 and 100.0."""
    refusal: WrongText | None = None
    for spelling in _spellings(types, numbers):
        try:
            given = str(_compiled(spelling, text).return_type().name())
        except (RuntimeError, ValueError) as error:
            refusal = refusal or _refusal(str(error), types)
        else:
            return _GIVES.get(given.lower(), given.lower())
    raise refusal or WrongText(1, 1, "cannot be read")


def _compiled(types: Mapping[str, Any], text: str) -> Any:
    variables = {f"{_CONTAINER}.{name}": each for name, each in types.items()}
    return cel.NewEnv(variables=variables, container=_CONTAINER).compile(text)


def _spellings(types: Mapping[str, str], numbers: Sequence[str]) -> Iterator[dict[str, Any]]:
    plain = {name: _TYPES.get(each, _NULLABLE_DOUBLE) for name, each in types.items()}
    for choice in product((_NULLABLE_DOUBLE, _NULLABLE_INT), repeat=min(len(numbers), _MOST_COMBINED)):
        yield plain | dict(zip(numbers, choice, strict=False))


def _refusal(problem: str, types: Mapping[str, str]) -> WrongText:
    """Return the checker's first finding, in words for a person."""
    found = _WHERE.search(problem)
    if found is None:
        text = "too many brackets within brackets" if "recursion" in problem else "cannot be read"
        return WrongText(1, 1, text)
    return WrongText(int(found[1]), int(found[2]), _in_words(found[3], types))


def _in_words(finding: str, types: Mapping[str, str]) -> str:
    if match := _UNDECLARED.search(finding):
        return f"there is no {match[1]} here. Allowed: {', '.join(sorted(types))}"
    if match := _NO_OVERLOAD.search(finding):
        sign = match[1].strip("_@").replace("_", "") or match[1]
        given = " and ".join(_WORDS.get(each, each) for each in _arguments(match[2]))
        return f"{sign} does not work on {given}{_advice(match[2])}"
    if "Syntax error" in finding:
        return "cannot be read from here on: something is missing or too much"
    return "cannot be used here"


def _arguments(text: str) -> list[str]:
    return re.split(r", (?![^(]*\))", text)


def _advice(arguments: str) -> str:
    if "null_type" in arguments:
        return ': an empty text is "", only numbers can be null'
    if "int" in arguments and "double" in arguments:
        return ": write a whole number as 2.0 where something is computed"
    return ""
