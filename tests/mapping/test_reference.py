"""Our mark in a client's note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.reference import note_with_reference, references, split_note
from tests.mapping.parties import patient

OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"
HEX = st.text(alphabet="0123456789abcdef", min_size=16, max_size=16)
NOTES = st.none() | st.lists(
    st.sampled_from(["[", "]", "ledgerline", " ", "\n", "\r\n", OURS, "0123", "[ledgerline ab]", "é"]) | st.text()
).map("".join)


def test_the_reference_is_the_last_line_of_the_note() -> None:
    assert note_with_reference("Pays late.\n", OURS) == f"Pays late.\n[ledgerline {OURS}]"
    assert note_with_reference(None, OURS) == f"[ledgerline {OURS}]"


def test_writing_it_twice_leaves_one() -> None:
    note = note_with_reference("Pays late.", THEIRS)
    assert note_with_reference(note, OURS) == f"Pays late.\n[ledgerline {OURS}]"


@pytest.mark.parametrize(
    "note",
    [
        f"[ledgerline {OURS}]\nPays late.",
        f"Pays late. [ledgerline {OURS}]",
        f"Pays late.\r\n  [LEDGERLINE:  {OURS.upper()} ]  \r\n",
        f"\n\nPays late.\n\n[ledgerline {OURS}]",
    ],
)
def test_it_is_found_wherever_a_person_moved_it(note: str) -> None:
    assert split_note(note) == ("Pays late.", OURS)


def test_lines_around_it_stay_as_they_were() -> None:
    assert split_note(f"Pays late.\n[ledgerline {OURS}]\nAsk Ida.") == ("Pays late.\nAsk Ida.", OURS)


@pytest.mark.parametrize("damaged", ["[ledgerline 0123]", "[ledgerline ]", f"[ledgerline {OURS}0]"])
def test_a_damaged_one_is_taken_out_and_identifies_nobody(damaged: str) -> None:
    assert split_note(f"Pays late.\n{damaged}") == ("Pays late.", None)


def test_a_mark_pasted_into_a_mark_leaves_nothing_behind() -> None:
    """Else the note would change once more on the next pass."""
    assert split_note(f"Pays late. [ledger[ledgerline {THEIRS}]line {OURS}]") == ("Pays late.", THEIRS)


@pytest.mark.parametrize("note", ["[ledgerline is great]", "ledgerline 0123", "[ledger 12]", "[ledgerlines]"])
def test_what_a_person_wrote_in_brackets_is_theirs(note: str) -> None:
    assert split_note(note) == (note, None)


def test_a_note_merged_from_two_clients_shows_both() -> None:
    """F17"""
    merged = f"A\n[ledgerline {THEIRS}]\nB\n[ledgerline {OURS}]"
    assert references(merged) == (THEIRS, OURS)
    assert split_note(merged) == ("A\nB", OURS)


@pytest.mark.parametrize("wrong", ["", "0123", OURS.upper(), f"{OURS}\n", "capsule-party-7"])
def test_only_a_reference_can_be_written(wrong: str) -> None:
    with pytest.raises(ValueError, match="16 lower-case hexadecimal"):
        note_with_reference("Pays late.", wrong)


@patient
@given(NOTES, HEX)
def test_a_note_and_its_reference_come_back_as_they_were(note: str | None, reference: str) -> None:
    text, _ = split_note(note)
    assert split_note(note_with_reference(note, reference)) == (text, reference)
    assert split_note(text) == (text, None)
