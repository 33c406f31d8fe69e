"""Capsule's envelopes, pages and query values. Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from connectors.answers import Answer, Page
from connectors.capsule.models import CapsuleRecord, DeletedParties, Deletion

R = TypeVar("R", bound=CapsuleRecord)

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


def deleted(answer: Answer) -> DeletedParties:
    """Read a page of the deletion log."""
    found = answer.json()
    restricted = [int(each["id"]) for each in found.get("restrictedParties") or []]
    gone = [Deletion.model_validate(each) for each in found["parties"]]
    return DeletedParties(gone, restricted, bool(_has_more(answer)))


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
    if page < 1 or not 1 <= per_page <= 100:
        raise ValueError(f"Capsule counts pages from 1, of 1 to 100 records: not page {page} of {per_page}")
    return [("page", str(page)), ("perPage", str(per_page))]


def since_text(since: datetime) -> str:
    """Return an aware instant as Capsule writes it, in whole seconds of UTC. Raises ValueError without a time zone."""
    if since.tzinfo is None:
        raise ValueError("`since` has no time zone: give an aware instant")
    return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def appends(changes: Mapping[str, Any]) -> bool:
    """Return whether an update adds rows: a row without an id is appended, and a repeat would append it again."""
    rows = [row for key in LISTS_OF_ROWS for row in changes.get(key) or []]
    return any("id" not in row for row in rows)
