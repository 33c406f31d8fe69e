"""How one party and one client look to the activities that compare them."""

from collections.abc import Sequence

from activities.models import ClientSide, PartyKey, WriteClient
from connectors.freshbooks.models import Client
from mapping.context import Context
from mapping.engine import Template
from mapping.plan import FieldWrite
from mapping.reference import note_with_reference, split_note
from store.links import Agreement, Links
from store.records import RecordKey

CLIENTS_FLOW = "clients"
DELETED = 1  # vis_state; source: https://www.freshbooks.com/api/active_deleted


def record_key(key: PartyKey) -> RecordKey:
    """Return the name under which the store knows a party's sync."""
    return RecordKey(key.connection, CLIENTS_FLOW, str(key.party_id))


def client_side(client: Client, template: Template, context: Context, links: Links) -> ClientSide:
    """Return a client in the fields of the mapping."""
    values = template.books_values(client.document(), context)
    _, reference = split_note(client.note)
    return ClientSide(
        client_id=client.id,
        visible=client.vis_state != DELETED,
        values=values,
        fingerprint=links.fingerprint(values),
        reference=reference,
        changed_at=client.updated,
    )


def agreement(write: WriteClient, client_id: int, fingerprint: str) -> Agreement:
    """Return what is known of both sides after `write`; `fingerprint` is the client's, as FreshBooks says it now."""
    return Agreement(
        books_id=str(client_id),
        base=write.next_base,
        crm_seen=write.party_fingerprint,
        books_seen=fingerprint,
        mapping_version=write.mapping_version,
    )


def wire_values(writes: Sequence[FieldWrite], reference: str, *, marked: bool = False) -> dict[str, str | bool | int]:
    """Return the writes as FreshBooks takes them: empty text empties a field.

    Whoever writes the note writes our reference with it; a new client (`marked`) carries it in any case, because that
    is how it is found again if the answer is lost.
    """
    values = {each.field: "" if each.after is None else each.after for each in writes}
    if marked or "note" in values:
        values["note"] = note_with_reference(str(values.get("note") or ""), reference)
    return values
