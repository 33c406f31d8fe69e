"""The conditions in the settings about opportunities, compiled: which are synced, and which lines they have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from activities.opportunity_crm import CrmOpportunity
from mapping.conditions import CannotEvaluate, Condition, Declared, Holds, WrongText, custom_fields_in
from mapping.values import MappingError, UnmappableValue
from runtime.opportunities import OpportunitiesFlow

NAMES: Mapping[str, Declared] = {
    **{
        name: Declared(Holds.TEXT)
        for name in (*("name", "currency", "milestone", "pipeline", "state", "description", "expected_close", "owner"),)
    },
    "amount": Declared(Holds.NUMBER),
    "tags": Declared(Holds.TEXTS),
    "fields": Declared(Holds.FIELDS),
}
"""What a condition may ask of an opportunity. `state` is open, won or lost, `owner` an email address."""


@dataclass(frozen=True)
class Conditions:
    """The condition of the whole section, None if there is none, and those of single lines by their number from 0."""

    when: Condition | None
    lines: Mapping[int, Condition]

    @property
    def custom_fields(self) -> frozenset[str]:
        """The custom fields that any of them asks for."""
        return custom_fields_in([*([self.when] if self.when else []), *self.lines.values()])


def conditions(flow: OpportunitiesFlow) -> Conditions:
    """Return a section's conditions. Raises MappingError with the spot in the section, line and column in the text."""
    when = _compiled(flow.when, ("when",)) if flow.when else None
    lines = {
        place: _compiled(each.when, ("lines", place, "when")) for place, each in enumerate(flow.lines) if each.when
    }
    return Conditions(when, lines)


def left_out(condition: Condition | None) -> Callable[[CrmOpportunity], str]:
    """Return what says why an opportunity is not synced, "" if it is. It raises UnmappableValue."""

    def reason(opportunity: CrmOpportunity) -> str:
        if condition is None or meets(condition, opportunity):
            return ""
        return f"left out by opportunities.when: {condition.text}"

    return reason


def meets(condition: Condition, opportunity: CrmOpportunity) -> bool:
    """Return whether an opportunity meets a condition. Raises UnmappableValue if that cannot be worked out."""
    try:
        return condition.holds(_values(opportunity))
    except CannotEvaluate as error:
        raise UnmappableValue("opportunities", str(error)) from None


def _compiled(text: str, path: tuple[str | int, ...]) -> Condition:
    rule = ".".join(map(str, ("opportunities", *path)))
    try:
        return Condition(text, NAMES, rule, "opportunity")
    except WrongText as error:
        raise MappingError(path, str(error)) from None


def _values(opportunity: CrmOpportunity) -> dict[str, Any]:
    milestone, close = opportunity.milestone, opportunity.expected_close
    return {
        "name": opportunity.name,
        "amount": opportunity.amount,
        "currency": opportunity.currency or "",
        "milestone": milestone.name,
        "pipeline": milestone.pipeline,
        "state": milestone.state,
        "description": opportunity.description,
        "expected_close": close.isoformat() if close else "",
        "owner": opportunity.owner_email,
        "tags": list(opportunity.tags),
        "fields": dict(opportunity.fields),
    }
