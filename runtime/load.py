"""Loads the settings, and says of every mistake where it stands and what is allowed there."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runtime.errors import Stop
from runtime.settings import Settings
from runtime.yaml_file import Location, UnreadableFile, YamlFile

DEFAULT_FILE = Path("ledgerline.yaml")
SANDBOX_FILE = "sandbox.yaml"  # written into the data folder by `ledgerline up` when no account is configured


class WrongSettings(Stop):
    """Settings that cannot be used. The text has a line for each mistake: where, what, and what is allowed."""


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings of `path`, else of $LEDGERLINE_CONFIG, else of ./ledgerline.yaml if it is there.

    Where no connection is configured, the one that `ledgerline up` made to the sandbox is used.
    Raises WrongSettings.
    """
    file = _file(path)
    settings = _validate(file.values if file else {}, file)
    made_up = settings.data / SANDBOX_FILE
    if settings.connections or not made_up.exists():
        return settings
    sandbox = _open(made_up)
    return _validate(_combined(file.values if file else {}, sandbox.values), sandbox)


def settings_files(settings: Settings) -> list[Path]:
    """Return the files that settings come from, whether or not they are there."""
    return [Path(os.environ.get("LEDGERLINE_CONFIG", DEFAULT_FILE)), settings.data / SANDBOX_FILE]


def settings_folder() -> Path:
    """Return the folder of the settings file, in which tables and functions of mappings lie; else the current one."""
    return Path(os.environ.get("LEDGERLINE_CONFIG", DEFAULT_FILE)).parent


def explain(location: Location, text: str, path: Path | None = None) -> str:
    """Return `text` with the place in the settings file that it is about, for checks made after loading."""
    return mistake(_file(path), location, text)


def mistake(file: YamlFile | None, location: Location, text: str) -> str:
    """Return one line: the place in the file (or the environment variable), the setting, and the text."""
    name = ".".join(str(part) for part in location)
    line = file.line(location) if file else None
    if file and line:
        return f"{file.path}:{line}: {name}: {text}"
    return f"{_variable(location)}: {name}: {text}" if _variable(location) in os.environ else f"{name}: {text}"


def _file(path: Path | None) -> YamlFile | None:
    wanted = path or (Path(os.environ["LEDGERLINE_CONFIG"]) if "LEDGERLINE_CONFIG" in os.environ else None)
    if wanted is None:
        return _open(DEFAULT_FILE) if DEFAULT_FILE.exists() else None
    return _open(wanted)


def _open(path: Path) -> YamlFile:
    try:
        return YamlFile(path)
    except UnreadableFile as error:
        raise WrongSettings(str(error)) from error


def _combined(settings: dict[str, Any], sandbox: dict[str, Any]) -> dict[str, Any]:
    sections = {name: {**settings.get(name, {}), **section} for name, section in sandbox.items()}
    return {**settings, **sections}


def _validate(values: dict[str, Any], file: YamlFile | None) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = [mistake(file, _location(each), advice(each)) for each in error.errors(include_input=False)]
        raise WrongSettings("\n".join(lines)) from None  # the cause quotes what was typed, secrets too
    except ValueError as error:  # an environment variable that should hold JSON and does not
        raise WrongSettings(str(error)) from None


def _location(error: ErrorDetails) -> Location:
    return tuple(part for part in error["loc"] if part != "[key]")


def advice(error: ErrorDetails) -> str:
    """Return what is wrong with a setting and what is allowed, for an error whose place is one in the settings."""
    allowed = _allowed(error["loc"][:-1])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(error["loc"][-1]), allowed, n=1)
        hint = f"did you mean `{near[0]}`? " if near else ""
        return f"there is no such setting; {hint}allowed here: {', '.join(allowed)}"
    if error["type"] == "missing":
        return "is missing; it must be set"
    return error["msg"].removeprefix("Value error, ")


def _allowed(location: Iterable[str | int]) -> list[str]:
    """The names of the settings that a section takes."""
    model: type[BaseModel] = Settings
    path = list(location)
    if path[:1] == ["connections"]:
        del path[1:2]  # the name of a connection may be that of a setting; its section is the dictionary's value type
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        kinds = [field.annotation, *get_args(field.annotation)]
        models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        model = models[0] if models else model
    return sorted(model.model_fields)


def _variable(location: Location) -> str:
    return "LEDGERLINE_" + "__".join(str(part) for part in location).upper()
