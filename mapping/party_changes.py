"""The way back: what Capsule has to be told so that a party says what the books say, and nothing else of it changes.

Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.context import Context, crm_country
from mapping.engine import Template
from mapping.party_edits import EditedParty
from mapping.paths import ROW_LISTS, definition_id
from mapping.targets import Lines, Target
from mapping.transforms import lines_of
from mapping.values import CannotTransform, UnmappableValue, Value

_CANNOT = "cannot be written to the CRM"
_NAME_IT = "enter one in FreshBooks, and let the mapping write it to the CRM"


def party_changes(
    template: Template,
    party: Mapping[str, Any],
    writes: Mapping[str, Value],
    context: Context,
    field_ids: Mapping[str, int],
) -> dict[str, Any]:
    """Return the body of a merge-PUT, without its envelope, after which the party says what was written.

    `party` is Capsule's document with its custom fields, `writes` is by books field, and `field_ids` are the ids of the
    account's custom fields by name. Rows are changed by their ids, and added only where none stands for the value yet;
    owner and team are never sent. An empty body means that the party says it already. Raises UnmappableValue for what
    it cannot be made to say, and IncompleteRecord for a party that was not fetched in full.
    """
    edited = EditedParty(party)
    party_type = str(party.get("type"))
    rows: dict[tuple[str, frozenset[str | None]], list[_Edit]] = defaultdict(list)
    for field, value in writes.items():
        if field in template.rules and _said(template, field, party, context) == value:
            continue
        edit = _read_back(template, field, value, party_type, context)
        path, held = edit.target.path, edit.target.path.read(party)
        if edit.target.chooser is not None:
            rows[path.text, edit.target.row_types].append(edit)
        elif path.custom_field is not None:
            _write_custom(edited, edit, path.custom_field, held, field_ids)
        else:
            edited.set_text(path.text, edit.text)
    for edits in rows.values():
        _write_row(edited, edits)
    _require_name(edited.document)
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
    carried over. The caller adds our reference to `fields`. `employer_id` is the organisation whose name the client of
    a person carries, if Capsule has exactly one of that name: writing the name instead would make Capsule create a
    second record, which bears no reference of ours and would come back as one more client. Raises UnmappableValue.
    """
    values = template.books_values(client, context)
    party_type = "person" if values.get("fname") or values.get("lname") else "organisation"
    blank: dict[str, Any] = {"type": party_type, **{key: [] for key in (*ROW_LISTS, "fields")}}
    rules = template.rules_for(party_type, field_ids)
    writes = {field: values[field] for field, rule in rules.items() if rule.target(party_type) and values[field]}
    draft = {"type": party_type, **party_changes(template, blank, writes, context, field_ids)}
    return draft | ({"organisation": {"id": employer_id}} if employer_id and party_type == "person" else {})


@dataclass(frozen=True)
class _Edit:
    field: str
    target: Target
    text: str | None


def _read_back(template: Template, field: str, value: Value, party_type: str, context: Context) -> _Edit:
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
        raise UnmappableValue(field, f"{_CANNOT}: {error}") from None
    return _Edit(field, target, None if value is None else str(value))


def _write_custom(edited: EditedParty, edit: _Edit, name: str, held: Any, field_ids: Mapping[str, int]) -> None:
    if isinstance(held, bool):
        raise UnmappableValue(edit.field, "is a tick box in the CRM: change it there; the mapping writes text")
    definition = definition_id(name, field_ids)
    if held is None and edit.text is not None and definition is None:
        raise UnmappableValue(edit.field, "has no custom field in the CRM: create it there under the mapping's name")
    edited.set_custom(name, edit.text, definition)


def _write_row(edited: EditedParty, edits: Sequence[_Edit]) -> None:
    """Write all parts that belong into one row at once."""
    target = edits[0].target
    row = edited.row(target)
    parts = {each.target.part: each.text for each in edits}
    if split := [each for each in edits if each.target.lines is not Lines.ALL]:
        parts["street"] = _street((row or {}).get("street"), split)
    edited.set_parts(target, parts)
    if row is not None and edited.row(target) not in (None, row):
        text = "is empty in FreshBooks, but another entry of the party would take its place: delete that in the CRM too"
        raise UnmappableValue(edits[0].field, text)


def _street(street: str | None, edits: Sequence[_Edit]) -> str | None:
    """Return a street with its first line, its other lines, or both replaced. Raises UnmappableValue."""
    lines = lines_of(street or "")
    first, others = lines[:1], lines[1:]
    for edit in edits:
        if edit.target.lines is Lines.FIRST:
            first = [edit.text] if edit.text else []
        else:
            others = _other_lines(edit, several=len(others) > 1)
    if others and not first:
        text = "would leave a street without its first line: fill that in FreshBooks too, or empty both"
        raise UnmappableValue(edits[0].field, text)
    return "\n".join(first + others) or None


def _other_lines(edit: _Edit, *, several: bool) -> list[str]:
    """Return the lines after the first one. They stay several lines where they were, and the text allows it."""
    text = edit.text or ""
    parts = text.split(edit.target.separator) if several and edit.target.separator else [text]
    return parts if all(part and part == part.strip() for part in parts) else [text] if text else []


def _require_name(document: Mapping[str, Any]) -> None:
    if document.get("type") == "person" and not (document.get("firstName") or document.get("lastName")):
        raise UnmappableValue("fname", f"Capsule takes no person without a first or last name: {_NAME_IT}")
    if document.get("type") == "organisation" and not document.get("name"):
        raise UnmappableValue("organization", f"Capsule takes no organisation without a name: {_NAME_IT}")


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
            raise UnmappableValue(field, f"{_CANNOT}: {error.reason}") from None
        if said != value:
            raise UnmappableValue(field, f"{_CANNOT} in this form: correct it in FreshBooks")
    for field, rule in template.rules.items():
        if field in writes or rule.target(str(before.get("type"))) is None:
            continue
        if _said(template, field, after, context) != _said(template, field, before, context):
            text = f"would change in the CRM together with {', '.join(writes)}: enter these there by hand"
            raise UnmappableValue(field, text)


def _said(template: Template, field: str, party: Mapping[str, Any], context: Context) -> Value:
    try:
        return template.crm_value(field, party, context)
    except UnmappableValue as error:
        return error.reason
