"""FreshBooks' business family: time entries, projects and services, which stand below a business, not an account.

Source: https://www.freshbooks.com/api/parameters
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from connectors.answers import Answer, Page
from connectors.errors import Refused
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.documents import written
from connectors.freshbooks.problems import DIALECT
from connectors.http import Request
from connectors.models import Record

T = TypeVar("T")
R = TypeVar("R", bound=Record)

MOST_PAGES = 1000
"""A list that is longer than this is one that never ends."""


@dataclass(frozen=True)
class BusinessPage(Page[T]):
    """One page of a list of the business family. `page` counts from 1; `pages` and `total` are what FreshBooks says.

    An empty list has no pages, and `total` may count records that the user may not read: go by `has_more`.
    """

    page: int
    pages: int
    total: int


class Business:
    """The business of one account. Its id, another one than the account's, is looked up when it is needed first."""

    def __init__(self, freshbooks: FreshBooksApi, business_id: int | None) -> None:
        self._freshbooks, self._known_id = freshbooks, business_id

    async def id(self) -> int:
        """Return the id. Raises Refused if the person behind the token does not work in a business of the account."""
        if self._known_id is None:
            identity = await self._freshbooks.identity()
            self._known_id = identity.business_id_of(self._freshbooks.account.account_id)
        if self._known_id is None:
            text = "FreshBooks names no business for the account of this connection, so its hours cannot be read"
            raise Refused(DIALECT.system, f"{text}: connect again as somebody who works in it")
        return self._known_id

    async def url(self, family: str, path: str) -> str:
        """Return the address of a path below the business; families are projects, timetracking and comments."""
        return f"{self._freshbooks.account.root}/{family}/business/{await self.id()}/{path}"

    async def auth_url(self) -> str:
        """Return the address of the business itself."""
        return f"{self._freshbooks.account.root}/auth/api/v1/users/business/{await self.id()}"

    async def call(self, request: Request, read: Callable[[Answer], T]) -> T:
        """Send a request and return what `read` makes of the answer, as `Caller.call`."""
        return await self._freshbooks.account.caller.call(request, read)


async def everything(
    what: str, page_at: Callable[[int], Awaitable[Page[T]]], key: Callable[[T], Hashable]
) -> dict[Hashable, T]:
    """Return all records of a list by their key, page after page, each once.

    Services were seen to ignore the page that is asked for: a page without news is the end. Raises Refused for a list
    that does not end.
    """
    found: dict[Hashable, T] = {}
    for number in range(1, MOST_PAGES + 1):
        page = await page_at(number)
        told = {key(each): each for each in page.items}
        is_news = not told.keys() <= found.keys()
        found |= told
        if not page.has_more or not is_news:
            return found
    raise Refused(DIALECT.system, f"the list of {what} has more than {MOST_PAGES} pages: it seems not to end")


def member(key: str, model: type[R]) -> Callable[[Answer], R]:
    """Return a reader of a single record under its one key."""
    return lambda answer: model.model_validate(answer.json()[key])


def raw_member(key: str, model: type[R]) -> Callable[[Answer], tuple[dict[str, Any], R]]:
    """Return a reader of a single record as it came, with all its keys, and as we understand it."""

    def read(answer: Answer) -> tuple[dict[str, Any], R]:
        raw = dict(answer.json()[key])
        return raw, model.model_validate(raw)

    return read


def business_page(key: str, model: type[R], *, has_meta: bool = True) -> Callable[[Answer], BusinessPage[R]]:
    """Return a reader of one page of a list. The lists of rates have no `meta` and come as one page."""

    def read(answer: Answer) -> BusinessPage[R]:
        said = answer.json()
        items = [model.model_validate(each) for each in said[key]]
        alone = {"page": 1, "pages": 1, "total": len(items)}
        meta = said["meta"] if has_meta else said.get("meta") or alone
        page, pages = int(meta["page"]), int(meta["pages"])
        return BusinessPage(items, bool(items) and page < pages, page, pages, int(meta["total"]))

    return read


def whole(raw: Mapping[str, Any], read_only: frozenset[str], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as a PUT takes it, which replaces all of it: as it was read, with the changes.

    Keys that we do not know are kept. Null is left out, which says the same: FreshBooks refuses it for some fields.
    """
    kept = {key: value for key, value in raw.items() if key not in read_only and value is not None}
    return written({**kept, **changes})


def zulu(instant: datetime | None) -> str | None:
    """Return an instant as the filters of the business family take it: UTC, whole seconds, rounded down.

    Raises ValueError for an instant without a zone.
    """
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise ValueError("a filter of FreshBooks needs an instant with a time zone")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def asking(filters: Mapping[str, bool | int | str | None]) -> list[tuple[str, str]]:
    """Return the query of those filters that have a value. This family knows no `search[…]`."""
    said = {key: str(value).lower() if isinstance(value, bool) else value for key, value in filters.items()}
    return [(key, str(value)) for key, value in said.items() if value is not None]
