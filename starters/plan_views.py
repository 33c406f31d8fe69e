"""A plan as a person reads it in the terminal: numbers first, then some items of each kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from starters.operators import ago
from store.plans import APPLIED_ACTIONS, Action, Plan, PlanItem
from store.store import Store

KINDS: Mapping[tuple[str, str], str] = {
    ("link", ""): "link, nothing to write",
    ("link", "books"): "link and complete the client",
    ("link", "crm"): "link and complete the party",
    ("link", "both"): "link and complete both",
    ("update", "books"): "update the client",
    ("update", "crm"): "update the party",
    ("update", "both"): "update both",
    ("create", "books"): "create a client",
    ("create", "crm"): "create a party",
    ("doubtful", ""): "for a person: doubtful match",
    ("conflict", ""): "for a person: conflict",
    ("in-step", ""): "in step",
}
SKIPPED: Mapping[str, str] = {
    "unmappable": "the mapping cannot turn it into a client",
    "deleted": "deleted in FreshBooks",
    "archived": "archived in FreshBooks",
    "left-to-people": "an account whose contacts are the clients",
    "orphaned": "its client was deleted, and that was accepted",
    "party-gone": "its party is not in the CRM any more",
    "made-by-us": "its party is not in the CRM any more",
    "undecided": "waits for a doubtful match",
    "left-out": "the mapping's `when` leaves it out",
    "one-way": "the mapping carries nothing to the CRM",
}
"""Why a record is left alone, in words."""
ACTIONS: tuple[Action, ...] = ("create", "link", "update", "doubtful", "conflict", "skip")
NAMES: Mapping[str, str] = {"capsule": "Capsule", "zoho_crm": "Zoho CRM", "freshbooks": "FreshBooks"}
LONGEST_VALUE = 40


def kind(action: str, side: str, reason: str) -> str:
    """Return what would be done, in words."""
    if action == "skip":
        return f"left alone: {SKIPPED.get(reason, reason)}"
    return KINDS.get((action, side), action)


def duration(seconds: int) -> str:
    """Return a length of time as a person would say it."""
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {name}"
    return f"{seconds} s"


def forecast(plan: Plan) -> str:
    """Return how many requests applying takes, and how long that is at the quota of each account."""
    calls, seconds = plan.summary.get("calls", {}), plan.summary.get("seconds", {})
    parts = [
        f"{calls.get(system, 0):,} requests to {NAMES.get(system, system)} ({duration(seconds[system])} at its quota)"
        for system in sorted(seconds)
    ]
    return f"applying it: {', '.join(parts)}; about {duration(max(seconds.values(), default=0))} in all"


async def shown(store: Store, plan: Plan, sample: int) -> RenderableType:
    """Return a plan to be printed, with up to `sample` items of each kind, which quote people's data."""
    listed = plan.summary.get("listed", {})
    heading = f"plan {plan.id}: {listed.get('parties', 0):,} parties and {listed.get('clients', 0):,} clients listed"
    parts: list[RenderableType] = [Text(heading), _summary(plan), Text(forecast(plan))]
    if plan.state in {"applying", "stopped", "applied"}:
        parts.append(await progress(store, plan))
    for action in ACTIONS if sample else ():
        items = await store.plans.items(plan.id, action, 0, sample)
        if items:
            parts.append(_items(action, items))
    return Group(*parts)


async def progress(store: Store, plan: Plan) -> Table:
    """Return what came of the items so far."""
    table = Table(title=f"applied so far ({plan.state})", title_justify="left")
    states = ("done", "moved", "held", "skipped", "failed", "announced", "planned")
    for heading in ("", *states):
        table.add_column(heading, justify="right" if heading else "left")
    counts = await store.plans.counts(plan.id)
    for action in APPLIED_ACTIONS:
        numbers = [counts.get((action, state), 0) for state in states]
        if any(numbers):
            table.add_row(action, *(f"{number:,}" for number in numbers))
    return table


def plan_list(plans: Sequence[Plan]) -> Table:
    """Return all plans as a table."""
    table = Table()
    for heading in ("plan", "made", "state", "creates", "parties", "clients"):
        table.add_column(heading, no_wrap=True)
    for plan in plans:
        listed = plan.summary.get("listed", {})
        numbers = (f"{plan.creates:,}", f"{listed.get('parties', 0):,}", f"{listed.get('clients', 0):,}")
        table.add_row(plan.id, ago(plan.created_at), plan.state, *numbers)
    return table


def _summary(plan: Plan) -> Table:
    table = Table()
    table.add_column("what a sync would do")
    table.add_column("pairs", justify="right")
    for each in plan.summary.get("counts", ()):
        table.add_row(kind(each["action"], each["side"], each["reason"]), f"{each['count']:,}")
    return table


def _items(action: str, items: Sequence[PlanItem]) -> Table:
    table = Table(title=f"{action}: the first {len(items)}", title_justify="left")
    for heading in ("item", "party", "client", "who", "what"):
        table.add_column(heading, overflow="fold")
    for item in items:
        ids = (str(item.number), str(item.party_id or ""), str(item.client_id or ""))
        # Text, not markup: a customer may be called [bold].
        table.add_row(*ids, Text(_printable(complete(item.detail)["name"])), Text(what(item.detail)))
    return table


def complete(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's detail with everything that it can have, empty where it has nothing."""
    texts = dict.fromkeys(("name", "partner", "text", "remark"), "")
    return {**texts, "writes": [], "crm_writes": [], "conflicts": [], "candidates": [], **detail}


def what(detail: Mapping[str, Any]) -> str:
    """Return what an item would do, with values."""
    said = complete(detail)
    lines = [
        *(_change(each, "") for each in said["writes"]),
        *(_change(each, "← ") for each in said["crm_writes"]),
        *(f"{each['field']}: CRM {_value(each['crm'])}, books {_value(each['books'])}" for each in said["conflicts"]),
        *(f"client {each['id']}: {each['name']}, {each['place']}: {each['why']}" for each in said["candidates"]),
    ]
    return "\n".join(_printable(line) for line in (*(lines or [said["text"]]), said["remark"]) if line)


def _printable(text: str) -> str:
    """Return a text without what could steer a terminal: an escape sequence may hide in a name."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _change(write: Mapping[str, Any], arrow: str) -> str:
    before = "" if write["before"] is None else f"{_value(write['before'])} → "
    return f"{arrow}{write['field']}: {before}{_value(write['after'])}"


def _value(value: object) -> str:
    if value is None:
        return "(empty)"
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
