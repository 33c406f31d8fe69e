"""Who may be the same on the other side: exact keys first, then names that look alike, with what speaks for them.

Only a single exact hit is ever linked unasked; everything else is for a person to see.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rapidfuzz.fuzz import ratio

from mapping.legal_forms import firm_name, person_name, words
from mapping.values import Value

Exact: TypeAlias = Literal["same-email", "same-tax-number"]
Reason: TypeAlias = Literal[Exact, "another-email", "same-name", "similar-name"]
Support: TypeAlias = Literal["place", "phone", "firm"]

ALIKE = 85.0
"""From here on names look alike, if something else speaks for it too. One wrong letter of ten makes 90."""
NEARLY_EQUAL = 94.0
"""From here on names look alike although nothing else is known of both."""
SURE, LESS_SURE, MOST_BY_NAME = 100, 95, 94

_ADDRESSES = (("p_city", "p_code"), ("s_city", "s_code"))
_PHONES = ("bus_phone", "mob_phone", "home_phone", "fax")
_PHONE_DIGITS = 8  # the end of a number, which is the same with and without the country's code
_LEAST_TAX_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Face:
    """What a record of either side is recognised by, folded for comparing. Empty where it has nothing."""

    email: str = ""
    tax_number: str = ""
    person: str = ""
    firm: str = ""
    is_person: bool = False
    """Known to be one person. A client of the books may be either: many firms are entered with somebody's name."""
    other_emails: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()

    @property
    def emails(self) -> tuple[str, ...]:
        """Every address, the main one first."""
        return (self.email, *self.other_emails) if self.email else self.other_emails


@dataclass(frozen=True, slots=True)
class Match:
    """A record of the other side that may be the same: why, and how sure, of 100. `support` is what else agrees."""

    other_id: int
    reason: Reason
    score: int
    support: tuple[Support, ...] = ()

    @property
    def text(self) -> str:
        """The reason in words, without any value."""
        return f"{self.reason.replace('-', ' ')}{''.join(f', same {each}' for each in self.support)} ({self.score})"


@dataclass(frozen=True)
class Same:
    """This record of the other side is the same, by a single exact key."""

    other_id: int
    why: Exact


@dataclass(frozen=True)
class Doubtful:
    """A person has to choose among these, the likeliest first."""

    matches: tuple[Match, ...]


@dataclass(frozen=True)
class Nobody:
    """Nothing on the other side looks like it."""


Verdict: TypeAlias = Same | Doubtful | Nobody


def face_of(values: Mapping[str, Value], other_emails: Iterable[str | None] = (), *, is_person: bool = False) -> Face:
    """Return the face of a record from its mapped values, which have the names of the books' fields on both sides.

    `other_emails` are further addresses that the mapping does not carry.
    """
    email = _email(values.get("email"))
    return Face(
        email=email,
        tax_number=tax_number(values.get("vat_number")),
        person=person_name(_text(values.get("fname")), _text(values.get("lname"))),
        firm=firm_name(_text(values.get("organization"))),
        is_person=is_person,
        other_emails=tuple(each for each in _distinct(map(_email, other_emails)) if each != email),
        cities=_distinct(sys.intern(" ".join(words(_text(values.get(city))))) for city, _ in _ADDRESSES),
        codes=_distinct("".join(words(_text(values.get(code)))) for _, code in _ADDRESSES),
        phones=_distinct(_phone(values.get(field)) for field in _PHONES),
    )


def tax_number(value: Value) -> str:
    """Return a tax number without spaces and punctuation; none for a word such as "pending" and for 000000."""
    plain = re.sub(r"[\W_]", "", _text(value) or "").upper()
    digits = [each for each in plain if each.isdigit()]
    return plain if len(digits) >= _LEAST_TAX_DIGITS and len(set(digits)) > 1 else ""


def compare(one: Face, other: Face, other_id: int) -> Match | None:
    """Return how two records look alike, None if they do not. The order of the two makes no difference."""
    if one.tax_number and one.tax_number == other.tax_number:
        return Match(other_id, "same-tax-number", SURE, _support(one, other))
    if one.email and one.email == other.email:
        return Match(other_id, "same-email", SURE, _support(one, other))
    if _share(one.emails, other.emails):
        return Match(other_id, "another-email", LESS_SURE, _support(one, other))
    return _compare_names(one, other, other_id)


