"""Fills an account with parties that look like life. The same seed and number give the same parties."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.capsule.account import Account, definition_short, party_short
from sandbox.capsule.party_write import blank
from sandbox.capsule.reference import USERS
from sandbox.clock import zulu
from sandbox.ledger import Record
from sandbox.words import CULTURES, JOB_TITLES, LANDMARKS, NOTES, SHARED_MAILBOXES, Culture, plain

SHARE_OF_ORGANISATIONS = 0.35
EPOCH = datetime(2024, 1, 8, 8, 0, tzinfo=UTC)
"""When the first generated party was created; each next one some minutes later."""


def fill_with_parties(account: Account, seed: int, count: int) -> None:
    """Add so many parties to an account."""
    generator = Generator(account, seed)
    for number in range(count):
        generator.add(number)


class Generator:
    """Draws one party after the other."""

    def __init__(self, account: Account, seed: int) -> None:
        self._account = account
        self._random = random.Random(f"parties {seed}")  # noqa: S311 - chance that can be repeated is the point
        self._firms: list[tuple[Record, Culture]] = []
        # Shared by all parties: a stored record is never changed in place, and an account may have very many.
        self._tags = [{key: tag[key] for key in ("id", "name", "dataTag")} for tag in account.records.all("tag")]
        self._owners = [account.user_short(user["id"]) for user in USERS]
        self._definitions = {each["id"]: definition_short(each) for each in account.records.all("definition")}

    def add(self, number: int) -> None:
        """Draw a party and add it to the account."""
        chance = self._random
        created = EPOCH + timedelta(minutes=37 * number)
        is_firm = chance.random() < SHARE_OF_ORGANISATIONS
        party = blank(self._next("party"), "organisation" if is_firm else "person", zulu(created))
        party["updatedAt"] = zulu(created + timedelta(minutes=chance.randrange(0, 60_000)))
        party["owner"] = self._owners[chance.randrange(len(USERS))]
        culture = self._firm(party) if is_firm else self._person(party)
        self._reach(party, culture)
        self._details(party, culture)
        self._account.records.seed("party", party["id"], party)

    def _next(self, kind: str) -> int:
        return self._account.records.next_id(kind)

    def _maybe(self, share: float, value: Any) -> Any:
        return value if self._random.random() < share else None

    def _firm(self, party: Record) -> Culture:
        choice = self._random.choice
        culture = choice(CULTURES)
        party["name"] = f"{choice(culture.last_names)} {choice(culture.trades)} {choice(culture.forms)}"
        self._firms.append((party, culture))
        return culture

    def _person(self, party: Record) -> Culture:
        choice = self._random.choice
        culture = choice(CULTURES)
        if self._firms and self._random.random() < 0.6:
            # Weighted to the early firms: some have many people, most have few.
            firm, culture = self._firms[int(len(self._firms) * self._random.random() ** 2)]
            party["organisation"] = party_short(firm)
            party["jobTitle"] = self._maybe(0.7, choice(JOB_TITLES))
        party["firstName"] = self._maybe(0.96, choice(culture.first_names))
        party["lastName"] = (
            choice(culture.last_names) if self._random.random() < 0.95 or not party["firstName"] else None
        )
        party["title"] = self._maybe(0.15, choice(("Dr", "Mr", "Ms", "Prof")))
        return culture

    def _reach(self, party: Record, culture: Culture) -> None:
        """Add email addresses, phone numbers, addresses and a website: several, one or none of each."""
        chance = self._random
        for place in range(chance.choices((0, 1, 2, 3), (12, 60, 22, 6))[0]):
            kind = chance.choice((None, None, None, "Work", "Home"))
            party["emailAddresses"].append(
                {"id": self._next("row"), "type": kind, "address": self._email(party, place)}
            )
        for _ in range(chance.choices((0, 1, 2, 3), (20, 50, 22, 8))[0]):
            kind = chance.choice((None, "Work", "Mobile", "Home", "Direct", "Fax"))
            number = f"{culture.dialling} {chance.randrange(20, 99)} {chance.randrange(10**6, 10**7)}"
            party["phoneNumbers"].append({"id": self._next("row"), "type": kind, "number": number})
        for _ in range(chance.choices((0, 1, 2), (15, 65, 20))[0]):
            party["addresses"].append(self._address(culture))
        if chance.random() < 0.3:
            address = f"www.{plain(_label(party))}.example"
            website = {"id": self._next("row"), "type": "Work", "service": "URL", "address": address}
            party["websites"].append({**website, "url": f"http://{address}"})

    def _email(self, party: Record, place: int) -> str:
        if self._random.random() < 0.08:
            return self._random.choice(SHARED_MAILBOXES)
        firm = party.get("organisation")
        domain = plain(_label(firm if firm else party))
        local = "office" if party["type"] == "organisation" else plain(_label(party)).replace("-", ".")
        # Namesakes abound, and some people write their own addresses in capitals.
        suffix = party["id"] % 1000 if self._random.random() < 0.5 else ""
        address = f"{local}{suffix}{f'.{place}' if place else ''}@{domain}.example"
        return address.upper() if self._random.random() < 0.03 else address

    def _address(self, culture: Culture) -> Record:
        chance = self._random
        city, code, state = chance.choice(culture.cities)
        street = f"{chance.choice(culture.streets)} {chance.randrange(1, 240)}"
        if chance.random() < 0.35:
            street += f"\n{chance.choice(LANDMARKS)}"
        kind = chance.choice((None, None, "Office", "Billing", "Postal", "Home", "Shipping"))
        place = {
            "street": street,
            "city": city,
            "state": state,
            "zip": code,
            "country": self._maybe(0.9, culture.country),
        }
        return {"id": self._next("row"), "type": kind, **place}

    def _details(self, party: Record, culture: Culture) -> None:
        """Add custom fields, tags and a note."""
        chance = self._random
        tax = f"{culture.vat}{chance.randrange(10**8, 10**9)}" if party["type"] == "organisation" else None
        days = chance.choice(("14", "30", "30", "60")) if party["type"] == "organisation" else None
        since = EPOCH - timedelta(days=chance.randrange(1, 4000))
        values = {
            731: self._maybe(0.7, tax),
            732: self._maybe(0.6, culture.currency),
            733: self._maybe(0.5, culture.language),
            734: self._maybe(0.3, value=True),
            735: self._maybe(0.3, since.date().isoformat()),
            736: self._maybe(0.4, days),
            737: self._maybe(0.15, ";".join(chance.sample(("Design", "Print", "Web", "Events"), 2))),
        }
        for number, value in values.items():
            if value is not None:
                self._add_field(party, number, value)
        party["tags"] = chance.sample(self._tags, chance.choices((0, 1, 2), (55, 35, 10))[0])
        party["about"] = self._maybe(0.2, chance.choice(NOTES))

    def _add_field(self, party: Record, number: int, value: Any) -> None:
        short = self._definitions[number]
        party["fields"].append({"id": self._next("row"), "definition": short, "value": value, "tagId": None})


def _label(party: Record) -> str:
    return str(party.get("name") or f"{party.get('firstName') or ''} {party.get('lastName') or ''}")
