"""Pages and search keys of the accounting and events families. Source: https://www.freshbooks.com/api/parameters"""

import re
from collections.abc import Callable, Sequence

from sandbox.calls import Call, id_of
from sandbox.freshbooks.errors import refused
from sandbox.ledger import Record

DEFAULT_SIZE, BUSINESS_SIZE = 15, 30
LARGEST = 100
SEARCH_KEY = re.compile(r"search\[(\w+)](\[])?")


def page_of(call: Call, key: str, records: Sequence[Record], view: Callable[[Record], Record], extra: int) -> Record:
    """Return one page with its counts, enveloped. `page=0` is the first page, `per_page` stops silently at 100.

    Raises errno 1014 or 1013 for what is no number, or negative.
    """
    page, size = _asked(call, DEFAULT_SIZE)
    total = len(records) + extra
    shown = [view(each) for each in records[(page - 1) * size : page * size]]
    counts = {"page": page, "pages": -(-total // size), "per_page": size, "total": total}
    return {"response": {"result": {key: shown, **counts}}}


def plain_page_of(call: Call, records: Sequence[Record]) -> Record:
    """Return one page as the lists of the auth family have it: `meta` beside the records, and no number of pages."""
    page, size = _asked(call, BUSINESS_SIZE)
    meta = {"page": page, "per_page": size, "total": len(records)}
    return {"response": list(records[(page - 1) * size : page * size]), "meta": meta}


def _asked(call: Call, size: int) -> tuple[int, int]:
    """Return which page is asked for, and how many records it may have."""
    page = _number(call, "page", 1, 1014) or 1
    return page, min(_number(call, "per_page", size, 1013) or size, LARGEST)


def searches(call: Call) -> dict[str, list[str]]:
    """Return the values of each search key; the square brackets of a list do not belong to the key."""
    found: dict[str, list[str]] = {}
    for key, value in call.query.multi_items():
        match = SEARCH_KEY.fullmatch(key)
        if match:
            found.setdefault(match[1], []).append(value)
    return found


def includes(call: Call) -> set[str]:
    """Return what `include[]` asks for."""
    return {value for key, value in call.query.multi_items() if key in {"include[]", "include"}}


def _number(call: Call, name: str, default: int, errno: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise refused(errno, f"'{name}' must be a positive number.", name, "", value=text)
    return id_of(text)
