"""Reads YAML 1.2 files and remembers on which line everything stands."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

MAX_BYTES = 1_000_000  # a settings file is a few kilobytes; more is a mistake or an attack
MAX_ALIASES = 30  # aliases of aliases grow without end when they are walked
ALIAS = re.compile(r"(?<![^\s\[{,:-])\*[^\s*,\]}]+")
VALUES = re.compile(r" with value .*")  # the library quotes what was typed twice, and it may be a secret

Location = Sequence[str | int]


class UnreadableFile(Exception):
    """A settings file that cannot be read; the text says which, where, and what is wrong."""


class YamlFile:
    """One YAML document, with its lines.

    Raises UnreadableFile if the file is missing, too large, not UTF-8, not YAML, or not a mapping.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._root = _parse(path)

    @property
    def values(self) -> dict[str, Any]:
        """The document as plain dictionaries, lists and scalars."""
        return {str(key): _plain(value) for key, value in self._root.items()}

    def line(self, location: Location) -> int | None:
        """Return the line (from 1) of the deepest part of `location` that the file has, None if it has none of it."""
        found = self.position(location)
        return found[0] if found else None

    def position(self, location: Location) -> tuple[int, int] | None:
        """Return line and column (from 1) of the deepest part of `location` that the file has, None if of none."""
        found: tuple[int, int] | None = None
        node: Any = self._root
        for part in location:
            try:
                line, column = node.lc.item(part) if isinstance(node, CommentedSeq) else node.lc.key(part)
                node = node[part]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
            found = line + 1, column + 1
        return found


def _parse(path: Path) -> Any:
    text = _text(path)
    if len(ALIAS.findall(text)) > MAX_ALIASES:
        raise UnreadableFile(f"{path}: more than {MAX_ALIASES} YAML aliases; write the values out")
    try:
        root = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        where = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UnreadableFile(f"{path}{where}: not valid YAML: {_problem(error)}") from error
    except YAMLError as error:
        raise UnreadableFile(f"{path}: not valid YAML: {str(error).splitlines()[0]}") from error
    except RecursionError:
        raise UnreadableFile(f"{path}: brackets within brackets, too many to read") from None
    except ValueError as error:
        raise UnreadableFile(f"{path}: a date or number in it cannot be one: {error}") from error
    if root is None:
        return YAML(typ="rt").load("{}")
    if not isinstance(root, dict):
        raise UnreadableFile(f"{path}:1: the file must hold `name: value` lines, not {type(root).__name__}")
    return root


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"{path}: larger than {MAX_BYTES:,} bytes; a settings file is a few kilobytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnreadableFile(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from error


def _problem(error: MarkedYAMLError) -> str:
    """One line; the library's advice on how to load the file otherwise is of no use to an operator."""
    problem = (str(error.problem or error.context or "").splitlines() or ["unreadable"])[0]
    if "undefined alias" in problem:
        return "a value that begins with * must stand in quotes"
    return VALUES.sub("", problem)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)
