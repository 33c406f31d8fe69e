"""The way back: what a CRM has to be told so that a record says what the books say, and nothing else of it changes.

Source, for Capsule: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
"""

from collections.abc import Mapping
from typing import Any

from mapping.context import Context, crm_country
from mapping.edits import CANNOT, Edit
from mapping.engine import Template
from mapping.values import CannotTransform, UnmappableValue, Value


def party_changes(
    template: Template,
    party: Mapping[str, Any],
    writes: Mapping[str, Value],
    context: Context,
    field_ids: Mapping[str, int],
) -> dict[str, Any]:
    """Return the body of an update, without its envelope, after which the party says what was written.

    `party` is the CRM's document with its custom fields, `writes` is by books field, and `field_ids` are the ids of the
    account's custom fields by name. In Capsule rows are changed by their ids, and added only where none stands for the
    value yet. Owner and team are never sent. An empty body means that the party says it already. Raises UnmappableValue
    for what it cannot be made to say, and IncompleteRecord for a party that was not fetched in full.
    """
    edited = template.shape.edited(party, field_ids)
    party_type = template.shape.party_type(party)
    news = {
        field: value
        for field, value in writes.items()
        if field not in template.rules or _said(template, field, party, context) != value
    }
    edited.write([_read_back(template, field, value, party_type, context) for field, value in news.items()])
    _require_outcome(template, party, edited.document, writes, context)
    return edited.changes()


def party_draft(
    template: Template,
    client: Mapping[str, Any],
    context: Context,
    field_ids: Mapping[str, int],
    *,
    employer_id: int | None = None,
) -> dict[str, Any]:
    """Return the body, without its envelope, of a new party that says what a FreshBooks client says.

    A client with a first or last name becomes a person, any other an organisation. Only fields that go both ways are
    carried over. The caller adds our reference. `employer_id` is the organisation whose name the client of a person
    carries, if the CRM has exactly one of that name: writing the name instead would make Capsule create a second
    record, which bears no reference of ours and would come back as one more client. Raises UnmappableValue.
    """
    values = template.books_values(client, context)
    party_type = "person" if values.get("fname") or values.get("lname") else "organisation"
    rules = template.rules_for(party_type, field_ids)
    writes = {field: values[field] for field, rule in rules.items() if rule.target(party_type) and values[field]}
    changes = party_changes(template, template.shape.blank(party_type), writes, context, field_ids)
    return template.shape.body(party_type, changes, employer_id)


def _read_back(template: Template, field: str, value: Value, party_type: str, context: Context) -> Edit:
    rule = template.rules.get(field)
    target = rule.target(party_type) if rule else None
    if target is None:
        raise UnmappableValue(field, "goes only to the books: this mapping never writes it to such a party")
    try:
        for step in reversed(target.steps):
            value = step.back(value)
        if target.part == "country" and value is not None:
            value = crm_country(str(value), context)
    except CannotTransform as error:
        raise UnmappableValue(field, f"{CANNOT}: {error}") from None
    return Edit(field, target, None if value is None else str(value))


def _require_outcome(
    template: Template,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    writes: Mapping[str, Value],
    context: Context,
) -> None:
    """Check that the party will say what was written, and that no other field that goes both ways moves with it."""
    for field, value in writes.items():
        try:
            said = template.crm_value(field, after, context)
        except UnmappableValue as error:
            raise UnmappableValue(field, f"{CANNOT}: {error.reason}") from None
        if said != value:
            raise UnmappableValue(field, f"{CANNOT} in this form: correct it in FreshBooks")
    for field, rule in template.rules.items():
        if field in writes or rule.target(template.shape.party_type(before)) is None:
            continue
        if _said(template, field, after, context) != _said(template, field, before, context):
            text = f"would change in the CRM together with {', '.join(writes)}: enter these there by hand"
            raise UnmappableValue(field, text)


def _said(template: Template, field: str, party: Mapping[str, Any], context: Context) -> Value:
    try:
        return template.crm_value(field, party, context)
    except UnmappableValue as error:
        return error.reason
