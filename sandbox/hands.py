"""What people do with records in a system's web interface, for the control API to do it in their place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.ledger import Record


@dataclass(frozen=True)
class Hands:
    """The rules of one kind of record. Each function returns the record as stored, or raises Refusal.

    `deeds` are what the API does not have, by name; each takes an id and a body.
    """

    create: Callable[[Record], Record]
    edit: Callable[[int, Record], Record]
    remove: Callable[[int], Record]
    deeds: Mapping[str, Callable[[int, Record], Record]] = field(default_factory=dict)
