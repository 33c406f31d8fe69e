"""Comparing the records of one side with each other: which of them stand for the same firm or person twice. Pure.

One address for several people of a firm is no duplicate, and neither are two firms of one name: only a strong key
together with the very same name is, and a reference of ours, which one record alone may carry.
"""

from collections.abc import Iterable, Mapping

from mapping.matching import tax_number
from mapping.values import Value


class Twins:
    """Finds records with one strong key. Keeps a few dozen bytes a record, not its values."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        self._groups: dict[int, tuple[int, ...]] = {}

    def add(self, record_id: int, values: Mapping[str, Value], marks: Iterable[str] = ()) -> None:
        """Take in a record by its mapped values. `marks` are references of ours that it carries."""
        for key in {*_keys(values), *(hash(("mark", each)) for each in marks)}:
            first = self._first.setdefault(key, record_id)
            if first != record_id:
                self._groups[key] = (*self._groups.get(key, (first,)), record_id)

    def close(self) -> None:
        """Give back the memory that is needed only while records are taken in."""
        self._first.clear()

    def groups(self) -> list[tuple[int, ...]]:
        """Return the records that belong together, each at most once, in the order of their lowest ids."""
        members: dict[int, set[int]] = {}
        for group in self._groups.values():
            joined = set(group).union(*(members[each] for each in group if each in members))
            members.update(dict.fromkeys(joined, joined))
        distinct = {min(each): tuple(sorted(each)) for each in members.values()}
        return [distinct[lowest] for lowest in sorted(distinct)]


def _keys(values: Mapping[str, Value]) -> set[int]:
    """Return what no two records of one side should share. Numbers of 64 bits: the values themselves need not stay.

    Names count as they are written, apart from case: folding them as `face_of` does takes ten times as long.
    """
    name = tuple(_folded(values.get(field)) for field in ("fname", "lname", "organization"))
    email, number = _folded(values.get("email")), tax_number(values.get("vat_number"))
    if not any(name):
        return set()
    strong = [("email", email)] * ("@" in email) + [("tax", number)] * bool(number)
    return {hash((*each, *name)) for each in strong}


def _folded(value: Value) -> str:
    return " ".join(value.split()).casefold() if isinstance(value, str) else ""
