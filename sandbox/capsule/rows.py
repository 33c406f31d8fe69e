"""The rows inside a party: addresses, phone numbers, email addresses, websites. A write appends, edits or deletes rows;
it never replaces a list. Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.capsule.errors import invalid, missing
from sandbox.capsule.reference import country_name
from sandbox.ledger import Record

SERVICES = """
    URL SKYPE TWITTER LINKED_IN FACEBOOK XING FEED GOOGLE_PLUS FLICKR GITHUB YOUTUBE INSTAGRAM PINTEREST TIKTOK THREADS
    BLUESKY SNAPCHAT
"""
LINKS = {"TWITTER": "https://twitter.com/", "GITHUB": "https://github.com/", "FACEBOOK": "https://www.facebook.com/"}


@dataclass(frozen=True)
class RowKind:
    """One kind of row: its resource name in errors, its types, its texts, and the text that must not be empty."""

    resource: str
    types: tuple[str, ...]
    texts: tuple[str, ...]
    required: str | None


KINDS = {
    "addresses": RowKind(
        "address",
        ("Home", "Postal", "Office", "Billing", "Shipping"),
        ("street", "city", "state", "zip", "country"),
        None,
    ),
    "phoneNumbers": RowKind("phoneNumber", ("Home", "Work", "Mobile", "Fax", "Direct"), ("number",), "number"),
    "emailAddresses": RowKind("emailAddress", ("Home", "Work"), ("address",), "address"),
    "websites": RowKind("website", ("Home", "Work"), ("service", "address"), "address"),
}


def changed_rows(key: str, rows: list[Record], items: Any, next_id: Callable[[], int]) -> list[Record]:
    """Return the rows after a write of `items`. Raises the 422, or the plain 404 for a row that does not exist."""
    kind = KINDS[key]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid(f"{key} must be a list of objects", "party", key)
    result = [dict(row) for row in rows]
    for item in items:
        if item.get("id") is None:
            result.append(_row(kind, {}, item, next_id()))
            continue
        place = next((n for n, row in enumerate(result) if row["id"] == item["id"]), None)
        if place is None:
            raise missing(kind.resource)
        if item.get("_delete") is True:
            del result[place]
        else:
            result[place] = _row(kind, result[place], item, result[place]["id"])
    return result


def _row(kind: RowKind, before: Record, item: Record, row_id: int) -> Record:
    row_type = item.get("type", before.get("type"))
    if row_type is not None and row_type not in kind.types:
        raise invalid("unknown type", kind.resource, "type")
    texts = {name: _text(kind, name, item.get(name, before.get(name))) for name in kind.texts}
    if kind.required and not texts[kind.required]:
        raise invalid(f"{kind.required} is required", kind.resource, kind.required)
    row = {"id": row_id, "type": row_type, **texts}
    return _website(row) if kind.resource == "website" else row


def _text(kind: RowKind, name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid("invalid type for field", kind.resource, name)
    if name == "country" and value is not None:
        return _country(value)
    return value


def _country(text: str) -> str | None:
    """Return the name under which a country is stored. Only names of the dictionary, and few aliases, are known."""
    if text == "":
        return None
    name = country_name(text)
    if name is None:
        raise invalid("unknown country", "address", "country")
    return name


def _website(row: Record) -> Record:
    service, address = row["service"] or "URL", row["address"]
    if service not in SERVICES.split():
        raise invalid("unknown service", "website", "service")
    prefix = LINKS.get(service, "http://")
    return {**row, "service": service, "url": address if "://" in address else prefix + address}
