"""What the records of each flow are called: to people who read, and by people who name one on the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from store.holds import OpenHold

Side = Literal["crm", "books"]
CLIENTS_FLOW, OPPORTUNITIES_FLOW = "clients", "opportunities"
PAIRS: Mapping[str, tuple[str, str]] = {
    CLIENTS_FLOW: ("party", "client"),
    "estimates": ("opportunity", "estimate"),
    "invoices": ("opportunity", "invoice"),
    OPPORTUNITIES_FLOW: ("opportunity", "document"),
    "bills": ("bill", "invoice"),
    "hours": ("hours of client", "hours of client"),
    "payments": ("payment", "payment"),
    "projects": ("opportunity", "project"),
}
"""What each flow links, in the CRM and in the books; a bill is made of time entries, and is no record of a CRM."""
DOCUMENTS = ("estimates", "invoices")
LINKING = (CLIENTS_FLOW, *DOCUMENTS)
"""The flows that link records; each is called as what it makes in the books."""


@dataclass(frozen=True)
class Named:
    """A kind of record that can be named: by its word, on one side, in these flows."""

    flows: Sequence[str]
    side: Side


KINDS: Mapping[str, Named] = {
    "party": Named((CLIENTS_FLOW,), "crm"),
    "client": Named((CLIENTS_FLOW,), "books"),
    "opportunity": Named(DOCUMENTS, "crm"),
    "deal": Named(DOCUMENTS, "crm"),
    "estimate": Named(("estimates",), "books"),
    "invoice": Named(("invoices", "bills"), "books"),
    "bill": Named(("bills",), "crm"),
}
"""How people name a record: `estimate:70001`."""


def words(flow: str) -> tuple[str, str]:
    """Return what a flow calls its records in the CRM and in the books."""
    return PAIRS.get(flow, ("record", flow))


def one(flow: str, side: str, record_id: str) -> str:
    """Return one record in words: `party 7`, `estimate 70001`."""
    crm, books = words(flow)
    return f"{crm if side == 'crm' else books} {record_id}"


def kind_of(hold: OpenHold) -> str:
    """Return what kind of thing is held: a party, a client, an opportunity, or what the flow calls it."""
    if hold.flow in PAIRS and hold.record_id.isdecimal():
        return words(hold.flow)[0 if hold.side == "crm" else 1]
    return hold.flow


def held_record(hold: OpenHold) -> str:
    """Return what is held: a record in words, or a thing of its own such as all creates of a flow."""
    return one(hold.flow, hold.side, hold.record_id) if hold.record_id.isdecimal() else hold.record_id
