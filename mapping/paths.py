"""Paths into a Capsule party, such as `firstName`, `organisation.name`, `emailAddresses` or `fields[VAT number]`.

Source: https://developer.capsulecrm.com/v2/operations/Party
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.registry import Kind, Row
from mapping.spots import RowList
from mapping.values import IncompleteRecord

WRITABLE_TEXTS = ("firstName", "lastName", "title", "jobTitle", "name", "about")
_READ_ONLY = ("id", "type", "createdAt", "updatedAt", "lastContactedAt")
# Writing an organisation's name would find or create one of that name, and owners and teams are coupled: read only.
_NESTED = ("organisation.name", "organisation.id", "owner.name", "owner.username", "owner.id", "team.name", "team.id")
_OF_PERSONS = ("firstName", "lastName", "title", "jobTitle", "organisation.name", "organisation.id")
_ONLY_OF = {**dict.fromkeys(_OF_PERSONS, "person"), "name": "organisation"}
_CUSTOM_FIELD = re.compile(r"fields\[\s*(?P<field>[^\[\]]*[^\[\]\s])\s*\]")


ROW_LISTS: Mapping[str, RowList] = {
    "addresses": RowList(
        ("street", "city", "state", "zip", "country"), ("Home", "Postal", "Office", "Billing", "Shipping")
    ),
    "phoneNumbers": RowList(("number",), ("Home", "Work", "Mobile", "Fax", "Direct")),
    "emailAddresses": RowList(("address",), ("Home", "Work")),
    "websites": RowList(("address",), ("Home", "Work")),
    "tags": RowList(),
}

TEXTS = (*WRITABLE_TEXTS, *_READ_ONLY, *_NESTED)
ALLOWED = f"{', '.join((*TEXTS, *ROW_LISTS))}, fields[name or id of a custom field]"


@dataclass(frozen=True)
class Path:
    """One readable spot of a party."""

    text: str
    kind: Kind
    writable: bool
    custom_field: str | None = None

    @property
    def has_lines(self) -> bool:
        """Never: a street that has several lines stands in a row."""
        return False

    @property
    def rows(self) -> RowList:
        """What the rows of this list are like."""
        return ROW_LISTS[self.text]

    def belongs_to(self, party_type: str) -> bool:
        """Return whether a party of this type ("person" or "organisation") can hold anything here."""
        return _ONLY_OF.get(self.text, party_type) == party_type

    def read(self, party: Mapping[str, Any]) -> Any:
        """Return what the party holds here, None for nothing.

        Raises IncompleteRecord if the party is a short form or was fetched without `embed=fields`: a part that was not
        fetched must not look empty.
        """
        if self.custom_field is not None:
            row = custom_row(_rows(party, "fields"), self.custom_field)
            return None if row is None else row.get("value")
        if self.kind is Kind.ROWS:
            return _rows(party, self.text)
        value: Any = party
        for key in self.text.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def parse_path(text: str) -> Path:
    """Return the path. Raises ValueError, saying what is allowed, for one that no party has."""
    if text in ROW_LISTS:
        return Path(text, Kind.ROWS, writable=bool(ROW_LISTS[text].parts))
    if text in WRITABLE_TEXTS or text in _READ_ONLY or text in _NESTED:
        return Path(text, Kind.TEXT, writable=text in WRITABLE_TEXTS)
    if match := _CUSTOM_FIELD.fullmatch(text):
        return Path(f"fields[{match['field']}]", Kind.VALUE, writable=True, custom_field=match["field"])
    raise ValueError(f"no such path in a party. Allowed: {ALLOWED}")


def _rows(party: Mapping[str, Any], key: str) -> Sequence[Row]:
    rows = party.get(key)
    if rows is None:
        raise IncompleteRecord(f"the party was fetched without {key}: fetch it alone, by its id, with embed=fields")
    return [row for row in rows if isinstance(row, Mapping)]


def custom_row(rows: Sequence[Row], field: str) -> Row | None:
    """Return the row of the custom field with this id or name.

    Two fields of one name are possible (in two data tags): the older definition counts, whatever the order of the rows.
    """
    named = [row for row in rows if _is_field(row.get("definition") or {}, field)]
    return min(named, key=lambda row: int((row.get("definition") or {}).get("id") or 0), default=None)


def definition_id(field: str, field_ids: Mapping[str, int]) -> int | None:
    """Return the id of the custom field with this id or name among those that the account has; None if it has none.

    `field_ids` is the id of each by name; capitals make no difference.
    """
    named = {name.strip().casefold(): number for name, number in field_ids.items()}
    found = named.get(field.casefold())
    numbered = int(field) if field.isdecimal() and int(field) in field_ids.values() else None
    return numbered if found is None else found


def _is_field(definition: Mapping[str, Any], field: str) -> bool:
    name = str(definition.get("name") or "").strip()
    return str(definition.get("id")) == field or name.casefold() == field.casefold()
