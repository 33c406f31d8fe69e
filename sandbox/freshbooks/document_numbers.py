"""The numbers that people see on documents: counted on from the last one, and taken only once where they are unique."""

import re

from sandbox.calls import Refusal
from sandbox.freshbooks.account import Account
from sandbox.freshbooks.document_fields import DELETED
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.errors import refused
from sandbox.freshbooks.values import text
from sandbox.ledger import Record
from sandbox.lookup import Lookup

FIRST = "0000001"


class Numbers:
    """The numbers of one kind of document. Accounts do not share them."""

    def __init__(self, account: Account, kind: DocumentKind, lookup: Lookup) -> None:
        self._account, self._kind, self._lookup = account, kind, lookup

    def wanted(self, document: Record, draft: Record) -> str:
        """Return the number that a document is to have: what the draft says, what it had, or the next. Raises the
        refusal of a number that is taken.
        """
        key = self._kind.number_key
        given = text(key, draft.get(key), None, self._kind.name)
        number = str(given or document[key] or self._next(document))
        if number != document[key] and self._is_taken(number, document):
            raise self._refusal(number)
        return number

    def _next(self, document: Record) -> str:
        """Return the number after that of the last document, whoever chose it, with as many digits."""
        account_id = document["accounting_systemid"]
        last = next((each for each in self._latest() if each["accounting_systemid"] == account_id), None)
        number = _after(last[self._kind.number_key]) if last else FIRST
        while self._holders(number, document):
            number = _after(number)
        return number

    def _latest(self) -> list[Record]:
        return self._account.records.all(self._kind.name)[::-1]

    def _is_taken(self, number: str, document: Record) -> bool:
        settings = self._account.settings
        if not self._kind.numbers_are_unique(settings):
            return False
        holders = self._holders(number, document)
        return any(settings.deleted_keep_numbers or each["vis_state"] != DELETED for each in holders)

    def _holders(self, number: str, document: Record) -> list[Record]:
        found = (
            self._account.records.get(self._kind.name, each)
            for each in self._lookup.find(self._kind.number_key, number)
        )
        return [
            each
            for each in found
            if each
            and each["id"] != document["id"]
            and each[self._kind.number_key] == number
            and each["accounting_systemid"] == document["accounting_systemid"]
        ]

    def _refusal(self, number: str) -> Refusal:
        settings = self._account.settings
        return refused(
            settings.duplicate_number_errno,
            settings.duplicate_number_text,
            self._kind.number_key,
            self._kind.name,
            value=number,
            status=settings.duplicate_number_status,
        )


def _after(number: str) -> str:
    """Return the number whose last digits are one more: `CAP-000124` after `CAP-000123`."""
    match = re.fullmatch(r"(.*?)([0-9]*)", number, re.DOTALL)
    prefix, digits = match.groups() if match else (number, "")
    return f"{prefix}{int(digits[-18:] or 0) + 1:0{len(digits)}d}" if len(digits) <= 18 else f"{number}-1"
