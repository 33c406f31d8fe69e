"""What is allowed in the text of a condition, checked before the engine sees it.

The engine bounds time by itself, but not memory, and it takes far more than a mapping needs. So everything that can
grow without end, or run long, is refused here: the rest is read by the engine, which checks names and types.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from mapping.values import tidy

LONGEST = 1_000
MOST_MACROS = 3
MOST_ADDITIONS = 10
MOST_PATTERNS = 3
LONGEST_PATTERN = 100

MACROS = frozenset({"exists", "exists_one", "all", "filter"})
"""What asks every item of a list."""
CHEAP = frozenset({"size", "startsWith", "endsWith", "contains"})
"""What may be asked of every item."""
TIMES = frozenset({"getFullYear", "getMonth", "getDate", "getDayOfWeek", "getHours", "getMinutes"})
FUNCTIONS = CHEAP | TIMES | MACROS | {"matches", "int", "double", "string", "timestamp", "duration"}

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<number>[0-9][0-9A-Za-z.]*)"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]])""",
    re.ASCII,
)
_ARITHMETIC = frozenset("+-*/%")
_BEFORE_OPERAND = frozenset({"&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", ",", "(", "[", *_ARITHMETIC})


class WrongText(ValueError):
    """A condition that cannot be used. `line` and `column` count from 1, inside its own text."""

    def __init__(self, line: int, column: int, text: str) -> None:
        self.line, self.column, self.reason = line, column, text
        super().__init__(f"line {line}, column {column}: {text}")


@dataclass(frozen=True)
class Token:
    """One word, number, text or sign of a condition; `start` is where it stands in the whole."""

    kind: str
    text: str
    start: int


@dataclass(frozen=True)
class Reading:
    """A condition that passed: what it names."""

    chains: Sequence[tuple[str, int]]
    """Every name with what follows it after dots, such as `organisation.name.startsWith`, and where it stands."""
    fields: frozenset[str]
    """The custom fields that it asks for, in the words of the text."""
    patterns: Sequence[tuple[str, int]]
    """What it gives to `matches`, with the quotes, and where each stands."""
    computes: bool
    """Whether it adds, subtracts, multiplies or divides."""


def read_text(text: str, parts: Set[str], fields_name: str = "fields") -> Reading:
    """Return what a condition names. Raises WrongText for what is not allowed in one.

    `parts` are those that rows of the record's lists have, and `fields_name` is what custom fields are asked of.
    """
    tokens = list(_tokens(text))
    if not tokens:
        raise WrongText(1, 1, "says nothing: leave the key out instead")
    _check_counts(text, tokens)
    _check_calls(text, tokens)
    _check_macros(text, tokens, parts)
    _check_brackets(text, tokens, fields_name)
    behind = [tokens[place + 2].text for place, token in enumerate(tokens) if _is_name(token, fields_name)]
    return Reading(
        list(_chains(tokens)), frozenset(each[1:-1] for each in behind), _patterns(tokens), _computes(tokens)
    )


def spot(text: str, start: int) -> tuple[int, int]:
    """Return line and column, from 1, of a place in a text."""
    before = text[:start]
    return before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1


def _is_name(token: Token, name: str) -> bool:
    return token.kind == "name" and token.text == name


def _wrong(text: str, token: Token, why: str) -> WrongText:
    return WrongText(*spot(text, token.start), why)


def _tokens(text: str) -> Iterator[Token]:
    if len(text) > LONGEST:
        raise WrongText(*spot(text, LONGEST), f"longer than {LONGEST:,} characters: split it, or use `enrich`")
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or text.startswith(('"""', "'''"), place) or text.startswith("//", place):
            raise WrongText(*spot(text, place), _why_unreadable(text[place:]))
        if match.lastgroup == "text" and text[place - 1 : place].isidentifier():
            raise WrongText(*spot(text, place), "a letter right before a quote is not allowed: texts are plain")
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match.group(), place)
        place = match.end()


def _why_unreadable(rest: str) -> str:
    if rest.startswith(('"""', "'''")):
        return "triple quotes are not allowed"
    if rest[0] in "\"'":
        return "a text that is not closed on its line"
    if rest.startswith("//"):
        return "comments are not allowed inside: write them in the file, with #"
    if rest[0] in "{}":
        return "braces are not allowed"
    return f"the sign {rest[0]!r} means nothing here" if tidy(rest[0]) else "an unreadable sign"


