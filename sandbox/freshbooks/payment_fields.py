"""The fields of payments: what may be written, and what is refused. Source: https://www.freshbooks.com/api/payments"""

from decimal import Decimal

from sandbox.freshbooks.account import CURRENCY, Account
from sandbox.freshbooks.errors import refused, unknown
from sandbox.freshbooks.totals import reckoner
from sandbox.freshbooks.values import currency, day, flag, money, text, whole
from sandbox.ledger import Record

THING = "payment"
DELETED = 1
CARDS = ("Credit Card", "Debit", "2Checkout", "VISA", "MASTERCARD", "DISCOVER", "AMEX", "DINERS", "JCB")
TYPES = ("Check", "Credit", "Cash", "Bank Transfer", "PayPal", "ACH", "Other", *CARDS)


def blank(account_id: str) -> Record:
    """Return a payment with nothing in it."""
    return {
        **dict.fromkeys(("id", "logid", "invoiceid", "clientid"), 0),
        "accounting_systemid": account_id,
        "amount": None,
        "date": "",
        "type": "Other",
        "note": None,
        "send_client_notification": None,
        "from_credit": False,
        **dict.fromkeys(("creditid", "overpaymentid", "bulk_paymentid", "orderid", "transactionid", "gateway")),
        "vis_state": 0,
    }


def written(account: Account, payment: Record, draft: Record, *, new: bool, by_hand: bool) -> Record:
    """Return a payment after ordinary fields were written; unknown and read-only keys are ignored. Raises a 404 or 422.

    By hand any invoice, currency and sign is taken.
    """
    changed = {**payment, **_plain_fields(draft)}
    if new or "invoiceid" in draft:
        changed |= _invoice(account, payment, draft, by_hand=by_hand)
    if new or "amount" in draft:
        changed["amount"] = _amount(account, changed, draft, by_hand=by_hand)
    if new or "date" in draft:
        changed["date"] = day("date", _required(draft, "date"), THING).isoformat()
    return changed | _credit(account, changed, draft)


def _required(draft: Record, key: str) -> object:
    if draft.get(key) in (None, ""):
        raise refused(1001, f"'{key}' is a required field.", key, THING)
    return draft[key]


def _plain_fields(draft: Record) -> Record:
    found: Record = {}
    if draft.get("type") is not None:
        if draft["type"] not in TYPES:
            raise refused(1004, "'type' is not a known type of payment.", "type", THING, value=draft["type"])
        found["type"] = draft["type"]
    if "note" in draft:
        found["note"] = text("note", draft["note"], None, THING, long=True)
    if draft.get("send_client_notification") is not None:
        key = "send_client_notification"
        found[key] = flag(key, draft[key], THING)
    return found


def _invoice(account: Account, payment: Record, draft: Record, *, by_hand: bool) -> Record:
    number = whole("invoiceid", draft.get("invoiceid") or 0 if by_hand else _required(draft, "invoiceid"), THING)
    invoice = account.records.get("invoice", number)
    if invoice is not None and invoice["accounting_systemid"] != payment["accounting_systemid"]:
        invoice = None
    if not by_hand and invoice is None:
        raise unknown("invoice", "invoiceid", number)
    if not by_hand and invoice is not None and invoice["vis_state"] == DELETED:
        raise refused(1011, "The invoice is deleted.", "invoiceid", "invoice", value=number)
    client_id = invoice["customerid"] if invoice else whole("clientid", draft.get("clientid") or 0, THING)
    return {"invoiceid": number, "clientid": client_id}


def _amount(account: Account, payment: Record, draft: Record, *, by_hand: bool) -> Record:
    said = _required(draft, "amount")
    invoice = account.records.get("invoice", payment["invoiceid"])
    code = invoice["currency_code"] if invoice else CURRENCY
    if by_hand and isinstance(said, dict) and said.get("code"):
        code = currency(said["code"], THING)
    amount: Decimal = money("amount", said, code, THING)
    if not by_hand and amount <= 0:
        raise refused(1025, "'amount' must be more than zero.", "amount", THING, value=amount)
    return reckoner(account.settings, code).money(amount)


def _credit(account: Account, payment: Record, draft: Record) -> Record:
    """Return which credit note a payment is made from. Raises a 404, or a 422 if that is too small or another's."""
    found: Record = {}
    if draft.get("from_credit") is not None:
        found["from_credit"] = flag("from_credit", draft["from_credit"], THING)
    if draft.get("creditid"):
        found |= {"creditid": whole("creditid", draft["creditid"], THING), "from_credit": True, "type": "Credit"}
    credit_id = found.get("creditid", payment["creditid"])
    if not credit_id or payment["vis_state"] == DELETED:
        return found
    credit = account.records.get("credit_note", credit_id)
    if credit is None or credit["clientid"] != payment["clientid"] or credit["vis_state"] == DELETED:
        raise unknown("credit_note", "creditid", credit_id)
    used = sum((Decimal(each["amount"]["amount"]) for each in others_from(account, payment, credit_id)), Decimal(0))
    too_much = used + Decimal(payment["amount"]["amount"]) > Decimal(credit["amount"]["amount"])
    if credit["currency_code"] != payment["amount"]["code"] or too_much:
        raise refused(1004, "The credit does not cover the amount.", "creditid", THING, value=credit_id)
    return found


def others_from(account: Account, payment: Record, credit_id: int) -> list[Record]:
    """Return the other payments that are made from a credit note and not deleted."""
    found = (account.records.get(THING, each) for each in account.payments.find("creditid", credit_id))
    return [each for each in found if each and each["id"] != payment["id"] and each["vis_state"] != DELETED]
