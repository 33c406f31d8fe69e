"""What Capsule makes of a PUT: written from its documentation alone, to check the bodies that we would send.

Absent keys stay, null empties. Lists are never replaced: an item without an id is appended, one with an id edits that
row, one with `_delete` removes it. Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

COUNTRIES = {
    "GB": "United Kingdom",
    "US": "United States",
    "DE": "Germany",
    "CZ": "Czechia",
    "TR": "Turkey",
    "CI": "Côte d'Ivoire",
}
"""The part of Capsule's list of countries that these tests need, by two-letter code."""

ROWS = {
    "addresses": ({"Home", "Postal", "Office", "Billing", "Shipping"}, {"street", "city", "state", "zip", "country"}),
    "phoneNumbers": ({"Home", "Work", "Mobile", "Fax", "Direct"}, {"number"}),
    "emailAddresses": ({"Home", "Work"}, {"address"}),
    "websites": ({"Home", "Work"}, {"service", "address"}),
}
TEXTS = {
    "person": {"about", "title", "firstName", "lastName", "jobTitle"},
    "organisation": {"about", "name"},
}


class Refused(Exception):
    """Capsule's 404 or 422."""


def put(party: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the party after a merge-PUT. A key that this type of party does not have is an error here."""
    allowed = TEXTS[party["type"]] | set(ROWS) | {"fields"}
    if not body.keys() <= allowed:
        raise Refused(f"{sorted(body.keys() - allowed)} is not for us to write")
    after = dict(party) | {key: body[key] or None for key in body.keys() & TEXTS[party["type"]]}
    for key in body.keys() & ROWS.keys():
        after[key] = _rows(key, party[key], body[key], itertools.count(9000))
    if "fields" in body:
        after["fields"] = _fields(party["fields"], body["fields"], itertools.count(9000))
    if not (after.get("firstName") or after.get("lastName") or after.get("name")):
        raise Refused("name is required")
    return after


def post(draft: Mapping[str, Any]) -> dict[str, Any]:
    """Return the party that a POST creates."""
    blank: dict[str, Any] = {"id": 1, "type": draft["type"], "about": None, "organisation": None}
    blank |= dict.fromkeys(TEXTS[draft["type"]]) | {key: [] for key in (*ROWS, "fields", "tags")}
    created = put(blank, {key: value for key, value in draft.items() if key not in ("type", "organisation")})
    if "organisation" in draft:
        created["organisation"] = {**draft["organisation"], "type": "organisation", "name": "Quist AB"}
    return created


def _rows(key: str, rows: list[Any], items: list[Any], new_ids: Iterator[int]) -> list[dict[str, Any]]:
    after = [dict(row) for row in rows]
    for item in items:
        if "id" not in item:
            after.append(_row(key, {"id": next(new_ids), "type": None}, item))
            continue
        place = next((n for n, row in enumerate(after) if row["id"] == item["id"]), None)
        if place is None:
            raise Refused("no such row")
        if item.get("_delete") is True:
            del after[place]
        else:
            after[place] = _row(key, after[place], item)
    return after


def _row(key: str, before: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    types, texts = ROWS[key]
    if not item.keys() <= texts | {"id", "type"}:
        raise Refused("unknown key in a row")
    row = {**dict.fromkeys(texts), **before, **item}
    if row["type"] is not None and row["type"] not in types:
        raise Refused("unknown type")
    if key != "addresses" and not row.get("number" if key == "phoneNumbers" else "address"):
        raise Refused("number or address is required")
    if key == "addresses" and row["country"] is not None and row["country"] not in COUNTRIES.values():
        raise Refused("unknown country")
    return row


def _fields(rows: list[Any], items: list[Any], new_ids: Iterator[int]) -> list[dict[str, Any]]:
    after = [dict(row) for row in rows]
    for item in items:
        by_row = next((row for row in after if row["id"] == item.get("id")), None)
        if "id" in item and by_row is None:
            raise Refused("no such row")
        definition = by_row["definition"]["id"] if by_row else item["definition"]["id"]
        known = next((row for row in after if row["definition"]["id"] == definition), None)
        if item.get("_delete") is True or item.get("value") in (None, ""):
            after = [row for row in after if row is not known]
        elif known:
            known["value"] = item["value"]
        else:
            name = FIELD_NAMES[definition]
            after.append({"id": next(new_ids), "definition": {"id": definition, "name": name}, "value": item["value"]})
    return after


FIELD_NAMES = {731: "VAT number", 732: "Currency", 733: "Language"}
FIELD_IDS = {name: number for number, name in FIELD_NAMES.items()}
