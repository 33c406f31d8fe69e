"""Values as callers write them, checked and brought into the form in which they are stored.

Source: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html (field types), /field-meta.html
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from sandbox.clock import from_zulu
from sandbox.zoho_crm.account import Account, number_of, stamp_of
from sandbox.zoho_crm.errors import invalid
from sandbox.zoho_crm.fields import TEXTS, Field
from sandbox.zoho_crm.tags import tags_of

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


class Values:
    """Takes the values of one record. `place` is the path of the record, `$.data[0]`."""

    def __init__(self, account: Account, place: str) -> None:
        self._account, self._place = account, place

    def take(self, field: Field, value: Any) -> Any:
        """Return a value as it is stored; an empty text is none. Raises INVALID_DATA."""
        if value is None or value == "":
            return None
        if field.data_type in TEXTS:
            return self._text(field, value)
        found = self._readers()[field.data_type](field, value)
        if found is None:
            raise self._wrong(field, expected_data_type=field.json_type if field.lookup else field.data_type)
        return found

    def _readers(self) -> dict[str, Callable[[Field, Any], Any]]:
        """Return what reads each data type; a reader returns None for what is not of its type."""
        return {
            "integer": lambda _, value: value if type(value) is int else None,
            "double": lambda _, value: value if type(value) in (int, float) else None,
            "currency": lambda _, value: value if type(value) in (int, float) else None,
            "boolean": lambda _, value: value if type(value) is bool else None,
            "bigint": lambda _, value: str(number_of(value)) if number_of(value) else None,
            "date": lambda _, value: _date(value),
            "datetime": lambda _, value: _instant(value),
            "multiselectpicklist": self._choices,
            "lookup": self._lookup,
            "ownerlookup": self._owner,
            "tags": lambda _, value: tags_of(self._account, value),
        }

    def _text(self, field: Field, value: Any) -> str:
        if not isinstance(value, str):
            raise self._wrong(field, expected_data_type=field.data_type)
        if len(value) > field.length:
            raise self._wrong(field, maximum_length=field.length)
        if field.data_type == "email" and not EMAIL.fullmatch(value):
            raise self._wrong(field, expected_data_type="email")
        if field.data_type == "picklist" and value not in field.values:
            raise self._wrong(field, supported_values=list(field.values))
        return value

    def _choices(self, field: Field, value: Any) -> Any:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            return None
        if not set(value) <= set(field.values):
            raise self._wrong(field, supported_values=list(field.values))
        return value

    def _lookup(self, field: Field, value: Any) -> str | None:
        text = self._reference(value)
        if text is None:
            return None
        record = self._account.get(field.lookup, text)
        if record is None:
            raise self._wrong(field, "the related id given seems to be invalid")
        return str(record["id"])

    def _owner(self, field: Field, value: Any) -> str | None:
        text = self._reference(value)
        if text is None:
            return None
        user = self._account.records.get("user", number_of(text))
        if user is None or user["status"] != "active":
            raise self._wrong(field, "the related id given seems to be invalid")
        return str(user["id"])

    def _reference(self, value: Any) -> str | None:
        """Return the id in `{"id": "…"}`, or a bare id where the settings take one. The vendor's own client writes ids
        as numbers.
        """
        if isinstance(value, dict):
            value = value.get("id")
        elif not self._account.settings.bare_lookups:
            return None
        return str(value) if type(value) is int and abs(value) < 10**25 else value if isinstance(value, str) else None

    def _wrong(self, field: Field, message: str = "invalid data", **why: Any) -> Exception:
        return invalid(field.api_name, self._place, message=message, **why)


def _date(value: Any) -> str | None:
    try:
        return value if isinstance(value, str) and date.fromisoformat(value).isoformat() == value else None
    except ValueError:
        return None


def _instant(value: Any) -> str | None:
    try:
        return stamp_of(from_zulu(value)) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return None
