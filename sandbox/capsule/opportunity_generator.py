"""Gives an account opportunities that look like life. The same seed, parties and number give the same ones."""

import random
from datetime import UTC, datetime, timedelta

from sandbox.capsule.account import Account, definition_short
from sandbox.capsule.milestones import named, status_at
from sandbox.capsule.opportunity_write import blank
from sandbox.capsule.reference import USERS
from sandbox.clock import zulu
from sandbox.ledger import Record

EPOCH = datetime(2025, 2, 3, 9, 0, tzinfo=UTC)
"""When the first generated opportunity was created; each next one some hours later."""
CURRENCIES = {"EUR": 2, "USD": 2, "GBP": 2, "SEK": 2, "JPY": 0, "KWD": 3}
"""Currencies with the digits behind the decimal point that amounts in them have."""
SUBJECTS = (
    "Website rebuild", "Möbel für den Empfang", "Carnet de voyage 2026", "Retainer", "Würfel & Zähler", "Fair stand",
    "Übersetzung", "Umbau Büro 3. OG", "Katalog (Relaunch)", "Spring campaign",
)  # fmt: skip


def fill_with_opportunities(account: Account, seed: int, count: int) -> None:
    """Add so many opportunities to an account; none if it has no parties that could have them."""
    parties = account.records.all("party")
    generator = _Generator(account, seed, parties)
    for number in range(count if parties else 0):
        generator.add(number)


class _Generator:
    """Draws one opportunity after the other, from a source of chance that parties do not draw from."""

    def __init__(self, account: Account, seed: int, parties: list[Record]) -> None:
        self._account, self._parties = account, parties
        self._random = random.Random(f"opportunities {seed}")  # noqa: S311 - chance that can be repeated is the point
        self._milestones = account.records.all("milestone")
        self._reasons = account.records.all("lostreason")
        self._tags = [
            {key: tag[key] for key in ("id", "name", "dataTag")} for tag in account.records.all("opportunity_tag")
        ]

    def add(self, number: int) -> None:
        """Draw an opportunity and add it to the account."""
        chance = self._random
        created = EPOCH + timedelta(hours=5 * number)
        opportunity = blank(self._account.records.next_id("opportunity"), chance.choice(self._parties), zulu(created))
        changed = created + timedelta(hours=chance.randrange(0, 2000))
        opportunity["name"] = chance.choice(SUBJECTS)
        opportunity["description"] = chance.choice((None, None, "as discussed on the phone", "zweite Ausbaustufe"))
        opportunity["owner"] = self._account.user_short(chance.choice(USERS)["id"])
        opportunity["updatedAt"] = zulu(changed)
        opportunity["expectedCloseOn"] = chance.choice((None, (created + timedelta(days=45)).date().isoformat()))
        self._stand(opportunity, changed)
        self._price(opportunity)
        self._details(opportunity)
        self._account.records.seed("opportunity", opportunity["id"], opportunity)

    def _stand(self, opportunity: Record, at: datetime) -> None:
        """Put it at a milestone, which it reached by its last change."""
        milestone = self._random.choice(self._milestones)
        reason = self._random.choice(self._reasons)
        last_open = self._random.choice([each for each in self._milestones if not each["complete"]])
        opportunity["milestone"] = named(milestone)
        opportunity["probability"] = milestone["probability"]
        opportunity["lastStageChangedAt"] = zulu(at)
        opportunity["lastOpenMilestone"] = named(last_open if milestone["complete"] else milestone)
        opportunity["closedOn"] = at.date().isoformat() if milestone["complete"] else None
        opportunity["lostReason"] = named(reason) if status_at(milestone) == "lost" else None

    def _price(self, opportunity: Record) -> None:
        """Give it an amount, for one in ten none: cents do not divide, yens have none and dinars three digits."""
        chance = self._random
        currency = chance.choices(tuple(CURRENCIES), (40, 25, 15, 8, 7, 5))[0]
        digits = CURRENCIES[currency]
        minor = chance.randrange(10**digits * 80, 10**digits * 24_000)
        amount = minor / 10**digits if digits else minor
        opportunity["value"] = {"amount": amount if chance.random() < 0.9 else None, "currency": currency}
        basis, longest = chance.choices((("FIXED", 0), ("MONTH", 12), ("HOUR", 160)), (80, 12, 8))[0]
        opportunity["durationBasis"] = basis
        opportunity["duration"] = chance.randrange(2, longest) if longest else None

    def _details(self, opportunity: Record) -> None:
        """Add custom fields, tags and an additional party."""
        chance = self._random
        values = {731: f"PO-{chance.randrange(1000, 9999)}", 732: chance.choice(("Referral", "Fair", "Website"))}
        for number, value in values.items():
            if chance.random() < 0.4:
                definition = self._account.records.tables["opportunity_definition"][number]
                row_id = self._account.records.next_id("row")
                row = {"id": row_id, "definition": definition_short(definition), "value": value, "tagId": None}
                opportunity["fields"].append(row)
        opportunity["tags"] = chance.sample(self._tags, chance.choices((0, 1), (70, 30))[0])
        other = chance.choice(self._parties)["id"]
        if chance.random() < 0.2 and other != opportunity["party"]["id"]:
            opportunity["parties"].append(other)
