"""Evaluating one rule: what a party says about a field, and what a client holds there, in comparable values.

This runs for every field of every record of a comparison, so all that a rule knows of itself is looked up once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mapping.cel import CannotEvaluate
from mapping.client_fields import FLAG_FIELDS
from mapping.context import Context
from mapping.record_rules import Asked, Extras
from mapping.reference import split_note
from mapping.registry import Step
from mapping.rules import FieldRule
from mapping.spots import Spot
from mapping.values import CannotTransform, UnmappableValue, Value, tidy


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One field's rule, taken apart."""

    field: str
    rule: FieldRule
    paths: tuple[Spot, ...]
    extras: Extras
    steps: tuple[Step, ...]
    normalising: tuple[Step, ...]
    fills: bool
    """Whether any step makes something of nothing."""

    def says(self, party: Mapping[str, Any], context: Context) -> Value:
        """Return what the party says about the field, whether or not it meets its `when`.

        Raises UnmappableValue, and IncompleteRecord.
        """
        try:
            value = self._source_value(party)
            if value is None and not self.fills:
                return self.rule.default
            for step in self.steps:
                value = step.apply(value, context)
            if self.rule.lookup is not None and self.extras.table is not None:
                value = self.extras.table.find(value, self.rule.lookup.missing)
            value = _settled(self.field, value)
        except (CannotTransform, CannotEvaluate) as error:
            raise UnmappableValue(self.field, str(error)) from None
        return self.rule.default if value is None else value

    def holds(self, value: Any, context: Context) -> Value:
        """Return what the client holds there, tidied as the rule would."""
        if self.field in FLAG_FIELDS:
            return value if isinstance(value, bool) else None
        text = None if value is None else _settled(self.field, str(value))
        if text is None and not self.fills:
            return None
        for step in self.normalising:
            text = _unless_unreadable(step, text, context)
        return text

    def is_met_by(self, party: Mapping[str, Any]) -> bool:
        """Return whether a party meets the field's `when`, if it has one. Raises UnmappableValue."""
        return self.extras.when is None or is_met(self.field, self.extras.when, party)

    def _source_value(self, party: Mapping[str, Any]) -> Any:
        """Return what the transforms begin with: computed, said by a function, or the first path that is filled."""
        if self.extras.compute is not None:
            return self.extras.compute.of(party)
        if self.extras.hook is not None:
            return self.extras.hook.value({path.text: path.read(party) for path in self.paths})
        for path in self.paths:
            if not _is_empty(found := path.read(party)):
                return found
        return None


def evaluation_of(field: str, rule: FieldRule) -> Evaluation:
    """Return a rule, ready to be evaluated."""
    normalising = tuple(step for step in rule.transforms if step.transform.normalises)
    fills = rule.lookup is not None or any(step.transform.fills for step in rule.transforms)
    return Evaluation(field, rule, rule.paths, rule.extras, rule.transforms, normalising, fills)


def is_met(rule: str, when: Asked, party: Mapping[str, Any]) -> bool:
    """Return whether a party meets a condition. Raises UnmappableValue, which names the rule."""
    try:
        return when.is_met_by(party)
    except CannotEvaluate as error:
        raise UnmappableValue(rule, str(error)) from None


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
