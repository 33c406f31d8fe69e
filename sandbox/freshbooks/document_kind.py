"""What makes an estimate different from an invoice, for the code that they share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.freshbooks.account import Account
from sandbox.ledger import Record
from sandbox.settings import FreshBooksSettings


class Own(Protocol):
    """Writes the fields that only one kind of document has."""

    def __call__(self, document: Record, draft: Record, *, new: bool) -> Record:
        """Return the document after that. Raises Refusal."""


Action = Callable[[Account, Record, Record], Record]
"""Returns a document after an action; the last argument is the body that asked for it. Raises Refusal."""


@dataclass(frozen=True)
class DocumentKind:
    """One of the two, by its `name`."""

    name: str
    blank: Record
    own: Own
    actions: Mapping[str, Action]
    numbers_are_unique: Callable[[FreshBooksSettings], bool]

    @property
    def id_key(self) -> str:
        """The second name of the id."""
        return f"{self.name}id"

    @property
    def number_key(self) -> str:
        """The name of the number that people see."""
        return f"{self.name}_number"
