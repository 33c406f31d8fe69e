"""The lines of a document, which are always written as a whole. Unknown keys, a third tax too, are passed over.

Source: https://www.freshbooks.com/api/invoices
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.freshbooks.account import Account, eastern
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.errors import refused
from sandbox.freshbooks.totals import Reckoner
from sandbox.freshbooks.values import flag, money, number, percent, plain, rows, text, whole
from sandbox.ledger import Record

REBILLED_EXPENSE = 1


def lines(account: Account, kind: DocumentKind, document_id: int, draft: Any, reckon: Reckoner) -> list[Record]:
    """Return lines as they are stored, with their amounts. Raises a 422."""
    at = eastern(account.now())
    tax_numbers = {each["name"]: each["number"] for each in account.records.all("tax")}
    found = [_line(kind.name, each, reckon, tax_numbers) for each in rows("lines", draft, kind.name)]
    return [
        {"lineid": place, kind.id_key: document_id, **line, "taskno": place, "updated": at}
        for place, line in enumerate(found, 1)
    ]


def in_currency(stored: list[Record], reckon: Reckoner) -> list[Record]:
    """Return stored lines with the same numbers in another currency: nothing is converted."""
    return [{**line, **_amounts(Decimal(line["qty"]), Decimal(line["unit_cost"]["amount"]), reckon)} for line in stored]


def _line(thing: str, draft: Record, reckon: Reckoner, tax_numbers: Mapping[str, str | None]) -> Record:
    quantity = number("qty", 1 if draft.get("qty") is None else draft["qty"], thing)
    cost = Decimal(0) if draft.get("unit_cost") is None else money("unit_cost", draft["unit_cost"], reckon.code, thing)
    return {
        **_nature(thing, draft),
        "name": text("name", draft.get("name"), "", thing),
        "description": text("description", draft.get("description"), "", thing, long=True),
        "qty": plain(quantity),
        **_amounts(quantity, cost, reckon),
        **_tax(thing, draft, 1, tax_numbers),
        **_tax(thing, draft, 2, tax_numbers),
        "compounded_tax": flag("compounded_tax", draft.get("compounded_tax", False), thing),
        "basecampid": 0,
        **dict.fromkeys(("date", "retainer_id", "retainer_period_id", "modern_project_id")),
        "modern_time_entries": [],
    }


def _nature(thing: str, draft: Record) -> Record:
    """Return what sort of line it is; one that bills an expense names it."""
    sort = whole("type", draft.get("type") or 0, thing)
    if sort not in (0, REBILLED_EXPENSE):
        raise refused(1004, "The field 'type' must be 0 or 1.", "type", thing, value=sort)
    expense_id = whole("expenseid", draft.get("expenseid") or 0, thing)
    if sort == REBILLED_EXPENSE and not expense_id:
        raise refused(1001, "'expenseid' is a required field.", "expenseid", thing)
    return {"type": sort, "expenseid": expense_id}


def _amounts(quantity: Decimal, cost: Decimal, reckon: Reckoner) -> Record:
    """Return unit cost and amount. A unit cost finer than the currency is rounded without a word."""
    shown = reckon.rounded(cost)
    return {"unit_cost": reckon.money(shown), "amount": reckon.money(quantity * shown)}


def _tax(thing: str, draft: Record, slot: int, tax_numbers: Mapping[str, str | None]) -> Record:
    """Return one of the two taxes of a line. A percentage needs a name."""
    name = text(f"taxName{slot}", draft.get(f"taxName{slot}"), None, thing) or None
    share = percent(f"taxAmount{slot}", draft.get(f"taxAmount{slot}"), thing)
    if name is None and share != "0":
        raise refused(1001, f"'taxName{slot}' is a required field.", f"taxName{slot}", thing)
    return {f"taxName{slot}": name, f"taxAmount{slot}": share, f"taxNumber{slot}": tax_numbers.get(name or "")}
