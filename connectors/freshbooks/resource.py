"""What all records of FreshBooks' accounting family have in common: how one is read, listed, searched and written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from connectors.answers import Page
from connectors.errors import Refused
from connectors.freshbooks.models import ACTIVE, ARCHIVED, DELETED, Numbered
from connectors.freshbooks.problems import DIALECT
from connectors.freshbooks.reading import LARGEST_PAGE, one, page_of, paging
from connectors.http import Caller, Request

R = TypeVar("R", bound=Numbered)

Query = list[tuple[str, str]]

MOST_SEARCH_PAGES = 5
"""A search with more hits than this is one whose filter FreshBooks ignored."""


@dataclass(frozen=True)
class Account:
    """One FreshBooks account, and the one caller of all its requests: what says wait to one of them says it to all."""

    caller: Caller
    root: str
    """The address of FreshBooks, without a slash at its end."""
    account_id: str

    def url(self, path: str, family: str = "accounting") -> str:
        """Return the address of a path below the account, in the accounting or the events family."""
        return f"{self.root}/{family}/account/{quote(self.account_id, safe='')}/{path}"


@dataclass(frozen=True)
class Resource(Generic[R]):
    """One kind of record of an account. `sort` and `include` are sent with every list, `include` with every answer that
    shows a record. Raises the errors of `connectors.errors`.
    """

    account: Account
    path: str
    name: str
    plural: str
    model: type[R]
    sort: str | None = None
    include: Sequence[str] = ()

    async def get(self, record_id: int) -> R:
        """Return one record, deleted ones too. Raises NotFound, also for a wrong account id."""
        request = Request(f"read {self.name} {record_id}", "GET", self._one(record_id), self._includes())
        return await self.account.caller.call(request, one(self.name, self.model))

    async def page(self, doing: str, query: Query) -> Page[R]:
        """Return one page of a list or a search; `query` says which."""
        sort = [("sort", self.sort)] if self.sort else []
        request = Request(doing, "GET", self._all, [*query, *sort, *self._includes()])
        return await self.account.caller.call(request, page_of(self.plural, self.model))

    async def create(self, values: Mapping[str, Any]) -> R:
        """Create a record and return it. Raises UnknownOutcome if that may or may not have happened."""
        article = "an" if self.name[0] in "aeiou" else "a"
        if not values:
            raise ValueError(f"{article} {self.name} needs at least one value")
        body = {self.name: dict(values)}
        doing = f"create {article} {self.name}"
        request = Request(doing, "POST", self._all, self._includes(), json=body, repeatable=False)
        return await self.account.caller.call(request, one(self.name, self.model))

    async def update(self, record_id: int, values: Mapping[str, Any]) -> R:
        """Change the fields given, leave the rest, and return the record as it is then.

        Raises ValueError for `vis_state` and actions: with one of them FreshBooks drops every other field.
        """
        stray = sorted(key for key in values if key in ("vis_state", "ext_vis_state") or key.startswith("action_"))
        if stray or not values:
            raise ValueError(f"{self.name} {record_id}: give fields, without {', '.join(stray) or 'nothing'}")
        return await self.put(f"update {self.name} {record_id}", record_id, values)

    async def set_visibility(self, record_id: int, vis_state: int) -> R:
        """Make a record active (0), deleted (1) or archived (2), and return it."""
        if vis_state not in (ACTIVE, DELETED, ARCHIVED):
            raise ValueError(f"{self.name} {record_id}: vis_state is 0, 1 or 2, not {vis_state}")
        return await self.put(f"set vis_state of {self.name} {record_id}", record_id, {"vis_state": vis_state})

    async def put(self, doing: str, record_id: int, values: Mapping[str, Any], *, repeatable: bool = True) -> R:
        """Send a change and return the record as it is then."""
        body = {self.name: dict(values)}
        url = self._one(record_id)
        request = Request(doing, "PUT", url, self._includes(), json=body, repeatable=repeatable)
        return await self.account.caller.call(request, one(self.name, self.model))

    async def search(self, key: str, value: str, matches: Callable[[R], bool], *, also: Query | None = None) -> list[R]:
        """Return the hits that match, each once. FreshBooks answers an empty filter, or one it does not know, with
        everything. `also` narrows the search further.

        Raises Refused if it seems to ignore the filter.
        """
        if not value.strip():
            raise ValueError(f"a search by {key} needs a value: without one FreshBooks returns every {self.name}")
        found: dict[int, R] = {}
        for number in range(1, MOST_SEARCH_PAGES + 1):
            query = [(f"search[{key}]", value.strip()), *(also or ()), *paging(number, LARGEST_PAGE)]
            page = await self.page(f"search {self.plural} by {key}, page {number}", query)
            found |= {record.id: record for record in page.items if matches(record)}
            if not page.has_more:
                return list(found.values())
        text = f"FreshBooks returned more than {MOST_SEARCH_PAGES} pages of {self.plural} for a search by {key}"
        raise Refused(DIALECT.system, f"{text}: it seems to ignore the filter, so a person has to look")

    @property
    def _all(self) -> str:
        return self.account.url(self.path)

    def _one(self, record_id: int) -> str:
        return f"{self._all}/{record_id}"

    def _includes(self) -> Query:
        return [("include[]", each) for each in self.include]


def searching(search: Mapping[str, date | int | str | None]) -> Query:
    """Return the query of a search by the keys that have a value. Raises TypeError for an instant."""
    if any(isinstance(value, datetime) for value in search.values()):
        raise TypeError("`updated_min` is a day, not an instant: use eastern_day")
    said = {key: value.isoformat() if isinstance(value, date) else value for key, value in search.items()}
    return [(f"search[{key}]", str(value)) for key, value in said.items() if value is not None]
