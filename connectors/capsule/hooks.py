"""Reading what Capsule's REST hooks deliver. They are not signed: the address must be secret, the body is a hint.

Source: https://developer.capsulecrm.com/v2/operations/REST_Hook
"""

import re
from dataclasses import dataclass
from typing import Any

from connectors.answers import parse_json
from connectors.errors import MalformedHook

LARGEST_ID = 2**63 - 1
OPPORTUNITY_EVENTS = tuple(f"opportunity/{verb}" for verb in ("created", "updated", "moved", "closed", "deleted"))
"""Everything that Capsule tells of opportunities: `moved` to another milestone, `closed` at one that closes."""


@dataclass(frozen=True)
class HookDelivery:
    """Which records an event such as `party/updated` concerns; fetch them before deciding anything."""

    event: str
    record_ids: tuple[int, ...]

    @property
    def opportunity_ids(self) -> tuple[int, ...]:
        """The opportunities that it names: none if it is about parties, or about anything else."""
        return self.record_ids if self.event in OPPORTUNITY_EVENTS else ()


def parse_delivery(body: bytes) -> HookDelivery:
    """Return event and record ids of one delivery, each id once. Raises MalformedHook for anything else.

    The rest of the body is not read: it may be old, and anybody who knows the address could have written it.
    """
    try:
        said = parse_json(body)
    except ValueError as error:
        raise MalformedHook(f"the delivery from Capsule is not JSON: {type(error).__name__}") from None
    event, payload = (said.get("event"), said.get("payload")) if isinstance(said, dict) else (None, None)
    if not isinstance(event, str) or not re.fullmatch(r"[a-z]{1,40}/[a-z]{1,40}", event):
        raise MalformedHook("the delivery from Capsule names no event such as party/updated")
    if not isinstance(payload, list):
        raise MalformedHook("the delivery from Capsule has no list of records in `payload`")
    return HookDelivery(event, tuple(dict.fromkeys(_record_id(each) for each in payload)))


def _record_id(record: Any) -> int:
    found = record.get("id") if isinstance(record, dict) else None
    # bool is an int to Python
    if not isinstance(found, int) or isinstance(found, bool) or not 0 < found <= LARGEST_ID:
        raise MalformedHook("the delivery from Capsule has a record without a positive whole number as its id")
    return found
