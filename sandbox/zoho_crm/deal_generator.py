"""Gives generated deals what is special about them, by chance of its own: nothing else is drawn otherwise for it."""

import random
from collections import defaultdict
from typing import Any

from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account
from sandbox.zoho_crm.fields import HOME_CURRENCY, RATES
from sandbox.zoho_crm.pipelines import CHANCES, RENEWAL_STAGES, RENEWALS, STANDARD

WHOLE = {"JPY"}
"""Currencies without cents."""


class DealGenerator:
    """Draws a deal's pipeline, contact and currency. The currency shows once the account has several."""

    def __init__(self, account: Account, seed: int) -> None:
        self._account = account
        self._random = random.Random(f"zoho deals {seed}")  # noqa: S311 - chance that can be repeated is the point
        self._people: dict[str, list[str]] = defaultdict(list)

    def knows(self, contact: Record) -> None:
        """Remember a contact: deals of its account may be about it."""
        if contact.get("Account_Name"):
            self._people[contact["Account_Name"]].append(contact["id"])

    def complete(self, deal: Record) -> Record:
        """Return a deal with all that it has. One in twelve has no amount yet."""
        stage, pipeline = deal["Stage"], STANDARD
        if self._random.random() < 0.2:
            stage, pipeline = self._random.choice(RENEWAL_STAGES), RENEWALS
        currency = self._random.choice(list(RATES)) if self._random.random() < 0.4 else HOME_CURRENCY
        amount = self._amount(deal["Amount"], currency)
        people, chance = self._people[deal["Account_Name"]], CHANCES[stage]
        return {
            **deal,
            "Stage": stage,
            "Pipeline": pipeline,
            "Probability": chance,
            "Amount": amount,
            "Expected_Revenue": None if amount is None else round(amount * chance / 100, 2),
            "Contact_Name": self._random.choice(people) if people else None,
            "Currency": currency,
            "Exchange_Rate": RATES[currency],
        }

    def _amount(self, amount: Any, currency: str) -> Any:
        if self._random.random() < 1 / 12:
            return None
        return round(amount * RATES[currency]) if currency in WHOLE else amount
