"""How the store names a record."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordKey:
    """One CRM record within one flow of one connection."""

    connection: str
    flow: str
    crm_id: str
