"""Finds records by what is looked up most: names, email addresses, references and custom fields."""

from collections.abc import Callable, Iterator

from sandbox.ledger import Record
from sandbox.lookup import Lookup
from sandbox.records import Records
from sandbox.zoho_crm.modules import MODULES, STANDARD

NAMES = {"Email", "Secondary_Email", "Account_Name", "Deal_Name"}


class Index:
    """Knows the records as they are now. Texts are compared without regard to case."""

    def __init__(self, records: Records) -> None:
        self._lookups = {name: Lookup(records, name, _keys_of(name)) for name in MODULES}

    def find(self, module: str, field: str, value: object) -> list[int]:
        """Return the ids of the records with a value in a name, an email address, a lookup or a custom field, oldest
        first.
        """
        return sorted(self._lookups[module].find(field, value))


def _keys_of(module: str) -> Callable[[Record], Iterator[tuple[str, str]]]:
    others = {name for name, field in STANDARD[module].items() if name not in NAMES and not field.lookup} | {"id"}

    def keys(record: Record) -> Iterator[tuple[str, str]]:
        for name, value in record.items():
            if name not in others and not name.startswith("$") and isinstance(value, str | int):
                yield name, str(value)

    return keys
