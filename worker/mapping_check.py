"""`ledgerline mapping check`: all that a start would refuse in a mapping or in the opportunities' settings, at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mapping.rules import Direction, FieldRule
from mapping.values import MappingError
from runtime.load import advice
from runtime.settings import Connection
from runtime.yaml_file import Location
from worker.accounts import context_of, mapping_of
from worker.mapping_files import ACCOUNTS, Section, has_connections, mapping_section, read_file, sections
from worker.opportunities import document_rules, opportunity_rules

MOST_FINDINGS = 100
# What says nothing about where a value comes from: it can be judged although the rest of the entry is wrong.
_APART = frozenset({"owner", "direction", "when_empty", "when"})
_KEYS = frozenset(each.alias or name for name, each in FieldRule.model_fields.items())


@dataclass(frozen=True)
class Finding:
    """One mistake: line and column (from 1), the setting, and what is wrong with what is allowed."""

    path: Path
    line: int
    column: int
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.name}: {self.text}"


def check_file(path: Path, crm: str) -> list[Finding]:
    """Return everything that is wrong with a settings file's mappings and opportunities, or with a mapping file.

    `crm` is what a mapping file is for. Raises NotUsable for what is neither.
    """
    file = read_file(path)
    checked = list(sections(file)) if has_connections(file) else [mapping_section(file, crm)]
    return [finding for section in checked for finding in check_section(section)]


def check_section(section: Section) -> list[Finding]:
    """Return everything that is wrong with the mapping and the opportunities of one connection, by line."""
    errors = section.errors()
    findings = [_setting_finding(section, error) for error in errors]
    connection = _as_far_as_it_goes(section, errors) if errors else section.connection()
    if connection is None:
        return findings
    looks = (_context_findings, _mapping_findings, _opportunity_findings)
    findings += [finding for look in looks for finding in look(section, connection)]
    return sorted(findings, key=lambda each: (each.line, each.column))


def _setting_finding(section: Section, error: ErrorDetails) -> Finding:
    location = (*section.at, *(part for part in error["loc"] if part != "[key]"))
    return _placed(section, location, advice({**error, "loc": ("connections", section.name, *error["loc"])}))


def _as_far_as_it_goes(section: Section, errors: Sequence[ErrorDetails]) -> Connection | None:
    """Return the connection without the settings that are wrong, so that its mapping can be looked into as well.

    None where that makes no sense: the mapping is no list of entries, or nobody can say whose records it is for.
    """
    clients = section.values.get("clients", {})
    wrong = {error["loc"][1] for error in errors if error["loc"][:1] == ("clients",) and len(error["loc"]) > 1}
    if not isinstance(clients, dict) or "mapping" in wrong:
        return None
    accounts = {system: values for system, values in section.values.items() if system in ACCOUNTS}
    try:
        sound = {key: value for key, value in clients.items() if key not in wrong}
        return Connection.model_validate({**accounts, "clients": sound})
    except ValidationError:
        return None


def _context_findings(section: Section, connection: Connection) -> Iterator[Finding]:
    at = (*section.at, "clients")
    try:
        context_of(connection)
    except ValidationError as error:
        for each in error.errors(include_input=False):
            yield _placed(section, (*at, *each["loc"]), each["msg"].removeprefix("Value error, "))


def _opportunity_findings(section: Section, connection: Connection) -> Iterator[Finding]:
    """Give why a connection's opportunities cannot be read or planned although each of their settings is allowed."""
    flow, at = connection.opportunities, (*section.at, "opportunities")
    try:
        if flow is not None:
            opportunity_rules(connection, flow)
            document_rules(flow)
    except MappingError as error:
        yield _finding(section, at, error)
    except ValueError as error:
        yield _placed(section, at, str(error))


def _mapping_findings(section: Section, connection: Connection) -> Iterator[Finding]:
    """Give what is wrong with a mapping, one after the other, each time without what was found to be wrong before."""
    entries: dict[str, Any] = dict(connection.clients.mapping)
    seen: set[Location] = set()
    for _ in range(MOST_FINDINGS):
        flow = connection.clients.model_copy(update={"mapping": entries})
        try:
            mapping_of(connection.model_copy(update={"clients": flow}), section.folder)
        except MappingError as error:
            if error.path in seen:  # to look further would only repeat it
                return
            yield _finding(section, section.mapping_at, error)
            seen.add(error.path)
            entries = _without(entries, error.path)
        else:
            return


def _without(entries: Mapping[str, Any], path: Sequence[str | int]) -> dict[str, Any]:
    """Return the entries without what is wrong at this path, and without what only means something together with it.

    What is left of the entry goes only to the books: whether it can be read backwards is no longer the question.
    """
    field, key = str(path[0]) if path else "", path[1] if len(path) > 1 else None
    others = {name: entry for name, entry in entries.items() if name != field}
    entry = entries.get(field, {})
    if not isinstance(entry, dict) or (key is None and field in entries):
        return others
    apart = key in _APART or key not in _KEYS
    kept = {
        name: each for name, each in entry.items() if name != key and (apart or name in _APART or name not in _KEYS)
    }
    if kept.get("direction", "both") in list(Direction):
        kept["direction"] = "to-books"
    return {**others, field: kept}


def _finding(section: Section, at: Location, error: MappingError) -> Finding:
    where = str(MappingError(error.path, ""))
    return _placed(section, (*at, *error.path), str(error).removeprefix(where))


def _placed(section: Section, location: Location, text: str) -> Finding:
    line, column = section.file.position(location) or (1, 1)
    return Finding(section.file.path, line, column, _dotted(location), text)


def _dotted(location: Location) -> str:
    return ".".join(map(str, location))
