"""What projects, time entries and services have in common: a business in the path, `meta` beside each list, and plain
objects without the envelope of accounting.

Source: https://www.freshbooks.com/api/project, /api/time_entries, /api/services
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.calls import Call, id_of
from sandbox.freshbooks.account import ACCOUNT_ID, BUSINESS_ID, IDENTITY_ID, Account
from sandbox.freshbooks.business_values import Parser, asked_number, parsed
from sandbox.freshbooks.errors import invalid, missing, unreadable
from sandbox.freshbooks.identity import EMAIL, NAME, PERSON
from sandbox.freshbooks.paging import BUSINESS_SIZE, LARGEST
from sandbox.ledger import Record
from sandbox.past import Lag
from sandbox.settings import Colleague, bounds

HIDDEN = ("accounting_systemid",)
"""Stored with every record of a business, and never answered."""


def business_of(account: Account, call: Call) -> int:
    """Return the business that a path names. Raises the 404, also for an id of another kind."""
    business_id = id_of(call.params["business"])
    if not account.knows_business(business_id):
        raise missing()
    return business_id


def named_business(account: Account, draft: Record) -> int:
    """Return the business that a person's draft names, or else the sandbox's own. Raises the 404."""
    business_id = id_of(str(draft.get("business_id", BUSINESS_ID)))
    if not account.knows_business(business_id):
        raise missing()
    return business_id


def account_id_of(account: Account, business_id: int) -> str:
    """Return the account of a business, or an empty text if it has none."""
    if business_id == BUSINESS_ID:
        return ACCOUNT_ID
    return account.settings.businesses[business_id - BUSINESS_ID - 1].account_id or ""


def found(account: Account, kind: str, call: Call) -> Record:
    """Return the record that a path names. Raises the 404."""
    business_id = business_of(account, call)
    record = account.records.get(kind, id_of(call.params["id"]))
    if record is None or record["business_id"] != business_id:
        raise missing()
    return record


def listed(account: Account, kind: str, call: Call) -> list[Record]:
    """Return the records of the business that a path names, oldest first, as a list shows them that lags behind."""
    business_id, settings = business_of(account, call), account.settings
    names = (call.query.keys() & settings.LAGGING) or {"list"}
    lag = Lag(settings.lag_of(set(names)), bounds(settings.update_lag))
    return [each for each in account.records.listed(kind, lag) if each["business_id"] == business_id]


def asked(call: Call, parsers: Mapping[str, Parser]) -> Record:
    """Return the filters that a query asks for; unknown keys are ignored. Raises a 422."""
    return parsed({key: call.query[key] for key in parsers if key in call.query}, parsers)


def page_of(
    call: Call,
    key: str,
    records: Sequence[Record],
    view: Callable[[Record], Record],
    *,
    extra: int,
    size: int = BUSINESS_SIZE,
) -> Record:
    """Return one page and its `meta`. `page=0` is the first page, `per_page` stops silently at 100. Raises a 422."""
    wanted = asked(call, {"page": asked_number, "per_page": asked_number})
    page, per_page = wanted.get("page") or 1, min(wanted.get("per_page") or size, LARGEST)
    total = len(records) + extra
    meta: Record = {"sort": [], "total": total, "per_page": per_page, "page": page, "pages": -(-total // per_page)}
    return {key: [view(each) for each in records[(page - 1) * per_page : page * per_page]], "meta": meta}


def content(call: Call, key: str) -> Record:
    """Return the object under a body's one key. Raises the 400 for what is no JSON, or a 422."""
    try:
        body = call.json()
    except ValueError as error:
        raise unreadable() from error
    inner: Any = body.get(key) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        raise invalid({key: "field required"})
    return inner


def identities(account: Account, business_id: int = BUSINESS_ID) -> range:
    """Return the ids of all who work in a business, those who have left too; a further one has its owner alone."""
    return range(IDENTITY_ID, IDENTITY_ID + 1 + (len(account.settings.staff) if business_id == BUSINESS_ID else 0))


def members(account: Account, business_id: int) -> list[Record]:
    """Return who works in a business, as the members of a group."""
    people = [Colleague(**PERSON, email=EMAIL), *account.settings.staff]
    return [_member(*each) for each in zip(identities(account, business_id), people, strict=False)]


def _member(identity_id: int, person: Colleague) -> Record:
    return {
        "id": identity_id,
        "identity_id": identity_id,
        "role": "owner" if identity_id == IDENTITY_ID else "employee",
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "company": NAME,
        "active": person.active,
    }