def doubtful(face: Face, others: Mapping[int, Face]) -> list[Match]:
    """Return those of `others` that may be the same, the likeliest first; exact keys included."""
    return ranked(compare(face, other, other_id) for other_id, other in others.items())


def judge(face: Face, matches: Sequence[Match], others: Mapping[int, Face]) -> Verdict:
    """Return what these matches mean. `others` has the face of each.

    A single exact hit is the same record, unless the other exact key speaks against it: one email address under two
    tax numbers belongs to two firms.
    """
    exact = [each for each in matches if each.reason == "same-email" or each.reason == "same-tax-number"]  # noqa: PLR1714 - narrows the type
    if len(exact) == 1 and not _tax_numbers_differ(face, others[exact[0].other_id]):
        return Same(exact[0].other_id, "same-email" if exact[0].reason == "same-email" else "same-tax-number")
    chosen = exact if len(exact) > 1 else matches
    return Doubtful(tuple(ranked(chosen))) if chosen else Nobody()


def ranked(matches: Iterable[Match | None]) -> list[Match]:
    """Return the matches, the likeliest first."""
    return sorted((each for each in matches if each is not None), key=lambda each: (-each.score, each.other_id))


def _compare_names(one: Face, other: Face, other_id: int) -> Match | None:
    alike = _likeness(one, other)
    if alike < ALIKE:
        return None
    support = _support(one, other)
    if (alike < NEARLY_EQUAL and not support) or _is_told_apart(one, other, alike, support):
        return None
    score = round(alike * 0.9 + 3 * len(support) - (0 if support else 10))
    return Match(other_id, "same-name" if alike == SURE else "similar-name", min(MOST_BY_NAME, score), support)


def _likeness(one: Face, other: Face) -> float:
    """Return how alike the names are, of 100: people are compared with people, firms with firms.

    A person without any counterpart may be the firm that is named after them, never the one that employs them.
    """
    if one.person and other.person:
        return _name_ratio(one.person, other.person)
    if one.firm and other.firm and not one.is_person and not other.is_person:
        return _name_ratio(one.firm, other.firm)
    return max(_name_ratio(one.person, other.firm), _name_ratio(one.firm, other.person))


def _is_told_apart(one: Face, other: Face, alike: float, support: tuple[Support, ...]) -> bool:
    """Return whether something else tells the two apart: another tax number, or for people another firm or place.

    A firm of exactly the same name may have moved; people of one name are many.
    """
    if _tax_numbers_differ(one, other):
        return True
    if support:
        return False
    elsewhere = _apart(one.cities, other.cities) or _apart(one.codes, other.codes)
    if one.person and other.person:
        return elsewhere or bool(one.firm and other.firm)
    return elsewhere and alike < SURE


def _support(one: Face, other: Face) -> tuple[Support, ...]:
    found: list[Support] = []
    if _share(one.codes, other.codes) or (_share(one.cities, other.cities) and not _apart(one.codes, other.codes)):
        found.append("place")
    if _share(one.phones, other.phones):
        found.append("phone")
    # The firm speaks for two people of one name; elsewhere it is the name itself.
    if one.person and other.person and _name_ratio(one.firm, other.firm) >= ALIKE:
        found.append("firm")
    return tuple(found)


def _tax_numbers_differ(one: Face, other: Face) -> bool:
    return bool(one.tax_number and other.tax_number and one.tax_number != other.tax_number)


def _share(one: Sequence[str], other: Sequence[str]) -> bool:
    return any(each in other for each in one)


def _apart(one: Sequence[str], other: Sequence[str]) -> bool:
    return bool(one and other) and not _share(one, other)


def _name_ratio(one: str, other: str) -> float:
    """Return how alike two names are; nothing is like an empty one. "Super Markt" is compared as "Supermarkt", too."""
    if not one or not other:
        return 0.0
    if one == other:
        return SURE
    return min(99.0, max(ratio(one, other), ratio(one.replace(" ", ""), other.replace(" ", ""))))


def _distinct(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in found if each))


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _email(value: Value) -> str:
    text = (_text(value) or "").strip().casefold()
    return text if "@" in text else ""


def _phone(value: Value) -> str:
    digits = "".join(each for each in _text(value) or "" if each.isdigit())
    return digits[-_PHONE_DIGITS:] if len(digits) >= _PHONE_DIGITS else ""
