"""The rules of a mapping: for each field of a FreshBooks client, where it comes from and who owns it.

Everything that can be known to be wrong without a record is refused here, with the spot in the document.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StrictBool, StrictStr, ValidationError, field_validator

from mapping.client_fields import FLAG_FIELDS, require_client_field
from mapping.conditions import Holds
from mapping.hooks import WrongHook, read_hook
from mapping.paths import definition_id
from mapping.record_rules import Extras, Reader
from mapping.registry import Kind, Step
from mapping.spots import PARTY_TYPES, Spot
from mapping.tables import Lookup, WrongTable, read_table
from mapping.targets import NotReversible, Target, read_backwards
from mapping.transforms import known_transforms
from mapping.values import MappingError

_ONE_WAY = "such a field goes one way only: add `direction: to-books` to it"


class Owner(StrEnum):
    """Who is right when both sides changed a field since they last agreed."""

    CRM = "crm"
    BOOKS = "books"
    NEWEST = "newest"
    ASK = "ask"


class Direction(StrEnum):
    """Which way changes of a field may go."""

    TO_BOOKS = "to-books"
    BOTH = "both"


class WhenEmpty(StrEnum):
    """What an empty field of the CRM does to a filled one of the books."""

    CLEAR = "clear"
    KEEP = "keep"


class FieldRule(BaseModel):
    """How one field of a client follows the party."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    source: tuple[StrictStr, ...] = Field((), alias="from")
    """Paths in the party; the first that holds anything is taken."""
    transforms: tuple[Step, ...] = ()
    owner: Owner = Owner.CRM
    direction: Direction = Direction.TO_BOOKS
    default: StrictStr | StrictBool | None = None
    """What the field becomes where the party has nothing."""
    when_empty: WhenEmpty = WhenEmpty.CLEAR
    when: StrictStr | None = None
    """A condition: the field of a party that does not meet it is left alone, on both sides."""
    compute: StrictStr | None = None
    """Works the value out from the whole party, instead of a source."""
    enrich: StrictStr | None = None
    """`module:function`, which gives the value from what the source names."""
    lookup: Lookup | None = None
    """The table in which the value is looked up, behind all transforms."""

    @field_validator("source", mode="before")
    @classmethod
    def _one_or_several(cls, source: Any) -> Any:
        return (source,) if isinstance(source, str) else source

    _paths: tuple[Spot, ...] = PrivateAttr(())
    _extras: Extras = PrivateAttr(Extras())

    @property
    def paths(self) -> tuple[Spot, ...]:
        """The source, parsed."""
        return self._paths

    @property
    def extras(self) -> Extras:
        """What goes beyond source and transforms, ready to be used."""
        return self._extras

    @property
    def reads(self) -> tuple[Spot, ...]:
        """Everything of a party that the rule looks at."""
        return (*self._paths, *(spot for _, each in self._extras.asked for spot in each.reads))

    def read_in(self, paths: Sequence[Spot], extras: Extras) -> "FieldRule":
        """Return the rule with its source parsed for one CRM, and its conditions, tables and functions read."""
        rule = self.model_copy()
        rule._paths, rule._extras = tuple(paths), extras
        return rule

    def target(self, party_type: str) -> Target | None:
        """Return where this field is written to in a party of this type; None if changes of it go only to the books.

        A person's `organisation.name` belongs to another record: it is read, and never written.
        """
        paths = [path for path in self.paths if path.belongs_to(party_type)]
        if self.direction is not Direction.BOTH or len(paths) != 1 or not paths[0].writable:
            return None
        return read_backwards(paths[0], self.transforms)

    def for_party(self, party_type: str, field_ids: Mapping[str, int]) -> "FieldRule":
        """Return the rule as it holds for a party of this type in an account with these custom fields.

        What cannot be written there goes only to the books. A party that cannot hold the field at all does not say that
        it is empty: an organisation has no first name, and a custom field that was deleted has emptied nothing.
        """
        paths = [path for path in self.paths if path.belongs_to(party_type)]
        held = [each for each in paths if each.custom_field is None or definition_id(each.custom_field, field_ids)]
        computed = self._extras.compute.reads if self._extras.compute else ()
        lost = [each for each in computed if each.custom_field and not definition_id(each.custom_field, field_ids)]
        if (self.source and not held) or lost:
            return self.model_copy(update={"direction": Direction.TO_BOOKS, "when_empty": WhenEmpty.KEEP})
        if self.target(party_type) is None:
            return self.model_copy(update={"direction": Direction.TO_BOOKS})
        return self


