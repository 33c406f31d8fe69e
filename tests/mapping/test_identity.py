"""Which client already stands for a party."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mapping.identity import Adopt, Candidate, Create, Doubt, Identity, choose
from tests.mapping.parties import patient

OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"
NORA = "nora@quist.test"


def client(number: int, **parts: Any) -> Candidate:
    """Return an active client with Nora's email and no ties."""
    plain = {"email": NORA, "reference": None, "linked_to": None, "visible": True}
    return Candidate(client_id=number, **(plain | parts))


def chosen(*candidates: Candidate, email: str | None = NORA) -> Identity:
    return choose(candidates, email=email, reference=OURS)


def test_a_client_that_our_lost_request_created_is_adopted() -> None:
    """F1, F2"""
    assert chosen(client(1, reference=OURS, email="changed@since.test")) == Adopt(1, "our-reference")


def test_our_reference_outweighs_an_equal_email() -> None:
    """F2"""
    assert chosen(client(1), client(2, reference=OURS)) == Adopt(2, "our-reference")


def test_two_clients_with_our_reference_are_a_duplicate_for_a_person() -> None:
    """F4"""
    assert chosen(client(2, reference=OURS), client(1, reference=OURS)) == Doubt((1, 2), "duplicate-found")


def test_the_only_client_with_the_same_email_is_adopted() -> None:
    """F5"""
    assert chosen(client(1), client(2, email="ida@quist.test")) == Adopt(1, "same-email")


def test_capitals_and_spaces_make_no_other_email() -> None:
    """F4"""
    assert chosen(client(1, email=" Nora@Quist.TEST")) == Adopt(1, "same-email")


def test_several_clients_with_one_email_are_a_persons_choice() -> None:
    """F4: which of two customers gets the invoices is nothing to guess."""
    assert chosen(client(3), client(1)) == Doubt((1, 3), "doubtful-match")


def test_two_people_of_one_firm_who_share_an_address_stay_two_clients() -> None:
    """F20: two records tied to one client would overwrite each other for ever."""
    assert chosen(client(1, linked_to="capsule-party-8")) == Create()
    assert chosen(client(1, reference=THEIRS)) == Create()
    assert chosen(client(1, linked_to="capsule-party-8"), client(2)) == Adopt(2, "same-email")


def test_a_client_that_somebody_deleted_is_not_matched_by_email() -> None:
    """F18"""
    assert chosen(client(1, visible=False)) == Create()


def test_a_client_of_ours_that_somebody_deleted_is_neither_revived_nor_replaced_unasked() -> None:
    """F18"""
    assert chosen(client(1, reference=OURS, visible=False)) == Doubt((1,), "doubtful-match")
    assert chosen(client(1, reference=OURS, visible=False), client(2)) == Doubt((1,), "doubtful-match")


def test_a_deleted_duplicate_of_ours_leaves_no_doubt() -> None:
    assert chosen(client(1, reference=OURS, visible=False), client(2, reference=OURS)) == Adopt(2, "our-reference")


def test_a_client_with_our_reference_but_another_link_is_a_persons_choice() -> None:
    assert chosen(client(1, reference=OURS, linked_to="capsule-party-8")) == Doubt((1,), "doubtful-match")


def test_a_party_without_email_matches_no_client_without_email() -> None:
    """F5"""
    for nothing in (None, "", " "):
        assert chosen(client(1, email=nothing), email=nothing) == Create()


def test_a_search_that_ignored_its_filter_links_nobody() -> None:
    """FreshBooks answers an unknown filter with every client."""
    assert chosen(*(client(number, email=f"client{number}@other.test") for number in range(5))) == Create()


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        client_id=st.integers(1, 9),
        email=st.sampled_from([NORA, NORA.upper(), "ida@quist.test", None]),
        reference=st.sampled_from([OURS, THEIRS, None]),
        linked_to=st.sampled_from(["capsule-party-8", None]),
        visible=st.booleans(),
    ),
    unique_by=lambda each: each.client_id,
    max_size=5,
)


@patient
@given(CANDIDATES, st.randoms(use_true_random=False))
def test_neither_the_order_nor_a_hit_found_twice_changes_the_choice(
    candidates: list[Candidate], dice: random.Random
) -> None:
    shuffled = candidates + candidates[:2]
    dice.shuffle(shuffled)
    assert chosen(*shuffled) == chosen(*candidates)


@patient
@given(CANDIDATES)
def test_nothing_that_belongs_to_another_record_is_ever_adopted(candidates: list[Candidate]) -> None:
    """F4, F20"""
    choice = chosen(*candidates)
    if isinstance(choice, Adopt):
        adopted = next(each for each in candidates if each.client_id == choice.client_id)
        assert adopted.visible
        assert adopted.linked_to is None
        assert adopted.reference in {OURS, None}
