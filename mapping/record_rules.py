"""What a mapping may ask of a whole record: conditions, computed values, tables, functions of one's own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mapping.condition_text import read_text, spot
from mapping.conditions import FIELDS, Computation, Condition, Declared, Holds, Names, WrongText
from mapping.hooks import Hook
from mapping.spots import Spot
from mapping.tables import LookupTable
from mapping.values import MappingError

TYPE = "type"
"""Says "person" or "organisation", in every CRM's conditions."""
OF = "party"


@dataclass(frozen=True)
class Reader:
    """What is known when a mapping is read: its CRM's records, and the folder in which its files lie."""

    parse_path: Callable[[str], Spot]
    """Gives the spot that a mapping names. Raises ValueError for one that no record has."""
    names: Callable[[Iterable[str]], Names]
    """Gives what conditions may name, custom fields aside; asked with the names that a text uses."""
    party_type: Callable[[Mapping[str, Any]], str]
    folder: Path = Path()

    def condition(self, path: tuple[str | int, ...], text: str) -> "Asked":
        """Return a condition of the mapping, which stands at this path. Raises MappingError, with line and column."""
        return self._asked(path, lambda rule, names: Condition(text, names, rule, OF), text)

    def computation(self, path: tuple[str | int, ...], text: str, gives: Holds) -> "Asked":
        """Return a computed value of the mapping. Raises MappingError, with line and column."""
        return self._asked(path, lambda rule, names: Computation(text, names, rule, OF, gives), text)

    def _asked(
        self, path: tuple[str | int, ...], compiled: Callable[[str, Names], Condition | Computation], text: str
    ) -> "Asked":
        rule = ".".join(map(str, path))
        try:
            names = self._names(text)
            expression = compiled(rule, names)
            spots = {name: self.parse_path(name) for name in expression.used if name not in (TYPE, FIELDS)}
            fields = {name: self.parse_path(f"{FIELDS}[{name}]") for name in expression.custom_fields}
        except WrongText as error:
            raise MappingError(path, str(error)) from None
        except ValueError as error:
            raise MappingError(path, f"line 1, column 1: {error}") from None
        return Asked(expression, spots, fields, self.party_type)

    def _names(self, text: str) -> Names:
        names = dict(self.names(()))
        parts = {part for each in names.values() for part in each.parts}
        for chain, start in read_text(text, parts, FIELDS).chains:
            try:
                names |= self.names((chain,))
            except ValueError as error:
                raise WrongText(*spot(text, start), str(error)) from None
        return {**names, TYPE: Declared(Holds.TEXT)}


@dataclass(frozen=True)
class Asked:
    """A condition or computed value, and where in a record the names that it uses are found."""

    expression: Condition | Computation
    spots: Mapping[str, Spot]
    fields: Mapping[str, Spot]
    party_type: Callable[[Mapping[str, Any]], str] = field(compare=False, repr=False)

    @property
    def reads(self) -> tuple[Spot, ...]:
        """Everything that it looks at."""
        return (*self.spots.values(), *self.fields.values())

    def is_met_by(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record meets the condition. Raises CannotEvaluate, and IncompleteRecord."""
        return isinstance(self.expression, Condition) and self.expression.holds(self._values(record))

    def of(self, record: Mapping[str, Any]) -> Any:
        """Return the computed value: a text, yes/no, or None. Raises CannotEvaluate, and IncompleteRecord."""
        return self.expression.value(self._values(record)) if isinstance(self.expression, Computation) else None

    def _values(self, record: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {name: spot.read(record) for name, spot in self.spots.items()}
        if TYPE in self.expression.used:
            values[TYPE] = self.party_type(record)
        for name, declared in self.expression.used.items():
            if declared.holds is Holds.TEXTS:
                values[name] = [row.get("name") for row in values.get(name) or []]
        return {**values, FIELDS: {name: spot.read(record) for name, spot in self.fields.items()}}


@dataclass(frozen=True)
class Extras:
    """What an entry has beside a source and transforms, ready to be used."""

    when: Asked | None = None
    compute: Asked | None = None
    table: LookupTable | None = None
    hook: Hook | None = None

    @property
    def asked(self) -> list[tuple[str, Asked]]:
        """Condition and computed value, as far as there are any, by key."""
        both = (("when", self.when), ("compute", self.compute))
        return [(key, each) for key, each in both if each is not None]

    @property
    def digests(self) -> Mapping[str, str]:
        """The contents of the files that the entry uses."""
        files = {"lookup": self.table, "enrich": self.hook}
        return {key: each.digest for key, each in files.items() if each is not None}
