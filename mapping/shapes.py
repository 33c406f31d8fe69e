"""The CRMs whose records a mapping can read and write: what their records are made of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mapping.conditions import Declared, Holds, Names
from mapping.edits import Edited
from mapping.party_edits import EditedParty, blank_party, party_body
from mapping.paths import ROW_LISTS, TEXTS, parse_path
from mapping.spots import Spot
from mapping.zoho_records import EditedRecord, blank_record, parse_zoho_path, record_body, zoho_party_type


@dataclass(frozen=True)
class Shape:
    """How the records of one CRM are read and written."""

    parse_path: Callable[[str], Spot]
    """Gives the spot that a mapping names. Raises ValueError for one that no record has."""
    party_type: Callable[[Mapping[str, Any]], str]
    """Says whether a record is a "person" or an "organisation"."""
    edited: Callable[[Mapping[str, Any], Mapping[str, int]], Edited]
    """Gives a record to be edited, and the ids of the account's custom fields by name."""
    blank: Callable[[str], Mapping[str, Any]]
    """Gives a record of a type that says nothing yet."""
    body: Callable[[str, Mapping[str, Any], int | None], dict[str, Any]]
    """Gives what a new record is made from: its type, what it says, and the organisation that a person belongs to."""
    names: Callable[[Iterable[str]], Names]
    """Gives what conditions may name, asked with names that one uses. Raises ValueError for one that no record has."""


def _capsule_names(used: Iterable[str]) -> Names:
    """Return what a condition may name in a party. The names of its tags are texts, other rows have parts."""
    del used
    rows = {name: Declared(Holds.ROWS, (*each.parts, "type")) for name, each in ROW_LISTS.items() if each.parts}
    return {
        **dict.fromkeys(TEXTS, Declared(Holds.TEXT)),
        **rows,
        "tags": Declared(Holds.TEXTS),
        "fields": Declared(Holds.FIELDS),
    }


def _zoho_names(used: Iterable[str]) -> Names:
    """Return those of the used names that stand for fields of a module, all of them texts. Raises ValueError.

    What begins with a small letter is the name of an item of a list, or unknown, which the engine finds out.
    """
    words = [each.split(".") for each in used if each[:1].isupper()]
    fields = [".".join(each[: 3 if each[2:3] in (["name"], ["id"]) else 2]) for each in words]
    return {parse_zoho_path(each).text: Declared(Holds.TEXT) for each in fields}


CAPSULE = Shape(parse_path, lambda party: str(party.get("type")), EditedParty, blank_party, party_body, _capsule_names)
ZOHO_CRM = Shape(parse_zoho_path, zoho_party_type, EditedRecord, blank_record, record_body, _zoho_names)
SHAPES: Mapping[str, Shape] = {"capsule": CAPSULE, "zoho_crm": ZOHO_CRM}
"""By system."""


def shape_of(template: str) -> Shape:
    """Return the shape of the CRM that a template such as "capsule-freshbooks/clients" is for."""
    return SHAPES[template.partition("-")[0]]
