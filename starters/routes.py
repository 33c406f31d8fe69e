"""Who hears of which event. Adding a system, or a flow, is a line here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from store.records import RecordKey

WEBHOOK_PRIORITY = 2
CREATED = frozenset({"created", "create", "insert"})


@dataclass(frozen=True)
class Route:
    """The flow that listens to an event, and the side of it that the event comes from."""

    flow: str
    side: Literal["crm", "books"]

    def key(self, connection: str, record_id: str) -> RecordKey:
        """Return how the store names the record that an event is about."""
        return RecordKey(connection, self.flow, record_id, self.side)


ROUTES: Mapping[tuple[str, str], Route] = {
    ("capsule", "party"): Route("clients", "crm"),
    ("zoho_crm", "Contacts"): Route("clients", "crm"),
    ("zoho_crm", "Accounts"): Route("clients", "crm"),
    ("capsule", "opportunity"): Route("opportunities", "crm"),
    ("zoho_crm", "Deals"): Route("opportunities", "crm"),
    ("freshbooks", "client"): Route("clients", "books"),
    ("freshbooks", "estimate"): Route("estimates", "books"),
    ("freshbooks", "invoice"): Route("invoices", "books"),
    ("freshbooks", "payment"): Route("payments", "books"),
}
"""By system, and by what the event is about: `party` in `party/updated`, `client` in `client.create`."""


def route_of(system: str, event: str) -> Route | None:
    """Return who hears of an event, None if nobody listens to it."""
    return ROUTES.get((system, _parts(event)[0]))


def is_creation(event: str) -> bool:
    """Return whether an event says that a record was created, as `party/created` and `client.create` do."""
    return _parts(event)[-1] in CREATED


def _parts(event: str) -> list[str]:
    return re.split(r"[/.]", event, maxsplit=1)
