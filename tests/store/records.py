"""Two parties of the firm `acme` and what is agreed about them."""

from datetime import UTC, datetime

from store.audit import AuditEntry
from store.links import Agreement
from store.records import RecordKey

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)


def party(number: int) -> RecordKey:
    """Return the key of one Capsule party."""
    return RecordKey("acme", "clients", str(number))


ACME, NORDWIND = party(7), party(8)


def agreed(books_id: str, name: str = "Acme Ltd") -> Agreement:
    """Return what both sides agree on once a client has this name."""
    return Agreement(books_id, {"organization": name}, "crm-print", "books-print", "v1")


def created(email: str = "nora@quist.test") -> AuditEntry:
    """Return the audit entry of a client made with this email address."""
    return AuditEntry("create", "capsule webhook party/created", "v1", after={"fname": "Nora", "email": email})


def stamps() -> dict[str, datetime]:
    """Return the instants that every row of a link or intent has."""
    return {"created_at": NOON, "updated_at": NOON}