def read_rule(field: str, entry: Any, reader: Reader) -> FieldRule:
    """Return the rule that a mapping document has for one field of the client. Raises MappingError.

    `reader` knows what the records of the CRM hold, and where the files of the mapping lie.
    """
    require_client_field(field)
    if not isinstance(entry, Mapping):
        raise MappingError((field,), f"an entry has keys: {', '.join(_entry_keys())}; null removes it")
    steps = _read_steps((field, "transforms"), entry.get("transforms", ()))
    try:
        rule = FieldRule.model_validate({**entry, "transforms": steps}, by_name=False)
    except ValidationError as error:
        raise _as_mapping_error((field,), error, _entry_keys()) from None
    rule = rule.read_in(_parsed(field, rule, reader), _extras(field, rule, reader))
    _check_source(field, rule)
    _check_chain(field, rule)
    _check_default(field, rule)
    _check_two_way(field, rule)
    return rule


def _entry_keys() -> Sequence[str]:
    return [each.alias or name for name, each in FieldRule.model_fields.items()]


def _as_mapping_error(path: Sequence[str | int], error: ValidationError, allowed: Sequence[str]) -> MappingError:
    """Return the first finding of pydantic with its spot in the document, never with the input itself.

    An unknown name comes before a missing one: most often it is the missing one, misspelt.
    """
    findings = error.errors(include_url=False, include_context=False, include_input=False)
    first = min(findings, key=lambda each: each["type"] != "extra_forbidden")
    spot = [step for step in first["loc"] if step not in ("str", "bool", "int")]  # a union's branches are no spots
    if first["type"] == "extra_forbidden":
        return MappingError((*path, *spot), f"unknown. Allowed: {', '.join(allowed) or 'nothing'}")
    return MappingError((*path, *spot), first["msg"].removeprefix("Value error, "))


def _read_steps(path: tuple[str | int, ...], entries: Any) -> tuple[Step, ...]:
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise MappingError(path, "transforms are a list; each is a name, or a name with its arguments")
    return tuple(_read_step((*path, place), entry) for place, entry in enumerate(entries))


def _read_step(path: tuple[str | int, ...], entry: Any) -> Step:
    named = {entry: {}} if isinstance(entry, str) else entry
    if not isinstance(named, Mapping) or len(named) != 1:
        raise MappingError(path, "a transform is a name, or one name with its arguments: {cut: {length: 80}}")
    name, arguments = next(iter(named.items()))
    known = known_transforms().get(str(name))
    if known is None:
        raise MappingError(path, f"unknown transform. Allowed: {', '.join(sorted(known_transforms()))}")
    if not isinstance(arguments, Mapping):
        raise MappingError((*path, known.name), f"arguments have names: {', '.join(known.arguments.model_fields)}")
    try:
        checked = known.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        raise _as_mapping_error((*path, known.name), error, list(known.arguments.model_fields)) from None
    return Step(known.name, {argument: getattr(checked, argument) for argument in known.arguments.model_fields})


def _extras(field: str, rule: FieldRule, reader: Reader) -> Extras:
    """Return the conditions, tables and functions of a rule, ready to be used. Raises MappingError."""
    is_flag = field in FLAG_FIELDS
    try:
        table = read_table(rule.lookup.table, reader.folder, flags=is_flag) if rule.lookup else None
    except WrongTable as error:
        raise MappingError((field, "lookup", "table"), str(error)) from None
    try:
        hook = read_hook(rule.enrich, reader.folder) if rule.enrich else None
    except WrongHook as error:
        raise MappingError((field, "enrich"), str(error)) from None
    gives = Holds.FLAG if is_flag else Holds.TEXT
    return Extras(
        when=None if rule.when is None else reader.condition((field, "when"), rule.when),
        compute=None if rule.compute is None else reader.computation((field, "compute"), rule.compute, gives),
        table=table,
        hook=hook,
    )


def _parsed(field: str, rule: FieldRule, reader: Reader) -> list[Spot]:
    paths: list[Spot] = []
    for place, text in enumerate(rule.source):
        try:
            paths.append(reader.parse_path(text))
        except ValueError as error:
            path = (field, "from") if len(rule.source) == 1 else (field, "from", place)
            raise MappingError(path, str(error)) from None
    return paths


