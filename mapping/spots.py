"""What a mapping can name in a record of a CRM, whichever CRM it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mapping.registry import Kind

PARTY_TYPES = ("person", "organisation")
"""Every CRM's records of customers are one or the other, whatever it calls them."""


@dataclass(frozen=True)
class RowList:
    """A list of rows in a record: the parts of a row that can be written, and the types that it may have."""

    parts: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class Spot(Protocol):
    """One readable spot of a record, such as a first name or the list of addresses."""

    @property
    def text(self) -> str:
        """How mappings write it; equal texts are one spot."""

    @property
    def kind(self) -> Kind:
        """What is found there."""

    @property
    def writable(self) -> bool:
        """Whether we may write it."""

    @property
    def custom_field(self) -> str | None:
        """The name or id of the custom field that the account has to have for it; None where nothing is needed."""

    @property
    def has_lines(self) -> bool:
        """Whether it is one text of several lines, as a street may be."""

    @property
    def rows(self) -> RowList:
        """What the rows of this list are like."""

    def belongs_to(self, party_type: str) -> bool:
        """Return whether a record of this type ("person" or "organisation") can hold anything here."""

    def read(self, record: Mapping[str, Any], /) -> Any:
        """Return what the record holds here, None for nothing. Raises IncompleteRecord if it was not fetched."""
