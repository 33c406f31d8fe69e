"""What calls cost, and which of them count as heavy.

Source: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
"""

from math import ceil

from sandbox.calls import Call
from sandbox.settings import ZohoCrmCosts
from sandbox.zoho_crm.account import API
from sandbox.zoho_crm.coql import DEFAULT_LIMIT, Parser, WrongQuery
from sandbox.zoho_crm.modules import MODULES

HEAVY_WRITE = 10
"""Records up to which a write is not heavy."""


def credits_of(call: Call, costs: ZohoCrmCosts) -> int:
    """Return the credits that a call costs."""
    path = call.path.removeprefix(API)
    if path == "/coql":
        rows = _rows(call)
        return costs.coql * (1 if rows <= 200 else 2 if rows <= 1_000 else 3)
    if path.endswith("/actions/convert"):
        return costs.convert
    if path.endswith("/search"):
        return costs.search
    written = _written(call, path)
    return costs.ten_records * ceil(written / 10) if written else costs.call


def is_heavy(call: Call) -> bool:
    """Return whether a call counts against the limit of heavy calls at the same time."""
    path = call.path.removeprefix(API)
    if path == "/coql" or path.endswith(("/search", "/actions/convert")) or _written(call, path) > HEAVY_WRITE:
        return True
    return path.strip("/") in MODULES and ("cvid" in call.query or call.query.get("sort_by", "id") != "id")


def _written(call: Call, path: str) -> int:
    """Return how many records a call inserts, updates or upserts."""
    if call.method not in {"POST", "PUT"} or path.split("/")[1] not in MODULES:
        return 0
    try:
        body = call.json()
    except ValueError:
        return 0
    rows = body.get("data") if isinstance(body, dict) else None
    return len(rows) if isinstance(rows, list) else 0


def _rows(call: Call) -> int:
    """Return how many rows a query may bring."""
    try:
        body = call.json()
        return Parser(str(body["select_query"])).query().limit
    except (ValueError, KeyError, TypeError, WrongQuery):
        return DEFAULT_LIMIT
