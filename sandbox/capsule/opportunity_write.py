"""Creating, changing and deleting opportunities. A PUT is a merge; lists are never replaced.

Source: https://developer.capsulecrm.com/v2/operations/Opportunity, /v2/overview/writing-to-the-api
"""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.capsule.account import Account, party_short, reference
from sandbox.capsule.entities import OPPORTUNITY
from sandbox.capsule.errors import invalid, missing
from sandbox.capsule.fields import changed_fields, changed_tags
from sandbox.capsule.milestones import found_milestone, milestone_of, named, status_at
from sandbox.capsule.ownership import merge_owner
from sandbox.capsule.worth import merge_worth
from sandbox.ledger import Record

HOME = ZoneInfo("Europe/Berlin")
"""Whose day an opportunity is closed on: the account's."""
SCALARS = {
    "party", "name", "description", "owner", "team", "milestone", "value", "expectedCloseOn", "probability",
    "durationBasis", "duration", "lostReason",
}  # fmt: skip


def blank(opportunity_id: int, party: Record, at: str) -> Record:
    """Return an opportunity of a party with nothing else in it, as stored. `parties` are ids of additional parties."""
    empty = dict.fromkeys(("name", "description", "owner", "team", "milestone"))
    return {
        "id": opportunity_id,
        "party": party_short(party),
        **empty,
        "value": {"amount": None, "currency": None},
        "expectedCloseOn": None,
        "probability": None,
        "durationBasis": "FIXED",
        "duration": None,
        "closedOn": None,
        "lostReason": None,
        "createdAt": at,
        "updatedAt": at,
        "lastContactedAt": None,
        "lastStageChangedAt": at,
        "lastOpenMilestone": None,
        "fields": [],
        "tags": [],
        "parties": [],
    }


def create(account: Account, draft: Record, user_id: int) -> Record:
    """Create an opportunity and return it as stored; without owner and team it is the caller's. Raises 422 and 404."""
    record = blank(0, _party(account, draft), account.stamp())
    user = account.records.tables["user"][user_id]
    record["value"]["currency"] = user["currency"]
    if "owner" not in draft and draft.get("team") is None:
        record["owner"] = account.user_short(user_id)
    _merge(account, record, {"milestone": None, **draft})
    record["id"] = account.records.next_id("opportunity")
    account.records.commit("create", "opportunity", record["id"], record)
    return record


def update(account: Account, opportunity: Record, changes: Record) -> Record:
    """Merge changes into an opportunity and return it as stored. Changes that say nothing (`[]`, read-only or unknown
    keys) leave `updatedAt` as it is; equal values move it. Raises the 422 or the 404.
    """
    said = any(key in SCALARS or (key in ("fields", "tags") and value != []) for key, value in changes.items())
    if not said:
        return opportunity
    changed = {**opportunity, "value": dict(opportunity["value"]), "updatedAt": account.stamp()}
    if "party" in changes:
        changed["party"] = party_short(_party(account, changes))
        changed["parties"] = [each for each in changed["parties"] if each != changed["party"]["id"]]
    _merge(account, changed, changes)
    account.records.commit("update", "opportunity", changed["id"], changed)
    return changed


def delete(account: Account, opportunity: Record) -> None:
    """Delete an opportunity with its notes."""
    forget_entries(account, "opportunity", opportunity["id"])
    account.records.commit("delete", "opportunity", opportunity["id"], opportunity)


def forget_entries(account: Account, kind: str, record_id: int) -> None:
    """Delete the notes of a record that is about to be deleted."""
    for entry_id in sorted(account.entries.find(kind, record_id)):
        account.records.commit("delete", "entry", entry_id, account.records.tables["entry"][entry_id])


def _party(account: Account, changes: Record) -> Record:
    if changes.get("party") is None:
        raise invalid("party is required", "opportunity", "party")
    return account.party(reference(changes["party"], "party"))


def _merge(account: Account, record: Record, changes: Record) -> None:
    """Change an opportunity that is not stored yet. References are looked up last: tags may be made by it."""
    _merge_texts(record, changes)
    merge_worth(record, changes)
    _merge_milestone(account, record, changes)
    if "fields" in changes:
        record["fields"] = changed_fields(account, OPPORTUNITY, record["fields"], changes["fields"])
    merge_owner(account, record, changes, "opportunity")
    if record["owner"] is None and record["team"] is None:
        raise invalid("owner or team is required", "opportunity", "owner")
    if "tags" in changes:
        record["tags"] = changed_tags(account, OPPORTUNITY, record["tags"], changes["tags"])


def _merge_texts(record: Record, changes: Record) -> None:
    for key in ("name", "description"):
        if changes.get(key) is not None and not isinstance(changes[key], str):
            raise invalid("invalid type for field", "opportunity", key)
        if key in changes:
            record[key] = changes[key] or None
    if not (record["name"] or "").strip():
        raise invalid("name is required", "opportunity", "name")
    if "expectedCloseOn" in changes:
        record["expectedCloseOn"] = _day(changes["expectedCloseOn"])


def _day(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise invalid("invalid date", "opportunity", "expectedCloseOn") from error


def _merge_milestone(account: Account, record: Record, changes: Record) -> None:
    """Move the opportunity, into another pipeline too: nobody objects. Then set what follows from where it stands."""
    if "milestone" in changes:
        if changes["milestone"] is None:
            raise invalid("milestone is required", "opportunity", "milestone")
        milestone = found_milestone(account, reference(changes["milestone"], "milestone"))
        if record["milestone"] is None or record["milestone"]["id"] != milestone["id"]:
            _move(account, record, milestone)
    status = status_at(milestone_of(account, record))
    if "probability" in changes:
        record["probability"] = _probability(changes["probability"], is_open=status == "open")
    if "lostReason" in changes:
        record["lostReason"] = _lost_reason(account, changes["lostReason"])
    if status != "lost":
        record["lostReason"] = None


def _move(account: Account, record: Record, milestone: Record) -> None:
    """Closing sets the day and the probability, opening again takes the day away."""
    today = account.now().astimezone(HOME).date().isoformat()
    record["milestone"] = named(milestone)
    record["probability"] = milestone["probability"]
    record["closedOn"] = today if milestone["complete"] else None
    record["lastStageChangedAt"] = account.stamp()
    if not milestone["complete"]:
        record["lastOpenMilestone"] = named(milestone)


def _probability(value: Any, *, is_open: bool) -> int:
    if not is_open:
        raise invalid("probability can be updated only for open opportunity", "opportunity", "probability")
    if type(value) is not int or not 0 <= value <= 100:
        raise invalid("invalid probability", "opportunity", "probability")
    return value


def _lost_reason(account: Account, value: Any) -> Record | None:
    if value is None:
        return None
    found = account.records.get("lostreason", reference(value, "lost reason"))
    if found is None:
        raise missing("lost reason")
    return named(found)
