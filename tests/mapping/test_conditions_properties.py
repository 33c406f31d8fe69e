"""No text makes the guard hang, crash or swell: it is refused, or it answers."""

import resource
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.conditions import CannotEvaluate, Condition, WrongText
from tests.mapping.test_conditions import OPPORTUNITY

WORDS = [
    *(
        "amount",
        "probability",
        "currency",
        "owner.name",
        "won",
        "tags",
        "addresses",
        'fields["Rush"]',
        "t",
        "t.country",
    ),
    *("tags.exists(t, ", "addresses.all(t, ", "tags.filter(t, ", "size(", "string(", "int(", "double(", "timestamp("),
    *(
        "matches('a+')",
        "startsWith(",
        "contains(",
        ".",
        ",",
        "(",
        ")",
        "[",
        "]",
        "in",
        "null",
        "true",
        "1",
        "-1",
        "2.5",
    ),
    *(
        '""',
        "'x'",
        '"(a|b)*"',
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "?",
        ":",
        "\n",
        "{",
        "map(",
    ),
]
RECORDS: list[dict[str, Any]] = [
    {},
    {"amount": 10.5, "probability": 0, "currency": "EUR", "won": True, "tags": ["a", "b"], "fields": {"Rush": True}},
    {"currency": "a" * 10_000, "tags": ["a" * 30] * 1_000, "addresses": [{"country": "b"}] * 1_000},
]
SLOWEST = 2.0
patient = settings(deadline=None, max_examples=300)


def answer(text: str) -> None:
    """Compile a text and ask it of every record, within bounds."""
    began, size = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        condition = Condition(text, OPPORTUNITY, "when", "opportunity")
    except WrongText as error:
        assert error.line >= 1
        assert error.column >= 1
    else:
        for record in RECORDS:
            try:
                assert condition.holds(record) in (True, False)
            except CannotEvaluate as error:
                assert str(error).startswith("when: for this opportunity it ")
    assert time.monotonic() - began < SLOWEST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - size < 200_000  # kilobytes


@patient
@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join))
def test_no_string_of_words_makes_it_hang_or_crash(text: str) -> None:
    answer(text)


@patient
@given(st.text(max_size=200))
def test_no_string_of_signs_makes_it_hang_or_crash(text: str) -> None:
    answer(text)


SPELLED: dict[str, Callable[[dict[str, Any]], bool]] = {
    'currency == "EUR"': lambda deal: deal.get("currency") == "EUR",
    "won": lambda deal: deal.get("won", False),
    "amount != null": lambda deal: deal.get("amount") is not None,
    '"a" in tags': lambda deal: "a" in deal.get("tags", []),
}
Spelled: TypeAlias = tuple[str, Callable[[dict[str, Any]], bool]]
"""A condition, and the same in Python."""


def both(one: Spelled, other: Spelled) -> Spelled:
    return f"({one[0]} && {other[0]})", lambda deal: one[1](deal) and other[1](deal)


def either(one: Spelled, other: Spelled) -> Spelled:
    return f"({one[0]} || {other[0]})", lambda deal: one[1](deal) or other[1](deal)


def neither(one: Spelled, other: Spelled) -> Spelled:
    return f"!({one[0]} ? true : {other[0]})", lambda deal: not (one[1](deal) or other[1](deal))


COMBINED = st.recursive(
    st.sampled_from(sorted(SPELLED)).map(lambda text: (text, SPELLED[text])),
    lambda inner: st.builds(
        lambda how, one, other: how(one, other), st.sampled_from([both, either, neither]), inner, inner
    ),
    max_leaves=8,
)


@patient
@given(COMBINED)
def test_what_is_put_together_of_conditions_says_what_it_says_in_python(spelled: Spelled) -> None:
    text, expected = spelled
    condition = Condition(text, OPPORTUNITY, "when", "opportunity")
    assert [condition.holds(record) for record in RECORDS] == [expected(record) for record in RECORDS]
