"""The engine: reads a mapping's rules and says what a client should be, and what it is, in comparable values."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from itertools import combinations
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError

from mapping.client_fields import FLAG_FIELDS, require_client_field
from mapping.context import Context
from mapping.reference import split_note
from mapping.registry import Step
from mapping.rules import Direction, FieldRule, Owner, WhenEmpty, read_rule
from mapping.shapes import shape_of
from mapping.spots import PARTY_TYPES
from mapping.values import CannotTransform, IncompleteRecord, MappingError, UnmappableValue, Value, tidy

__all__ = [
    "Context",
    "Direction",
    "FieldRule",
    "IncompleteRecord",
    "MappingError",
    "Owner",
    "Template",
    "UnmappableValue",
    "Value",
    "WhenEmpty",
    "load_template",
    "read_entries",
]

_LARGEST_DOCUMENT = 1_000_000
_NO_CONTEXT = Context()


def load_template(name: str) -> "Template":
    """Return a shipped template, such as "capsule-freshbooks/clients". Raises MappingError if there is none."""
    folder = resources.files("mapping") / "templates"
    shipped = {
        f"{pair.name}/{file.name.removesuffix('.yaml')}": file
        for pair in folder.iterdir()
        if pair.is_dir()
        for file in pair.iterdir()
        if file.name.endswith(".yaml")
    }
    if name not in shipped:
        raise MappingError((), f"no template of this name is shipped. Allowed: {', '.join(sorted(shipped))}")
    return Template(name, read_entries(shipped[name].read_text(encoding="utf-8")))


def read_entries(text: str) -> dict[str, Any]:
    """Return the entries of a mapping document in YAML 1.2, where NO is a country and not a refusal.

    Raises MappingError for what is no YAML, for a document above 1 MB and for two entries of one name.
    """
    if len(text) > _LARGEST_DOCUMENT:
        raise MappingError((), "the document is larger than 1 MB")
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise MappingError((), f"line {line} repeats a name: every field has one rule") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise MappingError((), f"no readable YAML near line {mark.line + 1 if mark else 1}") from None
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise MappingError((), "the document has one entry per FreshBooks field, by name")
    return document


class Template:
    """The rules of one pair and flow: shipped entries, with an installation's overrides on top.

    Raises MappingError for entries that cannot work on any record.
    """

    def __init__(self, name: str, entries: Mapping[str, Any]) -> None:
        self.name, self.shape = name, shape_of(name)
        self._entries = dict(entries)
        self.rules: Mapping[str, FieldRule] = MappingProxyType(
            {field: read_rule(field, entry, self.shape.parse_path) for field, entry in self._entries.items()}
        )
        _require_identity(self.rules)
        _require_own_targets(self.rules)

    def with_overrides(self, overrides: Mapping[str, Any] | None) -> "Template":
        """Return a template in which each override changes the keys it names, adds an entry, or (null) removes one."""
        entries = dict(self._entries)
        for field, change in (overrides or {}).items():
            require_client_field(field)
            if change is None:
                entries.pop(field, None)
            else:
                entries[field] = {**entries.get(field, {}), **change} if isinstance(change, Mapping) else change
        return Template(self.name, entries)

    @cached_property
    def version(self) -> str:
        """16 hexadecimal characters that are the same for the same rules, however written, and for no others."""
        rules = {field: rule.model_dump(mode="json") for field, rule in self.rules.items()}
        content = json.dumps({"template": self.name, "rules": rules}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def crm_values(self, party: Mapping[str, Any], context: Context) -> dict[str, Value]:
        """Return, per books field, what the party says it should be. None says empty.

        The party is Capsule's document with its custom fields (`embed=fields`). Raises UnmappableValue for a record
        that holds something no rule can turn, and IncompleteRecord for one that was not fetched in full.
        """
        return {field: self.crm_value(field, party, context) for field in self.rules}

    def crm_value(self, field: str, party: Mapping[str, Any], context: Context) -> Value:
        """Return what the party says about one field. Raises as `crm_values` does."""
        return _crm_value(field, self.rules[field], party, context)

    def books_values(self, client: Mapping[str, Any], context: Context = _NO_CONTEXT) -> dict[str, Value]:
        """Return, per books field, what the client says now, tidied the same way, so that equal things are equal.

        The rule's normalising transforms run on the client too: "UK" and "United Kingdom" are no difference. Whatever
        they cannot read stands as it is: a person typed it. Our reference is not part of the note.
        """
        return {field: _books_value(field, rule, client.get(field), context) for field, rule in self.rules.items()}

    @cached_property
    def is_two_way(self) -> bool:
        """Whether anything at all goes from the books to the CRM."""
        return any(rule.direction is Direction.BOTH for rule in self.rules.values())

    def one_way(self) -> "Template":
        """Return the template with every change going from the CRM to the books and none back."""
        entries = {field: {**entry, "direction": Direction.TO_BOOKS.value} for field, entry in self._entries.items()}
        return Template(self.name, entries)

    def rules_for(self, party_type: str, field_ids: Mapping[str, int]) -> Mapping[str, FieldRule]:
        """Return the rules for a merge with a party of this type: "person" or "organisation".

        `field_ids` are the ids of the account's custom fields by name. What such a party cannot take over goes only to
        the books, such as the employer's name of a person: nothing is planned that could not be written.
        """
        return {field: rule.for_party(party_type, field_ids) for field, rule in self.rules.items()}


def _require_identity(rules: Mapping[str, FieldRule]) -> None:
    """Refuse a mapping that could not tell whether a client exists already, and would create it again and again."""
    email = rules.get("email")
    if email is None:
        raise MappingError(("email",), "cannot be left out: without it no existing client would be recognised")
    if not email.source or email.default is not None or any(step.name == "constant" for step in email.transforms):
        raise MappingError(("email",), "must come from the record alone: a shared address would mix up clients")


def _require_own_targets(rules: Mapping[str, FieldRule]) -> None:
    """Refuse two fields that would be written to one spot of a party: each would overwrite the other."""
    for party_type in PARTY_TYPES:
        targets = {field: target for field, rule in rules.items() if (target := rule.target(party_type))}
        for (field, target), (other, another) in combinations(targets.items(), 2):
            if target.clashes_with(another):
                text = f"is written to the same spot of a party as {field}: add `direction: to-books` to one of them"
                raise MappingError((other, "direction"), text)


def _crm_value(field: str, rule: FieldRule, party: Mapping[str, Any], context: Context) -> Value:
    found = (path.read(party) for path in rule.paths)
    value = next((each for each in found if not _is_empty(each)), None)
    try:
        for step in rule.transforms:
            value = step.apply(value, context)
        value = _settled(field, value)
    except CannotTransform as error:
        raise UnmappableValue(field, str(error)) from None
    return rule.default if value is None else value


def _books_value(field: str, rule: FieldRule, value: Any, context: Context) -> Value:
    if field in FLAG_FIELDS:
        return value if isinstance(value, bool) else None
    text = None if value is None else _settled(field, str(value))
    for step in rule.transforms:
        if step.transform.normalises:
            text = _unless_unreadable(step, text, context)
    return text


def _unless_unreadable(step: Step, value: Value, context: Context) -> Value:
    try:
        changed: Value = step.apply(value, context)
    except CannotTransform:
        return value
    return changed


def _is_empty(found: Any) -> bool:
    return found is None or found == [] or (isinstance(found, str) and not found.strip())


def _settled(field: str, value: Any) -> Value:
    """Return what a field really holds: tidy text, in a note without our reference, or yes/no."""
    if value is None:
        return None
    if isinstance(value, bool) != (field in FLAG_FIELDS):
        mismatch = (
            "text where FreshBooks has yes/no: add yes_no"
            if field in FLAG_FIELDS
            else "yes/no where FreshBooks has text: add a table"
        )
        raise CannotTransform(f"would be {mismatch} to this field's transforms in the mapping")
    if isinstance(value, bool):
        return value
    return split_note(str(value))[0] if field == "note" else tidy(str(value))
