"""Who hears of which event. Adding a system, or a flow, is a line here."""

import re
from collections.abc import Awaitable, Callable, Mapping

from starters.announce import Announcer

WEBHOOK_PRIORITY = 2

Tell = Callable[[Announcer, str, str, str], Awaitable[None]]
"""Tells whoever it concerns that a record may have changed; given the connection, the record's id and the cause."""

ROUTES: Mapping[tuple[str, str], Tell] = {
    ("capsule", "party"): lambda announcer, connection, record_id, cause: announcer.party_changed(
        connection, int(record_id), cause, WEBHOOK_PRIORITY
    ),
    ("freshbooks", "client"): lambda announcer, connection, record_id, cause: announcer.client_changed(
        connection, record_id, cause, WEBHOOK_PRIORITY
    ),
}
"""By system, and by what the event is about: `party` in `party/updated`, `client` in `client.create`."""


def route_of(system: str, event: str) -> Tell | None:
    """Return who hears of an event, None if nobody listens to it."""
    return ROUTES.get((system, re.split(r"[/.]", event, maxsplit=1)[0]))
