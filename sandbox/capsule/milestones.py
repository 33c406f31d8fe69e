"""What milestones mean for an opportunity. Source: https://developer.capsulecrm.com/v2/operations/Milestone"""

from datetime import timedelta
from typing import Literal

from sandbox.capsule.account import Account
from sandbox.capsule.errors import missing
from sandbox.clock import from_zulu
from sandbox.ledger import Record

Status = Literal["open", "won", "lost"]


def named(record: Record) -> Record:
    """Return the form in which a milestone, a pipeline, a lost reason or an opportunity stands inside a record."""
    return {"id": record["id"], "name": record["name"]}


def milestone_of(account: Account, opportunity: Record) -> Record:
    """Return the milestone of an opportunity as stored."""
    found: Record = account.records.tables["milestone"][opportunity["milestone"]["id"]]
    return found


def found_milestone(account: Account, milestone_id: int) -> Record:
    """Return a milestone as stored, of an archived pipeline too. Raises the 404."""
    found = account.records.get("milestone", milestone_id)
    if found is None:
        raise missing("milestone")
    return found


def status_at(milestone: Record) -> Status:
    """Return whether an opportunity at a milestone is open, won or lost."""
    if not milestone["complete"]:
        return "open"
    return "won" if milestone["probability"] == 100 else "lost"


def is_stale(account: Account, opportunity: Record) -> bool:
    """Return whether an open opportunity has stood at its milestone for too many days."""
    milestone = milestone_of(account, opportunity)
    days = milestone["daysUntilStale"]
    if milestone["complete"] or days is None:
        return False
    return account.now() - from_zulu(opportunity["lastStageChangedAt"]) > timedelta(days=days)


def milestones_in(account: Account, pipeline_id: int) -> list[Record]:
    """Return the milestones of a pipeline, in their order."""
    return [each for each in account.records.all("milestone") if each["pipeline"]["id"] == pipeline_id]


def active_pipelines(account: Account) -> list[Record]:
    """Return the pipelines that are not archived, the oldest first."""
    return [each for each in account.records.all("pipeline") if each["archivedAt"] is None]


def milestone_view(account: Account, milestone: Record) -> Record:
    """Return a milestone in full. What says nothing is absent; those that close have no `daysUntilStale`."""
    pipeline = account.records.tables["pipeline"][milestone["pipeline"]["id"]]
    view = {key: milestone[key] for key in ("id", "name", "description", "complete", "probability", "daysUntilStale")}
    more = {"pipeline": named(pipeline), **{key: milestone[key] for key in ("createdAt", "updatedAt")}}
    return {**{key: value for key, value in view.items() if value is not None}, **more}


def pipeline_view(account: Account, pipeline: Record) -> Record:
    """Return a pipeline with the number of its milestones that do not close."""
    still_open = [each for each in milestones_in(account, pipeline["id"]) if not each["complete"]]
    view = {key: pipeline[key] for key in ("id", "name", "description", "createdAt", "updatedAt")}
    return {key: value for key, value in view.items() if value is not None} | {"openMilestoneCount": len(still_open)}
