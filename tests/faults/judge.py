"""The judge: decides by the sandbox's append-only ledger what was lost and what was written twice.

Nothing that Ledgerline says of itself counts here, except where the question is whether what it says is true.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from store.audit import AuditLine
from tests.faults.crms import CAPSULE

MOST_OFFENDERS = 20
DELETED = 1
MADE_OR_FOUND = ("create", "adopt")


@dataclass(frozen=True)
class Finding:
    """Something that must never be. `offenders` are ids; the first twenty are kept."""

    what: str
    count: int
    offenders: Sequence[str] = ()


@dataclass
class Ledger:
    """The ledger file, read on from where the last look ended.

    `names` has the field that tells a party from all others, by kind of record.
    """

    path: Path
    names: Mapping[str, str] = field(default_factory=lambda: CAPSULE.names)
    parties: dict[int, str] = field(default_factory=dict)
    """The names of the parties that exist, by id."""
    clients: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Every client as it stands, by id, deleted ones too."""
    created: dict[int, datetime] = field(default_factory=dict)
    """When each client was created."""
    writes: int = 0
    """How many writes of clients there were, creates included."""
    _read: int = 0

    def read_on(self) -> "Ledger":
        """Take in what was written since; a line that is not complete yet is left for the next time."""
        if not self.path.exists():
            return self
        with self.path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(json.loads(line))
        return self

    @property
    def living(self) -> list[dict[str, Any]]:
        """The clients that are not deleted."""
        return [client for client in self.clients.values() if client.get("vis_state") != DELETED]

    def served(self) -> int:
        """Return how many parties have a client."""
        return len({name_of(client) for client in self.living} & set(self.parties.values()))

    def youngest(self) -> tuple[dict[str, Any], datetime] | None:
        """Return the client that was created last, and when."""
        if not self.created:
            return None
        last = next(reversed(self.created))
        return self.clients[last], self.created[last]

    def _take(self, entry: dict[str, Any]) -> None:
        kind, operation = entry["kind"], entry["operation"]
        if kind in self.names:
            self.parties[entry["id"]] = str(entry["record"].get(self.names[kind]))
            if operation == "delete":
                del self.parties[entry["id"]]
        elif kind == "client":
            self.writes += 1
            self.clients[entry["id"]] = entry["record"]
            if operation == "create":
                self.created[entry["id"]] = datetime.fromisoformat(entry["at"])


def name_of(client: Mapping[str, Any]) -> str:
    """Return the name by which a client is known for its party's: a person's last name, or else a firm's."""
    return str(client["lname"] or client.get("organization"))


def judged(ledger: Ledger, audit: Iterable[AuditLine]) -> list[Finding]:
    """Return every question with its answer, also where nothing was found.

    A party and its client are recognised by the name, which is unique to each party, and by nothing of ours.
    """
    by_name = defaultdict(list)
    for client in ledger.living:
        by_name[name_of(client)].append(str(client["id"]))
    references = Counter(client["note"] for client in ledger.living)
    names = Counter(ledger.parties.values())
    return [
        _finding(
            "parties without a client", [str(party) for party, name in ledger.parties.items() if not by_name[name]]
        ),
        _finding(
            "parties with two clients", [f"{name}: {', '.join(ids)}" for name, ids in by_name.items() if len(ids) > 1]
        ),
        _finding("references on two clients", [note for note, count in references.items() if count > 1]),
        _finding("clients of nobody", [", ".join(ids) for name, ids in by_name.items() if name not in names]),
        *_audited(ledger, audit),
    ]


def _audited(ledger: Ledger, audit: Iterable[AuditLine]) -> list[Finding]:
    """Every create in the ledger has exactly one row that says so, of the right party; and there is no other row."""
    rows = [line for line in audit if line.action in MADE_OR_FOUND]
    told = Counter(line.books_id for line in rows)
    made = {str(client) for client in ledger.created}
    return [
        _finding("creates without an audit row", sorted(made - told.keys())),
        _finding("creates with two audit rows", [client for client, count in told.items() if count > 1]),
        _finding("audit rows without a create", sorted(told.keys() - made)),
        _finding("audit rows that name another party", _misnamed(ledger, rows)),
    ]


def _misnamed(ledger: Ledger, rows: Sequence[AuditLine]) -> list[str]:
    clients: Mapping[str, str] = {str(number): name_of(client) for number, client in ledger.clients.items()}
    return [
        f"row {row.seq}"
        for row in rows
        if row.books_id in clients and clients[row.books_id] != ledger.parties.get(int(row.crm_id))
    ]


def waited(ledger: Ledger, audit: Iterable[AuditLine], at_least: float) -> int:
    """Return how many clients were found by a second look, so many seconds after they were created."""
    found = {line.books_id: line.at for line in audit if line.action == "adopt"}
    ages = [
        (found[str(client)] - born).total_seconds() for client, born in ledger.created.items() if str(client) in found
    ]
    return sum(age >= at_least for age in ages)


def _finding(what: str, offenders: Collection[str]) -> Finding:
    return Finding(what, len(offenders), list(offenders)[:MOST_OFFENDERS])
