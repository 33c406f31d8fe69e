from itertools import permutations

from mapping.comparison import Twins
from mapping.values import Value

Said = dict[str, Value]
ANNA: Said = {"email": "office@acme.test", "fname": "Anna", "lname": "Kovač", "organization": "Acme"}


def _groups(*records: tuple[int, Said, tuple[str, ...]]) -> list[tuple[int, ...]]:
    twins = Twins()
    for record_id, values, marks in records:
        twins.add(record_id, values, marks)
    return twins.groups()


def test_one_name_with_one_strong_key_is_one_person() -> None:
    taxed: Said = {"vat_number": "DE 123456789", "organization": "Acme"}
    again: Said = {"vat_number": "DE123456789", "organization": "ACME "}
    assert _groups((1, ANNA, ()), (2, ANNA, ()), (3, taxed, ()), (4, again, ())) == [(1, 2), (3, 4)]


def test_colleagues_with_one_address_and_namesakes_without_a_key_are_not() -> None:
    boris, nameless = {**ANNA, "fname": "Boris"}, {"email": ANNA["email"]}
    namesake = {**ANNA, "email": None}
    assert _groups((1, ANNA, ()), (2, boris, ()), (3, nameless, ()), (4, namesake, ()), (5, nameless, ())) == []


def test_a_reference_of_ours_belongs_on_one_record() -> None:
    assert _groups((1, {}, ("ref",)), (2, ANNA, ("ref",)), (3, {}, ("other",))) == [(1, 2)]


def test_whoever_shares_a_key_with_one_of_a_group_belongs_to_it_in_any_order() -> None:
    records = [(1, ANNA, ("a",)), (2, ANNA, ("b",)), (3, {}, ("b",)), (4, {}, ("a",))]
    assert {tuple(_groups(*each)) for each in permutations(records)} == {((1, 2, 3, 4),)}