def _check_counts(text: str, tokens: Sequence[Token]) -> None:
    limits = (
        ([each for each in tokens if each.text == "+"], MOST_ADDITIONS, "additions"),
        ([each for each in tokens if each.kind == "name" and each.text == "matches"], MOST_PATTERNS, "patterns"),
        ([each for each in tokens if each.kind == "name" and each.text in MACROS], MOST_MACROS, "questions to lists"),
    )
    for found, most, what in limits:
        if len(found) > most:
            raise _wrong(text, found[most], f"more than {most} {what}")


def _check_calls(text: str, tokens: Sequence[Token]) -> None:
    for place, (token, following) in enumerate(pairwise(tokens)):
        if token.kind != "name" or following.text != "(":
            continue
        if token.text not in FUNCTIONS:
            raise _wrong(text, token, f"there is no {token.text}(…). Allowed: {', '.join(sorted(FUNCTIONS))}")
        if token.text == "matches":
            pattern = tokens[place + 2] if place + 2 < len(tokens) else following
            if pattern.kind != "text" or len(pattern.text) > LONGEST_PATTERN:
                raise _wrong(text, pattern, f"a pattern is a text in quotes of at most {LONGEST_PATTERN} characters")


def _check_macros(text: str, tokens: Sequence[Token], parts: Set[str]) -> None:
    """Refuse, inside a question to every item of a list, what multiplies: additions and further questions."""
    closing: int | None = None
    depth, item = 0, ""
    for place, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if closing is not None and depth < closing:
            closing = None
        following = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if token.kind == "name" and following == "(" and token.text in MACROS:
            if closing is not None:
                raise _wrong(text, token, "a question to a list inside another one is not allowed")
            closing, item = depth + 1, tokens[place + 2].text if place + 2 < len(tokens) else ""
        elif closing is not None:
            _check_inside(text, tokens, place, item, parts)


def _check_inside(text: str, tokens: Sequence[Token], place: int, item: str, parts: Set[str]) -> None:
    token, following = tokens[place], tokens[place + 1].text if place + 1 < len(tokens) else ""
    if token.text == "+":
        raise _wrong(text, token, "an addition inside a question to a list is not allowed")
    if token.kind == "name" and following == "(" and token.text not in CHEAP:
        raise _wrong(text, token, f"{token.text}(…) is not allowed inside. Allowed: {', '.join(sorted(CHEAP))}")
    is_part = place > 1 and tokens[place - 1].text == "." and tokens[place - 2].text == item
    if token.kind == "name" and is_part and following != "(" and token.text not in parts:
        raise _wrong(text, token, f"rows have no part {token.text}. Allowed: {', '.join(sorted(parts)) or 'none'}")


def _check_brackets(text: str, tokens: Sequence[Token], fields_name: str) -> None:
    """Square brackets hold a list of choices, or, after `fields`, the name of one custom field."""
    for place, token in enumerate(tokens):
        if _is_name(token, fields_name):
            behind = tokens[place + 1 : place + 4]
            shape = [each.kind if each.kind == "text" else each.text for each in behind]
            if shape != ["[", "text", "]"] or "\\" in behind[1].text:
                raise _wrong(text, token, f'name one custom field, in quotes: {fields_name}["VAT number"]')
        elif token.text == "[" and place and tokens[place - 1].text not in _BEFORE_OPERAND | {"in", fields_name}:
            raise _wrong(text, token, "a list has no numbered items here: ask it with exists, all or filter")


def _chains(tokens: Sequence[Token]) -> Iterator[tuple[str, int]]:
    place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if token.kind != "name" or (place > 1 and tokens[place - 2].text == "."):
            continue
        words = [token.text]
        while place + 1 < len(tokens) and tokens[place].text == "." and tokens[place + 1].kind == "name":
            words.append(tokens[place + 1].text)
            place += 2
        yield ".".join(words), token.start


def _patterns(tokens: Sequence[Token]) -> list[tuple[str, int]]:
    given = [tokens[place + 2] for place, token in enumerate(tokens[:-2]) if _is_name(token, "matches")]
    return [(each.text, each.start) for each in given if each.kind == "text"]


def _computes(tokens: Sequence[Token]) -> bool:
    for place, token in enumerate(tokens):
        sign_of_number = token.text == "-" and (not place or tokens[place - 1].text in _BEFORE_OPERAND)
        if token.text in _ARITHMETIC and not sign_of_number:
            return True
    return False


def names_used(reading: Reading, declared: Mapping[str, object]) -> dict[str, int]:
    """Return the declared names that a condition asks for, each with its first place: the longest that fits."""
    used: dict[str, int] = {}
    for chain, start in reading.chains:
        words = chain.split(".")
        fitting = (".".join(words[:length]) for length in range(len(words), 0, -1))
        name = next((each for each in fitting if each in declared), None)
        if name is not None:
            used.setdefault(name, start)
    return used
