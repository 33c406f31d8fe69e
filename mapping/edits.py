"""What is to be written to a record of a CRM, and what every CRM's way of writing it has in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mapping.targets import Lines, Target
from mapping.transforms import lines_of
from mapping.values import UnmappableValue

CANNOT = "cannot be written to the CRM"
NAME_IT = "enter one in FreshBooks, and let the mapping write it to the CRM"


@dataclass(frozen=True)
class Edit:
    """What one field of the books becomes in the record: a text, or None for empty."""

    field: str
    target: Target
    text: str | None


class Edited(Protocol):
    """A record and the edits made to it; `document` is how the CRM would show it with them."""

    document: dict[str, Any]

    def write(self, edits: Sequence[Edit]) -> None:
        """Make all these edits. Raises UnmappableValue for what the record cannot be made to say."""

    def changes(self) -> dict[str, Any]:
        """Return what the CRM has to be told; empty if nothing was edited."""


def street_with(street: str | None, edits: Sequence[Edit]) -> str | None:
    """Return a street with its first line, its other lines, or both replaced. Raises UnmappableValue."""
    lines = lines_of(street or "")
    first, others = lines[:1], lines[1:]
    for edit in edits:
        if edit.target.lines is Lines.FIRST:
            first = [edit.text] if edit.text else []
        else:
            others = _other_lines(edit, several=len(others) > 1)
    if others and not first:
        text = "would leave a street without its first line: fill that in FreshBooks too, or empty both"
        raise UnmappableValue(edits[0].field, text)
    return "\n".join(first + others) or None


def _other_lines(edit: Edit, *, several: bool) -> list[str]:
    """Return the lines after the first one. They stay several lines where they were, and the text allows it."""
    text = edit.text or ""
    parts = text.split(edit.target.separator) if several and edit.target.separator else [text]
    return parts if all(part and part == part.strip() for part in parts) else [text] if text else []


def require(named: object, field: str, what: str) -> None:
    """Raise UnmappableValue, for a person to read, where a record would be left without what the CRM insists on."""
    if not named:
        raise UnmappableValue(field, f"{what}: {NAME_IT}")
