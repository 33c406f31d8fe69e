"""The judge of the hours campaign: decides by the sandbox's append-only ledger what became of every time entry.

Which entries an invoice holds is what our store says, for the books do not know it. That it is true shows in the sums:
each invoice must come to what those entries cost, and each client's invoices to what all of its hours do.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.faults.hours_reckoning import BUSINESS_RATES, LAST_DAY, OWN, PLACES, ZONE, Work, minor, reckoned
from tests.faults.judge import MOST_OFFENDERS, Finding

Record = Mapping[str, Any]
VISIBLE = 0
OURS_TO_WRITE = ("invoice", "time_entry")
MOVES_BY_ITSELF = frozenset({"billed", "updated_at", "billed_status"})


@dataclass(frozen=True)
class BillSaid:
    """What our store says of one bill."""

    id: int
    client_id: int
    state: str
    invoice_id: int | None
    entry_ids: tuple[int, ...]


@dataclass
class Books:
    """The firm's ledger, read on from where the last look ended. `client_rates` are those of the settings."""

    path: Path
    client_rates: Mapping[int, str] = field(default_factory=dict)
    clients: dict[int, str] = field(default_factory=dict)
    """The currency of each client."""
    projects: dict[int, Record] = field(default_factory=dict)
    service_rates: dict[int, str] = field(default_factory=dict)
    team_rates: dict[int, str] = field(default_factory=dict)
    logged: dict[int, Record] = field(default_factory=dict)
    """Every time entry as its person left it."""
    entries: dict[int, Record] = field(default_factory=dict)
    """Every time entry as it stands."""
    invoices: dict[int, Record] = field(default_factory=dict)
    """Every invoice as it stands, deleted ones too."""
    writes: int = 0
    """How many writes of invoices and time entries came from outside."""
    _read: int = 0

    def read_on(self) -> "Books":
        """Take in what was written since; a line that is not complete yet is left for the next time."""
        if not self.path.exists():
            return self
        with self.path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(json.loads(line, parse_float=Decimal))
        return self

    def is_due(self, entry_id: int) -> bool:
        """Return whether somebody has to pay for an entry, and it was not billed before."""
        entry = self.logged[entry_id]
        project = self.projects.get(entry["project_id"] or 0, {})
        began = datetime.fromisoformat(entry["started_at"]).astimezone(ZoneInfo(ZONE)).date()
        is_work = entry["is_logged"] and entry["active"] and entry["duration"] and self.owner(entry_id) is not None
        is_payable = entry["billable"] and not entry["billed"] and project.get("project_type") != "fixed_price"
        return bool(is_work and is_payable and began <= LAST_DAY)

    def owner(self, entry_id: int) -> int | None:
        """Return for whom an entry was worked: what it says, or else its project."""
        entry = self.logged[entry_id]
        owner = entry["client_id"] or self.projects.get(entry["project_id"] or 0, {}).get("client_id")
        return int(owner) if owner else None

    def cost(self, entry_ids: Collection[int], client_id: int) -> tuple[int, int]:
        """Return what an invoice of these entries comes to before tax and after it, in minor units."""
        works = [self._work(self.logged[each], client_id) for each in entry_ids]
        return reckoned(works, self.clients[client_id])

    def due_of(self, client_id: int) -> list[int]:
        """Return the entries that a client has to pay for."""
        return [each for each in self.logged if self.owner(each) == client_id and self.is_due(each)]

    def _work(self, entry: Record, client_id: int) -> Work:
        rate = self._own_rate(entry) if self.clients[client_id] == OWN else self._foreign_rate(client_id)
        return Work(int(entry["duration"] or 0), entry["project_id"] or None, entry["service_id"] or None, rate)

    def _own_rate(self, entry: Record) -> str:
        """What the project's billing method names comes first, then service, project and person."""
        project = self.projects.get(entry["project_id"] or 0, {})
        of_service = self.service_rates.get(entry["service_id"] or 0)
        of_project, of_person = project.get("rate"), self.team_rates.get(entry["identity_id"])
        named = {"service_rate": of_service, "project_rate": of_project, "team_member_rate": of_person}
        first = named.get(project.get("billing_method") or "")
        return next((str(each) for each in (first, of_service, of_project, of_person) if each is not None), "0")

    def _foreign_rate(self, client_id: int) -> str:
        return self.client_rates.get(client_id) or BUSINESS_RATES[self.clients[client_id]]

    def _take(self, entry: dict[str, Any]) -> None:
        kind, number, record = entry["kind"], int(entry["id"]), entry["record"]
        is_ours = entry["via"] != "control"
        self.writes += is_ours and kind in OURS_TO_WRITE
        match kind:
            case "client":
                self.clients[number] = record["currency_code"]
            case "project":
                self.projects[number] = record
            case "service_rate":
                self.service_rates[int(record["service_id"])] = record["rate"]
            case "team_member_rate":
                self.team_rates[int(record["identity_id"])] = record["rate"]
            case "invoice":
                self.invoices[number] = record
            case "time_entry":
                self.entries[number] = record
                if not is_ours:
                    self.logged[number] = record


def judged(books: Books, bills: Sequence[BillSaid]) -> list[Finding]:
    """Return every question with its answer, also where nothing was found."""
    return [_finding(what, list(ask(books, bills))) for what, ask in QUESTIONS.items()]


def sums(books: Books) -> dict[str, tuple[int, int]]:
    """Return by currency what the hours that are due come to, and what was invoiced: minor units after tax."""
    found = {currency: [0, 0] for currency in PLACES}
    for client_id, currency in books.clients.items():
        found[currency][0] += books.cost(books.due_of(client_id), client_id)[1]
    for invoice in _living(books):
        found[invoice["currency_code"]][1] += int(_total(invoice))
    return {currency: (due, billed) for currency, (due, billed) in found.items()}


