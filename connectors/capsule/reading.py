"""Capsule's envelopes, pages and query values. Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from connectors.answers import Answer, Page
from connectors.capsule.models import CapsuleRecord, Deletion, DeletionPage

R = TypeVar("R", bound=CapsuleRecord)

MOST_IDS = 10
LARGEST_PAGE = 100
LISTS_OF_ROWS = ("addresses", "phoneNumbers", "emailAddresses", "websites")


def one(key: str, model: type[R]) -> Callable[[Answer], R]:
    """Return a reader of the single record under `key`."""
    return lambda answer: model.model_validate(answer.json()[key])


def many(key: str, model: type[R]) -> Callable[[Answer], list[R]]:
    """Return a reader of the whole list under `key`."""
    return lambda answer: [model.model_validate(each) for each in answer.json()[key]]


def page_of(key: str, model: type[R], per_page: int) -> Callable[[Answer], Page[R]]:
    """Return a reader of one page of the list under `key`."""

    def read(answer: Answer) -> Page[R]:
        items = many(key, model)(answer)
        more = _has_more(answer)
        # Without either header a full page may be the last one: one empty page more costs less than a missed record.
        return Page(items, len(items) >= per_page if more is None else more)

    return read


def some(key: str, plural: str, model: type[R]) -> Callable[[Answer], list[R]]:
    """Return a reader of the records that were asked for by their ids: a single one comes in the envelope of one."""

    def read(answer: Answer) -> list[R]:
        found = answer.json()
        return [model.model_validate(each) for each in ([found[key]] if key in found else found[plural])]

    return read


def deleted(key: str) -> Callable[[Answer], DeletionPage]:
    """Return a reader of a page of the deletion log."""

    def read(answer: Answer) -> DeletionPage:
        found = answer.json()
        restricted = [int(each["id"]) for each in found.get(f"restricted{key.capitalize()}") or []]
        gone = [Deletion.model_validate(each) for each in found[key]]
        return DeletionPage(gone, restricted, bool(_has_more(answer)))

    return read


def nothing(_: Answer) -> None:
    """Read an answer whose status says it all."""


def _has_more(answer: Answer) -> bool | None:
    """Return what the headers say about a next page; None if they say nothing."""
    said = answer.headers.get("x-pagination-has-more", "").strip().lower()
    if said in ("true", "false"):
        return said == "true"
    link = answer.headers.get("link")
    return None if link is None else re.search(r';\s*rel="?next"?', link) is not None


def paging(page: int, per_page: int) -> list[tuple[str, str]]:
    """Return the query for one page. Raises ValueError for a page that Capsule does not have."""
    if page < 1 or not 1 <= per_page <= LARGEST_PAGE:
        raise ValueError(f"Capsule counts pages from 1, of 1 to {LARGEST_PAGE} records: not page {page} of {per_page}")
    return [("page", str(page)), ("perPage", str(per_page))]


def ids_text(ids: Sequence[int], plural: str) -> str:
    """Return one to ten ids as they stand in a path. Raises ValueError for none, and for more than Capsule reads."""
    wanted = list(dict.fromkeys(ids))
    if not 1 <= len(wanted) <= MOST_IDS:
        raise ValueError(f"Capsule reads 1 to {MOST_IDS} {plural} at once, not {len(wanted)}: split the list")
    return ",".join(map(str, wanted))


def since_text(since: datetime) -> str:
    """Return an aware instant as Capsule writes it, in whole seconds of UTC. Raises ValueError without a time zone."""
    if since.tzinfo is None:
        raise ValueError("`since` has no time zone: give an aware instant")
    return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def appends(changes: Mapping[str, Any]) -> bool:
    """Return whether an update adds rows: a row without an id is appended, and a repeat would append it again."""
    rows = [row for key in LISTS_OF_ROWS for row in changes.get(key) or []]
    return any("id" not in row for row in rows)
