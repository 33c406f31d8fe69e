"""Our reference in the note of a FreshBooks client: how a client whose creation was never answered is found again.

A client has no field for another system's key, but its note can be searched (`search[note_like]`).
Source: https://www.freshbooks.com/api/clients
"""

import re

from mapping.values import tidy

_GAP = r"[^\S\n]*"
# A person may have changed the case, the spaces or some digits of the mark; what is left is still ours to take out.
_MARK = rf"\[{_GAP}ledgerline\b{_GAP}[:#]?{_GAP}(?P<digits>[0-9a-f]*){_GAP}\]"
_ANYWHERE = re.compile(_MARK, re.IGNORECASE)
_OWN_LINE = re.compile(rf"^{_GAP}{_MARK}{_GAP}(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)
_REFERENCE = re.compile(r"[0-9a-f]{16}")


def note_with_reference(note: str | None, reference: str) -> str:
    """Return the note with our reference as its last line; one that was there before is replaced.

    `reference` is 16 lower-case hexadecimal characters; raises ValueError otherwise.
    """
    if not _REFERENCE.fullmatch(reference):
        raise ValueError("a reference is 16 lower-case hexadecimal characters")
    text, _ = split_note(note)
    mark = f"[ledgerline {reference}]"
    return f"{text}\n{mark}" if text else mark


def split_note(note: str | None) -> tuple[str | None, str | None]:
    """Return a person's part of the note, tidy, and our reference; each None where there is none.

    The mark is found wherever a person moved it. The last whole one counts if several were pasted together; damaged
    ones are taken out and give no reference.
    """
    found = references(note)
    text = tidy(note or "")
    # Taking a mark out of the middle of another one leaves a whole one: look until nothing changes.
    while text and _ANYWHERE.search(text):
        text = tidy(_ANYWHERE.sub("", _OWN_LINE.sub("", text)))
    return text, (found[-1] if found else None)


def references(note: str | None) -> tuple[str, ...]:
    """Return every whole reference in the note, in order: more than one if people merged the notes of two clients."""
    digits = (match["digits"].lower() for match in _ANYWHERE.finditer(tidy(note or "") or ""))
    return tuple(each for each in digits if _REFERENCE.fullmatch(each))
