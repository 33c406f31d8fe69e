"""Logging, changing, stopping and deleting time entries.

Source: https://www.freshbooks.com/api/time_entries
"""

from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import from_zulu, zulu
from sandbox.freshbooks.account import BUSINESS_ID, IDENTITY_ID, Account
from sandbox.freshbooks.business import account_id_of, identities, named_business
from sandbox.freshbooks.business_values import flag, instant, local_instant, parsed, text, whole, zone
from sandbox.freshbooks.errors import invalid, missing
from sandbox.ledger import Record

THING = "time_entry"
PARSERS = {
    "is_logged": flag,
    "started_at": instant,
    "duration": whole,
    "local_started_at": local_instant,
    "local_timezone": zone,
    **dict.fromkeys(("identity_id", "client_id", "project_id", "service_id", "task_id"), whole),
    "note": text,
    **dict.fromkeys(("billable", "billed", "internal"), flag),
}
REQUIRED = ("is_logged", "started_at")
FLAGS = ("billable", "billed", "internal")
UNSENT: Record = {
    **dict.fromkeys(("duration", "local_started_at", "local_timezone", "client_id", "project_id", "service_id")),
    **dict.fromkeys(("task_id", "note", "retainer_id", "pending_client", "pending_project", "pending_task")),
    **dict.fromkeys(FLAGS, False),
}
"""What a time entry has that its writer does not name."""


class TimeEntryWriter:
    """Writes time entries, for callers of the API and for people alike."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create(self, draft: Record, business_id: int = BUSINESS_ID, caller: int = IDENTITY_ID) -> Record:
        """Log time, or start a timer with `is_logged` false, and return the entry. Raises a 422."""
        written = self._written({**UNSENT, "identity_id": caller}, draft, business_id)
        number, at = self._account.next_id(THING), zulu(self._account.now())
        entry = {"id": number, **written, "created_at": at, "active": True, "business_id": business_id}
        return self._store("create", entry)

    def update(self, entry: Record, changes: Record, caller: int = IDENTITY_ID) -> Record:
        """Replace an entry and return it: what is not named is emptied, and the entry the caller's own, unless the
        settings say that it stays. Raises the 404 for one that is deleted, or a 422.
        """
        if not entry["active"]:
            raise missing()
        before = entry if self._account.settings.entries_keep_unsent else {**UNSENT, "identity_id": caller}
        written = self._written(before, changes, entry["business_id"], entry)
        return self._store("update", {**entry, **written})

    def delete(self, entry: Record) -> Record:
        """Delete an entry, which hides it, and return it. Raises the 404 if that was done before."""
        if not entry["active"]:
            raise missing()
        return self._store("update", {**entry, "active": False})

    def by_hand(self, draft: Record) -> Record:
        """A person logs time: now, in the sandbox's own business and for the owner, unless the draft names another."""
        usual = {"is_logged": True, "started_at": zulu(self._account.now()), "billable": True}
        return self.create({**usual, **draft}, named_business(self._account, draft))

    def edit(self, entry_id: int, changes: Record) -> Record:
        """A person changes some fields of an entry, and the rest stays. Raises the 404 or a 422."""
        entry = self.found(entry_id)
        kept = {key: value for key, value in entry.items() if key in PARSERS and not _follows(key, changes)}
        return self.update(entry, {**kept, **changes})

    def remove(self, entry_id: int) -> Record:
        """A person deletes an entry. Raises the 404."""
        return self.delete(self.found(entry_id))

    def stop(self, entry_id: int, body: Record) -> Record:
        """A person stops a timer, after `duration` seconds if the body says so. Raises the 404, or a 422 if it does
        not run.
        """
        entry = self.found(entry_id)
        if entry["is_logged"]:
            raise invalid({"__root__": "The timer does not run"})
        passed = max(int((self._account.now() - from_zulu(entry["started_at"])).total_seconds()), 0)
        return self.edit(entry_id, {"is_logged": True, "duration": body.get("duration", passed)})

    def bill(self, entry_id: int, body: Record) -> Record:
        """A person ticks an entry as billed, or with `{"billed": false}` as not billed. Raises the 404 or a 422."""
        return self.edit(entry_id, {"billed": body.get("billed", True)})

    def found(self, entry_id: int) -> Record:
        """Return an entry. Raises the 404."""
        entry = self._account.records.get(THING, entry_id)
        if entry is None:
            raise missing()
        return entry

    def _written(self, before: Record, draft: Record, business_id: int, stored: Record | None = None) -> Record:
        """Return what can be written of an entry after a draft. Raises the 422."""
        also = _contradictions(draft) | self._strangers(draft, business_id, stored or {})
        read = parsed(draft, PARSERS, REQUIRED, also)
        sent = {key: value for key, value in read.items() if value is not None or key not in (*FLAGS, "identity_id")}
        entry = {**before, **sent, "internal": bool(sent.get("internal", before["internal"]))}
        if not entry["is_logged"]:
            entry["duration"] = None
        return {**entry, **self._local(read, entry)}

    def _local(self, read: Record, entry: Record) -> Record:
        """Return the start by the clock of the caller, or of the business if the caller named none."""
        name = read.get("local_timezone") or self._account.settings.business_time_zone
        local = from_zulu(entry["started_at"]).astimezone(ZoneInfo(name)).replace(tzinfo=None)
        return {"local_timezone": name, "local_started_at": read.get("local_started_at") or local.isoformat()}

    def _strangers(self, draft: Record, business_id: int, stored: Record) -> dict[str, str]:
        """Return which fields newly name what the business does not have: what was deleted since stays."""
        account_id, wrong = account_id_of(self._account, business_id), {}
        for kind in ("client", "project", "service"):
            number = _number(draft.get(f"{kind}_id"))
            if number is None or number == stored.get(f"{kind}_id"):
                continue
            record = self._account.records.get(kind, number) or {}
            if record.get("accounting_systemid") != account_id:
                wrong[f"{kind}_id"] = f"{kind.capitalize()} not found"
        who = _number(draft.get("identity_id"))
        if who is not None and who not in (stored.get("identity_id"), *identities(self._account, business_id)):
            wrong["identity_id"] = "Identity not found"
        return wrong

    def _store(self, operation: str, entry: Record) -> Record:
        """Store an entry; the ledger has its hidden fields too."""
        running = {"id": entry["id"], "is_running": True} if not entry["is_logged"] and entry["active"] else None
        stored = {
            **entry,
            "timer": running,
            "accounting_systemid": account_id_of(self._account, entry["business_id"]),
            "updated_at": zulu(self._account.now()),
        }
        self._account.records.commit(operation, THING, stored["id"], stored)
        return stored


def _contradictions(draft: Record) -> dict[str, str]:
    if draft.get("is_logged") is True and draft.get("duration") is None:
        return {"__root__": "Logged entries must have a duration"}
    return {}


def _number(value: Any) -> int | None:
    try:
        return None if value is None else whole(value)
    except ValueError:
        return None


def _follows(key: str, changes: Record) -> bool:
    """Return whether a field is worked out anew because another start or zone was written."""
    return key == "local_started_at" and bool(changes.keys() & {"started_at", "local_timezone"})
