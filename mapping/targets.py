"""Rules read backwards: the one spot of a party that a two-way rule reads, and to which its field can be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mapping.context import Context
from mapping.registry import Kind, Row, Step
from mapping.spots import Spot

_NO_CONTEXT = Context()


class NotReversible(ValueError):
    """A chain that cannot be read backwards; `place` is the transform at fault."""

    def __init__(self, place: int, text: str) -> None:
        self.place = place
        super().__init__(text)


class Lines(StrEnum):
    """Which lines of a street a field holds; a value that is no street is taken whole."""

    ALL = "all"
    FIRST = "first_line"
    OTHERS = "other_lines"


@dataclass(frozen=True)
class Target:
    """Where a field stands in a party: a text, a custom field, or one part of one row of a list.

    `steps` are what a value goes through after it was taken from there.
    """

    path: Spot
    steps: tuple[Step, ...]
    chooser: Step | None = None
    part: str = ""
    lines: Lines = Lines.ALL
    separator: str = ""

    @property
    def row_types(self) -> frozenset[str | None]:
        """The types of the rows that the chooser would take; None stands for rows without a type."""
        if self.chooser is None:
            return frozenset()
        arguments = self.chooser.arguments
        every = frozenset({*self.path.rows.types, "untyped"})
        named = every & set(arguments["types"]) if self.chooser.name == "only" else every - set(arguments["exclude"])
        return frozenset(map(_wire_type, named))

    @property
    def new_row_type(self) -> str | None:
        """The type of a row that has to be added: the first one that the rule asks for and this list knows."""
        if self.chooser is None:
            return None
        asked = self.chooser.arguments["types" if self.chooser.name == "only" else "prefer"]
        possible = self.row_types
        wanted = [_wire_type(each) for each in (*asked, "untyped", *self.path.rows.types)]
        return next(each for each in wanted if each in possible)

    def choose(self, rows: Sequence[Row]) -> Row | None:
        """Return the row that the rule reads, None if no row will do."""
        found: Row | None = None if self.chooser is None else self.chooser.apply(rows, _NO_CONTEXT)
        return found

    def clashes_with(self, other: "Target") -> bool:
        """Return whether writing one of both could change what the other one reads."""
        if self.path.text.casefold() != other.path.text.casefold():
            return False
        if self.chooser != other.chooser:
            return bool(self.row_types & other.row_types)
        same_lines = self.lines is other.lines or Lines.ALL in (self.lines, other.lines)
        return self.part == other.part and same_lines


def read_backwards(path: Spot, transforms: Sequence[Step]) -> Target:
    """Return where a value goes that has to come out of these transforms. Raises NotReversible.

    The transforms must fit the path, as a rule that was read has them.
    """
    if path.kind is not Kind.ROWS:
        return _of_text(path, transforms)
    chooser = transforms[0]
    if chooser.name not in ("choose", "only"):
        raise NotReversible(0, f"{chooser.name} cannot be undone: it mixes several rows")
    part = str(transforms[1].arguments.get("key"))
    if part not in path.rows.parts:
        raise NotReversible(1, f"takes what cannot be written. Allowed: {', '.join(path.rows.parts)}")
    lines = Lines(transforms[2].name) if part == "street" and _splits(transforms[2:]) else Lines.ALL
    behind = 2 if lines is Lines.ALL else 3
    steps = _undoable(transforms[behind:], behind)
    if part == "country" and not any(step.name in ("country_name", "country_code") for step in steps):
        raise NotReversible(1, "Capsule takes only names of its own list: put country_name behind it")
    arguments: Mapping[str, Any] = transforms[behind - 1].arguments
    target = Target(path, steps, chooser, part, lines, str(arguments.get("separator", "")))
    if not target.row_types:
        raise NotReversible(0, f"leaves no type for a new row. Allowed: {', '.join((*path.rows.types, 'untyped'))}")
    return target


def _of_text(path: Spot, transforms: Sequence[Step]) -> Target:
    """Return the target of a single text, or of some lines of one that has several."""
    if not (path.has_lines and _splits(transforms)):
        return Target(path, _undoable(transforms, 0))
    separator = str(transforms[0].arguments.get("separator", ""))
    return Target(path, _undoable(transforms[1:], 1), lines=Lines(transforms[0].name), separator=separator)


def _splits(transforms: Sequence[Step]) -> bool:
    return bool(transforms) and transforms[0].name in (Lines.FIRST, Lines.OTHERS)


def _undoable(steps: Sequence[Step], offset: int) -> tuple[Step, ...]:
    for place, step in enumerate(steps):
        if step.name in (Lines.FIRST, Lines.OTHERS):
            raise NotReversible(offset + place, f"{step.name} can be undone only right behind `take: {{key: street}}`")
        if not step.two_way:
            raise NotReversible(offset + place, f"{step.name} cannot be undone")
    return tuple(steps)


def _wire_type(named: str) -> str | None:
    """Return a row type as Capsule has it."""
    return None if named == "untyped" else named
