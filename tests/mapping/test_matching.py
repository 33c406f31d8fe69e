"""Who may be the same on the other side: what is linked unasked, what a person is asked, and what is nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.faces import Faces
from mapping.legal_forms import firm_name, person_name, words
from mapping.matching import Doubtful, Face, Match, Nobody, Same, Verdict, compare, doubtful, face_of, judge
from mapping.values import Value
from tests.mapping.parties import patient

KIEL: dict[str, Value] = {"p_city": "Kiel", "p_code": "24103"}
BREST: dict[str, Value] = {"p_city": "Brest", "p_code": "29200"}

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)
plain_words = st.lists(st.text("abcdefgh", min_size=3, max_size=8), min_size=1, max_size=4)


def firm(name: str, **values: Value) -> Face:
    return face_of({"organization": name, **values})


def person(first: str, last: str, **values: Value) -> Face:
    return face_of({"fname": first, "lname": last, **values}, is_person=True)


def verdict(face: Face, **others: Face) -> Verdict:
    """Judge a record against others, who are called c1, c2, …"""
    known = {int(name.removeprefix("c")): other for name, other in others.items()}
    return judge(face, doubtful(face, known), known)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Ltd", "ACME Limited"),
        ("Müller GmbH", "Mueller GmbH"),
        ("Müller GmbH", "Muller G.m.b.H."),
        ("Groß & Söhne GmbH & Co. KG", "Gross und Soehne"),
        ("Łódź Print Sp. z o.o.", "Lodz Print"),
        ("Smørrebrød ApS", "Smorrebrod A.p.S."),
        ("L'Oréal S.A.", "LOREAL SA"),
        ("Pâtisserie Lefèvre S.à r.l.", "Patisserie Lefevre SARL"),
        ("Van Buren B.V.", "van Buren BV"),
        ("The Joinery Pty Ltd", "Joinery Pty. Limited"),
        ("J. P. Morgan, Inc.", "JP Morgan"),
        ("Ålborg Havn A/S", "Aalborg Havn"),
    ],
)
def test_two_spellings_of_a_firm_are_one_name(one: str, other: str) -> None:
    """F4, Z80: exact names make two customers of one."""
    assert firm_name(one) == firm_name(other) != ""


def test_a_firm_that_is_called_by_its_legal_form_keeps_its_name() -> None:
    assert firm_name("AG") == "ag"
    assert firm_name("Limited Company") != ""


def test_a_person_is_the_same_whichever_name_comes_first() -> None:
    assert person_name("Quist, Nora") == person_name("Nora", "Quist")


@given(names)
@patient
def test_folding_what_was_folded_changes_nothing(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)
    assert firm_name(firm_name(text)) == firm_name(text)
    assert person_name(person_name(text)) == person_name(text)


@given(plain_words.flatmap(lambda parts: st.tuples(st.just(parts), st.permutations(parts))))
@patient
def test_the_order_of_the_words_makes_no_other_firm(orders: tuple[list[str], list[str]]) -> None:
    one, other = orders
    assert firm_name(" ".join(one)) == firm_name(" ".join(other))


faces = st.builds(
    face_of,
    st.fixed_dictionaries(
        {},
        optional={
            "fname": st.sampled_from(["Nora", "Nore", "Ida"]),
            "lname": st.sampled_from(["Quist", "Quisst", "Berg"]),
            "organization": st.sampled_from(["Acme Ltd", "Acme Limited", "Akme", "Nora Quist", "Super Markt"]),
            "email": st.sampled_from(["a@acme.test", "b@acme.test"]),
            "vat_number": st.sampled_from(["DE 123 456", "DE123456", "DE999888"]),
            "p_city": st.sampled_from(["Kiel", "Brest"]),
            "p_code": st.sampled_from(["24103", "29200"]),
            "bus_phone": st.sampled_from(["+49 431 1234567", "0431 1234567"]),
        },
    ),
    st.lists(st.sampled_from(["a@acme.test", "c@acme.test"]), max_size=1),
    is_person=st.booleans(),
)


@given(faces, faces)
@patient
def test_looking_alike_is_mutual(one: Face, other: Face) -> None:
    assert compare(one, other, 1) == compare(other, one, 1)


@given(faces, st.lists(faces, max_size=6))
@patient
def test_the_order_of_the_others_makes_no_difference(face: Face, others: list[Face]) -> None:
    known = dict(enumerate(others, start=1))
    turned = dict(reversed(known.items()))
    assert doubtful(face, known) == doubtful(face, turned)


@given(faces, st.lists(faces, max_size=6))
@patient
def test_the_index_finds_what_comparing_with_everybody_finds(face: Face, others: list[Face]) -> None:
    known = dict(enumerate(others, start=1))
    assert Faces(known.items()).matches(face) == doubtful(face, known)


@pytest.mark.parametrize("key", [{"email": "Office@Acme.test"}, {"vat_number": "DE 123.456"}])
def test_a_single_exact_key_is_the_same_customer(key: dict[str, Value]) -> None:
    """F5, Z35: whatever the name says."""
    other = firm("Something else", email="office@acme.test", vat_number="de123456")
    assert isinstance(verdict(face_of({"organization": "Acme", **key}), c1=other), Same)


def test_two_customers_with_the_same_address_are_told_apart_by_a_person() -> None:
    """F4."""
    one, other = firm("Acme", email="a@acme.test"), firm("Acme", email="a@acme.test")
    found = verdict(firm("Acme", email="a@acme.test"), c2=other, c1=one)
    assert isinstance(found, Doubtful)
    assert [each.other_id for each in found.matches] == [1, 2]


def test_two_exact_keys_that_name_different_customers_are_a_doubt() -> None:
    by_email, by_tax = firm("Acme", email="a@acme.test"), firm("Acme", vat_number="DE123456")
    found = verdict(firm("Acme", email="a@acme.test", vat_number="DE123456"), c1=by_email, c2=by_tax)
    assert isinstance(found, Doubtful)
    assert {each.reason for each in found.matches} == {"same-email", "same-tax-number"}


def test_one_address_under_two_tax_numbers_belongs_to_two_firms() -> None:
    other = firm("Acme", email="a@acme.test", vat_number="DE999888")
    found = verdict(firm("Acme", email="a@acme.test", vat_number="DE123456"), c1=other)
    assert isinstance(found, Doubtful)


@pytest.mark.parametrize("number", ["pending", "000000", "n/a", "1234", ""])
def test_what_is_no_tax_number_matches_nothing(number: str) -> None:
    assert verdict(firm("North", vat_number=number), c1=firm("South", vat_number=number)) == Nobody()


def test_a_similar_name_at_the_same_place_is_shown_to_a_person() -> None:
    """F4, Z35."""
    found = verdict(firm("Tischlerei Müller GmbH", **KIEL), c1=firm("Tischlerei Mueler", **KIEL))
    assert isinstance(found, Doubtful)
    assert (found.matches[0].reason, found.matches[0].support) == ("similar-name", ("place",))


def test_a_similar_name_elsewhere_is_somebody_else() -> None:
    assert verdict(firm("Tischlerei Müller", **KIEL), c1=firm("Tischlerei Mueler", **BREST)) == Nobody()


def test_the_same_firm_at_another_place_may_have_moved() -> None:
    found = verdict(firm("Tischlerei Müller GmbH", **KIEL), c1=firm("Tischlerei Mueller", **BREST))
    assert isinstance(found, Doubtful)
    assert found.matches[0].reason == "same-name"


def test_two_people_of_one_name_in_two_towns_are_two_people() -> None:
    assert verdict(person("Anna", "Berg", **KIEL), c1=person("Anna", "Berg", **BREST)) == Nobody()


def test_a_phone_number_speaks_for_two_similar_names() -> None:
    one = person("Nora", "Quist", bus_phone="+49 431 1234567")
    found = verdict(one, c1=person("Nora", "Qvist", mob_phone="0431 / 123 45 67"))
    assert isinstance(found, Doubtful)
    assert found.matches[0].support == ("phone",)


def test_a_person_is_not_the_firm_that_employs_them() -> None:
    """Else every employee of a customer would wait for a decision."""
    assert verdict(person("Nora", "Quist", organization="Acme Ltd"), c1=firm("Acme Ltd")) == Nobody()


def test_a_firm_is_recognised_in_a_client_that_also_names_a_contact() -> None:
    client = face_of({"organization": "Acme Limited", "fname": "Nora", "lname": "Quist"})
    assert isinstance(verdict(firm("Acme Ltd"), c1=client), Doubtful)


def test_somebody_may_be_in_the_books_as_the_firm_named_after_them() -> None:
    assert isinstance(verdict(person("Nora", "Quist"), c1=firm("Nora Quist e.K.")), Doubtful)


def test_another_address_of_the_same_customer_is_a_hint_and_no_proof() -> None:
    party = face_of({"organization": "Acme", "email": "office@acme.test"}, ["nora@acme.test"])
    found = verdict(party, c1=firm("Nora Quist", email="nora@acme.test"))
    assert isinstance(found, Doubtful)
    assert found.matches[0].reason == "another-email"


def test_different_tax_numbers_tell_equal_names_apart() -> None:
    one, other = firm("Acme Ltd", vat_number="GB123456", **KIEL), firm("Acme Limited", vat_number="GB654321", **KIEL)
    assert verdict(one, c1=other) == Nobody()


def test_the_likeliest_comes_first() -> None:
    near, far = firm("Tischlerei Mueller", **KIEL), firm("Tischlerei Müller", **BREST)
    found = verdict(firm("Tischlerei Müller GmbH", **KIEL), c1=far, c2=near)
    assert isinstance(found, Doubtful)
    assert [each.other_id for each in found.matches] == [2, 1]


def test_a_record_without_anything_to_go_by_is_like_nobody() -> None:
    assert verdict(face_of({}), c1=face_of({})) == Nobody()


def test_the_reason_is_said_without_a_value() -> None:
    """Explanations reach logs and summaries."""
    assert Match(7, "similar-name", 88, ("place", "phone")).text == "similar name, same place, same phone (88)"
