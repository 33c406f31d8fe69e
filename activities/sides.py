"""How one party and one client look to the activities that compare them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from temporalio import activity

from activities.crm import CrmParty
from activities.models import ClientKey, ClientSide, OpenHold, PartyKey, PartySide, WriteClient
from connectors.freshbooks.models import ARCHIVED, DELETED, Client
from mapping.context import Context
from mapping.engine import Template
from mapping.plan import FieldWrite
from mapping.reference import note_with_reference, split_note
from mapping.rules import FieldRule
from mapping.values import Value
from store.audit import AuditEntry
from store.intents import FenceLost
from store.links import Agreement, Links
from store.records import RecordKey

CLIENTS_FLOW = "clients"
OPPORTUNITIES_FLOW = "opportunities"
"""Of holds: what is held is the opportunity, with all its documents."""


def record_key(key: PartyKey) -> RecordKey:
    """Return the name under which the store knows a party's sync."""
    return RecordKey(key.connection, CLIENTS_FLOW, str(key.party_id))


def client_key(key: ClientKey) -> RecordKey:
    """Return the name under which the store knows the sync of a client that has no party yet."""
    return RecordKey(key.connection, CLIENTS_FLOW, str(key.client_id), "books")


def hold_key(hold: OpenHold) -> RecordKey:
    """Return the name under which the store lists a hold."""
    if hold.record is not None:
        return RecordKey(hold.key.connection, hold.record.flow, str(hold.record.record_id), "books")
    if hold.opportunity_id is not None:
        return RecordKey(hold.key.connection, OPPORTUNITIES_FLOW, str(hold.opportunity_id))
    if hold.subject is not None:
        return RecordKey(hold.key.connection, CLIENTS_FLOW, hold.subject)
    return client_key(hold.client) if hold.client else record_key(hold.key)


def party_side(
    party: CrmParty, template: Template, context: Context, links: Links, field_ids: Mapping[str, int]
) -> PartySide:
    """Return a party in the fields of the mapping. `field_ids` are the account's custom fields by name."""
    values, left_out = template.said(party.document, context), template.left_out(party.document) or ""
    rules = template.rules_for(party.party_type, field_ids)
    ours = template.rules
    return PartySide(
        exists=True,
        is_organisation=party.is_organisation,
        values=values,
        fingerprint=links.fingerprint(values),
        changed_at=party.changed_at,
        created_at=party.created_at,
        books_only=sorted(field for field, rule in rules.items() if rule.direction is not ours[field].direction),
        silent=sorted(field for field, rule in rules.items() if rule.when_empty is not ours[field].when_empty),
        stands_alone=False if left_out else party.stands_alone,
        left_out=left_out,
        unmet=[] if left_out else template.unmet(party.document),
    )


def client_side(client: Client, template: Template, context: Context, links: Links) -> ClientSide:
    """Return a client in the fields of the mapping."""
    values = template.books_values(client.document(), context)
    _, reference = split_note(client.note)
    return ClientSide(
        client_id=client.id,
        visible=client.vis_state != DELETED,
        archived=client.vis_state == ARCHIVED,
        values=values,
        fingerprint=links.fingerprint(values),
        reference=reference,
        changed_at=client.updated,
        created_at=client.signup_date,
        read_at=datetime.now(UTC),
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


def still_due(writes: Sequence[FieldWrite], now: Mapping[str, Value], record: str) -> list[FieldWrite]:
    """Return the writes that are still to be made, given what the record says now: some may have been made.

    Raises FenceLost for a field that people have changed since the plan was made.
    """
    moved = [each.field for each in writes if now.get(each.field) not in (each.before, each.after)]
    if moved:
        raise FenceLost(f"{record} changed meanwhile ({', '.join(moved)}): look again")
    return [each for each in writes if now.get(each.field) != each.after]


def audit_entry(
    action: str,
    cause: str,
    mapping_version: str,
    writes: Sequence[FieldWrite] = (),
    *,
    side: Literal["crm", "books"],
    request: str = "",
    rules: Mapping[str, FieldRule] | None = None,
    times: Mapping[str, datetime] | None = None,
) -> AuditEntry:
    """Return the audit row of one effect: what was written on which side, by which request, rules and workflow.

    An effect is written down once its request was answered with success.
    """
    return AuditEntry(
        action=action,
        cause=cause,
        mapping_version=mapping_version,
        before={each.field: each.before for each in writes},
        after={each.field: each.after for each in writes},
        side=side,
        workflow_id=str(activity.info().workflow_id),
        request=request,
        answer="success" if request else "",
        rules={each.field: in_words(rules[each.field]) for each in writes if rules and each.field in rules},
        times=times or {},
    )


def record_times(
    *,
    crm_created: datetime | None = None,
    crm_changed: datetime | None = None,
    books_created: datetime | None = None,
    books_changed: datetime | None = None,
) -> dict[str, datetime]:
    """Return when both records were created and last changed, as far as their systems say it."""
    said = {
        "crm_created": crm_created,
        "crm_changed": crm_changed,
        "books_created": books_created,
        "books_changed": books_changed,
    }
    return {name: at for name, at in said.items() if at is not None}


def in_words(rule: FieldRule) -> str:
    """Return a rule as a person would say it."""
    source = " or ".join(rule.source) or rule.compute or "the mapping itself"
    function, table = [rule.enrich] if rule.enrich else [], [rule.lookup.table] if rule.lookup else []
    steps = ", ".join([*function, *(step.name for step in rule.transforms), *table])
    return f"from {source}{f' by {steps}' if steps else ''}; owner {rule.owner}, {rule.direction}"