def _holders(bills: Sequence[BillSaid]) -> Mapping[int, list[int]]:
    """Return the bills with an invoice of each entry."""
    found: dict[int, list[int]] = defaultdict(list)
    for bill in bills:
        for entry_id in bill.entry_ids if bill.invoice_id is not None else ():
            found[entry_id].append(bill.id)
    return found


def _unbilled(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    holders = _holders(bills)
    yield from (f"entry {each}" for each in books.logged if books.is_due(each) and not holders.get(each))


def _twice(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    del books
    for entry_id, held in _holders(bills).items():
        if len(held) > 1:
            yield f"entry {entry_id} is in bills {held}"


def _in_vain(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    for entry_id in _holders(bills):
        if entry_id not in books.logged or not books.is_due(entry_id):
            yield f"entry {entry_id}"


def _not_ticked(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    del bills
    yield from (f"entry {each}" for each in books.logged if books.is_due(each) and not books.entries[each]["billed"])


def _ticked_in_vain(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    del bills
    for entry_id, was in books.logged.items():
        if books.entries[entry_id]["billed"] and not was["billed"] and not books.is_due(entry_id):
            yield f"entry {entry_id}"


def _changed(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    del bills
    for entry_id, was in books.logged.items():
        now = books.entries[entry_id]
        fields = [key for key in {*was, *now} - MOVES_BY_ITSELF if was.get(key) != now.get(key)]
        if fields:
            yield f"entry {entry_id}: {', '.join(sorted(fields))}"


def _nobodys(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    known = {bill.invoice_id for bill in bills}
    yield from (f"invoice {each['id']}" for each in books.invoices.values() if each["id"] not in known)


def _doubled(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    """Two invoices for one bill, or one of two bills: known by reference, by number, and by what our store says."""
    del bills
    for name in ("po_number", "invoice_number"):
        made: dict[str, list[int]] = defaultdict(list)
        for invoice in books.invoices.values():
            made[str(invoice[name])].append(invoice["id"])
        yield from (f"invoices {ids} have one {name}" for ids in made.values() if len(ids) > 1)


def _without_invoice(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    living = {each["id"] for each in _living(books)}
    for bill in bills:
        if bill.state != "done" or bill.invoice_id not in living:
            yield f"bill {bill.id} is {bill.state}"


def _anothers(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    for bill, invoice in _of_bills(books, bills):
        owners = {books.owner(each) for each in bill.entry_ids}
        if owners != {invoice["customerid"]} or invoice["currency_code"] != books.clients.get(invoice["customerid"]):
            yield f"invoice {invoice['id']}"


def _other_sums(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    for bill, invoice in _of_bills(books, bills):
        net, total = books.cost(bill.entry_ids, bill.client_id)
        if _net(invoice) != net or _total(invoice) != total:
            yield f"invoice {invoice['id']}"


def _other_clients_sums(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    """By the ledger alone. Only a client with one invoice: with several, hours are rounded in each of them."""
    del bills
    of_client: dict[int, list[Record]] = defaultdict(list)
    for invoice in _living(books):
        of_client[invoice["customerid"]].append(invoice)
    for client_id in books.clients:
        due, invoices = books.due_of(client_id), of_client[client_id]
        total = sum((_total(each) for each in invoices), Fraction(0))
        if len(invoices) > bool(due) or total != books.cost(due, client_id)[1]:
            yield f"client {client_id} has {len(invoices)} invoices"


def _not_sent(books: Books, bills: Sequence[BillSaid]) -> Iterator[str]:
    del bills
    yield from (f"invoice {each['id']}" for each in _living(books) if each["v3_status"] != "sent")


QUESTIONS = {
    "billable entries in no invoice": _unbilled,
    "entries in two invoices": _twice,
    "entries in an invoice that nobody has to pay for": _in_vain,
    "billed entries that are not ticked": _not_ticked,
    "entries ticked that nobody has to pay for": _ticked_in_vain,
    "entries of which more was changed than the tick": _changed,
    "invoices of no bill": _nobodys,
    "invoices with the number or reference of another": _doubled,
    "bills without their invoice, or not finished": _without_invoice,
    "invoices for another client, or in another currency": _anothers,
    "invoices of another sum than their hours": _other_sums,
    "clients billed another sum than all their hours": _other_clients_sums,
    "invoices that were not sent": _not_sent,
}
FOR_GOOD = frozenset({"entries in two invoices", "invoices with the number or reference of another"})
"""What is wrong also in a run that did not finish: what is there twice stays."""


def _living(books: Books) -> Iterator[Record]:
    yield from (each for each in books.invoices.values() if each["vis_state"] == VISIBLE)


def _of_bills(books: Books, bills: Sequence[BillSaid]) -> Iterator[tuple[BillSaid, Record]]:
    for bill in bills:
        if bill.invoice_id in books.invoices and all(each in books.logged for each in bill.entry_ids):
            yield bill, books.invoices[bill.invoice_id]


def _net(invoice: Record) -> Fraction:
    amounts = (minor(line["amount"]["amount"], invoice["currency_code"]) for line in invoice["lines"])
    return sum(amounts, Fraction(0))


def _total(invoice: Record) -> Fraction:
    return minor(invoice["amount"]["amount"], invoice["amount"]["code"])


def _finding(what: str, offenders: Sequence[str]) -> Finding:
    return Finding(what, len(offenders), offenders[:MOST_OFFENDERS])
