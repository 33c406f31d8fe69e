"""The fields that estimates and invoices share: what may be written, and what follows from it.

Source: https://www.freshbooks.com/api/estimates, /api/invoices
"""

from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import EASTERN
from sandbox.freshbooks.account import LANGUAGE, Account, eastern
from sandbox.freshbooks.document_kind import DocumentKind
from sandbox.freshbooks.document_lines import in_currency, lines
from sandbox.freshbooks.errors import refused, unknown
from sandbox.freshbooks.staff import OWNER_ID, staff_ids
from sandbox.freshbooks.totals import reckoner, totals
from sandbox.freshbooks.values import currency, day, percent, text, whole
from sandbox.ledger import Record

SNAPSHOT = {
    **{key: key for key in ("fname", "lname", "organization", "vat_name", "vat_number")},
    **{part: f"p_{part}" for part in ("street", "street2", "city", "province", "code", "country")},
}
"""What a document keeps of its client, and under which name the client has it."""

TEXTS = {"notes": "", "terms": None, "po_number": None, "template": "clean-grouped", "language": LANGUAGE}
LONG_TEXTS = ("notes", "terms")
DELETED = 1


def blank(account: Account, kind: DocumentKind, document_id: int, account_id: str) -> Record:
    """Return a document with nothing in it."""
    at = account.now()
    return {
        "id": document_id,
        kind.id_key: document_id,
        "accounting_systemid": account_id,
        "uuid": account.uuid_of(f"{kind.name} {document_id}"),
        "customerid": 0,
        "create_date": "",
        kind.number_key: "",
        "currency_code": "",
        **TEXTS,
        "discount_value": "0",
        "ownerid": OWNER_ID,
        "sentid": OWNER_ID,
        "ext_archive": 0,
        "address": "",
        **kind.blank,
        "created_at": eastern(at),
        "vis_state": 0,
        "lines": [],
    }


def written(account: Account, kind: DocumentKind, document: Record, draft: Record, *, new: bool) -> Record:
    """Return a document after ordinary fields were written; unknown and read-only keys are ignored. Raises a 404, 422
    or 403.
    """
    changed = {**document, **_client_of(account, kind, document, draft), **_plain_fields(kind, draft)}
    if new or kind.name == "estimate":
        changed |= {"ownerid": _owner(account, kind, draft, document["ownerid"])}
    if new or "create_date" in draft:
        changed["create_date"] = day("create_date", _required(kind, draft, "create_date"), kind.name).isoformat()
    if draft.get("currency_code"):
        changed["currency_code"] = currency(draft["currency_code"], kind.name)
    changed = kind.own(changed, draft, new=new)
    return _reckoned(account, kind, changed, draft)


def stamped(account: Account, document: Record) -> Record:
    """Return a document as changed just now."""
    at = account.now()
    return {**document, "updated": eastern(at), "version": at.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S.%f")}


def due(document: Record) -> str:
    """Return the day on which an invoice is due. Raises a 422 for an offset that leads out of the calendar."""
    try:
        date = datetime.fromisoformat(document["create_date"]) + timedelta(days=document["due_offset_days"])
    except OverflowError as error:
        raise refused(1004, "'due_offset_days' is too large.", "due_offset_days", "invoice") from error
    return date.date().isoformat()


def _required(kind: DocumentKind, draft: Record, key: str) -> Any:
    if draft.get(key) in (None, ""):
        raise refused(1001, f"'{key}' is a required field.", key, kind.name)
    return draft[key]


def _client_of(account: Account, kind: DocumentKind, document: Record, draft: Record) -> Record:
    """Return what a document takes over from its client: at its creation, and when it goes to another one."""
    if document["customerid"] and "customerid" not in draft:
        return {}
    client_id = whole("customerid", _required(kind, draft, "customerid"), kind.name)
    client = account.records.get("client", client_id)
    if client is None or client["accounting_systemid"] != document["accounting_systemid"]:
        raise unknown("client", "customerid", client_id)
    if client_id == document["customerid"]:
        return {}
    if client["vis_state"] == DELETED:
        raise refused(1011, "The client is deleted.", "customerid", "client", value=client_id)
    snapshot = {key: client[source] for key, source in SNAPSHOT.items()}
    habits = {} if document["customerid"] else {key: client[key] for key in ("currency_code", "language")}
    return {"customerid": client_id, **snapshot, **habits}


def _plain_fields(kind: DocumentKind, draft: Record) -> Record:
    found: Record = {}
    for key, empty in TEXTS.items():
        if key in draft:
            found[key] = text(key, draft[key], empty, kind.name, long=key in LONG_TEXTS)
    if "discount_value" in draft:
        found["discount_value"] = percent("discount_value", draft["discount_value"], kind.name)
    if "ext_archive" in draft:
        found["ext_archive"] = whole("ext_archive", draft["ext_archive"], kind.name)
    return found


def _owner(account: Account, kind: DocumentKind, draft: Record, before: int) -> int:
    if draft.get("ownerid") is None:
        return before
    owner_id = whole("ownerid", draft["ownerid"], kind.name)
    if owner_id not in staff_ids(account):
        raise unknown("staff", "ownerid", owner_id)
    return owner_id


def _reckoned(account: Account, kind: DocumentKind, document: Record, draft: Record) -> Record:
    """Return a document with its lines, which replace all there were, and with what they come to."""
    reckon = reckoner(account.settings, document["currency_code"])
    if draft.get("lines") is not None:
        rows = lines(account, kind, document["id"], draft["lines"], reckon)
    else:
        rows = in_currency(document["lines"], reckon)
    reduction, amount = totals(reckon, rows, document["discount_value"])
    found = {"lines": rows, "discount_total": reckon.money(reduction), "amount": reckon.money(amount)}
    return {**document, **found, "description": rows[0]["description"] if rows else ""}
