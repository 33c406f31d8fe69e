"""A party as it should become: edited like a document, then told to Capsule as the few changes that make it so.

Lists are never replaced there: a row with an id is changed, one without is added, one with `_delete` goes.
Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from mapping.edits import Edit, require, street_with
from mapping.paths import ROW_LISTS, WRITABLE_TEXTS, custom_row, definition_id
from mapping.registry import Row
from mapping.targets import Lines, Target
from mapping.values import UnmappableValue

EditedRow: TypeAlias = dict[str, Any]

_LISTS = (*(name for name, rows in ROW_LISTS.items() if rows.parts), "fields")


class EditedParty:
    """A party and the edits made to it; `document` is how Capsule would show it with them."""

    def __init__(self, party: Mapping[str, Any], field_ids: Mapping[str, int]) -> None:
        self._before, self._field_ids = party, field_ids
        lists = {name: [dict(row) for row in party[name]] for name in _LISTS if party.get(name) is not None}
        self.document: dict[str, Any] = {**party, **lists}

    def write(self, edits: Sequence[Edit]) -> None:
        """Make all these edits, those of one row at once. Raises UnmappableValue."""
        rows: dict[tuple[str, frozenset[str | None]], list[Edit]] = defaultdict(list)
        for edit in edits:
            path = edit.target.path
            if edit.target.chooser is not None:
                rows[path.text, edit.target.row_types].append(edit)
            elif path.custom_field is not None:
                self._write_custom(edit, path.custom_field, path.read(self._before))
            else:
                self.document[path.text] = edit.text
        for together in rows.values():
            self._write_row(together)
        self._require_name()

    def changes(self) -> dict[str, Any]:
        """Return the body of the merge-PUT, without its envelope; empty if nothing was edited."""
        texts = {key: self.document[key] for key in WRITABLE_TEXTS if self.document.get(key) != self._before.get(key)}
        lists = {
            name: list(_row_changes(self._before[name], self.document[name]))
            for name in _LISTS
            if self._before.get(name) is not None
        }
        return texts | {name: rows for name, rows in lists.items() if rows}

    def set_custom(self, field: str, text: str | None, definition: int | None) -> None:
        """Fill or empty a custom field. `definition` is needed where the party has no row of it yet."""
        rows: list[EditedRow] = self.document["fields"]
        row = _found(rows, custom_row(rows, field))
        if row is None and text is not None:
            rows.append({"definition": {"id": definition, "name": field}, "value": text})
        elif row is not None and text is None:
            rows.remove(row)
        elif row is not None:
            row["value"] = text

    def row(self, target: Target) -> EditedRow | None:
        """Return the row that the target reads now, None if there is none."""
        rows: list[EditedRow] = self.document[target.path.text]
        return _found(rows, target.choose(rows))

    def set_parts(self, target: Target, parts: Mapping[str, str | None]) -> None:
        """Fill or empty parts of the row that the target reads. A row that holds nothing then goes; one that is
        missing is added, with the type that the rule asks for first.
        """
        row = self.row(target)
        if row is None:
            self._add_row(target, parts)
        elif any({**row, **parts}.get(part) for part in target.path.rows.parts):
            self._change_row(target, row, parts)
        else:
            self.document[target.path.text].remove(row)

    def _write_custom(self, edit: Edit, name: str, held: Any) -> None:
        if isinstance(held, bool):
            raise UnmappableValue(edit.field, "is a tick box in the CRM: change it there; the mapping writes text")
        definition = definition_id(name, self._field_ids)
        if held is None and edit.text is not None and definition is None:
            raise UnmappableValue(
                edit.field, "has no custom field in the CRM: create it there under the mapping's name"
            )
        self.set_custom(name, edit.text, definition)

    def _write_row(self, edits: Sequence[Edit]) -> None:
        """Write all parts that belong into one row at once."""
        target = edits[0].target
        row = self.row(target)
        parts = {each.target.part: each.text for each in edits}
        if split := [each for each in edits if each.target.lines is not Lines.ALL]:
            parts["street"] = street_with((row or {}).get("street"), split)
        self.set_parts(target, parts)
        if row is not None and self.row(target) not in (None, row):
            text = "another entry of the party would take its place: delete that in the CRM too"
            raise UnmappableValue(edits[0].field, f"is empty in FreshBooks, but {text}")

    def _require_name(self) -> None:
        document, is_person = self.document, self.document.get("type") == "person"
        if is_person:
            named = document.get("firstName") or document.get("lastName")
            require(named, "fname", "Capsule takes no person without a first or last name")
        elif document.get("type") == "organisation":
            require(document.get("name"), "organization", "Capsule takes no organisation without a name")

    def _add_row(self, target: Target, parts: Mapping[str, str | None]) -> None:
        rows: list[EditedRow] = self.document[target.path.text]
        twin = _twin(rows, target, parts)
        if twin is None:
            rows.append({"type": target.new_row_type, **parts})
        else:  # the address is there under a type that the rule does not read
            twin.update({"type": target.new_row_type, **parts})

    def _change_row(self, target: Target, row: EditedRow, parts: Mapping[str, str | None]) -> None:
        """Change a row. If another one holds the new value already both trade places: nothing is doubled or lost."""
        others = [each for each in self.document[target.path.text] if each is not row]
        twin = _twin(others, target, parts)
        if twin is not None:
            twin.update({part: row.get(part) for part in parts})
        row.update(parts)


def _twin(rows: Sequence[EditedRow], target: Target, parts: Mapping[str, str | None]) -> EditedRow | None:
    """Return the row that holds this very value already: of any type for an email address, which no party has twice.

    A phone number may stand in rows of two types: they belong to different fields. Addresses are never taken for equal.
    """
    name, *more = target.path.rows.parts
    wanted = parts.get(name)
    if more or wanted is None:
        return None
    anywhere = target.path.text == "emailAddresses"
    for row in rows:
        held = str(row.get(name) or "").strip().casefold()
        if held == wanted.casefold() and (anywhere or row.get("type") in target.row_types):
            return row
    return None


def _found(rows: Sequence[EditedRow], row: Row | None) -> EditedRow | None:
    """Return the row itself, to be edited, where a reader found it."""
    return next((each for each in rows if each is row), None)


def _row_changes(before: Sequence[Row], after: Sequence[Row]) -> Iterator[dict[str, Any]]:
    now = {row["id"]: row for row in after if "id" in row}
    for row in before:
        if row["id"] not in now:
            yield {"id": row["id"], "_delete": True}
        elif changed := {key: value for key, value in now[row["id"]].items() if value != row.get(key)}:
            yield {"id": row["id"], **changed}
    for row in after:
        if "id" not in row:  # Capsule has yet to number it
            yield _new_row(row)


def _new_row(row: Row) -> dict[str, Any]:
    if "definition" in row:
        return {"definition": {"id": row["definition"]["id"]}, "value": row["value"]}
    return {key: value for key, value in row.items() if value is not None}


def blank_party(party_type: str) -> dict[str, Any]:
    """Return a party that says nothing yet."""
    return {"type": party_type, **{key: [] for key in (*ROW_LISTS, "fields")}}


def party_body(party_type: str, changes: Mapping[str, Any], employer_id: int | None) -> dict[str, Any]:
    """Return the body, without its envelope, of a new party."""
    employer = {"organisation": {"id": employer_id}} if employer_id and party_type == "person" else {}
    return {"type": party_type, **changes, **employer}
