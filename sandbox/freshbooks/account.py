"""The FreshBooks account: its identifiers and its clocks. Source: https://www.freshbooks.com/api/authentication"""

import uuid
from datetime import UTC, datetime

from sandbox.calls import Call
from sandbox.clock import EASTERN, told
from sandbox.freshbooks.errors import refused, unknown_account
from sandbox.ledger import Record
from sandbox.lookup import Lookup
from sandbox.records import Records
from sandbox.settings import FreshBooksSettings
from sandbox.tokens import Tokens

ACCOUNT_ID = "sBx7Qz"
BUSINESS_ID = 880_001
IDENTITY_ID = 7001
CURRENCY, LANGUAGE = "EUR", "en"
ROW_KEYS = {"contacts": "contactid"}
LAZY_FIRST_IDS = {"estimate": 50_001, "invoice": 70_001, "item": 30_001, "tax": 4001, "email": 1} | {
    "payment": 90_001,
    "credit_note": 95_001,
    "service": 41,
    "project": 6001,
    "time_entry": 910_001,
}
"""Of the kinds of which there may be none at all."""


class Account:
    """What all operations on the account share."""

    def __init__(self, records: Records, tokens: Tokens, settings: FreshBooksSettings, seed: int) -> None:
        self.records, self.tokens, self.settings, self.seed = records, tokens, settings, seed
        self.payments = Lookup(records, "payment", _payment_keys)
        self.entries = Lookup(records, "time_entry", lambda entry: [("project", str(entry["project_id"]))])

    def uuid_of(self, name: str) -> str:
        """Return a UUID that is the same for the same seed and name."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"freshbooks {self.seed} {name}"))

    def next_id(self, kind: str) -> int:
        """Return the id of a new record of one of the kinds in LAZY_FIRST_IDS."""
        if (number := self.records.next_id(kind)) < LAZY_FIRST_IDS[kind]:
            self.records.start_ids(kind, LAZY_FIRST_IDS[kind])
            number = self.records.next_id(kind)
        return number

    def now(self) -> datetime:
        """Return the present instant by the account's clock."""
        return told(self.settings.clock_skew)

    def knows(self, account_id: str) -> bool:
        """Return whether the identity has such an account; ids are case-sensitive."""
        return account_id in {ACCOUNT_ID, *(each.account_id for each in self.settings.businesses)}

    def knows_business(self, business_id: int) -> bool:
        """Return whether the identity belongs to such a business."""
        return BUSINESS_ID <= business_id <= BUSINESS_ID + len(self.settings.businesses)

    def check(self, call: Call) -> None:
        """Raise the 404 unless the path names an account of the identity."""
        if not self.knows(call.params["account"]):
            raise unknown_account(call.params["account"])

    def business_id_of(self, account_id: str) -> int:
        """Return the id of the business that an account belongs to."""
        places = [place for place, each in enumerate(self.settings.businesses, 1) if each.account_id == account_id]
        return BUSINESS_ID + (places[0] if places else 0)

    def business_uuid(self, place: int = 0) -> str:
        """Return the UUID of the sandbox's own business, or of a further one by its place."""
        return self.uuid_of(f"business {place}" if place else "business")


def _payment_keys(payment: Record) -> list[tuple[str, str]]:
    return [("invoiceid", str(payment["invoiceid"])), ("creditid", str(payment["creditid"] or 0))]


def eastern(instant: datetime) -> str:
    """Return an instant as accounting writes it: US Eastern, no offset."""
    return instant.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S")


def utc(instant: datetime) -> str:
    """Return an instant in the same form, but in UTC, as `signup_date` has it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def content(call: Call, key: str) -> Record:
    """Return the object under a body's one key. Raises errno 1005 or 1001."""
    try:
        body = call.json()
    except ValueError as error:
        raise refused(1005, "The request body could not be parsed.", thing=key) from error
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise refused(1001, f"'{key}' is a required field.", key, key)
    return found
