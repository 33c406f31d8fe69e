"""The people who sell, with each CRM, as the pipeline campaign has them; and how the ledger of that CRM reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from tests.faults.crms import CAPSULE, CRMS, FaultedCrm, StandIn
from tests.faults.pipeline_terms import IN_LINES, IN_ONE_SUM, INVOICE_FIELDS, Terms

Entry = Mapping[str, Any]
"""One line of the ledger."""
NEW, PROPOSAL, WON, LOST = "new", "proposal", "won", "lost"


@dataclass(frozen=True)
class Price:
    """What an opportunity is worth: decimal text, and its currency."""

    amount: str
    currency: str


@dataclass(frozen=True)
class Sold:
    """An opportunity as the ledger has it at one time. `shown` is what the invoice's fields say, by their names."""

    id: int
    party_id: int
    milestone: str
    amount: Decimal
    currency: str
    shown: Mapping[str, str]


class Sales(Protocol):
    """One CRM in the campaign. Milestones are new, proposal, won and lost; `hooks` is how many of ours there are."""

    connection: str
    kind: FaultedCrm
    terms: Terms
    flow: Mapping[str, Any]
    hooks: tuple[str, int]
    note_path: str
    ledger: str

    async def make_fields(self, crm: StandIn) -> None:
        """Make the custom fields that show an invoice."""

    async def enter_party(self, crm: StandIn, name: str) -> int:
        """Enter a customer under a name that no other has, and return its id."""

    async def enter(self, crm: StandIn, party_id: int, name: str, milestone: str, price: Price) -> int:
        """Enter an opportunity and return its id."""

    async def move(self, crm: StandIn, record_id: int, milestone: str) -> None:
        """Move an opportunity."""

    async def price(self, crm: StandIn, record_id: int, price: Price) -> None:
        """Change what an opportunity is worth, in the same currency."""

    def sold(self, entry: Entry) -> Sold | None:
        """Return the opportunity that a line of the ledger is about."""

    def note(self, entry: Entry) -> tuple[int, str] | None:
        """Return of which opportunity a line of the ledger is a new note, and its text."""


class CapsuleSales:
    """With Capsule: documents of three lines, and drafts."""

    connection = "acme"
    kind: FaultedCrm = CAPSULE
    terms = IN_LINES
    flow: Mapping[str, Any] = {"estimate_from": ["Proposal"], "milestones": {"Won": "accepted"}}
    hooks = ("resthook", 8)
    note_path = "/entries$"
    ledger = "sandbox-ledger.jsonl"
    milestones: Mapping[str, int] = {NEW: 31_001, PROPOSAL: 31_003, WON: 31_005, LOST: 31_006}

    async def make_fields(self, crm: StandIn) -> None:
        """Make text fields of opportunities."""
        url, token = f"{crm.url}/api/v2/opportunities/fields/definitions", (await crm.about())["tokens"]["access"]
        for name in INVOICE_FIELDS.values():
            await crm.post(url, {"definition": {"name": name, "type": "text"}}, f"Bearer {token}")

    async def enter_party(self, crm: StandIn, name: str) -> int:
        """Enter a person."""
        address = {"address": f"{name.replace(' ', '-').lower()}@faults.example"}
        draft = {"type": "person", "firstName": "Fault", "lastName": name, "emailAddresses": [address]}
        return (await crm.enter("party", [draft]))[0]

    async def enter(self, crm: StandIn, party_id: int, name: str, milestone: str, price: Price) -> int:
        """Enter an opportunity."""
        at = {"id": self.milestones[milestone]}
        draft = {"party": {"id": party_id}, "name": name, "milestone": at, "value": _value(price)}
        return (await crm.enter("opportunity", [draft]))[0]

    async def move(self, crm: StandIn, record_id: int, milestone: str) -> None:
        """Move an opportunity."""
        await crm.change("opportunity", {"id": record_id, "milestone": {"id": self.milestones[milestone]}})

    async def price(self, crm: StandIn, record_id: int, price: Price) -> None:
        """Change its value."""
        await crm.change("opportunity", {"id": record_id, "value": _value(price)})

    def sold(self, entry: Entry) -> Sold | None:
        """Read an opportunity."""
        if entry["kind"] != "opportunity":
            return None
        record = entry["record"]
        at = next((name for name, number in self.milestones.items() if number == record["milestone"]["id"]), "")
        amount, currency = record["value"]["amount"], record["value"]["currency"]
        shown = {row["definition"]["name"]: str(row["value"]) for row in record["fields"]}
        return Sold(int(record["id"]), int(record["party"]["id"]), at, Decimal(amount), currency, shown)

    def note(self, entry: Entry) -> tuple[int, str] | None:
        """Read an entry."""
        about = (
            entry["record"].get("opportunity") if (entry["kind"], entry["operation"]) == ("entry", "create") else None
        )
        return (int(about["id"]), str(entry["record"]["content"])) if about else None


