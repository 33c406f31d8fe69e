"""Fills an account with records that look like life. The same seed and number give the same records."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.ledger import Record
from sandbox.words import CULTURES, JOB_TITLES, SHARED_MAILBOXES, Culture, plain
from sandbox.zoho_crm.account import PERSON, SYNC_USER, Account, stamp_of
from sandbox.zoho_crm.deal_generator import DealGenerator
from sandbox.zoho_crm.fields import SOURCES, STAGES, STATUSES

EPOCH = datetime(2024, 1, 8, 8, 0, tzinfo=UTC)
"""When the first generated record was created; each next one some minutes later."""


def fill_with_records(account: Account, seed: int, count: int) -> None:
    """Add so many records to an account: of twenty about five accounts, ten contacts, four leads and a deal."""
    generator = Generator(account, seed)
    for number in range(count):
        generator.add(number)


class Generator:
    """Draws one record after the other."""

    def __init__(self, account: Account, seed: int) -> None:
        self._account = account
        self._random = random.Random(f"zoho records {seed}")  # noqa: S311 - chance that can be repeated is the point
        self._deals = DealGenerator(account, seed)
        self._firms: list[tuple[Record, Culture]] = []
        self._number = 0

    def add(self, number: int) -> None:
        """Draw a record and add it to the account."""
        self._number = number
        draws = {"Accounts": self._firm, "Contacts": self._contact, "Leads": self._lead, "Deals": self._deal}
        module = "Accounts" if number == 0 else self._random.choices(tuple(draws), (25, 50, 20, 5))[0]
        culture = self._random.choice(CULTURES)
        values = draws[module](culture)
        record = self._stored(module, values)
        if module == "Accounts":
            self._firms.append((record, culture))
        elif module == "Contacts":
            self._deals.knows(record)

    def _stored(self, module: str, values: Record) -> Record:
        created = EPOCH + timedelta(minutes=37 * self._number)
        changed = created + timedelta(minutes=self._random.randrange(0, 60_000))
        number, user = self._account.records.next_id(module), str(self._random.choice((PERSON, PERSON, SYNC_USER)))
        record = {
            "id": str(number),
            "Owner": user,
            **{name: value for name, value in values.items() if value is not None},
            "Created_By": user,
            "Created_Time": stamp_of(created),
            "Modified_By": str(PERSON),
            "Modified_Time": stamp_of(changed),
        }
        self._account.records.seed(module, number, record)
        return record

    def _maybe(self, share: float, value: Any) -> Any:
        return value if self._random.random() < share else None

    def _firm(self, culture: Culture) -> Record:
        choice = self._random.choice
        name = f"{choice(culture.last_names)} {choice(culture.trades)} {choice(culture.forms)}"
        return {
            "Account_Name": name,
            "Phone": self._maybe(0.7, self._phone(culture)),
            "Website": self._maybe(0.5, f"https://www.{plain(name)}.example"),
            "Account_Type": self._maybe(0.4, "Customer"),
            **self._place(
                culture, ("Billing_Street", "Billing_City", "Billing_State", "Billing_Code", "Billing_Country")
            ),
        }

    def _contact(self, culture: Culture) -> Record:
        firm = None
        if self._random.random() < 0.7:
            # Weighted to the early firms: some have many people, most have few.
            firm, culture = self._firms[int(len(self._firms) * self._random.random() ** 2)]
        place = ("Mailing_Street", "Mailing_City", "Mailing_State", "Mailing_Zip", "Mailing_Country")
        return {
            **self._person(culture, firm["Account_Name"] if firm else ""),
            "Account_Name": firm["id"] if firm else None,
            "Title": self._maybe(0.6, self._random.choice(JOB_TITLES)) if firm else None,
            **self._place(culture, place),
        }

    def _lead(self, culture: Culture) -> Record:
        choice = self._random.choice
        company = f"{choice(culture.last_names)} {choice(culture.trades)}"
        return {
            **self._person(culture, company),
            "Company": company,
            "Lead_Status": self._maybe(0.8, choice(STATUSES)),
            "Lead_Source": self._maybe(0.5, choice(SOURCES)),
            **self._place(culture, ("Street", "City", "State", "Zip_Code", "Country")),
        }

    def _deal(self, culture: Culture) -> Record:
        firm, _ = self._random.choice(self._firms)
        drawn = {
            "Deal_Name": f"{self._random.choice(culture.trades)} {self._number}",
            "Stage": self._random.choice(STAGES),
            "Amount": self._random.randrange(10_000, 5_000_000) / 100,
            "Account_Name": firm["id"],
            "Closing_Date": (EPOCH + timedelta(days=self._random.randrange(30, 700))).date().isoformat(),
        }
        return self._deals.complete(drawn)

    def _person(self, culture: Culture, company: str) -> Record:
        choice = self._random.choice
        first, last = self._maybe(0.95, choice(culture.first_names)), choice(culture.last_names)
        return {
            "First_Name": first,
            "Last_Name": last,
            "Email": self._maybe(0.85, self._email(f"{first or ''} {last}", company)),
            "Phone": self._maybe(0.6, self._phone(culture)),
            "Mobile": self._maybe(0.3, self._phone(culture)),
        }

    def _email(self, name: str, company: str) -> str:
        if self._random.random() < 0.08:
            return self._random.choice(SHARED_MAILBOXES)
        # Namesakes abound, and some people write their own addresses in capitals.
        suffix = self._number % 1000 if self._random.random() < 0.5 else ""
        address = f"{plain(name).replace('-', '.')}{suffix}@{plain(company or name)}.example"
        return address.upper() if self._random.random() < 0.03 else address

    def _phone(self, culture: Culture) -> str:
        return f"{culture.dialling} {self._random.randrange(20, 99)} {self._random.randrange(10**6, 10**7)}"

    def _place(self, culture: Culture, names: tuple[str, ...]) -> Record:
        chance = self._random
        if chance.random() < 0.2:
            return {}
        city, code, state = chance.choice(culture.cities)
        street = f"{chance.choice(culture.streets)} {chance.randrange(1, 240)}"
        return dict(zip(names, (street, city, state, code, culture.country), strict=True))
