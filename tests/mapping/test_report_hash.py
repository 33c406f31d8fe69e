from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from mapping.report_hash import ReportHash

PIECES = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4), max_size=5)


def _hash(*pieces: Mapping[str, object]) -> str:
    made = ReportHash()
    for each in pieces:
        made.add(each)
    return made.hexdigest()


def test_the_order_of_keys_makes_no_difference_and_that_of_mismatches_does() -> None:
    first: dict[str, object] = {"kind": "duplicate", "name": "Kovač"}
    second: dict[str, object] = {"kind": "field-drift", "name": "Acme"}
    assert _hash(first) == _hash({"name": "Kovač", "kind": "duplicate"})
    assert _hash(first, second) != _hash(second, first)


@given(PIECES, PIECES)
def test_two_reports_hash_alike_only_if_they_say_the_same(
    one: list[dict[str, object]], other: list[dict[str, object]]
) -> None:
    assert (_hash(*one) == _hash(*other)) == (one == other)
