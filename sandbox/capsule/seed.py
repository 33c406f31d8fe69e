"""What the Capsule account has from the start."""

from sandbox.capsule.account import ADMIN_ID, Account
from sandbox.capsule.definitions import definition
from sandbox.capsule.generator import fill_with_parties
from sandbox.capsule.reference import TEAM, TEAM_ID, USERS
from sandbox.ledger import Record

FIRST_IDS = {"party": 245_000_001, "row": 610_000_001, "tag": 91_001, "definition": 731, "resthook": 4001}
DEFINITIONS = [
    definition(731, "VAT number", "text"),
    definition(732, "Currency", "list", options=["EUR", "USD", "GBP", "CHF", "SEK", "PLN", "JPY", "KWD"]),
    definition(733, "Language", "list", options=["en", "de", "fr", "es", "pl", "sv", "ja"]),
    definition(734, "Newsletter", "boolean"),
    definition(735, "Customer since", "date"),
    definition(736, "Payment days", "number", captureRule="organisation"),
    definition(737, "Interests", "multiselectlist", options=["Design", "Print", "Web", "Events"]),
    definition(738, "Portal", "link"),
]
TAG_NAMES = ("Customer", "Supplier", "VIP", "Newsletter 2025", "Überfällig")


def seed_account(account: Account, client_id: str, seed: int, count: int) -> None:
    """Fill an empty account: tokens 1 (application), 2 (personal), 3 (read-only), users, fields, tags, parties."""
    records = account.records
    for kind, first in FIRST_IDS.items():
        records.start_ids(kind, first)
    account.tokens.seed("read write", client_id=client_id, user_id=ADMIN_ID, role="admin")
    account.tokens.seed("read write", client_id=None, user_id=ADMIN_ID, role="admin")
    account.tokens.seed("read", client_id=None, user_id=ADMIN_ID + 1, role="user")
    for user in USERS:
        records.seed("user", user["id"], user)
    records.seed("team", TEAM_ID, TEAM)
    for each in DEFINITIONS:
        records.seed("definition", each["id"], each)
    for name in TAG_NAMES:
        _seed_tag(account, name)
    fill_with_parties(account, seed, count)


def _seed_tag(account: Account, name: str) -> None:
    number = account.records.next_id("tag")
    tag: Record = {
        "id": number,
        "name": name,
        "description": None,
        "dataTag": False,
        "createdAt": "2024-01-02T09:00:00Z",
    }
    account.records.seed("tag", number, tag)
