"""What only invoices have: when they are due, what is paid of them, and their states.

Source: https://www.freshbooks.com/api/invoices
"""

from decimal import Decimal
from typing import Any

from sandbox.clock import EASTERN
from sandbox.freshbooks import emails
from sandbox.freshbooks.account import Account
from sandbox.freshbooks.document_fields import SNAPSHOT, due
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.errors import refused, unknown
from sandbox.freshbooks.totals import reckoner
from sandbox.freshbooks.values import day, flag, text, whole
from sandbox.ledger import Record

THING = "invoice"
DRAFT, SENT, VIEWED, PAID, PARTIAL = 1, 2, 3, 4, 8
DELETED = 1
WORDS = {DRAFT: "draft", SENT: "sent", VIEWED: "viewed"}
SETTABLE = "Status must be one of 'draft', 'sent', 'viewed' or 'disputed'."
TEXTS = (*SNAPSHOT, "address", "discount_description", "payment_details", "return_uri")
FLAGS = ("gmail", "show_attachments", "use_default_presentation", "auto_bill")
BLANK: Record = {
    "due_offset_days": 0,
    "status": DRAFT,
    "v3_status": "draft",
    "display_status": "draft",
    "payment_status": "unpaid",
    "deposit_status": "none",
    "deposit_amount": None,
    "deposit_percentage": None,
    "discount_description": None,
    **dict.fromkeys(("autobill_status", "last_order_status", "dispute_status", "net_paid_amount")),
    **dict.fromkeys(("date_paid", "generation_date", "fulfillment_date", "return_uri")),
    **dict.fromkeys(("estimateid", "parent", "basecampid"), 0),
    "payment_details": "",
    **dict.fromkeys(FLAGS, False),
    "paid": None,
}


def own(document: Record, draft: Record, *, new: bool) -> Record:
    """Return an invoice after the fields were written that estimates do not have. Raises a 403 or a 422."""
    if "due_date" in draft:
        reason = "Write access denied to field due_date."
        raise refused(1038, reason, "due_date", THING, value=draft["due_date"], status=403)
    changed = {**document, **_texts(draft), **{key: flag(key, draft[key], THING) for key in FLAGS if key in draft}}
    if draft.get("due_offset_days") is not None:
        changed["due_offset_days"] = _offset(draft["due_offset_days"])
    if "fulfillment_date" in draft:
        date = draft["fulfillment_date"]
        changed["fulfillment_date"] = None if date is None else day("fulfillment_date", date, THING).isoformat()
    if new:
        changed["estimateid"] = whole("estimateid", draft.get("estimateid") or 0, THING)
    changed |= _status(draft)
    return {**changed, "due_date": due(changed)}


def with_balance(account: Account, invoice: Record) -> Record:
    """Return an invoice with what is paid and what is outstanding of its amount."""
    reckon = reckoner(account.settings, invoice["currency_code"])
    paid, amount = Decimal(invoice["paid"]["amount"] if invoice["paid"] else 0), Decimal(invoice["amount"]["amount"])
    state: Record = {}
    if payments := payments_of(account, invoice["id"]):
        counted = counting(payments, invoice["currency_code"])
        received = sum((Decimal(each["amount"]["amount"]) for each in counted), Decimal(0))
        paid = min(received, amount) if account.settings.overpaid_shown == "capped" else received
        last = max((each["date"] for each in counted), default=None)
        state = _paid_state(invoice, received, amount, last)
    return {**invoice, **state, "paid": reckon.money(paid), "outstanding": reckon.money(amount - paid)}


def payments_of(account: Account, invoice_id: int) -> list[Record]:
    """Return all payments of an invoice, deleted ones too."""
    found = (account.records.get("payment", each) for each in sorted(account.payments.find("invoiceid", invoice_id)))
    return [each for each in found if each is not None]


def counting(payments: list[Record], code: str) -> list[Record]:
    """Return the payments that count towards an invoice in a currency: nothing is converted."""
    return [each for each in payments if each["vis_state"] != DELETED and each["amount"]["code"] == code]


def _paid_state(invoice: Record, received: Decimal, amount: Decimal, last: str | None) -> Record:
    """Return the states that follow from what came in. Without any of it an invoice is again what it was: the display
    status, which no payment changes, still says so.
    """
    if received > 0 and received >= amount:
        return {"status": PAID, "v3_status": "paid", "payment_status": "paid", "date_paid": last}
    if received > 0:
        return {"status": PARTIAL, "v3_status": "partial", "payment_status": "partial", "date_paid": None}
    before = next((number for number, word in WORDS.items() if word == invoice["display_status"]), DRAFT)
    return {**_moved({}, before), "payment_status": "unpaid", "date_paid": None}


def shown_state(account: Account, invoice: Record) -> Record:
    """Return the states of an invoice as answered: one that is past its day is overdue, without having been written."""
    today = account.now().astimezone(EASTERN).date().isoformat()
    open_states = ("sent", "viewed", *(["partial"] if account.settings.partial_can_be_overdue else []))
    late = invoice["v3_status"] in open_states and invoice["due_date"] < today
    return {"v3_status": "overdue"} if late else {}


def view(invoice: Record) -> Record:
    """Return an invoice after its client looked at it, which only counts the first time."""
    return _moved(invoice, VIEWED) if invoice["status"] == SENT else invoice


def mark_as_sent(account: Account, invoice: Record, asked: Record) -> Record:
    """Return an invoice as sent. One that was sent, or paid, stays what it is."""
    del account
    wanted = flag("action_mark_as_sent", asked.get("action_mark_as_sent", True), THING)
    return _moved(invoice, SENT) if wanted and invoice["status"] == DRAFT else invoice


def email(account: Account, invoice: Record, asked: Record) -> Record:
    """Send an invoice by email, and return it as sent. Raises a 422 if there is no address."""
    if not flag("action_email", asked.get("action_email", True), THING):
        return invoice
    emails.send(account, THING, invoice, asked)
    return mark_as_sent(account, invoice, {})


def estimate_of(account: Account, invoice: Record) -> Record | None:
    """Return the estimate that an invoice was made of, if any. Raises the 404 for one that does not exist."""
    if not invoice["estimateid"]:
        return None
    found = account.records.get("estimate", invoice["estimateid"])
    if found is None or found["accounting_systemid"] != invoice["accounting_systemid"]:
        raise unknown("estimate", "estimateid", invoice["estimateid"])
    return found


def _moved(invoice: Record, status: int) -> Record:
    return {**invoice, "status": status, "v3_status": WORDS[status], "display_status": WORDS[status]}


def _texts(draft: Record) -> Record:
    return {key: text(key, draft[key], BLANK.get(key, ""), THING) for key in TEXTS if key in draft}


def _offset(value: Any) -> int:
    days = whole("due_offset_days", value, THING)
    if days < 0:
        raise refused(1025, "'due_offset_days' must not be negative.", "due_offset_days", THING, value=days)
    return days


def _status(draft: Record) -> Record:
    """Return the states after a number was written as status. The word for it is refused, and so is what only a
    payment can bring about.
    """
    if draft.get("status") is None:
        return {}
    status = draft["status"]
    if type(status) is not int:
        raise refused(1015, "The field 'status' must be a number.", "status", THING, value=status)
    if status not in WORDS:
        raise refused(1004, SETTABLE, "status", THING, value=status)
    return _moved({}, status)


INVOICE = DocumentKind(
    name=THING,
    blank=BLANK,
    own=own,
    actions={"action_mark_as_sent": mark_as_sent, "action_email": email},
    numbers_are_unique=lambda _settings: True,
)
