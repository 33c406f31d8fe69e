"""How the store names a record."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RecordKey:
    """One record within one flow of one connection: the CRM's, or the books' while it has no partner in the CRM."""

    connection: str
    flow: str
    record_id: str
    side: Literal["crm", "books"] = "crm"
