"""What `ledgerline mapping` reads: mapping files and settings files, and where each word of them stands.

A settings file has connections, each with its mapping and its opportunities; a mapping file holds the entries of one
mapping alone, as `clients.mapping` has them. Tokens and other secrets are not looked at, so that a file can be checked
where they are not known.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.error import MarkedYAMLError

from runtime.errors import Stop
from runtime.settings import Connection, Settings
from runtime.yaml_file import Location, UnreadableFile, YamlFile

CRMS = ("capsule", "zoho_crm")
LINE = re.compile(r"^:(\d+):")
_FREE = "unused"
ACCOUNTS: Mapping[str, Mapping[str, str]] = {
    "capsule": {"token": _FREE},
    "zoho_crm": {"token": _FREE},
    "freshbooks": {"token": _FREE, "account_id": _FREE},
}
"""Stand where a settings file has accounts: nothing is sent with them."""
Raw: TypeAlias = Mapping[str, Any]


class NotUsable(Stop):
    """A file that cannot be read, or is not what a command needs. The text says which, where, and what to do."""


@dataclass(frozen=True)
class Section:
    """What a file says of one connection. `at` is where its settings begin, `mapping_at` where its mapping does."""

    file: YamlFile
    name: str
    values: Raw
    at: Location
    mapping_at: Location

    @property
    def folder(self) -> Path:
        """Where the tables and functions of its mapping lie."""
        return self.file.path.parent

    def place(self, location: Location) -> str:
        """Return file, line and column of the deepest part of a location that the file has."""
        return place_of(self.file, location)

    def connection(self) -> Connection:
        """Return the connection, with nothing in it that could reach an account. Raises pydantic's ValidationError."""
        return Connection.model_validate(self.values)

    def errors(self) -> list[ErrorDetails]:
        """Return everything that is wrong with the settings of the connection, its mapping not yet looked into."""
        try:
            self.connection()
        except ValidationError as error:
            return error.errors(include_input=False)
        return []


def read_file(path: Path) -> YamlFile:
    """Return a YAML file. Raises NotUsable, with line and column where there is something in it to point at."""
    try:
        return YamlFile(path)
    except UnreadableFile as error:
        mark = error.__cause__.problem_mark if isinstance(error.__cause__, MarkedYAMLError) else None
        column = mark.column + 1 if mark else 1
        said = LINE.sub(lambda line: f"{line[0]}{column}:", str(error).removeprefix(str(path)))
        raise NotUsable(f"{path}{said}") from None


def place_of(file: YamlFile, location: Location) -> str:
    """Return file, line and column, from 1; of the file's beginning if it has nothing of the location."""
    line, column = file.position(location) or (1, 1)
    return f"{file.path}:{line}:{column}"


def has_connections(file: YamlFile) -> bool:
    """Return whether it is a settings file: no field of a client is called like a setting."""
    return any(name in Settings.model_fields for name in file.values)


def mapping_section(file: YamlFile, crm: str, clients: Raw | None = None) -> Section:
    """Return the mapping of a file of its own, for this CRM; `clients` are the other settings of the flow."""
    flow = {**(clients or {}), "mapping": file.values}
    values = {crm: ACCOUNTS[crm], "freshbooks": ACCOUNTS["freshbooks"], "clients": flow}
    return Section(file, file.path.name, values, at=(), mapping_at=())


def sections(file: YamlFile) -> Iterator[Section]:
    """Give what a settings file says of each connection. Raises NotUsable if it has no list of them at all."""
    found = file.values.get("connections")
    if not isinstance(found, dict) or not found:
        text = "names no connection: a mapping stands at connections.NAME.clients.mapping, or in a file of its own"
        raise NotUsable(f"{place_of(file, ('connections',))}: {text}")
    for name, values in found.items():
        yield _section(file, str(name), values)


def section_named(file: YamlFile, name: str) -> Section:
    """Return what a settings file says of one connection. Raises NotUsable if it has none of this name."""
    known = {each.name: each for each in sections(file)}
    if name not in known:
        text = f"there is no connection {name}: say another with --connection ({', '.join(known)})"
        raise NotUsable(f"{place_of(file, ('connections',))}: {text}")
    return known[name]


def _section(file: YamlFile, name: str, values: Any) -> Section:
    at = ("connections", name)
    if not isinstance(values, dict):
        raise NotUsable(f"{place_of(file, at)}: connections.{name}: a connection has settings of its own, by name")
    crms = [crm for crm in CRMS if crm in values] or ["capsule"]
    stand_ins = {system: ACCOUNTS[system] for system in (*crms, "freshbooks")}
    return Section(file, name, {**values, **stand_ins}, at=at, mapping_at=(*at, "clients", "mapping"))