class ZohoSales:
    """With Zoho CRM: documents of one line, and final invoices."""

    connection = "zephyr"
    kind = CRMS["zoho_crm"]
    terms = IN_ONE_SUM
    flow: Mapping[str, Any] = {"estimate_from": ["Proposal/Price Quote"], "milestones": {"Closed Won": "accepted"}}
    hooks = ("channel", 3)
    note_path = "/Notes$"
    ledger = "sandbox-zoho-ledger.jsonl"
    milestones: Mapping[str, str] = {
        NEW: "Qualification",
        PROPOSAL: "Proposal/Price Quote",
        WON: "Closed Won",
        LOST: "Closed Lost",
    }

    async def make_fields(self, crm: StandIn) -> None:
        """Let an administrator make text fields of deals, in an account with several currencies."""
        await crm.set(multi_currency=True)
        for name in INVOICE_FIELDS.values():
            label = name.replace("_", " ")
            await crm.enter_one("field", {"module": "Deals", "field_label": label, "data_type": "text", "length": 120})

    async def enter_party(self, crm: StandIn, name: str) -> int:
        """Enter a contact."""
        address = f"{name.replace(' ', '-').lower()}@faults.example"
        return (await crm.enter("Contacts", [{"First_Name": "Fault", "Last_Name": name, "Email": address}]))[0]

    async def enter(self, crm: StandIn, party_id: int, name: str, milestone: str, price: Price) -> int:
        """Enter a deal. Its currency is set as if the account had it: the stand-in's has no dinar."""
        draft = {"Deal_Name": name, "Stage": self.milestones[milestone], "Amount": float(price.amount)}
        deal = {**draft, "Contact_Name": {"id": str(party_id)}, "Currency": "EUR"}
        record_id = (await crm.enter("Deals", [deal], hooks=False))[0]
        await crm.overwrite("Deals", record_id, Currency=price.currency)
        return record_id

    async def move(self, crm: StandIn, record_id: int, milestone: str) -> None:
        """Move a deal to another stage."""
        await crm.change("Deals", {"id": str(record_id), "Stage": self.milestones[milestone]})

    async def price(self, crm: StandIn, record_id: int, price: Price) -> None:
        """Change its amount."""
        await crm.change("Deals", {"id": str(record_id), "Amount": float(price.amount)})

    def sold(self, entry: Entry) -> Sold | None:
        """Read a deal."""
        if entry["kind"] != "Deals":
            return None
        record = entry["record"]
        at = next((name for name, stage in self.milestones.items() if stage == record["Stage"]), "")
        shown = {name: str(record[name]) for name in INVOICE_FIELDS.values() if record.get(name)}
        party_id, amount = int(record["Contact_Name"]), Decimal(record["Amount"])
        return Sold(int(record["id"]), party_id, at, amount, record["Currency"], shown)

    def note(self, entry: Entry) -> tuple[int, str] | None:
        """Read a note."""
        if (entry["kind"], entry["operation"]) != ("Notes", "create"):
            return None
        return int(entry["record"]["parent"]), str(entry["record"]["Note_Content"])


def _value(price: Price) -> dict[str, Any]:
    return {"amount": float(price.amount), "currency": price.currency}
