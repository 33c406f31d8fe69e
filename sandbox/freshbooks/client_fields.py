"""The fields of a client: what may be written, what stands there at first.

Source: https://www.freshbooks.com/api/clients
"""

from datetime import datetime
from typing import Any

from sandbox.freshbooks.account import ACCOUNT_ID, CURRENCY, LANGUAGE, Account, eastern, utc
from sandbox.freshbooks.errors import refused
from sandbox.freshbooks.values import currency, flag, rows, text
from sandbox.ledger import Record

PLACE = ("street", "street2", "city", "province", "code", "country")
ADDRESSES = tuple(f"{prefix}_{part}" for prefix in ("p", "s") for part in PLACE)
EMPTY_TEXTS = ("fname", "lname", "organization", "email", "bus_phone", "mob_phone", "fax", *ADDRESSES)
NULL_TEXTS = ("home_phone", "note", "vat_name", "vat_number", "company_industry", "company_size")
FLAGS = {
    "allow_late_fees": True,
    "allow_late_notifications": True,
    "allow_email_include_pdf": False,
    "pref_email": True,
    "pref_gmail": False,
}
CONTACT_TEXTS = ("fname", "lname", "email", "phone1", "phone2")
BALANCES = ("outstanding_balance", "credit_balance", "draft_balance", "overdue_balance", "grand_total_balance")


def blank(account: Account, client_id: int, at: datetime) -> Record:
    """Return a client with nothing in it."""
    return {
        "id": client_id,
        "userid": client_id,
        "accounting_systemid": ACCOUNT_ID,
        "uuid": account.uuid_of(f"client {client_id}"),
        **dict.fromkeys(EMPTY_TEXTS, ""),
        **dict.fromkeys(NULL_TEXTS),
        "currency_code": CURRENCY,
        "language": LANGUAGE,
        **FLAGS,
        "level": 0,
        "role": "client",
        "notified": False,
        "num_logins": 0,
        "last_login": None,
        "last_activity": None,
        "username": account.uuid_of(f"username {client_id}")[:8],
        **dict.fromkeys(("subdomain", "direct_link_token", "statement_token", "has_retainer", "retainer_id")),
        "contacts": [],
        "signup_date": utc(at),
        "updated": eastern(at),
        "vis_state": 0,
    }


def written(account: Account, client: Record, changes: Record) -> Record:
    """Return a client after ordinary fields were written; unknown and read-only keys are ignored. Raises a 422."""
    changed = dict(client)
    for key, value in changes.items():
        if key in EMPTY_TEXTS or key in NULL_TEXTS or key == "username":
            changed[key] = _text(key, value, "" if key in EMPTY_TEXTS else None)
        elif key in FLAGS:
            changed[key] = flag(key, value, "client")
    if "email" in changes and changed["email"] and "@" not in changed["email"]:
        raise refused(1004, "'email' is not a valid email address.", "email")
    if changes.get("currency_code"):
        changed["currency_code"] = currency(changes["currency_code"], "client")
    if changes.get("language"):
        changed["language"] = _text("language", changes["language"], LANGUAGE)
    if "contacts" in changes:
        changed["contacts"] = _contacts(account, client, changes["contacts"])
    return changed


def view(client: Record, includes: set[str]) -> Record:
    """Return a client as answered: balances and the like only where they were asked for."""
    more: Record = {key: [] for key in (*BALANCES, "late_reminders", "recent_contacts") if key in includes}
    return {**client, **more, **({"late_fee": None} if "late_fee" in includes else {})}


def _text(key: str, value: Any, empty: str | None) -> str | None:
    return text(key, value, empty, "client", long=key == "note")


def _contacts(account: Account, client: Record, items: Any) -> list[Record]:
    """Return the contacts that replace all others; those that come with their id keep it."""
    known = {each["contactid"] for each in client["contacts"]}
    return [_contact(account, client, item, known) for item in rows("contacts", items, "client")]


def _contact(account: Account, client: Record, item: Record, known: set[int]) -> Record:
    contact_id = item.get("contactid")
    if type(contact_id) is not int or contact_id not in known:
        contact_id = account.records.next_id("row")
    texts = {key: _text(key, item.get(key), "") for key in CONTACT_TEXTS}
    return {"contactid": contact_id, "userid": client["id"], **texts}
