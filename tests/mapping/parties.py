"""Parties as Capsule sends them, for the examples in these tests, and patience for the properties."""

from typing import Any

from hypothesis import settings

from mapping.engine import Context, Template, Value, load_template

CLIENTS: Template = load_template("capsule-freshbooks/clients")
ONE_WAY: Template = CLIENTS.one_way()
NO_DEFAULTS = Context()

patient = settings(deadline=None)
"""A busy machine, or the first look at a table of all countries, is no failure."""


def address(**parts: Any) -> dict[str, Any]:
    return {"id": 1, "type": None, "street": None, "city": None, "state": None, "zip": None, "country": None} | parts


def phone(number: str, kind: str | None = None, row: int = 1) -> dict[str, Any]:
    return {"id": row, "type": kind, "number": number}


def email(text: str, kind: str | None = None, row: int = 1) -> dict[str, Any]:
    return {"id": row, "type": kind, "address": text}


def custom(name: str, value: Any, number: int = 731) -> dict[str, Any]:
    return {"id": 90, "definition": {"id": number, "name": name}, "value": value, "tagId": None}


_LISTS: dict[str, Any] = {"addresses": [], "phoneNumbers": [], "emailAddresses": [], "websites": [], "fields": []}


def person(**parts: Any) -> dict[str, Any]:
    nora = {"id": 7, "type": "person", "firstName": "Nora", "lastName": "Quist", "organisation": None, "about": None}
    return nora | _LISTS | parts


def organisation(**parts: Any) -> dict[str, Any]:
    return {"id": 8, "type": "organisation", "name": "Quist AB", "about": None} | _LISTS | parts


def mapped(party: dict[str, Any], context: Context = NO_DEFAULTS, **overrides: Any) -> dict[str, Value]:
    """Return what the shipped mapping, going one way and changed by these overrides, says of the party."""
    return ONE_WAY.with_overrides(overrides).crm_values(party, context)
