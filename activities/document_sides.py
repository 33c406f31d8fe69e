"""How an estimate or an invoice looks to the activities that compare it with its opportunity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from activities.opportunity_models import DocumentPlan, DocumentSide, Kind, Line, LineTax
from connectors.freshbooks.document_models import Document, DocumentLine, Invoice, LineDraft
from connectors.freshbooks.models import ACTIVE
from mapping.money import Money, MoneyError
from mapping.values import Value, tidy
from store.links import Links


@dataclass(frozen=True)
class DocumentSettings:
    """What documents are made with. `link` shows an invoice to our own people, with {id} and {number} in it."""

    due_days: int = 30
    default_owner: str = ""
    link: str = ""


@dataclass(frozen=True)
class Staff:
    """Who can own an estimate, by id and by email address in small letters."""

    emails: Mapping[int, str] = field(default_factory=dict)

    def id_of(self, email: str) -> int | None:
        """Return whose address it is, None if FreshBooks does not know it."""
        wanted = email.strip().casefold()
        return next((staff_id for staff_id, known in self.emails.items() if known == wanted and wanted), None)


def document_side(
    document: Document, document_id: int, staff: Staff, settings: DocumentSettings, links: Links
) -> DocumentSide:
    """Return a document in the fields that plans compare."""
    lines = [_line(each) for each in document.lines or ()]
    currency = document.currency_code or ""
    values: dict[str, Value] = {
        "name": tidy(lines[0].name) if lines else None,
        "amount": _net(document, currency),
        "currency": currency or None,
        "notes": tidy(document.notes or ""),
        "owner": staff.emails.get(document.ownerid or 0),
    }
    seen: dict[str, Value] = {**values, "status": document.state, "number": document.number}
    seen |= {"total": _text(document.amount.amount if document.amount else None, currency)}
    seen |= {"visible": document.vis_state == ACTIVE}
    paid, outstanding = _paid(document, currency)
    seen |= {"paid": paid} if paid else {}
    return DocumentSide(
        document_id=document_id,
        visible=document.vis_state == ACTIVE,
        client_id=document.customerid or 0,
        number=document.number,
        reference=document.po_number or "",
        status=document.state,
        values=values,
        lines=lines,
        total=str(seen["total"] or ""),
        paid=paid,
        outstanding=outstanding,
        currency=currency,
        link=settings.link.replace("{id}", str(document_id)).replace("{number}", document.number),
        fingerprint=links.fingerprint(seen),
        created_at=document.created_at,
        changed_at=document.updated,
    )


def wire_values(
    kind: Kind, plan: DocumentPlan, reference: str, staff: Staff, settings: DocumentSettings, *, new: bool
) -> dict[str, Any]:
    """Return what is written beside the lines, in FreshBooks' words."""
    after = {each.field: each.after for each in plan.writes}
    values: dict[str, Any] = {}
    if "notes" in after:
        values["notes"] = after["notes"] or ""
    if "currency" in after:
        values["currency_code"] = after["currency"]
    if after.get("owner"):
        owner = staff.id_of(str(after["owner"])) or staff.id_of(settings.default_owner)
        values |= {"ownerid": owner} if owner is not None else {}
    return {**values, **(_of_new(kind, plan, reference, settings) if new else {})}


def drafts(lines: Sequence[Line], currency: str) -> list[LineDraft]:
    """Return lines as FreshBooks takes them."""
    return [
        LineDraft(
            name=line.name,
            unit_cost=Decimal(line.unit_cost),
            currency=currency,
            quantity=Decimal(line.quantity),
            description=line.description,
            taxes=[(tax.name, Decimal(tax.percent)) for tax in line.taxes],
        )
        for line in lines
    ]


def _of_new(kind: Kind, plan: DocumentPlan, reference: str, settings: DocumentSettings) -> dict[str, Any]:
    values: dict[str, Any] = {
        "customerid": plan.client_id,
        "create_date": _today(),
        f"{kind}_number": plan.number,
        "po_number": reference,
    }
    if kind == "invoice":
        values["due_offset_days"] = settings.due_days
        values |= {"estimateid": plan.estimate_id} if plan.estimate_id is not None else {}
    return values


def _today() -> date:
    return datetime.now(UTC).date()


def _line(said: DocumentLine) -> Line:
    return Line(
        name=said.name or "",
        description=said.description or "",
        quantity=_number(said.qty if said.qty is not None else Decimal(1)),
        unit_cost=_number(said.unit_cost.amount if said.unit_cost else Decimal(0)),
        taxes=[LineTax(name=name, percent=_number(percent)) for name, percent in said.taxes],
    )


def _net(document: Document, currency: str) -> str | None:
    """Return what the lines come to before tax: that is what an opportunity is worth."""
    if document.lines is None:
        return None
    total = sum((line.amount.amount for line in document.lines if line.amount), Decimal(0))
    discount = document.discount_total.amount if document.discount_total else Decimal(0)
    return _text(total + discount, currency)


def _paid(document: Document, currency: str) -> tuple[str, str]:
    """Return what is paid of an invoice and what is outstanding, as decimal text; empty while nothing is paid."""
    if not isinstance(document, Invoice) or document.paid is None or not document.paid.amount:
        return "", ""
    left = document.outstanding.amount if document.outstanding else None
    return _text(document.paid.amount, currency) or "", _text(left, currency) or ""


def _text(amount: Decimal | None, currency: str) -> str | None:
    if amount is None:
        return None
    try:
        return Money(amount, currency).format()
    except MoneyError:
        return f"{amount:f}"


def _number(number: Decimal) -> str:
    return f"{number:f}"
