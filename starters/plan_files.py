"""A plan as a file: HTML for people, JSON for programs. Both quote people's data, so only their owner may read them."""

import base64
import json
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from runtime.errors import Stop
from starters.plan_views import ACTIONS, complete, forecast, kind
from store.plans import Action, Plan, PlanItem
from store.store import Store

TEMPLATES = Path(__file__).parent / "templates"
AT_ONCE = 500
MOST_IN_HTML = 2_000  # of one kind: a browser has to show them; JSON has them all


@dataclass(frozen=True)
class _Group:
    """The items of one kind, each with its detail in full; `count` is how many there are in all."""

    action: str
    count: int
    entries: Sequence[tuple[PlanItem, dict[str, Any]]]


async def write_json(store: Store, plan: Plan, path: Path) -> None:
    """Write the whole plan, item by item. Raises Stop."""
    with _private(path) as file:
        file.write(f'{{"plan": {json.dumps(asdict(plan), default=_instant, ensure_ascii=False)},\n"items": [')
        separator = "\n"
        async for item in _all_items(store, plan):
            file.write(separator + json.dumps(asdict(item), ensure_ascii=False))
            separator = ",\n"
        file.write("\n]}\n")


async def write_html(store: Store, plan: Plan, path: Path) -> None:
    """Write the plan as one page that needs no network. Raises Stop."""
    counts = plan.summary.get("counts", ())
    groups = [await _group(store, plan, action) for action in ACTIONS]
    page = _environment().get_template("plan.html.j2")
    nonce = base64.b64encode(secrets.token_bytes(12)).decode()
    with _private(path) as file:
        for part in page.generate(plan=plan, counts=counts, groups=groups, forecast=forecast(plan), nonce=nonce):
            file.write(part)


async def _group(store: Store, plan: Plan, action: Action) -> _Group:
    found = await store.plans.items(plan.id, action, 0, MOST_IN_HTML)
    count = sum(each["count"] for each in plan.summary.get("counts", ()) if each["action"] == action)
    return _Group(action, count, [(item, complete(item.detail)) for item in found])


async def _all_items(store: Store, plan: Plan) -> AsyncIterator[PlanItem]:
    after, items = 0, True
    while items:
        page = await store.plans.items(plan.id, None, after, AT_ONCE)
        for item in page:
            yield item
            after = item.number
        items = len(page) == AT_ONCE


def _environment() -> Environment:
    """Names come from customers: everything is escaped, and a misspelt variable is an error, not an empty place."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["kind"] = kind
    return environment


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not written to JSON")


def _private(path: Path) -> TextIO:
    """Open a file that nobody else may read, also if it was there before. Raises Stop."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from error
    return os.fdopen(descriptor, "w", encoding="utf-8")
