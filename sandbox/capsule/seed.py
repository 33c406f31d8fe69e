"""What the Capsule account has from the start."""

from sandbox.capsule.account import ADMIN_ID, USER_PARTY, Account, party_short
from sandbox.capsule.definitions import definition
from sandbox.capsule.entities import OPPORTUNITY, PARTY, Entity
from sandbox.capsule.generator import fill_with_parties
from sandbox.capsule.opportunity_generator import fill_with_opportunities
from sandbox.capsule.party_write import blank
from sandbox.capsule.pipeline_seed import LOST_REASONS, MILESTONES, PIPELINES
from sandbox.capsule.reference import TEAMS, USERS
from sandbox.ledger import Record

FIRST_IDS = {
    "party": 245_000_001,
    "row": 610_000_001,
    "tag": 91_001,
    "definition": 731,
    "resthook": 4001,
    USER_PARTY: 244_000_001,
    "opportunity": 18_000_001,
    # The same numbers as for parties: they mean something else here.
    "opportunity_tag": 91_001,
    "opportunity_definition": 731,
    "entry": 320_000_001,
    "pipeline": 5001,
    "milestone": 31_001,
    "lostreason": 7001,
}
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
OPPORTUNITY_DEFINITIONS = [
    definition(731, "Order reference", "text"),
    definition(732, "Source", "list", options=["Referral", "Fair", "Website"]),
    definition(733, "Framework contract", "boolean"),
    definition(734, "Service", "text"),
    definition(735, "Service amount", "number"),
    definition(736, "Delivery on", "date"),
]
TAG_NAMES = ("Customer", "Supplier", "VIP", "Newsletter 2025", "Überfällig")
OPPORTUNITY_TAG_NAMES = ("Retainer", "Renewal", "Größer")
EMAILS = {"ann": "ann.bell@sandbox.example", "jonas": "jonas.weiss@sandbox.example"}
LONG_AGO = "2024-01-02T09:00:00Z"


def seed_account(account: Account, client_id: str, seed: int, parties: int, opportunities: int) -> None:
    """Fill an empty account: tokens 1 (application), 2 (personal), 3 (read-only), users, fields, tags, pipelines,
    parties, and opportunities with them.
    """
    records = account.records
    for kind, first in FIRST_IDS.items():
        records.start_ids(kind, first)
    account.tokens.seed("read write", client_id=client_id, user_id=ADMIN_ID, role="admin")
    account.tokens.seed("read write", client_id=None, user_id=ADMIN_ID, role="admin")
    account.tokens.seed("read", client_id=None, user_id=ADMIN_ID + 1, role="user")
    for user in USERS:
        own = _own_party(account, user)
        records.seed("user", user["id"], {**user, "party": party_short(own)})
    for team in TEAMS:
        records.seed("team", team["id"], team)
    _seed_entity(account, PARTY, DEFINITIONS, TAG_NAMES)
    _seed_entity(account, OPPORTUNITY, OPPORTUNITY_DEFINITIONS, OPPORTUNITY_TAG_NAMES)
    for kind, rows in (("pipeline", PIPELINES), ("milestone", MILESTONES), ("lostreason", LOST_REASONS)):
        for row in rows:
            records.seed(kind, row["id"], row)
    fill_with_parties(account, seed, parties)
    fill_with_opportunities(account, seed, opportunities)


def _own_party(account: Account, user: Record) -> Record:
    """Give a user a party with an email address. Its row takes no id from those of the parties."""
    number = account.records.next_id(USER_PARTY)
    first, last = user["name"].split()
    address = {"id": number, "type": "Work", "address": EMAILS[user["username"]]}
    names = {"firstName": first, "lastName": last, "emailAddresses": [address]}
    party = {**blank(number, "person", LONG_AGO), **names}
    account.records.seed(USER_PARTY, number, party)
    return party


def _seed_entity(account: Account, entity: Entity, definitions: list[Record], tag_names: tuple[str, ...]) -> None:
    for each in definitions:
        account.records.seed(entity.definition, each["id"], each)
    for name in tag_names:
        number = account.records.next_id(entity.tag)
        tag: Record = {"id": number, "name": name, "description": None, "dataTag": False, "createdAt": LONG_AGO}
        account.records.seed(entity.tag, number, tag)
