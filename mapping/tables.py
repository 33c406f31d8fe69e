"""Tables beside a mapping file, in which a value is looked up: CSV with the columns key and value, or YAML."""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, StrictStr
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mapping.values import CannotTransform, Value, tidy

_LARGEST = 1_000_000
_COLUMNS = ["key", "value"]
_WORDS: Mapping[str, bool] = {"yes": True, "no": False, "true": True, "false": False}


class WrongTable(ValueError):
    """A table that cannot be used; the text says which file and line."""


class Lookup(BaseModel):
    """What an entry says of its table, and what becomes of a value that the table does not have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: StrictStr
    missing: Literal["refuse", "default", "leave"]
    """`refuse`: the record is held. `default`: as if the record had nothing. `leave`: the value stands as it is."""


@dataclass(frozen=True)
class LookupTable:
    """A table as it was read; `digest` is the same for the same file, and for no other."""

    name: str
    rows: Mapping[str, Value]
    digest: str

    def find(self, value: Value, missing: str) -> Value:
        """Return what stands beside a value, whatever its case. Raises CannotTransform, which names the table."""
        if value is None:
            return None
        word = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
        found = self.rows.get(_key(word))
        if found is not None or missing == "default":
            return found
        if missing == "leave":
            return value
        raise CannotTransform(f"is not in the table {self.name}: correct the record, or add it there")


def read_table(name: str, folder: Path, *, flags: bool) -> LookupTable:
    """Return the table of this file in the mapping's folder; with `flags` its values are yes or no.

    Raises WrongTable for one that is missing, lies elsewhere, is too large, or says two things of one key.
    """
    path = _inside(name, folder)
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise WrongTable(f"{name}: {error.strerror}; tables lie beside the mapping file") from None
    except UnicodeDecodeError:
        raise WrongTable(f"{name}: not UTF-8 text; save the file as UTF-8") from None
    if len(content) > _LARGEST:
        raise WrongTable(f"{name}: larger than {_LARGEST:,} bytes")
    found = _of_csv(name, text) if path.suffix == ".csv" else _of_yaml(name, text)
    rows: dict[str, Value] = {}
    for line, key, value in found:
        if _key(key) in rows:
            raise WrongTable(f"{name}:{line}:1: the key of this line is there already; capitals make no difference")
        rows[_key(key)] = _value(f"{name}:{line}:1", value, flags=flags)
    if not rows:
        raise WrongTable(f"{name}: has no rows")
    return LookupTable(name, rows, hashlib.sha256(content).hexdigest()[:16])


def _inside(name: str, folder: Path) -> Path:
    path = (folder / name).resolve()
    if path.suffix not in (".csv", ".yaml", ".yml"):
        raise WrongTable(f"{name}: a table is a file that ends in .csv, .yaml or .yml")
    if not path.is_relative_to(folder.resolve()):
        raise WrongTable(f"{name}: tables lie beside the mapping file, or in a folder below it")
    return path


def _of_csv(name: str, text: str) -> Iterator[tuple[int, str, Any]]:
    separator = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        if [each.strip() for each in next(reader, [])] != _COLUMNS:
            raise WrongTable(f"{name}:1:1: the first line names the columns: key{separator}value")
        for row in reader:
            if not any(each.strip() for each in row):
                continue
            if len(row) != len(_COLUMNS) or not all(each.strip() for each in row):
                raise WrongTable(f"{name}:{reader.line_num}:1: a line has a key and a value, and nothing else")
            yield reader.line_num, row[0], row[1]
    except csv.Error:
        raise WrongTable(f"{name}:{reader.line_num}:1: no readable CSV") from None


def _of_yaml(name: str, text: str) -> Iterator[tuple[int, str, Any]]:
    try:
        document = YAML(typ="rt", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise WrongTable(f"{name}:{line}:{column}: no readable YAML, or a key that is there already") from None
    if not isinstance(document, dict):
        raise WrongTable(f"{name}:1:1: a table has lines of `key: value`")
    for key, value in document.items():
        line = document.lc.key(key)[0] + 1  # type: ignore[attr-defined]
        if not isinstance(value, str | bool | int | float):
            raise WrongTable(f"{name}:{line}:1: a key has one text, number or yes/no beside it")
        yield line, str(key), value


def _value(where: str, value: Any, *, flags: bool) -> Value:
    """Return what a row gives: a text, or for a field that holds yes/no, that."""
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    if not flags:
        return tidy(text)
    if text.strip().casefold() not in _WORDS:
        raise WrongTable(f"{where}: the field holds yes/no: write yes or no as the value")
    return _WORDS[text.strip().casefold()]


def _key(text: str) -> str:
    return (tidy(text) or "").casefold()
