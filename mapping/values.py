"""What every part of a mapping shares: one field's value, tidy text, and the ways in which a mapping can fail."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

Value: TypeAlias = str | bool | int | None
"""What one mapped field can hold. None means empty; the empty text does not occur."""


class MappingError(ValueError):
    """The mapping itself is wrong: nothing may run with it. `path` leads to the spot in the document."""

    def __init__(self, path: Sequence[str | int], text: str) -> None:
        self.path: tuple[str | int, ...] = tuple(path)
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")
        super().__init__(f"{where}: {text}" if where else text)


class UnmappableValue(ValueError):
    """One record holds something the mapping cannot turn into the other side's field, for this reason.

    The text never repeats the value.
    """

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        self.reason = text
        super().__init__(f"{field}: {text}")


class IncompleteRecord(ValueError):
    """A record was fetched without a part that the mapping reads. Going on would empty fields that are not empty."""


class CannotTransform(ValueError):
    """A transform's refusal, in words for a person and without the value. The engine adds the field's name."""


@lru_cache(maxsize=1024)  # one value passes through here up to five times, by one transform after the other
def tidy(text: str) -> str | None:
    """Return the text in composed Unicode, with plain line ends and nothing around it; None if nothing is left.

    Both sides pass through here, so that two spellings of the same letters, such as a composed and a decomposed "é",
    are no difference. FreshBooks mixes "" and null for an empty field.
    """
    plain_lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", plain_lines).strip() or None


def folded(text: str) -> str:
    """Return the text without case, accents, spaces and punctuation: for looking names up, never for writing."""
    simple = unicodedata.normalize("NFKD", text.casefold().replace("&", " and ")).strip().removeprefix("the ")
    return "".join(letter for letter in simple if letter.isalnum())
