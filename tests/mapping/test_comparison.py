from itertools import permutations

from mapping.comparison import Twins
from mapping.matching import Face

ANNA = Face(email="office@acme.test", person="anna kovac", firm="acme")


def _groups(*records: tuple[int, Face, tuple[str, ...]]) -> list[tuple[int, ...]]:
    twins = Twins()
    for record_id, face, marks in records:
        twins.add(record_id, face, marks)
    return twins.groups()


def test_one_name_with_one_strong_key_is_one_person() -> None:
    taxed = Face(tax_number="DE123456789", firm="acme")
    assert _groups((1, ANNA, ()), (2, ANNA, ()), (3, taxed, ()), (4, taxed, ())) == [(1, 2), (3, 4)]


def test_colleagues_with_one_address_and_namesakes_without_a_key_are_not() -> None:
    boris = Face(email=ANNA.email, person="boris kovac", firm="acme")
    nameless = Face(email=ANNA.email)
    namesake = Face(person=ANNA.person, firm=ANNA.firm)
    assert _groups((1, ANNA, ()), (2, boris, ()), (3, nameless, ()), (4, namesake, ()), (5, nameless, ())) == []


def test_a_reference_of_ours_belongs_on_one_record() -> None:
    assert _groups((1, Face(), ("ref",)), (2, ANNA, ("ref",)), (3, Face(), ("other",))) == [(1, 2)]


def test_whoever_shares_a_key_with_one_of_a_group_belongs_to_it_in_any_order() -> None:
    records = [(1, ANNA, ("a",)), (2, ANNA, ("b",)), (3, Face(), ("b",)), (4, Face(), ("a",))]
    assert {tuple(_groups(*each)) for each in permutations(records)} == {((1, 2, 3, 4),)}
