"""What is in the books of an account that is not empty: a few items and taxes, and no documents."""

from sandbox.freshbooks.account import ACCOUNT_ID, Account
from sandbox.freshbooks.catalogue import ITEM, TAX, Catalogue, Entry
from sandbox.ledger import Record

TAXES: tuple[Record, ...] = (
    {"name": "VAT", "amount": "19", "number": "DE123456789"},
    {"name": "VAT reduced", "amount": "7", "number": "DE123456789"},
    {"name": "GST", "amount": "5"},
    {"name": "QST", "amount": "9.975"},
)
ITEMS: tuple[Record, ...] = (
    {"name": "Design", "description": "Entwurf, je Stunde", "unit_cost": {"amount": "95.00"}, "sku": "DES-H"},
    {"name": "Print run", "description": "1 000 sheets, 4/4", "unit_cost": {"amount": "333.33"}, "sku": "PRN-1000"},
    {"name": "Hosting", "description": "One month", "unit_cost": {"amount": "12.95"}, "sku": None},
)
SINCE = "2024-02-01 05:00:00"


def fill_books(account: Account) -> None:
    """Add items and taxes to the sandbox's own account."""
    for entry, drafts in ((TAX, TAXES), (ITEM, ITEMS)):
        for draft in drafts:
            _seed(account, entry, draft)


def _seed(account: Account, entry: Entry, draft: Record) -> None:
    number = account.next_id(entry.name)
    record = Catalogue(account, entry).drafted(draft, ACCOUNT_ID)
    account.records.seed(entry.name, number, {"id": number, f"{entry.name}id": number, **record, "updated": SINCE})
