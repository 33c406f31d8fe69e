"""Starting, changing and deleting projects. Source: https://www.freshbooks.com/api/project"""

from typing import Any

from sandbox.freshbooks.account import BUSINESS_ID, IDENTITY_ID, Account
from sandbox.freshbooks.business import account_id_of, identities, named_business
from sandbox.freshbooks.business_values import Unfit, amount, day, flag, one_of, parsed, text, title, whole, zoneless
from sandbox.freshbooks.errors import internal, invalid, missing
from sandbox.ledger import Record

THING = "project"
BLANK: Record = {
    "title": "",
    **dict.fromkeys(("description", "due_date", "client_id", "budget", "fixed_price", "rate", "billing_method")),
    **dict.fromkeys(("project_manager_id", "retainer_id")),
    "internal": False,
    "project_type": "hourly_rate",
    "active": True,
    "complete": False,
    "sample": False,
    "expense_markup": "0",
    "service_ids": [],
}
NEVER_NULL = ("title", "internal", "project_type", "active", "complete", "expense_markup", "services")
METHODS = ("business_rate", "project_rate", "service_rate", "team_member_rate")


class ProjectWriter:
    """Writes projects, for callers of the API and for people alike."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create(self, draft: Record, business_id: int = BUSINESS_ID) -> Record:
        """Start a project and return it. Raises a 422; title and description must be there, whatever the latter is."""
        lacking = {} if "description" in draft else {"description": "field required"}
        written = self._written({**BLANK, "business_id": business_id}, draft, ("title",), lacking)
        at, number = zoneless(self._account.now()), self._account.next_id(THING)
        return self._store("create", {"id": number, **written, "created_at": at})

    def update(self, project: Record, changes: Record) -> Record:
        """Change the fields that are named, and return the project. Raises a 422, and the 500 without a title."""
        if changes.get("title") is None:
            raise internal()
        return self._store("update", self._written(project, changes))

    def delete(self, project: Record) -> Record:
        """Delete a project for good, and return it. Its time entries still name it."""
        self._account.records.commit("delete", THING, project["id"], project)
        return project

    def by_hand(self, draft: Record) -> Record:
        """A person starts a project, in the sandbox's own business unless the draft names another. Raises a 422."""
        return self.create({"description": None, **draft}, named_business(self._account, draft))

    def edit(self, project_id: int, changes: Record) -> Record:
        """A person changes a project. Raises the 404 or a 422."""
        project = self.found(project_id)
        return self.update(project, {"title": project["title"], **changes})

    def remove(self, project_id: int) -> Record:
        """A person deletes a project. Raises the 404."""
        return self.delete(self.found(project_id))

    def found(self, project_id: int) -> Record:
        """Return a project. Raises the 404."""
        project = self._account.records.get(THING, project_id)
        if project is None:
            raise missing()
        return project

    def _written(
        self, before: Record, draft: Record, required: tuple[str, ...] = (), lacking: dict[str, str] | None = None
    ) -> Record:
        """Return a project after what can be written of a draft. Raises the 422."""
        parsers = {
            "title": title,
            "description": text,
            "due_date": day,
            **dict.fromkeys(("client_id", "budget", "project_manager_id"), whole),
            **dict.fromkeys(("internal", "active", "complete"), flag),
            **dict.fromkeys(("fixed_price", "rate"), amount),
            "billing_method": one_of(*METHODS),
            "project_type": one_of("fixed_price", "hourly_rate"),
            "expense_markup": text,
            "services": _service_ids,
        }
        read = parsed(draft, parsers, required, lacking)
        read = {key: value for key, value in read.items() if value is not None or key not in NEVER_NULL}
        if "services" in read:
            read["service_ids"] = read.pop("services")
        project = {**before, **read}
        if wrong := self._strangers(project, before):
            raise invalid(wrong)
        return project

    def _strangers(self, project: Record, before: Record) -> dict[str, str]:
        """Return which fields newly name what the business does not have."""
        named = [("client_id", "client", project["client_id"])]
        named += [("services", "service", each) for each in project["service_ids"]]
        old = {before["client_id"], *before["service_ids"], None}
        account_id, wrong = account_id_of(self._account, project["business_id"]), {}
        for field, kind, number in named:
            record = {} if number in old else self._account.records.get(kind, number) or {}
            if number not in old and record.get("accounting_systemid") != account_id:
                wrong[field] = f"{kind.capitalize()} not found"
        if project["project_manager_id"] not in (None, *identities(self._account, project["business_id"])):
            wrong["project_manager_id"] = "Identity not found"
        return wrong

    def _store(self, operation: str, project: Record) -> Record:
        """Store a project; the ledger has its hidden fields too."""
        stored = {
            **project,
            "accounting_systemid": account_id_of(self._account, project["business_id"]),
            "group_id": project["id"] + IDENTITY_ID,
            "updated_at": zoneless(self._account.now()),
        }
        self._account.records.commit(operation, THING, stored["id"], stored)
        return stored


def _service_ids(value: Any) -> list[int]:
    """Return the ids of a list of services, each an object with an `id`."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Unfit("value is not a valid list")
    return [whole(each.get("id")) for each in value]
