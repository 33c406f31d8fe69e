"""The engine: reads a mapping's rules and says what a client should be, and what it is, in comparable values."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import resources
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError

from mapping.client_fields import require_client_field
from mapping.context import Context
from mapping.evaluation import evaluation_of, is_met
from mapping.record_rules import Asked, Reader
from mapping.rules import Direction, FieldRule, Owner, WhenEmpty, read_rule
from mapping.shapes import shape_of
from mapping.spots import PARTY_TYPES, Spot
from mapping.values import IncompleteRecord, MappingError, UnmappableValue, Value

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
_MOST_KEPT = 50  # types of parties, with the custom fields of an account: these change once in a while
_HERE = Path()
_NO_CONTEXT = Context()
WHEN = "when"
"""Beside the fields of a mapping: the condition that a party meets to be synced at all."""
_NEW_KEYS = ("when", "compute", "enrich", "lookup")  # left out, they leave a version as it was before they existed


@cache  # every account of every connection asks, and reading YAML takes longer than all the rest of wiring it
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

    `folder` is where its tables and functions lie: beside the mapping file. Raises MappingError for entries that cannot
    work on any record.
    """

    def __init__(self, name: str, entries: Mapping[str, Any], folder: Path = _HERE) -> None:
        self.name, self.shape = name, shape_of(name)
        self._entries, self._folder = dict(entries), folder
        reader = Reader(self.shape.parse_path, self.shape.names, self.shape.party_type, folder)
        fields = {field: entry for field, entry in self._entries.items() if field != WHEN}
        self.rules: Mapping[str, FieldRule] = MappingProxyType(
            {field: read_rule(field, entry, reader) for field, entry in fields.items()}
        )
        self._evaluations = tuple(evaluation_of(field, rule) for field, rule in self.rules.items())
        self._conditional = tuple(each for each in self._evaluations if each.extras.when is not None)
        self._rules_for: dict[tuple[str, tuple[tuple[str, int], ...]], Mapping[str, FieldRule]] = {}
        self.when: Asked | None = _read_when(self._entries.get(WHEN), reader)
        _require_identity(self.rules)
        _require_own_targets(self.rules)

    def with_overrides(self, overrides: Mapping[str, Any] | None, folder: Path | None = None) -> "Template":
        """Return a template in which each override changes the keys it names, adds an entry, or (null) removes one.

        `folder` is that of the overriding file. An entry that is computed has no more use for what was shipped as its
        source and transforms.
        """
        entries = dict(self._entries)
        for field, change in (overrides or {}).items():
            if field != WHEN:
                require_client_field(field)
            if change is None:
                entries.pop(field, None)
            else:
                entries[field] = _changed(entries.get(field, {}), change) if isinstance(change, Mapping) else change
        return Template(self.name, entries, self._folder if folder is None else folder)

    @cached_property
    def version(self) -> str:
        """16 hexadecimal characters that are the same for the same rules, however written, and for no others."""
        rules = {field: _content(rule) for field, rule in self.rules.items()}
        when = {} if self.when is None else {WHEN: self.when.expression.text}
        content = json.dumps({"template": self.name, "rules": rules, **when}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def reads(self) -> tuple[Spot, ...]:
        """Everything of a party that the mapping looks at."""
        spots = (spot for rule in self.rules.values() for spot in rule.reads)
        return (*spots, *(self.when.reads if self.when is not None else ()))

    @property
    def asked_fields(self) -> list[tuple[str, str]]:
        """The custom fields that conditions and computed values name, each with what names it: `vat_number.when`."""
        named = [(f"{field}.{key}", asked) for field, rule in self.rules.items() for key, asked in rule.extras.asked]
        every = [*named, (WHEN, self.when)] if self.when is not None else named
        return [(rule, spot.custom_field) for rule, asked in every for spot in asked.reads if spot.custom_field]

    def left_out(self, party: Mapping[str, Any]) -> str | None:
        """Return why a party is not synced, for people to read; None if it is. Raises as `crm_values` does."""
        if self.when is None or is_met(WHEN, self.when, party):
            return None
        return f"left out by the mapping, whose `{WHEN}` it does not meet: {self.when.expression.text}"

    def unmet(self, party: Mapping[str, Any]) -> list[str]:
        """Return the fields whose own `when` a party does not meet: they are left alone. Raises as `left_out` does."""
        return sorted(each.field for each in self._conditional if not each.is_met_by(party))

    def said(self, party: Mapping[str, Any], context: Context) -> dict[str, Value]:
        """Return what a party says to the books: one that is left out says nothing, whatever it holds.

        So its changes are no news, and coming back is. Raises as `crm_values` does.
        """
        return dict.fromkeys(self.rules) if self.left_out(party) else self.crm_values(party, context)

    def crm_values(self, party: Mapping[str, Any], context: Context) -> dict[str, Value]:
        """Return, per books field, what the party says it should be. None says empty.

        The party is Capsule's document with its custom fields (`embed=fields`). Of a field whose `when` it does not
        meet it says nothing. Raises UnmappableValue for a record that holds something no rule can turn, and
        IncompleteRecord for one that was not fetched in full.
        """
        unmet = self.unmet(party)
        return {each.field: None if each.field in unmet else each.says(party, context) for each in self._evaluations}

    def crm_value(self, field: str, party: Mapping[str, Any], context: Context) -> Value:
        """Return what the party says about one field, whether or not it meets the field's `when`.

        Raises as `crm_values` does.
        """
        return evaluation_of(field, self.rules[field]).says(party, context)

    def books_values(self, client: Mapping[str, Any], context: Context = _NO_CONTEXT) -> dict[str, Value]:
        """Return, per books field, what the client says now, tidied the same way, so that equal things are equal.

        The rule's normalising transforms run on the client too: "UK" and "United Kingdom" are no difference. Whatever
        they cannot read stands as it is: a person typed it. Our reference is not part of the note.
        """
        return {each.field: each.holds(client.get(each.field), context) for each in self._evaluations}

    @cached_property
    def is_two_way(self) -> bool:
        """Whether anything at all goes from the books to the CRM."""
        return any(rule.direction is Direction.BOTH for rule in self.rules.values())

    def one_way(self) -> "Template":
        """Return the template with every change going from the CRM to the books and none back."""
        entries = {field: _one_way(entry) if field != WHEN else entry for field, entry in self._entries.items()}
        return Template(self.name, entries, self._folder)

    def rules_for(self, party_type: str, field_ids: Mapping[str, int]) -> Mapping[str, FieldRule]:
        """Return the rules for a merge with a party of this type: "person" or "organisation".

        `field_ids` are the ids of the account's custom fields by name. What such a party cannot take over goes only to
        the books, such as the employer's name of a person: nothing is planned that could not be written.
        """
        key = (party_type, tuple(sorted(field_ids.items())))
        if key not in self._rules_for:
            if len(self._rules_for) >= _MOST_KEPT:
                self._rules_for.clear()
            self._rules_for[key] = {field: rule.for_party(party_type, field_ids) for field, rule in self.rules.items()}
        return self._rules_for[key]


def _read_when(text: Any, reader: Reader) -> Asked | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise MappingError((WHEN,), "a condition is a text, such as 'type == \"organisation\"'")
    return reader.condition((WHEN,), text)


def _changed(entry: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in entry.items() if key not in ("from", "transforms")}
    return {**(kept if change.get("compute") is not None else entry), **change}


def _one_way(entry: Any) -> Any:
    return {**entry, "direction": Direction.TO_BOOKS.value}


def _content(rule: FieldRule) -> dict[str, Any]:
    """Return what makes a rule this one, the contents of its table and of its function's file included."""
    said = {key: value for key, value in rule.model_dump(mode="json").items() if key not in _NEW_KEYS or value}
    files = rule.extras.digests
    return {**said, "files": dict(files)} if files else said


def _require_identity(rules: Mapping[str, FieldRule]) -> None:
    """Refuse a mapping that could not tell whether a client exists already, and would create it again and again."""
    email = rules.get("email")
    if email is None:
        raise MappingError(("email",), "cannot be left out: without it no existing client would be recognised")
    if not email.source or email.default is not None or any(step.name == "constant" for step in email.transforms):
        raise MappingError(("email",), "must come from the record alone: a shared address would mix up clients")
    for key in _NEW_KEYS:
        if getattr(email, key) is not None:
            text = "is not for the email address, by which clients are recognised: leave it to the record"
            raise MappingError(("email", key), text)


def _require_own_targets(rules: Mapping[str, FieldRule]) -> None:
    """Refuse two fields that would be written to one spot of a party: each would overwrite the other."""
    for party_type in PARTY_TYPES:
        targets = {field: target for field, rule in rules.items() if (target := rule.target(party_type))}
        for (field, target), (other, another) in combinations(targets.items(), 2):
            if target.clashes_with(another):
                text = f"is written to the same spot of a party as {field}: add `direction: to-books` to one of them"
                raise MappingError((other, "direction"), text)
