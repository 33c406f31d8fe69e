"""The judge of the pipeline campaign: decides by the sandboxes' append-only ledgers what became of each opportunity.

Nothing that Ledgerline says of itself counts here. A document is known by its number, which has the opportunity's id in
it, and must name the customer of that opportunity: customers have names that nobody else has.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from tests.faults.judge import MOST_OFFENDERS, Finding, name_of
from tests.faults.pipeline_reckoning import expected_total, minor, net_of, total_of
from tests.faults.pipeline_sales import LOST, NEW, PROPOSAL, WON, Sales, Sold
from tests.faults.pipeline_terms import INVOICE_FIELDS, PLACES

Kind = Literal["estimate", "invoice"]
Record = Mapping[str, Any]
NUMBER: Mapping[str, re.Pattern[str]] = {"estimate": re.compile(r"E-(\d+)-1"), "invoice": re.compile(r"I-(\d+)-1")}
VISIBLE = 0


@dataclass
class House:
    """One firm's ledger, read on from where the last look ended."""

    sales: Sales
    path: Path
    opportunities: dict[int, Sold] = field(default_factory=dict)
    """As they stand."""
    due: set[int] = field(default_factory=set)
    """Those that ever stood at the milestone of estimates."""
    documents: dict[str, dict[int, Record]] = field(default_factory=lambda: {"estimate": {}, "invoice": {}})
    """As they stand, deleted ones too; by kind and id."""
    notes: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Every note that was ever written on an opportunity."""
    clients: dict[int, str] = field(default_factory=dict)
    """The names of clients by id."""
    parties: dict[int, str] = field(default_factory=dict)
    """The names of customers by id."""
    writes: int = 0
    """How many writes of opportunities, notes and documents there were."""
    _made: dict[tuple[str, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    _read: int = 0

    def read_on(self) -> "House":
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

    def made(self, kind: Kind, opportunity_id: int) -> Sequence[int]:
        """Return the ids of all documents that were ever made of an opportunity."""
        return self._made.get((kind, opportunity_id), [])

    def document(self, kind: Kind, opportunity_id: int) -> Record | None:
        """Return the first document of an opportunity, wherever it stands."""
        ids = self.made(kind, opportunity_id)
        return self.documents[kind][ids[0]] if ids else None

    def living(self, kind: Kind, opportunity_id: int) -> Record | None:
        """Return the document of an opportunity that is neither deleted nor archived."""
        found = (self.documents[kind][each] for each in self.made(kind, opportunity_id))
        return next((each for each in found if each["vis_state"] == VISIBLE), None)

    def _take(self, entry: dict[str, Any]) -> None:
        kind, record = entry["kind"], entry["record"]
        noted, sold = self.sales.note(entry), self.sales.sold(entry)
        self.writes += kind in self.documents or noted is not None or sold is not None
        if kind in self.documents:
            self.documents[kind][entry["id"]] = record
            if entry["operation"] == "create":
                self._made[kind, owner_of(kind, record)].append(entry["id"])
        elif kind == "client":
            self.clients[entry["id"]] = name_of(record)
        elif kind in self.sales.kind.names:
            self.parties[int(entry["id"])] = str(record[self.sales.kind.names[kind]])
        elif noted is not None:
            self.notes[noted[0]].append(noted[1])
        elif sold is not None:
            self.opportunities[sold.id] = sold
            if sold.milestone == PROPOSAL:
                self.due.add(sold.id)


def owner_of(kind: str, document: Record) -> int:
    """Return the opportunity whose id the document's number has in it, 0 if there is none."""
    found = NUMBER[kind].fullmatch(str(document[f"{kind}_number"]))
    return int(found[1]) if found else 0


def judged(houses: Sequence[House]) -> list[Finding]:
    """Return every question with its answer over all firms, also where nothing was found."""
    found = []
    for what, ask in QUESTIONS.items():
        offenders = [f"{house.sales.connection}: {each}" for house in houses for each in ask(house)]
        found.append(_finding(what, offenders))
    return found


def sums(houses: Sequence[House]) -> dict[str, tuple[int, int]]:
    """Return by currency what the won opportunities come to, and what their invoices do: minor units before tax."""
    found = {currency: [Fraction(0), Fraction(0)] for currency in PLACES}
    for house in houses:
        for sold in house.opportunities.values():
            if sold.milestone == WON:
                found[sold.currency][0] += minor(sold.amount, sold.currency)
        for invoice in house.documents["invoice"].values():
            if invoice["vis_state"] == VISIBLE:
                found[invoice["currency_code"]][1] += net_of(invoice)
    return {currency: (int(crm), int(books)) for currency, (crm, books) in found.items()}


def _without_estimate(house: House) -> Iterator[str]:
    for sold in house.opportunities.values():
        if sold.id in house.due and not house.made("estimate", sold.id):
            yield f"opportunity {sold.id}"


def _without_invoice(house: House) -> Iterator[str]:
    for sold in house.opportunities.values():
        if sold.milestone == WON and house.living("invoice", sold.id) is None:
            yield f"opportunity {sold.id}"


