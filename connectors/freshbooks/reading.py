"""FreshBooks' envelopes, pages and searches. Source: https://www.freshbooks.com/api/parameters"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from connectors.answers import Answer, Page
from connectors.freshbooks.document_models import TeamMember
from connectors.freshbooks.models import Identity, Membership
from connectors.models import Record

R = TypeVar("R", bound=Record)

LARGEST_PAGE = 100


def one(key: str, model: type[R]) -> Callable[[Answer], R]:
    """Return a reader of the single record under `response.result.<key>`.

    Of credit notes some say that the plural names the single one: that is read too.
    """

    def read(answer: Answer) -> R:
        result = _result(answer)
        return model.model_validate(result[key if key in result else f"{key}s"])

    return read


def page_of(key: str, model: type[R]) -> Callable[[Answer], Page[R]]:
    """Return a reader of one page of the list under `response.result.<key>`."""

    def read(answer: Answer) -> Page[R]:
        result = _result(answer)
        items = [model.model_validate(each) for each in result[key]]
        # `total` and `pages` also count what we may not see: an empty page is the end, whatever they say.
        return Page(items, bool(items) and int(result["page"]) < int(result["pages"]))

    return read


def team_page(answer: Answer) -> Page[TeamMember]:
    """Read one page of team members. This envelope has no `result`, and its `meta` no number of pages."""
    said = answer.json()
    items = [TeamMember.model_validate(each) for each in said["response"]]
    meta = said["meta"]
    return Page(items, bool(items) and int(meta["page"]) * int(meta["per_page"]) < int(meta["total"]))


def nothing(_: Answer) -> None:
    """Read an answer whose status says it all."""


def _result(answer: Answer) -> Any:
    return answer.json()["response"]["result"]


def paging(page: int, per_page: int) -> list[tuple[str, str]]:
    """Return the query for one page. Raises ValueError for one that FreshBooks would silently change."""
    if page < 1 or not 1 <= per_page <= LARGEST_PAGE:
        raise ValueError(f"FreshBooks counts pages from 1, of 1 to 100 records: not page {page} of {per_page}")
    return [("page", str(page)), ("per_page", str(per_page))]


def mentions(note: str | None, reference: str) -> bool:
    """Return whether a note holds the reference as a word of its own: party:47 is not in party:4711."""
    return re.search(rf"(?<!\w){re.escape(reference)}(?!\w)", note or "") is not None


def identity(answer: Answer) -> Identity:
    """Read who we are. This envelope has no `result`."""
    said = answer.json()["response"]
    found = [_membership(each) for each in said.get("business_memberships") or []]
    roles = [each for each in said.get("roles") or [] if each.get("role") != "client"]
    owned = {str(each["accountid"]) for each in roles if each.get("accountid")}
    free = owned - {each.account_id for each in found}
    lacking = [each for each in found if each.account_id is None and each.role != "client"]
    # With two of either, pairing them would be a guess, and a guess writes into somebody else's books.
    if len(free) == len(lacking) == 1:
        filled = lacking[0].model_copy(update={"account_id": free.pop()})
        found = [filled if each is lacking[0] else each for each in found]
    return Identity(id=said.get("identity_id") or said["id"], memberships=tuple(found))


def _membership(said: dict[str, Any]) -> Membership:
    business = said["business"]
    return Membership(
        business_id=business["id"],
        business_uuid=business.get("business_uuid"),
        account_id=business.get("account_id") or None,
        name=business.get("name"),
        role=said.get("role"),
    )
