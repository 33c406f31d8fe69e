"""Pages of 1 to 200 records: by number within the first 2,000, by token beyond.

Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""

import base64
import hashlib
import hmac
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import Any

from sandbox.calls import Call, id_of
from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account, stamp_of
from sandbox.zoho_crm.errors import bad_parameter, refused

LARGEST, DISCRETE, FARTHEST = 200, 2_000, 100_000
TOKEN_LIFE = 24 * 3600
SORTS = ("id", "Created_Time", "Modified_Time")

Key = tuple[str, int]


@dataclass(frozen=True)
class Order:
    """How a list is sorted."""

    by: str = "id"
    descending: bool = True

    @classmethod
    def read(cls, call: Call) -> "Order":
        """Return what a call asks for. Raises INVALID_DATA."""
        by, order = call.query.get("sort_by", "id"), call.query.get("sort_order", "desc")
        if by not in SORTS:
            raise bad_parameter("sort_by", supported_values=list(SORTS))
        if order not in {"asc", "desc"}:
            raise bad_parameter("sort_order", supported_values=["asc", "desc"])
        return cls(by, order == "desc")

    def key(self, record: Record) -> Key:
        """Return what a record is sorted by; records of one second by id."""
        return ("" if self.by == "id" else record[self.by]), int(record["id"])

    def told(self) -> Record:
        """Return it as the answer says it."""
        return {"sort_by": self.by, "sort_order": "desc" if self.descending else "asc"}


@dataclass(frozen=True)
class Page:
    """A page of a list, and where the next one begins."""

    rows: list[Record]
    info: Record


class Pager:
    """Cuts lists that are sorted upwards into pages."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._secret = f"pages {account.seed}".encode()

    def page(self, call: Call, rows: list[Record], order: Order) -> Page:
        """Return the page of a list that a call asks for. Raises what Zoho says of wrong pages and tokens."""
        size = size_of(call)
        token = self._token(call) if "page_token" in call.query else None
        number = token["page"] if token else page_of(call, size)
        start = token["start"] if token else (number - 1) * size
        rest = self._rest(rows, order, token, start)
        shown = rest[:size]
        more = len(rest) > size
        ahead = self._minted(call, number + 1, start + size, order.key(shown[-1])) if more else None
        behind = self._minted(call, number - 1, max(start - size, 0), None) if number > 1 else None
        info = {"per_page": size, "count": len(shown), "page": number, **order.told(), "more_records": more}
        expiry = self._account.shown(stamp_of(datetime.fromtimestamp(time() + TOKEN_LIFE, UTC))) if more else None
        return Page(
            shown, {**info, "next_page_token": ahead, "previous_page_token": behind, "page_token_expiry": expiry}
        )

    def _rest(self, rows: list[Record], order: Order, token: Record | None, start: int) -> list[Record]:
        """Return the rows from the place where a page begins: behind the last row of the page before, or, where the
        settings let pages shift, behind so many rows.
        """
        if token and token["last"] and not self._account.settings.shifting_pages:
            last = tuple(token["last"])
            if order.descending:
                return rows[: bisect_left(rows, last, key=order.key)][::-1]
            return rows[bisect_right(rows, last, key=order.key) :]
        return (rows[::-1] if order.descending else rows)[start:]

    def _token(self, call: Call) -> Record:
        if "page" in call.query:
            both = [{"param_name": name} for name in ("page", "page_token")]
            raise refused(
                "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", ambiguity_due_to=both
            )
        token = self._opened(call.query["page_token"])
        where: Record = {"api_name": "page_token", "json_path": "$.query.page_token"}
        if token is None:
            raise refused("PATTERN_NOT_MATCHED", "the page token is not valid", **where)
        if token["bound"] != self._bound(call):
            raise refused("TOKEN_BOUND_DATA_MISMATCH", "the page token belongs to another request", **where)
        if token["expires"] < time():
            raise refused("EXPIRED_VALUE", "Page token expired", **where)
        if token["start"] >= FARTHEST:
            raise refused("PAGINATION_LIMIT_EXCEEDED", "You can only get the first 100000 records", limit=FARTHEST)
        return token

    def _minted(self, call: Call, page: int, start: int, last: Key | None) -> str:
        content = {"page": page, "start": start, "last": last, "bound": self._bound(call)}
        text = json.dumps({**content, "expires": int(time()) + TOKEN_LIFE}).encode()
        return base64.urlsafe_b64encode(self._sign(text) + text).decode()

    def _opened(self, text: str) -> Record | None:
        try:
            raw = base64.urlsafe_b64decode(text)
        except ValueError:
            return None
        if not hmac.compare_digest(self._sign(raw[16:]), raw[:16]):
            return None
        content: Record = json.loads(raw[16:])
        return content

    def _sign(self, text: bytes) -> bytes:
        return hmac.new(self._secret, text, hashlib.sha256).digest()[:16]

    @staticmethod
    def _bound(call: Call) -> str:
        """Return what a token is bound to: the user and all other parameters."""
        others = sorted(item for item in call.query.multi_items() if item[0] not in {"page", "page_token"})
        bound = [call.token["user_id"], call.path, others, call.headers.get("if-modified-since")]
        return hashlib.sha256(json.dumps(bound).encode()).hexdigest()[:16]


def plain_page(call: Call, rows: list[Any], view: Callable[[Any], Record], key: str = "data") -> Record:
    """Return a page, by number alone, as the body of an answer."""
    size = size_of(call)
    number = id_of(call.query.get("page", "1"))
    if number < 1:
        raise bad_parameter("page", "page should be greater than 0")
    start = (number - 1) * size
    found = [view(each) for each in rows[start : start + size]]
    info = {"per_page": size, "count": len(found), "page": number, "more_records": start + size < len(rows)}
    return {key: found, "info": info}


def size_of(call: Call) -> int:
    """Return how many rows a call wants on a page. Raises INVALID_DATA."""
    size = id_of(call.query.get("per_page", str(LARGEST)))
    if not 1 <= size <= LARGEST:
        raise bad_parameter("per_page", "per_page should be between 1 and 200", limit=LARGEST)
    return size


def page_of(call: Call, size: int) -> int:
    """Return the number of the page that a call wants. Raises INVALID_DATA, or the refusal of what lies too far."""
    number = id_of(call.query.get("page", "1"))
    if number < 1:
        raise bad_parameter("page", "page should be greater than 0")
    if number * size > DISCRETE:
        message = "You can only get the first 2000 records without using page_token param"
        raise refused("DISCRETE_PAGINATION_LIMIT_EXCEEDED", message, limit=DISCRETE)
    return number
