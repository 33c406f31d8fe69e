"""Pages of 1 to 100 records. Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api"""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.capsule.errors import invalid
from sandbox.ledger import Record

DEFAULT_SIZE = 50
LARGEST = 100


def page_of(
    call: Call, key: str, records: Sequence[Record], view: Callable[[Record], Record], beside: Record | None = None
) -> Response:
    """Return one page of records with its `Link` and `X-Pagination-Has-More` headers; what stands `beside` the list
    comes with it. Raises the 422.
    """
    page, size = _number(call, "page", 1, None), _number(call, "perPage", DEFAULT_SIZE, LARGEST)
    start = (page - 1) * size
    more = start + size < len(records)
    body: Record = {key: [view(each) for each in records[start : start + size]], **(beside or {})}
    if "meta" in (call.query.get("embed") or "").split(","):
        body["meta"] = {"totalCount": len(records)}
    headers = {"X-Pagination-Has-More": "true" if more else "false"}
    links = [_link(call, page + 1, "next")] if more else []
    links += [_link(call, page - 1, "prev")] if page > 1 else []
    if links:
        headers["Link"] = ", ".join(links)
    return answer(body, headers=headers)


def _number(call: Call, name: str, default: int, largest: int | None) -> int:
    text = call.query.get(name, str(default))
    number = id_of(text)
    if number < 1 or (largest and number > largest):
        raise invalid(
            f"{name} must be between 1 and {largest}" if largest else f"{name} must be positive", "page", name
        )
    return number


def _link(call: Call, page: int, rel: str) -> str:
    others = [(key, value) for key, value in call.query.multi_items() if key != "page"]
    return f'<{call.base_url}{call.path}?{urlencode([*others, ("page", str(page))], safe=",")}>; rel="{rel}"'
