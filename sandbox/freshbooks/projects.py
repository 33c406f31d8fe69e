"""The operations on projects. Source: https://www.freshbooks.com/api/project"""

from collections.abc import Callable

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.freshbooks.account import Account
from sandbox.freshbooks.business import HIDDEN, asked, business_of, content, found, listed, members, page_of
from sandbox.freshbooks.business_values import asked_flag, asked_instant, asked_number
from sandbox.freshbooks.project_write import THING, ProjectWriter
from sandbox.freshbooks.services import service_view
from sandbox.ledger import Record

FLAGS = ("active", "complete", "internal")
FILTERS = {
    **dict.fromkeys((*FLAGS, "include_logged_duration", "skip_group"), asked_flag),
    "client_id": asked_number,
    "updated_since": asked_instant,
}
SORT_KEYS: dict[str, Callable[[Record], str]] = {
    "title": lambda project: str(project["title"]).casefold(),
    "due_date": lambda project: str(project["due_date"] or ""),
    "created_at": lambda project: str(project["created_at"]),
}


class Projects:
    """Projects of a business, to be listed, read and written."""

    def __init__(self, account: Account, writer: ProjectWriter) -> None:
        self._account, self._writer = account, writer

    def index(self, call: Call) -> Response:
        """A page of projects, those that are put away too; the newest come first unless sorted."""
        all_own, wanted = listed(self._account, THING, call), asked(call, FILTERS)
        chosen = [each for each in all_own if _passes(each, wanted)]
        chosen = _ordered(chosen, call.query.get("sort", ""))
        logged = bool(wanted.get("include_logged_duration"))
        left_out = ("group_id",) if wanted.get("skip_group") else ()
        extra = self._account.settings.extra_total
        return answer(
            page_of(call, "projects", chosen, lambda each: self._view(each, left_out, logged=logged), extra=extra)
        )

    def get(self, call: Call) -> Response:
        """One project, and what the caller may do with it."""
        logged = bool(asked(call, FILTERS).get("include_logged_duration"))
        body = self._single(found(self._account, THING, call), logged=logged)
        return answer({**body, "abilities": [{"name": "edit_project", "value": True}]})

    def create(self, call: Call) -> Response:
        """A new project: 200, not 201."""
        business_id = business_of(self._account, call)
        return answer(self._single(self._writer.create(content(call, THING), business_id)))

    def update(self, call: Call) -> Response:
        """A project after a change."""
        project = found(self._account, THING, call)
        return answer(self._single(self._writer.update(project, content(call, THING))))

    def delete(self, call: Call) -> Response:
        """204."""
        self._writer.delete(found(self._account, THING, call))
        return Response(status_code=204)

    def _single(self, project: Record, *, logged: bool = False) -> Record:
        shown, people = (
            self._view(project, ("group_id",), logged=logged),
            members(self._account, project["business_id"]),
        )
        group = {"id": project["group_id"], "members": people, "pending_invitations": []}
        return {THING: {**shown, "group": group}}

    def _view(self, project: Record, left_out: tuple[str, ...], *, logged: bool) -> Record:
        """Return a project as it is answered."""
        entries = [each for each in self._entries(project) if each["is_logged"]]
        kept = {key: value for key, value in project.items() if key not in (*HIDDEN, *left_out, "service_ids")}
        services = [self._account.records.get("service", each) for each in project["service_ids"]]
        return {
            "billed_amount": "0.00",
            **kept,
            **({"logged_duration": sum(each["duration"] for each in entries)} if logged else {}),
            "services": [service_view(each) for each in services if each],
            "billed_status": _billed_status(entries),
        }

    def _entries(self, project: Record) -> list[Record]:
        records = self._account.records
        entries = (records.get("time_entry", each) for each in self._account.entries.find("project", project["id"]))
        return [each for each in entries if each is not None and each["active"]]


def _passes(project: Record, wanted: Record) -> bool:
    if any(project[key] != wanted[key] for key in (*FLAGS, "client_id") if key in wanted):
        return False
    since = str(wanted.get("updated_since", "")).removesuffix("Z")
    return bool(project["updated_at"] >= since)


def _ordered(projects: list[Record], sort: str) -> list[Record]:
    """Return projects, which come oldest first, by a key or (with a minus before it) backwards; another is ignored."""
    projects.reverse()
    if make := SORT_KEYS.get(sort.removeprefix("-")):
        projects.sort(key=make, reverse=sort.startswith("-"))
    return projects


def _billed_status(entries: list[Record]) -> str:
    billed = sum(1 for each in entries if each["billed"])
    if billed == 0:
        return "unbilled"
    return "billed" if billed == len(entries) else "partially_billed"
