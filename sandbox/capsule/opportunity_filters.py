"""What opportunities can be filtered by. Source: https://developer.capsulecrm.com/v2/reference/filters"""

from collections.abc import Iterable
from typing import Any

from sandbox.capsule.account import Account
from sandbox.capsule.entities import OPPORTUNITY
from sandbox.capsule.filters import Fields, Values, has, references, scalar, tags
from sandbox.capsule.index import full_name
from sandbox.capsule.milestones import is_stale, milestone_of, status_at
from sandbox.ledger import Record


def _status(account: Account, opportunity: Record) -> Iterable[str]:
    return (status_at(milestone_of(account, opportunity)),)


def _is_open(account: Account, opportunity: Record) -> Iterable[bool]:
    return (not milestone_of(account, opportunity)["complete"],)


def _is_stale(account: Account, opportunity: Record) -> Iterable[bool]:
    return (is_stale(account, opportunity),)


def _milestone(account: Account, opportunity: Record) -> Iterable[Any]:
    milestone = milestone_of(account, opportunity)
    return (milestone["id"], milestone["name"])


def _pipeline(account: Account, opportunity: Record) -> Iterable[Any]:
    pipeline = account.records.tables["pipeline"][milestone_of(account, opportunity)["pipeline"]["id"]]
    return (pipeline["id"], pipeline["name"])


def _party(account: Account, opportunity: Record) -> Iterable[Any]:
    party = account.records.get("party", opportunity["party"]["id"])
    return (party["id"], full_name(party)) if party else ()


def _party_name(account: Account, opportunity: Record) -> Iterable[Any]:
    return list(_party(account, opportunity))[1:]


def _counts(account: Account, opportunity: Record) -> Iterable[bool]:
    """Give whether it counts for the rate of conversion: not if it was lost for a reason that does not."""
    reason = account.records.get("lostreason", (opportunity["lostReason"] or {}).get("id", 0))
    return (reason is None or reason["includedForConversion"],)


def _amount(_account: Account, opportunity: Record) -> Iterable[tuple[str, float]]:
    value = opportunity["value"]
    return () if value["amount"] is None else ((value["currency"], value["amount"]),)


def _probability(_account: Account, opportunity: Record) -> Iterable[tuple[str, int]]:
    return (("", opportunity["probability"]),)


def _currency(_account: Account, opportunity: Record) -> Iterable[str]:
    return (opportunity["value"]["currency"],)


def _owned_by(user_id: int) -> Values:
    return lambda _account, opportunity: ((opportunity["owner"] or {}).get("id") == user_id,)


def opportunity_fields(user_id: int) -> Fields:
    """Return what a user can filter opportunities by: one of the fields asks for the user's own."""
    return Fields(
        entity=OPPORTUNITY,
        texts={"name": scalar("name"), "primaryContactName": _party_name},
        choices={
            "id": scalar("id"),
            "status": _status,
            "pipeline": _pipeline,
            "milestone": _milestone,
            "lostReason": references("lostReason"),
            "currency": _currency,
            "party": _party,
            "primaryContact": _party,
            "tag": tags,
            "owner": references("owner"),
            "team": references("team"),
            "isOpen": _is_open,
            "isStale": _is_stale,
            "isOwnedByMe": _owned_by(user_id),
            "includedForConversion": _counts,
            "hasTags": has("tags"),
            "hasOpenTasks": lambda _account, _opportunity: (False,),  # the sandbox has no tasks
        },
        dates={
            "addedOn": "createdAt",
            "updatedOn": "updatedAt",
            "closedOn": "closedOn",
            "expectedCloseOn": "expectedCloseOn",
            "lastContactedOn": "lastContactedAt",
        },
        measures={"probability": _probability, "expectedValue": _amount},
        indexed=frozenset({"name"}),
    )
