"""The operations on pipelines, milestones and lost reasons.

Source: https://developer.capsulecrm.com/v2/operations/Pipeline, /v2/operations/Milestone, /v2/operations/Lost_Reason
"""

from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.capsule.account import Account, enveloped, id_in, reference
from sandbox.capsule.errors import invalid, missing
from sandbox.capsule.looks import MOST_IDS
from sandbox.capsule.milestones import (
    active_pipelines,
    found_milestone,
    milestone_view,
    milestones_in,
    named,
    pipeline_view,
)
from sandbox.capsule.paging import page_of
from sandbox.ledger import Record


class Pipelines:
    """Pipelines with their milestones, and the reasons for which opportunities are lost."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def index(self, call: Call) -> Response:
        """Pipelines, the oldest first; `includeDeleted=true` shows those that are archived too."""
        archived = call.query.get("includeDeleted") == "true"
        found = self._account.records.all("pipeline") if archived else active_pipelines(self._account)
        return page_of(call, "pipelines", _called(call, found), lambda each: pipeline_view(self._account, each))

    def get(self, call: Call) -> Response:
        """One pipeline, or up to ten by comma-separated ids: then 404 if any one is missing."""
        ids = call.params["ids"].split(",")
        if len(ids) > MOST_IDS:
            raise invalid("too many ids", "pipeline", "id")
        views = [pipeline_view(self._account, self._found("pipeline", id_of(each))) for each in ids]
        return answer({"pipeline": views[0]} if len(views) == 1 else {"pipelines": views})

    def milestones_of(self, call: Call) -> Response:
        """The milestones of one pipeline."""
        pipeline = self._found("pipeline", id_in(call))
        return self._milestones(call, milestones_in(self._account, pipeline["id"]))

    def milestones(self, call: Call) -> Response:
        """The milestones of the oldest pipeline alone, however many there are."""
        oldest = active_pipelines(self._account)[:1]
        return self._milestones(call, [row for each in oldest for row in milestones_in(self._account, each["id"])])

    def all_milestones(self, call: Call) -> Response:
        """The milestones of all pipelines. Not documented: the vendor's own client uses it."""
        active = active_pipelines(self._account)
        return self._milestones(call, [row for each in active for row in milestones_in(self._account, each["id"])])

    def milestone(self, call: Call) -> Response:
        """One milestone."""
        found = found_milestone(self._account, id_in(call))
        return answer({"milestone": milestone_view(self._account, found)})

    def create_milestone(self, call: Call) -> Response:
        """A new milestone: 201. Without a `pipeline` it belongs to the oldest one."""
        made = new_milestone(self._account, enveloped(call, "milestone"))
        headers = {"Location": f"{call.base_url}/api/v2/milestones/{made['id']}"}
        return answer({"milestone": milestone_view(self._account, made)}, 201, headers)

    def lost_reasons(self, call: Call) -> Response:
        """The reasons for which opportunities are lost."""
        return page_of(call, "lostReasons", _called(call, self._account.records.all("lostreason")), lambda each: each)

    def lost_reason(self, call: Call) -> Response:
        """One of them."""
        return answer({"lostReason": self._found("lostreason", id_in(call), "lost reason")})

    def _milestones(self, call: Call, found: list[Record]) -> Response:
        return page_of(call, "milestones", found, lambda each: milestone_view(self._account, each))

    def _found(self, kind: str, record_id: int, what: str = "") -> Record:
        found = self._account.records.get(kind, record_id)
        if found is None:
            raise missing(what or kind)
        return found


def _called(call: Call, records: list[Record]) -> list[Record]:
    """Return the records in whose name the text of `q` occurs."""
    wanted = call.query.get("q", "").casefold()
    return [each for each in records if wanted in each["name"].casefold()]


def new_milestone(account: Account, draft: Record) -> Record:
    """Create a milestone at the end of its pipeline and return it as stored. Raises the 422 or the 404."""
    oldest = next(iter(active_pipelines(account)), {"id": 0})
    pipeline = account.records.get("pipeline", reference(draft.get("pipeline") or oldest["id"], "pipeline"))
    if pipeline is None:
        raise missing("pipeline")
    complete, probability = draft.get("complete") is True, draft.get("probability")
    at, number = account.stamp(), account.records.next_id("milestone")
    record = {
        "id": number,
        "name": _name(draft, "milestone"),
        "description": draft.get("description"),
        "complete": complete,
        "probability": _probability(probability, complete=complete),
        "daysUntilStale": None,
        "pipeline": named(pipeline),
        "createdAt": at,
        "updatedAt": at,
    }
    account.records.commit("create", "milestone", number, record)
    return record


def _name(draft: Record, resource: str) -> str:
    name = draft.get("name")
    if not isinstance(name, str) or not name.strip():
        raise invalid("name is required", resource, "name")
    return name


def _probability(value: Any, *, complete: bool) -> int:
    if type(value) is not int or not 0 <= value <= 100 or (complete and value not in (0, 100)):
        raise invalid("invalid probability", "milestone", "probability")
    return value
