"""The typed registry of transforms: what each takes, gives and needs, read from its own annotations."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, TypeAlias, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from mapping.context import Context
from mapping.values import CannotTransform, Value

Row: TypeAlias = Mapping[str, Any]
"""One item of a list in a record, such as an address, as the provider sent it."""
Rows: TypeAlias = Sequence[Row]

TextOrFlag: TypeAlias = str | bool
"""What a custom field may hold: a checkbox's yes/no, or text."""

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class Kind(StrEnum):
    """What flows from a path through the transforms into a field. A `value` may be text or yes/no."""

    ROWS = "a list of rows"
    ROW = "one row"
    TEXT = "text"
    FLAG = "yes/no"
    VALUE = "text or yes/no"

    def fits(self, wanted: "Kind") -> bool:
        """Return whether something of this kind may go where `wanted` is expected; a value is looked at on the way."""
        either = {self, wanted}
        return len(either) == 1 or (Kind.VALUE in either and either <= {Kind.VALUE, Kind.TEXT, Kind.FLAG})


# The annotations that a transform may use, and whether they say that it also runs on nothing, to fill it.
_KINDS: Mapping[Any, tuple[Kind, bool]] = {
    Rows: (Kind.ROWS, False),
    Row: (Kind.ROW, False),
    Row | None: (Kind.ROW, True),
    str: (Kind.TEXT, False),
    str | None: (Kind.TEXT, True),
    bool: (Kind.FLAG, False),
    TextOrFlag: (Kind.VALUE, False),
    Value: (Kind.VALUE, True),
}


@dataclass(frozen=True)
class Transform:
    """A registered transform. `normalises` means that applying it twice is applying it once, so that it also serves to
    compare what the books say with what the CRM says."""

    name: str
    function: Callable[..., Any]
    takes: Kind
    fills: bool
    gives: Kind
    arguments: type[BaseModel]
    wants_context: bool
    normalises: bool
    inverse: Callable[..., Value] | None
    invertible: Callable[..., bool]


_TRANSFORMS: dict[str, Transform] = {}


def transform(
    name: str,
    *,
    normalises: bool = False,
    inverse: Callable[..., Value] | None = None,
    invertible: Callable[..., bool] = lambda **_: True,
) -> Callable[[AnyFunction], AnyFunction]:
    """Register a pure function under the name that mappings use.

    Its first parameter is what it works on, `context` is handed in if it asks for it, and every other keyword is an
    argument that the mapping must or may give. `inverse` takes the same arguments; `invertible` says for which of them
    it works.
    """

    def register(function: AnyFunction) -> AnyFunction:
        hints = get_type_hints(function, include_extras=True)
        first, *keywords = inspect.signature(function).parameters.values()
        takes, fills = _KINDS[hints[first.name]]
        _TRANSFORMS[name] = Transform(
            name=name,
            function=function,
            takes=takes,
            fills=fills,
            gives=_KINDS[hints["return"]][0],
            arguments=_arguments_model(name, keywords, hints),
            wants_context="context" in hints,
            normalises=normalises,
            inverse=inverse,
            invertible=invertible,
        )
        return function

    return register


def known_transforms() -> Mapping[str, Transform]:
    """Return every registered transform by its name."""
    return _TRANSFORMS


def _arguments_model(name: str, keywords: Sequence[inspect.Parameter], hints: Mapping[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        each.name: (hints[each.name], ... if each.default is each.empty else each.default)
        for each in keywords
        if each.name != "context"
    }
    return create_model(f"{name} arguments", __config__=ConfigDict(extra="forbid", frozen=True), **fields)


@dataclass(frozen=True)
class Step:
    """One transform of a rule, with its checked arguments."""

    name: str
    arguments: Mapping[str, Any]

    @cached_property
    def transform(self) -> Transform:
        """What is registered under the name."""
        return _TRANSFORMS[self.name]

    @property
    def two_way(self) -> bool:
        """Whether a value that went through can be brought back."""
        known = self.transform
        return known.normalises or (known.inverse is not None and known.invertible(**self.arguments))

    @cached_property
    def apply(self) -> Callable[[Any, Context], Any]:
        """Return a value, transformed in a context. Raises CannotTransform. Nothing stays nothing, unless it is filled.

        All that is known before the value is looked up once: a comparison of large lists does this millions of times.
        """
        known = self.transform
        function = partial(known.function, **self.arguments) if self.arguments else known.function
        fills, takes_text, wants_context = known.fills, known.takes is Kind.TEXT, known.wants_context

        def apply(value: Any, context: Context) -> Any:
            if value is None and not fills:
                return None
            if takes_text and not isinstance(value, str):
                value = _as_text(value)
            return function(value, context=context) if wants_context else function(value)

        return apply

    def back(self, value: Value) -> Value:
        """Return what the CRM has to hold so that `apply` gives this value. Raises CannotTransform."""
        inverse = self.transform.inverse
        return value if inverse is None or value is None else inverse(value, **self.arguments)


def _as_text(value: Any) -> str | None:
    """Return ids and numbers as text. A yes/no has no single spelling, so it is refused."""
    if isinstance(value, bool):
        raise CannotTransform("holds yes/no where the mapping expects text: put a table in front")
    return None if value is None else str(value)
