"""What waits for a person: why, since when, by which evidence; and the buttons that decide it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import ValidationError

from starters.console.desk import Desk
from starters.hold_texts import MEANINGS, RETRY, SKIP, hold_lines
from starters.holds import decide
from starters.record_names import OPPORTUNITIES_FLOW, held_record
from store.holds import OpenHold
from workflows.consent import consent_id
from workflows.desk import choices_of
from workflows.models import Resolution

PER_PAGE = 50
IN_BULK = ("retry", "skip")
PLAIN: Mapping[str, str] = {
    "crm": "the CRM is right",
    "books": "FreshBooks is right",
    "create": "make a new one in spite of the candidates",
    "approve": "go on",
    "reject": "do not",
    "retry": "look at both sides again, and go on if the reason is gone",
    "skip": "leave this change alone; the next change is looked at again",
}


@dataclass(frozen=True)
class Choice:
    """One button: what it sends and what it does."""

    value: str
    label: str
    meaning: str


@dataclass(frozen=True)
class Shown:
    """A hold as it stood when the page was made. `seen` changes with its reason or its evidence."""

    hold: OpenHold
    record: str
    explanation: str
    lines: tuple[str, ...]
    choices: tuple[Choice, ...]
    seen: str

    @property
    def key(self) -> str:
        """What a form sends to name it."""
        return f"{self.seen}:{self.hold.workflow_id}"


@dataclass(frozen=True)
class Outcome:
    """What came of one decision."""

    workflow_id: str
    problem: str | None


def choices_for(hold: OpenHold, evidence: Mapping[str, Any]) -> tuple[Choice, ...]:
    """Return exactly the choices that fit a hold."""
    if hold.workflow_id == consent_id(hold.connection, hold.record_id):
        return (Choice("retry", "retry", "try again once the account is connected"),)
    found: list[Choice] = []
    for each in filter(None, choices_of(hold.reason, evidence, hold.flow).split(", ")):
        found += _picks(evidence) if each.startswith("pick") else [_choice(hold, each)]
    return (*found, _choice(hold, "retry"), _choice(hold, "skip"))


def routes(desk: Desk) -> APIRouter:
    """Return the pages of holds."""
    router = APIRouter()

    @router.get("/holds")
    async def listed(request: Request, reason: str = "", page: int = 1) -> Response:
        held, page = list(await desk.store.holds.listed()), max(1, page)
        fitting = [hold for hold in held if reason in {"", hold.reason}]
        part = fitting[(page - 1) * PER_PAGE : page * PER_PAGE]
        shown = [await _shown(desk, hold) for hold in part]
        reasons = sorted({hold.reason for hold in held})
        more = len(fitting) > page * PER_PAGE
        rest: dict[str, Any] = {"count": len(fitting), "reasons": reasons, "reason": reason, "page": page, "more": more}
        return desk.page(request, "holds.html.j2", holds=shown, **rest)

    @router.get("/hold")
    async def one_hold(request: Request, id: str) -> Response:  # noqa: A002
        hold = await _find(desk, id)
        if hold is None:
            return desk.told(request, "Not held", "Nothing is held there any more: somebody has decided it.", 404)
        return desk.page(request, "hold.html.j2", shown=await _shown(desk, hold))

    @router.post("/holds/decide")
    async def decided(
        request: Request, choice: Annotated[str, Form()], hold: Annotated[list[str] | None, Form()] = None
    ) -> Response:
        resolution = resolution_of(choice)
        if resolution is None or not hold or (len(hold) > 1 and choice not in IN_BULK):
            return desk.told(request, "Nothing was decided", "Choose at least one hold, and what to do with it.", 400)
        outcomes = [await _decide(desk, each, resolution) for each in hold]
        return desk.page(request, "decided.html.j2", outcomes=outcomes, choice=choice)

    return router


def resolution_of(choice: str) -> Resolution | None:
    """Return the decision that a button means: `retry`, `pick client 90001`; None if it means none."""
    name, _, picked = choice.partition(" ")
    kind, _, number = picked.partition(" ")
    ids = {f"{kind}_id": number} if kind in {"client", "party"} else {}
    try:
        return Resolution.model_validate({"choice": name, **ids})
    except ValidationError:
        return None


async def _decide(desk: Desk, key: str, resolution: Resolution) -> Outcome:
    """Decide one hold, unless it is another than the person has seen: an approval binds what was shown."""
    seen, _, workflow_id = key.partition(":")
    hold = await _find(desk, workflow_id)
    if hold is None:
        return Outcome(workflow_id, "nothing is held there any more")
    if (await _shown(desk, hold)).seen != seen:
        return Outcome(workflow_id, "not decided: it has changed since you looked; look at it again")
    return Outcome(workflow_id, await decide(desk.temporal, workflow_id, resolution))


async def _find(desk: Desk, workflow_id: str) -> OpenHold | None:
    return next((each for each in await desk.store.holds.listed() if each.workflow_id == workflow_id), None)


async def _shown(desk: Desk, hold: OpenHold) -> Shown:
    evidence = await desk.store.holds.evidence(hold.workflow_id)
    content = json.dumps([hold.reason, evidence], sort_keys=True, default=str)
    first, *rest = hold_lines(hold, evidence)
    explanation = first.partition(": ")[2]
    choices, seen = choices_for(hold, evidence), desk.store.keys.fingerprint(content.encode())
    return Shown(hold, held_record(hold), explanation, tuple(rest), choices, seen)


def _choice(hold: OpenHold, name: str) -> Choice:
    if hold.flow == OPPORTUNITIES_FLOW:
        known = {**MEANINGS.get(hold.reason, {}), "retry": RETRY, "skip": SKIP}
        return Choice(name, name, known.get(name, PLAIN.get(name, "")))
    return Choice(name, name, PLAIN.get(name, ""))


def _picks(evidence: Mapping[str, Any]) -> list[Choice]:
    """Return a button for each record that may be meant."""
    kinds = {"client": evidence.get("candidates") or [], "party": evidence.get("parties") or []}
    return [
        Choice(f"pick {kind} {number}", f"pick {kind} {number}", f"it is this {kind}")
        for kind, numbers in kinds.items()
        for number in numbers
    ]
