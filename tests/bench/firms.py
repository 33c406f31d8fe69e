"""A large firm, made up page by page: its parties and clients as both systems would list them."""

import random
from dataclasses import dataclass
from typing import Any

from connectors.answers import Page
from connectors.capsule.models import FieldDefinition, Party
from connectors.freshbooks.models import Client

PER_PAGE = 100
SYLLABLES = [
    *(consonant + vowel for consonant in "bdfghklmnrstvwz" for vowel in "aeio"),
    *("berg", "mann", "stein", "holm", "quist", "sen", "schmi"),
]
TRADES = ("Tischlerei", "Joinery", "Brewing", "Design", "Freight", "Plumbing", "Analytics", "Ateliers", "Librairie")
FORMS = ("GmbH", "Ltd", "Inc.", "SARL", "AG", "B.V.", "LLC", "Limited")


def _words(count: int, lengths: tuple[int, ...], seed: str) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(SYLLABLES, k=chance.choice(lengths))).title() for _ in range(count)]


FIRST_NAMES = _words(600, (2, 3), "first names")
LAST_NAMES = _words(12_000, (2, 3, 3, 4), "last names")
CITIES = _words(3_000, (3,), "cities")


@dataclass(frozen=True)
class LargeFirm:
    """So many parties and clients. The first `shared` of each are the same customers: nine of ten by email address,
    one of twenty by tax number alone, the rest by name and place alone.
    """

    parties: int
    clients: int
    shared: int

    async def list_parties(self, *, since: None, page: int) -> Page[Party]:
        """Return one page of parties, as `CapsuleApi` does."""
        del since
        numbers = range((page - 1) * PER_PAGE, min(page * PER_PAGE, self.parties))
        return Page([self.party(each) for each in numbers], page * PER_PAGE < self.parties)

    async def party_field_definitions(self, *, page: int) -> Page[FieldDefinition]:
        """Return the one custom field, as `CapsuleApi` does."""
        del page
        return Page([FieldDefinition(id=731, name="VAT number", type="text")], has_more=False)

    async def list_clients(self, *, page: int, vis_state: int | None = None) -> Page[Client]:
        """Return one page of clients, as `FreshBooksApi` does. None are deleted."""
        if vis_state is not None:
            return Page([], has_more=False)
        numbers = range((page - 1) * PER_PAGE, min(page * PER_PAGE, self.clients))
        return Page([self.client(each) for each in numbers], page * PER_PAGE < self.clients)

    def party(self, number: int) -> Party:
        """Return one party in full."""
        said = _customer(number)
        party = {
            "id": 1_000_000 + number,
            "type": "person" if said["fname"] else "organisation",
            "firstName": said["fname"],
            "lastName": said["lname"],
            "name": None if said["fname"] else said["organization"],
            "organisation": {"id": 7, "type": "organisation", "name": said["organization"]} if said["fname"] else None,
            "emailAddresses": [{"id": 1, "type": "Work", "address": said["email"]}],
            "phoneNumbers": [{"id": 2, "type": "Work", "number": said["bus_phone"]}],
            "addresses": [
                {"id": 3, "type": "Office", "street": "High Street 7", "city": said["p_city"], "zip": said["p_code"]}
            ],
            "fields": [{"id": 4, "definition": {"id": 731, "name": "VAT number"}, "value": said["vat_number"]}],
            "tags": [],
            "about": "A good customer since the first year." if number % 5 == 0 else None,
            "updatedAt": "2026-03-02T12:00:00Z",
        }
        return Party.model_validate(party)

    def client(self, number: int) -> Client:
        """Return one client in full."""
        said = _customer(number if number < self.shared else number + 1_000_000)
        if number % 20 == 1:
            said["email"] = f"other{number}@books.example"
        elif number % 20 == 2:
            said |= {"email": f"other{number}@books.example", "vat_number": None}
        client = {**said, "id": 500_000 + number, "p_street": "High Street 7", "note": "", "vis_state": 0}
        return Client.model_validate({**client, "updated": "2026-03-02 07:00:00", "currency_code": "EUR"})


def _customer(number: int) -> dict[str, Any]:
    """Return a customer in the books' words; the same number gives the same customer."""
    chance = random.Random(number)
    place = chance.randrange(len(CITIES))
    is_firm = chance.random() < 0.35
    return {
        "fname": None if is_firm else chance.choice(FIRST_NAMES),
        "lname": None if is_firm else chance.choice(LAST_NAMES),
        "organization": f"{chance.choice(LAST_NAMES)} {chance.choice(TRADES)} {chance.choice(FORMS)}",
        "email": f"customer{number}@firm.example",
        "bus_phone": f"+49 {chance.randrange(10**9, 10**10)}",
        "vat_number": f"DE{chance.randrange(10**8, 10**9)}",
        "p_city": CITIES[place],
        "p_code": str(10_000 + place),
    }
