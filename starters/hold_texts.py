"""What a hold says to the person who decides it. It may quote a record's values: it is for the terminal alone."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from starters.record_names import OPPORTUNITIES_FLOW
from store.holds import OpenHold
from workflows.desk import HOURS, choices_of

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "approval": {
        "approve": "FreshBooks gets this very invoice; if any of it has changed by then, you are asked again",
        "reject": "nothing is sent; you are asked again once the opportunity changes",
    },
    "money-mismatch": {"approve": "leave the document as FreshBooks computed it"},
    "breaker": {"approve": "write once more"},
    "conflict": {
        "crm": "the opportunity is right: the document takes its values over",
        "books": "FreshBooks is right: the opportunity takes over what its estimate says; an invoice stays as it is",
    },
}
"""What a choice does to an opportunity and its documents."""
RETRY = "look at both sides again, and go on if the reason is gone"
SKIP = "leave this change alone; the next change of the opportunity is looked at again"


def hold_lines(hold: OpenHold, evidence: Mapping[str, Any]) -> list[str]:
    """Return what a person decides by, line by line: why it is held, and with which values."""
    lines = [f"{hold.reason}: {evidence.get('explanation', '')}"]
    lines += [f"  {each.get('field') or 'record'}: {each.get('message')}" for each in evidence.get("problems") or []]
    if hold.flow == HOURS:
        return [*lines, *_invoice(hold, evidence), *_amounts(evidence)]
    if hold.flow != OPPORTUNITIES_FLOW:
        return [*lines, *_balance(evidence), *_sums(evidence)]
    return [*lines, *_opportunity(hold, evidence), *_invoice(hold, evidence), *_amounts(evidence), *_sides(evidence)]


def in_short(hold: OpenHold, evidence: Mapping[str, Any]) -> str:
    """Return in a few words what is asked about an opportunity or about hours, with the amount; else ""."""
    if hold.flow not in {OPPORTUNITIES_FLOW, HOURS}:
        return ""
    if hold.reason == "approval":
        return f"{_numbered(evidence)} of {_money(evidence.get('total'), evidence.get('currency'))}"
    said = _known_as(evidence)
    worth = _money(said.get("amount"), said.get("currency"))
    return f"worth {worth}" if worth else ""


def choice_lines(hold: OpenHold, evidence: Mapping[str, Any]) -> list[str]:
    """Return the choices on one line, and of an opportunity's hold also what each of them does."""
    of_opportunity = hold.flow == OPPORTUNITIES_FLOW
    more = choices_of(hold.reason, evidence, hold.flow)
    lines = [f"choices: {', '.join(filter(None, (more, 'retry, skip')))}"]
    if of_opportunity:
        meant = {choice: MEANINGS[hold.reason][choice] for choice in more.split(", ") if choice}
        lines += [f"  {choice}: {meaning}" for choice, meaning in {**meant, "retry": RETRY, "skip": SKIP}.items()]
    return lines


def _balance(evidence: Mapping[str, Any]) -> list[str]:
    """Say what an invoice's payments come to, where a payment is held."""
    if "applied" not in evidence:
        return []
    parts = ("invoiced", "applied", "refunded", "over", "outstanding")
    said = ", ".join(f"{part} {_money(evidence.get(part), evidence.get('currency'))}" for part in parts)
    differs = [f"  {evidence['differences']}"] if evidence.get("differences") else []
    return [f"  invoice {evidence.get('invoice')}: {said}", *differs]


def _sums(evidence: Mapping[str, Any]) -> list[str]:
    """Say which sums of the daily proof do not meet, in minor units."""
    parts = {"invoiced": "invoiced", "shown_paid": "shown as paid", "outstanding": "outstanding", "paid": "payments"}
    parts |= {"overpaid": "overpaid"}
    return [
        f"  client {each.get('client_id')}, {each.get('currency')}, minor units: "
        + ", ".join(f"{words} {each.get(part)}" for part, words in parts.items())
        for each in evidence.get("sums") or []
    ]


def _opportunity(hold: OpenHold, evidence: Mapping[str, Any]) -> list[str]:
    said = _known_as(evidence)
    worth = _money(said.get("amount"), said.get("currency"))
    parts = [f"“{said.get('name')}”"] * bool(said.get("name")) + [f"worth {worth} before tax"] * bool(worth)
    parts += [f"at the milestone {said.get('milestone')}"] * bool(said.get("milestone"))
    return [f"  opportunity {hold.record_id}{' ' if parts else ''}{', '.join(parts)}"]


def _invoice(hold: OpenHold, evidence: Mapping[str, Any]) -> list[str]:
    """Say of an invoice that waits for approval what the customer would be charged."""
    if hold.reason != "approval":
        return []
    total = _money(evidence.get("total"), evidence.get("currency"))
    begun = "would be made" if evidence.get("action") == "create" else "would be changed"
    of_estimate = f", from estimate {evidence['estimate']}" if evidence.get("estimate") else ""
    to_client = f" for client {evidence['client']}" if evidence.get("client") else ""
    lines = [f"  {_numbered(evidence)}{to_client} {begun}{of_estimate}: {total} in all, taxes included"]
    for line in evidence.get("charged") or []:
        each = _money(line.get("unit_cost"), evidence.get("currency"))
        taxes = ", ".join(f"{tax.get('name')} {tax.get('percent')} %" for tax in line.get("taxes") or [])
        lines.append(f"    {line.get('quantity')} at {each}: {line.get('name')}{f' ({taxes})' if taxes else ''}")
    return lines


def _numbered(evidence: Mapping[str, Any]) -> str:
    """Name an invoice; that of hours gets its number once it is made."""
    return f"invoice {evidence['number']}" if evidence.get("number") else "an invoice"


def _amounts(evidence: Mapping[str, Any]) -> list[str]:
    """Say which two amounts do not agree."""
    known_as = _known_as(evidence)
    currency = evidence.get("currency") or known_as.get("currency")
    if "predicted" in evidence:
        predicted, answered = (_money(evidence.get(key), currency) for key in ("predicted", "answered"))
        return [f"  predicted: {predicted}; FreshBooks computed: {answered}"]
    if "lines" in evidence:
        come_to, says = _money(evidence["lines"], currency), _money(known_as.get("amount"), currency)
        return [f"  the lines come to {come_to}; the opportunity says {says}"]
    return []


def _sides(evidence: Mapping[str, Any]) -> list[str]:
    """Say what each side says of the fields that both have changed."""
    fields = evidence.get("fields") or {}
    return [
        f"  {field}: the CRM says {said.get('crm')}; FreshBooks says {said.get('books')}"
        for field, said in sorted(fields.items())
    ]


def _known_as(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how people know the opportunity; a hold of an earlier version says at most its amount."""
    said = evidence.get("opportunity")
    return said if isinstance(said, Mapping) else {"amount": said}


def _money(amount: Any, currency: Any) -> str:
    """Return an amount as people read it, in the system's own digits: "5,950.00 EUR"."""
    try:
        return f"{Decimal(str(amount)):,} {currency or ''}".rstrip()
    except InvalidOperation:
        return ""