def _check_source(field: str, rule: FieldRule) -> None:
    if rule.enrich is not None and not rule.source:
        raise MappingError((field, "enrich"), "needs `from`: the paths that the function is given")
    is_constant = any(step.name == "constant" for step in rule.transforms)
    if not rule.source and rule.default is None and not is_constant and rule.compute is None:
        text = "needs a path, or several, in the party, or else `compute`, a default or a constant"
        raise MappingError((field, "from"), text)
    if rule.compute is not None and rule.source:
        raise MappingError((field, "compute"), "stands in the place of `from`: leave one of them out")
    if rule.lookup is not None and rule.lookup.missing == "default" and rule.default is None:
        raise MappingError((field, "lookup", "missing"), "names the default, and the entry has none: add `default`")


def _check_chain(field: str, rule: FieldRule) -> None:
    """Follow what flows from the source through every transform into the field."""
    flowing = _begins_as(field, rule)
    for place, step in enumerate(rule.transforms):
        if not flowing.fits(step.transform.takes):
            spot = (field, "transforms", place)
            raise MappingError(spot, f"{step.name} works on {step.transform.takes}, but gets {flowing}")
        flowing = step.transform.gives
    wanted = Kind.FLAG if field in FLAG_FIELDS else Kind.TEXT
    if rule.lookup is not None and flowing.fits(Kind.VALUE):
        return  # whatever is looked up, the table gives what the field holds
    if not flowing.fits(wanted):
        raise MappingError((field, "transforms"), f"the field holds {wanted}, but would get {flowing}")


def _begins_as(field: str, rule: FieldRule) -> Kind:
    """Return what the first transform gets."""
    if rule.enrich is not None:
        return Kind.VALUE
    if rule.compute is not None:
        return Kind.FLAG if field in FLAG_FIELDS else Kind.TEXT
    kinds = {path.kind for path in rule.paths} or {Kind.VALUE}
    if len(kinds) > 1:
        raise MappingError((field, "from"), "mixes lists with single values: choose sources of one kind")
    return kinds.pop()


def _check_default(field: str, rule: FieldRule) -> None:
    if rule.default is None:
        return
    if isinstance(rule.default, bool) != (field in FLAG_FIELDS):
        wanted = Kind.FLAG if field in FLAG_FIELDS else Kind.TEXT
        raise MappingError((field, "default"), f"the field holds {wanted}")
    if rule.default == "":
        raise MappingError((field, "default"), "an empty text is no default: leave it out")


def _check_two_way(field: str, rule: FieldRule) -> None:
    """Refuse a two-way rule that could not write to the CRM exactly what it reads from it."""
    if rule.direction is not Direction.BOTH:
        return
    _require_no_extras(field, rule)
    spot, text = (field, "from"), "only one path for each type of party can be written"
    if any(len(_paths_of(rule, party_type)) > 1 for party_type in PARTY_TYPES):
        raise MappingError(spot, f"names several paths: {text}; {_ONE_WAY}")
    if not any(path.writable for party_type in PARTY_TYPES for path in _paths_of(rule, party_type)):
        raise MappingError(spot, f"names nothing that can be written in a party; {_ONE_WAY}")
    if field in FLAG_FIELDS:
        raise MappingError((field, "direction"), f"Capsule keeps no row for an unticked box; {_ONE_WAY}")
    for path in rule.paths:
        try:
            if path.writable:
                read_backwards(path, rule.transforms)
        except NotReversible as error:
            raise MappingError((field, "transforms", error.place), f"{error}; {_ONE_WAY}") from None
    if rule.default is not None or rule.when_empty is not WhenEmpty.CLEAR:
        key = "when_empty" if rule.default is None else "default"
        raise MappingError((field, key), f"would be carried into the CRM; {_ONE_WAY}")


def _require_no_extras(field: str, rule: FieldRule) -> None:
    for key in ("compute", "enrich", "lookup"):
        if getattr(rule, key) is not None:
            raise MappingError((field, key), f"cannot be undone; {_ONE_WAY}")


def _paths_of(rule: FieldRule, party_type: str) -> list[Spot]:
    return [path for path in rule.paths if path.belongs_to(party_type)]
