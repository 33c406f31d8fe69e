"""What a line of hours is grouped by, and what customers read in it: a name and a description."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

from mapping.periods import local_day
from mapping.time_entries import TimeEntry
from mapping.values import tidy

_WORD = re.compile(r"\{([^{}]*)\}")
WORDS = frozenset({"group", "project", "service", "person", "days", "notes"})
NAMELESS = "Hours"


class GroupBy(StrEnum):
    """What the entries of one line have in common. `entry` gives every entry a line of its own."""

    ENTRY = "entry"
    DAY = "day"
    SERVICE = "service"
    PERSON = "person"
    PROJECT = "project"


@dataclass(frozen=True)
class Names:
    """The names that lines may show, by the ids of FreshBooks. What has none is shown with its id."""

    projects: Mapping[int, str] = field(default_factory=dict)
    services: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LineWords:
    """The texts of a line, with words in braces, each a list of what its entries have.

    {group} is what the line is grouped by, {project}, {service} and {person} are names, {days} is the day or the first
    and the last, {notes} are the notes of the entries, one under the other. Raises ValueError for any other word.
    """

    name: str = "{group}"
    description: str = "{days}"

    def __post_init__(self) -> None:
        unknown = sorted({word for text in (self.name, self.description) for word in _WORD.findall(text)} - WORDS)
        if unknown:
            raise ValueError(f"there is no {{{unknown[0]}}}: use {', '.join(sorted(WORDS))}")

    def of(
        self, entries: Sequence[TimeEntry], group_by: Sequence[GroupBy], names: Names, zone: ZoneInfo
    ) -> tuple[str, str]:
        """Return the name and the description of a line of these entries, of which there is one at least."""
        said = _said(entries, group_by, names, zone)
        name = _filled(self.name, said)
        return " ".join(name.split()) or NAMELESS, _filled(self.description, said)


Key: TypeAlias = int | date | None


def key_of(entry: TimeEntry, by: GroupBy, zone: ZoneInfo) -> Key:
    """Return what an entry is grouped by: an id, its day at the business, or None where it names nothing."""
    keys: dict[GroupBy, Key] = {
        GroupBy.ENTRY: entry.id,
        GroupBy.DAY: local_day(entry.started_at, zone),
        GroupBy.SERVICE: entry.service_id,
        GroupBy.PERSON: entry.person_id,
        GroupBy.PROJECT: entry.project_id,
    }
    return keys[by]


def _said(entries: Sequence[TimeEntry], group_by: Sequence[GroupBy], names: Names, zone: ZoneInfo) -> Mapping[str, str]:
    words = {
        "project": _names((each.project_id for each in entries), names.projects, "project"),
        "service": _names((each.service_id for each in entries), names.services, "service"),
        "person": _names((each.person_id for each in entries), names.people, "team member"),
        "days": _days([local_day(each.started_at, zone) for each in entries]),
        "notes": "\n".join(dict.fromkeys(note for each in entries if (note := tidy(each.note or "")))),
    }
    return {**words, "group": ", ".join(filter(None, (words[word] for word in _group_words(group_by))))}


def _group_words(group_by: Sequence[GroupBy]) -> list[str]:
    """Return which words name a group. An entry on its own is named by what it was done for."""
    if GroupBy.ENTRY in group_by:
        return ["project", "service"]
    return ["days" if by is GroupBy.DAY else by.value for by in group_by]


def _names(ids: Iterable[int | None], names: Mapping[int, str], kind: str) -> str:
    known = {number: tidy(names.get(number, "")) or f"{kind} {number}" for number in ids if number is not None}
    return ", ".join(sorted(set(known.values())))


def _days(days: Sequence[date]) -> str:
    first, last = min(days), max(days)
    return first.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"


def _filled(text: str, said: Mapping[str, str]) -> str:
    """Return the text with its words filled in, in one pass: braces in a name or a note stay what they are."""
    return tidy(_WORD.sub(lambda found: said[found[1]], text)) or ""