def _twice(kind: Kind) -> Callable[[House], Iterator[str]]:
    def asked(house: House) -> Iterator[str]:
        for opportunity_id in house.opportunities:
            made = house.made(kind, opportunity_id)
            if len(made) > 1:
                yield f"opportunity {opportunity_id} has {', '.join(str(each) for each in made)}"

    return asked


def _nobodys(house: House) -> Iterator[str]:
    for kind, documents in house.documents.items():
        for number, document in documents.items():
            if owner_of(kind, document) not in house.opportunities:
                yield f"{kind} {number}"


def _anothers(house: House) -> Iterator[str]:
    for kind, sold, document in _of_somebody(house):
        if house.clients.get(document["customerid"]) != house.parties.get(sold.party_id):
            yield f"{kind} {document['id']}"


def _visible_in_vain(house: House) -> Iterator[str]:
    """Invoices of what is not won, estimates of what is lost, anything of what never came so far."""
    unwanted: dict[str, set[str]] = {"estimate": {NEW, LOST}, "invoice": {NEW, PROPOSAL, LOST}}
    for kind, sold, document in _of_somebody(house):
        if document["vis_state"] == VISIBLE and sold.milestone in unwanted[kind]:
            yield f"{kind} {document['id']}"


def _hidden(house: House) -> Iterator[str]:
    for sold in house.opportunities.values():
        is_wanted = sold.milestone in (PROPOSAL, WON) and house.made("estimate", sold.id)
        if is_wanted and house.living("estimate", sold.id) is None:
            yield f"opportunity {sold.id}"


def _other_amounts(house: House) -> Iterator[str]:
    """An estimate that an invoice was made of stays as the customer accepted it."""
    for kind, sold, document in _of_somebody(house):
        is_past = document["vis_state"] != VISIBLE or (kind == "estimate" and sold.milestone != PROPOSAL)
        said = (net_of(document), document["currency_code"])
        if not is_past and said != (minor(sold.amount, sold.currency), sold.currency):
            yield f"{kind} {document['id']}"


def _other_totals(house: House) -> Iterator[str]:
    for kind, documents in house.documents.items():
        for number, document in documents.items():
            if total_of(document) != expected_total(net_of(document), house.sales.terms):
                yield f"{kind} {number}"


def _sums_apart(house: House) -> Iterator[str]:
    for currency, (crm, books) in sums([house]).items():
        if crm != books:
            yield f"{currency}: {crm} in the CRM, {books} invoiced"


def _otherwise_sent(house: House) -> Iterator[str]:
    wanted = "sent" if house.sales.terms.invoice == "final" else "draft"
    for number, invoice in house.documents["invoice"].items():
        if invoice["vis_state"] == VISIBLE and invoice["v3_status"] != wanted:
            yield f"invoice {number} is {invoice['v3_status']}"


def _not_from_estimate(house: House) -> Iterator[str]:
    for sold in house.opportunities.values():
        invoice, estimate = house.living("invoice", sold.id), house.living("estimate", sold.id)
        if invoice is not None and estimate is not None and invoice["estimateid"] != estimate["id"]:
            yield f"invoice {invoice['id']}"


def _not_noted_once(house: House) -> Iterator[str]:
    for sold in house.opportunities.values():
        told = sum(text.startswith(f"Invoice I-{sold.id}-1 ") for text in house.notes.get(sold.id, []))
        if told != bool(house.made("invoice", sold.id)):
            yield f"opportunity {sold.id} has {told} notes"


def _shown_otherwise(house: House) -> Iterator[str]:
    for sold in house.opportunities.values():
        invoice = house.living("invoice", sold.id)
        if invoice is not None and sold.shown != _said_of(invoice):
            yield f"opportunity {sold.id}"


def _said_of(invoice: Record) -> dict[str, str]:
    said = {"number": invoice["invoice_number"], "amount": invoice["amount"]["amount"]}
    return {INVOICE_FIELDS[name]: text for name, text in said.items()}


QUESTIONS: Mapping[str, Callable[[House], Iterator[str]]] = {
    "due opportunities without an estimate": _without_estimate,
    "won opportunities without an invoice": _without_invoice,
    "opportunities with two estimates": _twice("estimate"),
    "opportunities with two invoices": _twice("invoice"),
    "documents of no opportunity": _nobodys,
    "documents of another customer": _anothers,
    "documents that should not stand there": _visible_in_vain,
    "estimates that are gone and should not be": _hidden,
    "documents of another amount than their opportunity": _other_amounts,
    "totals that come to something else": _other_totals,
    "currencies whose sums differ": _sums_apart,
    "invoices that are draft and should be sent, or sent": _otherwise_sent,
    "invoices that do not name their estimate": _not_from_estimate,
    "invoices that are not in just one note": _not_noted_once,
    "invoices that their opportunity shows otherwise": _shown_otherwise,
}
"""What must never be, and what finds it."""


def _of_somebody(house: House) -> Iterator[tuple[str, Sold, Record]]:
    for kind, documents in house.documents.items():
        for document in documents.values():
            sold = house.opportunities.get(owner_of(kind, document))
            if sold is not None:
                yield kind, sold, document


def _finding(what: str, offenders: Collection[str]) -> Finding:
    return Finding(what, len(offenders), list(offenders)[:MOST_OFFENDERS])
