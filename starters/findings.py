"""What the doctor finds: each finding says what is wrong and what to do, or what was found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. Only `wrong` makes the doctor's exit code 1."""

    level: Level
    text: str


def fine(text: str) -> Finding:
    """All is well here."""
    return Finding("ok", text)


def note(text: str) -> Finding:
    """Something to know."""
    return Finding("note", text)


def warning(text: str) -> Finding:
    """Works now, and may not stay so."""
    return Finding("warning", text)


def wrong(text: str) -> Finding:
    """Does not work before somebody sees to it."""
    return Finding("wrong", text)
