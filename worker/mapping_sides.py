"""The two mappings that are compared: what each file makes of a connection, ready to be asked about records."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from activities.document_rules import DocumentRules
from activities.opportunity_sides import OpportunityRules
from mapping.context import Context
from mapping.engine import WHEN, Template
from runtime.settings import Connection
from worker.accounts import context_of, mapping_of
from worker.mapping_check import check_section
from worker.mapping_files import NotUsable, Section, has_connections, mapping_section, read_file, section_named
from worker.mapping_inputs import Head
from worker.opportunities import document_rules, opportunity_rules


@dataclass(frozen=True)
class Side:
    """One of the two: what it makes of parties, and of opportunities where it syncs them."""

    path: Path
    connection: Connection
    template: Template
    context: Context

    @cached_property
    def opportunities(self) -> tuple[OpportunityRules, DocumentRules] | None:
        """How opportunities are read, and how they become documents."""
        flow = self.connection.opportunities
        return None if flow is None else (opportunity_rules(self.connection, flow), document_rules(flow))


def read_sides(old: Path, new: Path, head: Head, name: str | None) -> tuple[Side, Side]:
    """Return both: of two settings files the connection of this name, else of the one that was recorded.

    A mapping file is read for the CRM and with the defaults that were recorded. Raises NotUsable for two files that
    cannot be compared, or with every mistake in them.
    """
    files = [read_file(path) for path in (old, new)]
    kinds = {has_connections(file) for file in files}
    if len(kinds) > 1:
        raise NotUsable(f"{old} and {new}: one is a settings file, the other a mapping: compare two of one kind")
    if kinds == {True}:
        found = [section_named(file, name or head.connection) for file in files]
    else:
        defaults = {key: value for key, value in head.defaults.items() if value is not None}
        found = [mapping_section(file, head.crm, defaults) for file in files]
    one, other = (_side(section, head) for section in found)
    return one, other


def rule_changes(old: Template, new: Template) -> list[str]:
    """Return the fields whose rules differ, each with the keys that do."""
    before, after = _rules(old), _rules(new)
    found = []
    for field in sorted(before.keys() | after.keys()):
        if field not in after:
            found.append(f"{field}: no longer synced")
        elif field not in before:
            found.append(f"{field}: added")
        elif before[field] != after[field]:
            keys = before[field].keys() | after[field].keys()
            different = sorted(key for key in keys if before[field].get(key) != after[field].get(key))
            found.append(f"{field}: {', '.join(different)}")
    return found


def setting_changes(old: Connection, new: Connection) -> list[str]:
    """Return the settings of both flows that differ, the mapping aside. Their values may be people's addresses."""
    found = []
    for flow in ("clients", "opportunities"):
        before, after = _settings(old, flow), _settings(new, flow)
        keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        found += [f"{flow}.{key}" for key in keys]
    return found


def _side(section: Section, head: Head) -> Side:
    mistakes = check_section(section)
    if mistakes:
        raise NotUsable("\n".join(map(str, mistakes)))
    connection = section.connection()
    if connection.crm != head.crm:
        text = f"{section.name} has {connection.crm}, and the recorded inputs are of {head.crm}"
        raise NotUsable(f"{section.place(section.at)}: {text}: records of one CRM say nothing about another")
    return Side(section.file.path, connection, mapping_of(connection, section.folder), context_of(connection))


def _rules(template: Template) -> dict[str, dict[str, Any]]:
    said = {
        field: {**rule.model_dump(mode="json", by_alias=True), "its file": dict(rule.extras.digests)}
        for field, rule in template.rules.items()
    }
    return said if template.when is None else {**said, WHEN: {"condition": template.when.expression.text}}


def _settings(connection: Connection, flow: str) -> Mapping[str, Any]:
    section = getattr(connection, flow)
    return {} if section is None else {key: value for key, value in section.model_dump().items() if key != "mapping"}
