"""Payments as bookkeepers and banks enter them: most are right, and some are wrong in the ways that are known."""

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal

from sandbox.ledger import Record

NO_INVOICE = 79_999_999
"""The number of an invoice that never was."""

ASTRAY: dict[str, Record] = {"unapplied": {"invoiceid": 0}, "orphan": {"invoiceid": NO_INVOICE}}
CASES = ("full", "partial", "over", "refund", "foreign", "unapplied", "orphan")


def payment_drafts(seed: int, invoices: Sequence[Record]) -> Iterator[tuple[str, Record]]:
    """Give one or two payments for each invoice, each with what is the matter with it, to be entered by hand. The same
    seed and invoices give the same payments.
    """
    dice = random.Random(f"payments {seed}")  # noqa: S311 - reproducible, not secret
    for place, invoice in enumerate(invoices):
        case = CASES[place] if place < len(CASES) else dice.choice(CASES)
        amount, code = Decimal(invoice["amount"]["amount"]), invoice["amount"]["code"]
        third = (amount / 3).quantize(amount)
        draft = {"invoiceid": invoice["id"], "clientid": invoice["customerid"], "date": invoice["due_date"]}
        draft |= {"type": dice.choice(("Bank Transfer", "Check", "Other")), "note": f"bank {dice.randrange(10**8):08}"}
        yield case, {**draft, **ASTRAY.get(case, {}), "amount": _money(case, amount, third, code)}
        if case == "refund":
            yield case, {**draft, "amount": {"amount": str(-third), "code": code}}


def _money(case: str, amount: Decimal, third: Decimal, code: str) -> Record:
    if case == "foreign":
        return {"amount": str(amount), "code": "USD" if code != "USD" else "EUR"}
    return {"amount": str({"partial": third, "over": amount + third}.get(case, amount)), "code": code}
