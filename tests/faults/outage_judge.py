"""What came of an outage, told by the stand-ins' ledger and by what people did: nothing of ours is asked.

Every value that people give carries a number that only grows, so that a write that goes back in time shows.
"""

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.judge import MOST_OFFENDERS, Finding

OURS = ("api", "late")


@dataclass
class Wanted:
    """What people last said of one record: the city in the CRM, the mobile number in the books."""

    city: str
    mobile: str


@dataclass
class Sides:
    """One record on both sides: every value it ever had, in order, and how often we created it."""

    party: list[Wanted] = field(default_factory=list)
    client: list[Wanted] = field(default_factory=list)
    client_ids: set[int] = field(default_factory=set)
    party_ids: set[int] = field(default_factory=set)
    created_by_us: int = 0
    written_by_us: int = 0


def read(ledger: Path) -> Mapping[str, Sides]:
    """Return what the ledger says of each record, by email address."""
    found: dict[str, Sides] = defaultdict(Sides)
    for line in ledger.read_bytes().split(b"\n")[:-1]:
        entry = json.loads(line)
        if entry["kind"] == "party" and entry["record"].get("emailAddresses"):
            sides = found[entry["record"]["emailAddresses"][0]["address"]]
            sides.party.append(_party(entry["record"]))
            sides.party_ids.add(entry["id"])
        elif entry["kind"] == "client":
            sides = found[entry["record"]["email"]]
            sides.client.append(Wanted(entry["record"]["p_city"] or "", entry["record"]["mob_phone"] or ""))
            sides.client_ids.add(entry["id"])
        else:
            continue
        sides.written_by_us += entry["via"] in OURS
        sides.created_by_us += entry["via"] in OURS and entry["operation"] == "create"
    return found


def _party(record: Mapping[str, Any]) -> Wanted:
    cities = [each["city"] for each in record.get("addresses") or []]
    mobiles = [each["number"] for each in record.get("phoneNumbers") or []]
    return Wanted(" + ".join(cities), " + ".join(mobiles))


def writes(ledger: Path) -> int:
    """Return how many writes of ours the systems have accepted."""
    return sum(each.written_by_us for each in read(ledger).values())


def missing(ledger: Path, wanted: Mapping[str, Wanted]) -> list[str]:
    """Return the records that do not say on both sides what people last said of them."""
    found = read(ledger)
    return [email for email, last in wanted.items() if not _says(found.get(email, Sides()), last)]


def _says(sides: Sides, last: Wanted) -> bool:
    return bool(sides.party and sides.client) and sides.party[-1] == sides.client[-1] == last


def judged(ledger: Path, wanted: Mapping[str, Wanted]) -> list[Finding]:
    """Return every question with its answer."""
    found = read(ledger)
    return [
        finding("records whose last values are not on both sides", missing(ledger, wanted)),
        finding("records that are twice on a side", _where(found, _twice)),
        finding("records that we created twice", _where(found, lambda each: each.created_by_us > 1)),
        finding("records whose values went back in time", _where(found, _went_back)),
        finding("records that nobody entered", [email for email in found if email not in wanted]),
    ]


def finding(what: str, offenders: Sequence[str]) -> Finding:
    """Return a question with its answer."""
    return Finding(what, len(offenders), list(offenders)[:MOST_OFFENDERS])


def _where(found: Mapping[str, Sides], wrong: Any) -> list[str]:
    return [email for email, sides in found.items() if wrong(sides)]


def _twice(sides: Sides) -> bool:
    return len(sides.client_ids) > 1 or len(sides.party_ids) > 1


def _went_back(sides: Sides) -> bool:
    histories = [values for side in (sides.party, sides.client) for values in _columns(side)]
    return any(_falls([_number(each) for each in history]) for history in histories)


def _columns(side: Sequence[Wanted]) -> Iterable[list[str]]:
    return [each.city for each in side], [each.mobile for each in side]


def _number(value: str) -> int:
    """Return the number that a value carries: 3 in "Kiel 3"; one that carries none is older than all."""
    found = re.search(r"(\d+)$", value)
    return int(found[1]) if found else -1


def _falls(numbers: Sequence[int]) -> bool:
    return any(later < earlier for earlier, later in itertools.pairwise(numbers))
