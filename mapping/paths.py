"""Paths into a Capsule party, such as `firstName`, `organisation.name`, `emailAddresses` or `fields[VAT number]`.

Source: https://developer.capsulecrm.com/v2/operations/Party
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.registry import Kind
from mapping.values import IncompleteRecord

_WRITABLE = ("firstName", "lastName", "title", "jobTitle", "name", "about")
_READ_ONLY = ("id", "type", "createdAt", "updatedAt", "lastContactedAt")
# Writing an organisation's name would find or create one of that name, and owners and teams are coupled: read only.
_NESTED = ("organisation.name", "organisation.id", "owner.name", "owner.username", "owner.id", "team.name", "team.id")
_ROWS = ("addresses", "phoneNumbers", "emailAddresses", "websites", "tags")
_CUSTOM_FIELD = re.compile(r"fields\[\s*(?P<field>[^\[\]]*[^\[\]\s])\s*\]")

ALLOWED = f"{', '.join(_WRITABLE + _READ_ONLY + _NESTED + _ROWS)}, fields[name or id of a custom field]"


@dataclass(frozen=True)
class Path:
    """One readable spot of a party."""

    text: str
    kind: Kind
    writable: bool
    custom_field: str | None = None

    def read(self, party: Mapping[str, Any]) -> Any:
        """Return what the party holds here, None for nothing.

        Raises IncompleteRecord if the party is a short form or was fetched without `embed=fields`: a part that was not
        fetched must not look empty.
        """
        if self.custom_field is not None:
            return _custom_value(_rows(party, "fields"), self.custom_field)
        if self.kind is Kind.ROWS:
            return _rows(party, self.text)
        value: Any = party
        for key in self.text.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def parse_path(text: str) -> Path:
    """Return the path. Raises ValueError, saying what is allowed, for one that no party has."""
    if text in _ROWS:
        return Path(text, Kind.ROWS, writable=False)
    if text in _WRITABLE or text in _READ_ONLY or text in _NESTED:
        return Path(text, Kind.TEXT, writable=text in _WRITABLE)
    if match := _CUSTOM_FIELD.fullmatch(text):
        return Path(f"fields[{match['field']}]", Kind.VALUE, writable=True, custom_field=match["field"])
    raise ValueError(f"no such path in a party. Allowed: {ALLOWED}")


def _rows(party: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    rows = party.get(key)
    if rows is None:
        raise IncompleteRecord(f"the party was fetched without {key}: fetch it alone, by its id, with embed=fields")
    return [row for row in rows if isinstance(row, Mapping)]


def _custom_value(rows: Sequence[Mapping[str, Any]], field: str) -> Any:
    """Return the value of the custom field with this id or name.

    Two fields of one name are possible (in two data tags): the older definition counts, whatever the order of the rows.
    """
    named = [row for row in rows if _is_field(row.get("definition") or {}, field)]
    named.sort(key=lambda row: int((row.get("definition") or {}).get("id") or 0))
    return named[0].get("value") if named else None


def _is_field(definition: Mapping[str, Any], field: str) -> bool:
    name = str(definition.get("name") or "").strip()
    return str(definition.get("id")) == field or name.casefold() == field.casefold()
