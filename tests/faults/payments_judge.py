"""The judge of the payments campaign: what became of every payment, and what sales see, by the sandbox's ledger."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.judge import MOST_OFFENDERS, Finding
from tests.faults.payments_stories import Step, Story, text

SHOWN = {"paid": "Paid", "outstanding": "Outstanding", "status": "Invoice status"}
"""The custom fields of opportunities, by what of the invoice they show."""
BOOKS_OURS = frozenset({"invoice", "estimate", "payment", "credit_note", "client"})


@dataclass
class Sale:
    """One invoice of the campaign, with the opportunity that it was made of, and what its customer did."""

    client_id: int
    opportunity_id: int
    invoice_id: int
    amount: int
    currency: str
    story: Story
    payment_ids: list[int] = field(default_factory=list)

    def told(self) -> Iterator[tuple[int, Step]]:
        """Give the payments that were entered, each with its step."""
        yield from zip(self.payment_ids, self.story.steps, strict=False)


@dataclass
class Ledger:
    """The ledger file, read on from where the last look ended."""

    path: Path
    opportunities: dict[int, Mapping[str, str]] = field(default_factory=dict)
    """What the custom fields of each opportunity say."""
    invoices: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    ours: int = 0
    """How many writes came through the API."""
    books_ours: int = 0
    """How many of them were to FreshBooks' money."""
    _read: int = 0

    def read_on(self) -> "Ledger":
        """Take in what was written since; a line that is not complete yet is left for the next time."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(json.loads(line))
        return self

    def _take(self, entry: dict[str, Any]) -> None:
        kind, record = entry["kind"], entry["record"]
        if entry["via"] != "control" and kind != "token":
            self.ours += 1
            self.books_ours += entry["system"] == "freshbooks" and kind in BOOKS_OURS
        if kind == "opportunity":
            fields = {row["definition"]["name"]: str(row["value"]) for row in record["fields"]}
            self.opportunities[int(entry["id"])] = fields
        elif kind == "invoice":
            self.invoices[int(entry["id"])] = record


@dataclass(frozen=True)
class Said:
    """What the product says: the verdict of each payment it has judged, and the reason of each that is held."""

    verdicts: Mapping[int, str]
    reasons: Mapping[int, str]
    explanations: Mapping[int, str]

    def is_right(self, payment_id: int, step: Step) -> bool:
        """Return whether a payment ended as it must. One deleted before anybody looked need not be known."""
        if step.reason:
            return self.reasons.get(payment_id) == step.reason
        unknown = step.is_deleted and payment_id not in self.verdicts
        return payment_id not in self.reasons and (unknown or self.verdicts.get(payment_id) in step.verdicts)


def judged(sales: Sequence[Sale], ledger: Ledger, said: Said) -> list[Finding]:
    """Return every question with its answer, also where nothing was found."""
    return [
        _finding("payments that were never entered", _missing(sales)),
        _finding("payments judged otherwise than they must be", _wrong(sales, said)),
        _finding("holds of payments that are in order", _needless(sales, said)),
        _finding("holds that do not name their payment", _unexplained(said)),
        _finding("opportunities that show another sum as paid", _shown_wrong(sales, ledger)),
        _finding("invoices that show another sum as paid", _invoiced_wrong(sales, ledger)),
    ]


def sums(sales: Sequence[Sale], ledger: Ledger) -> dict[str, tuple[str, str, str]]:
    """Return by currency what must be paid, what invoices show, and what opportunities show, as decimal text."""
    found: dict[str, list[int]] = {}
    for sale in sales:
        if sale.story.keeps_invoice:
            parts = found.setdefault(sale.currency, [0, 0, 0])
            parts[0] += sale.story.shown_paid
            parts[1] += _minor(str(ledger.invoices[sale.invoice_id]["paid"]["amount"]), sale.currency)
            shown = ledger.opportunities[sale.opportunity_id].get(SHOWN["paid"], "")
            parts[2] += _minor(shown, sale.currency) if shown not in {"", "None"} else 0
    return {code: (text(a, code), text(b, code), text(c, code)) for code, (a, b, c) in sorted(found.items())}


def stray_clients(sales: Sequence[Sale]) -> set[int]:
    """Return the clients whose sums cannot meet, because money of theirs counts towards no invoice of theirs."""
    found: set[int] = set()
    for sale in sales:
        for _, step in sale.told():
            if step.is_stray:
                found |= {sale.client_id, int(step.marks.get("clientid", sale.client_id))}
    return found


def _missing(sales: Sequence[Sale]) -> Iterator[str]:
    for sale in sales:
        if len(sale.payment_ids) != len(sale.story.steps):
            yield f"invoice {sale.invoice_id}: {sale.story.kind}"


def _wrong(sales: Sequence[Sale], said: Said) -> Iterator[str]:
    for sale in sales:
        for payment_id, step in sale.told():
            if not said.is_right(payment_id, step):
                now = said.reasons.get(payment_id) or said.verdicts.get(payment_id)
                yield f"payment {payment_id} ({sale.story.kind}) is {now}"


def _needless(sales: Sequence[Sale], said: Said) -> Iterator[str]:
    due = {payment_id for sale in sales for payment_id, step in sale.told() if step.reason}
    yield from (f"payment {each}: {reason}" for each, reason in said.reasons.items() if each not in due)


def _unexplained(said: Said) -> Iterator[str]:
    yield from (f"payment {each}" for each in said.reasons if f"payment {each} " not in said.explanations.get(each, ""))


def _shown_wrong(sales: Sequence[Sale], ledger: Ledger) -> Iterator[str]:
    for sale in sales:
        if sale.story.keeps_invoice and not _shows(ledger.opportunities.get(sale.opportunity_id, {}), sale):
            yield f"opportunity {sale.opportunity_id} ({sale.story.kind})"


def _shows(fields: Mapping[str, str], sale: Sale) -> bool:
    paid, left = sale.story.shown_paid, sale.amount - sale.story.shown_paid
    wanted_paid = {text(paid, sale.currency)} if paid else {"", "None", text(0, sale.currency)}
    return fields.get(SHOWN["paid"], "") in wanted_paid and fields.get(SHOWN["outstanding"]) == text(
        left, sale.currency
    )


def _invoiced_wrong(sales: Sequence[Sale], ledger: Ledger) -> Iterator[str]:
    """The stand-in's own arithmetic is checked too: a story that is wrong about it proves nothing."""
    for sale in sales:
        invoice = ledger.invoices[sale.invoice_id]
        if sale.story.keeps_invoice and _minor(str(invoice["paid"]["amount"]), sale.currency) != sale.story.shown_paid:
            yield f"invoice {sale.invoice_id} ({sale.story.kind})"


def _minor(amount: str, currency: str) -> int:
    """Return decimal text in minor units. Raises ValueError for more decimals than the currency has."""
    places = len(text(0, currency).partition(".")[2])
    whole, _, cents = amount.partition(".")
    if cents[places:].strip("0"):
        raise ValueError(f"{amount} is no amount of {currency}")
    sign = -1 if whole.startswith("-") else 1
    return sign * int(whole.lstrip("-") + cents[:places].ljust(places, "0"))


def _finding(what: str, offenders: Iterator[str]) -> Finding:
    found = list(offenders)
    return Finding(what, len(found), found[:MOST_OFFENDERS])
