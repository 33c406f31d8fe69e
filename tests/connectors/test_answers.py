"""JSON is parsed without surprises."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answers import parse_json


def test_cents_survive_parsing() -> None:
    assert parse_json(b'{"amount": 0.1, "whole": 500}') == {"amount": Decimal("0.1"), "whole": 500}
    assert str(parse_json(b"1250.50")) == "1250.50"


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        "-Infinity",
        '{"id": 1, "id": 2}',
        "1e999999999",
        "1e99999999999999999999999",
        "9" * 5000,
        "",
        "{",
        "\ufeff{}",
    ],
    ids=lambda text: text[:12],
)
def test_json_that_two_readers_could_understand_differently_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text.encode())


@pytest.mark.parametrize("depth", [33, 5000, 200_000])
def test_a_tower_of_brackets_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="nested"):
        parse_json(b"[" * depth + b"]" * depth)


def test_thirty_two_levels_are_enough_for_everybody() -> None:
    assert parse_json(b"[" * 31 + b"[1]" + b"]" * 31)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_being_refused(body: bytes) -> None:
    try:
        parse_json(body)
    except ValueError:
        return
