"""The operations on time entries. Source: https://www.freshbooks.com/api/time_entries"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.freshbooks.account import Account
from sandbox.freshbooks.business import HIDDEN, asked, business_of, content, found, listed, page_of
from sandbox.freshbooks.business_values import Parser, asked_flag, asked_instant, asked_number
from sandbox.freshbooks.errors import missing
from sandbox.freshbooks.time_entry_write import THING, TimeEntryWriter
from sandbox.ledger import Record

Test = Callable[[Record], bool]

FLAGS, IDS = ("billable", "billed"), ("client_id", "project_id", "identity_id")
FILTERS: Mapping[str, Parser] = {
    **dict.fromkeys((*FLAGS, "team", "include_deleted", "include_unlogged"), asked_flag),
    **dict.fromkeys(IDS, asked_number),
    **dict.fromkeys(("started_from", "started_to", "updated_since"), asked_instant),
}


class TimeEntries:
    """Time entries of a business, to be listed, read and written; deleted ones are only hidden."""

    def __init__(self, account: Account, writer: TimeEntryWriter) -> None:
        self._account, self._writer = account, writer

    def index(self, call: Call) -> Response:
        """A page of entries, the latest start first: the caller's own, or with `team=true` everybody's."""
        all_own, wanted = listed(self._account, THING, call), asked(call, FILTERS)
        tests = [*_tests(wanted, call.token["user_id"]), *self._until(wanted)]
        chosen = [each for each in all_own if all(test(each) for test in tests)]
        chosen.sort(key=lambda entry: (entry["started_at"], entry["id"]), reverse=True)
        page = page_of(call, "time_entries", chosen, view, extra=self._account.settings.extra_total)
        return answer({**page, "meta": {**page["meta"], **_sums(chosen)}})

    def get(self, call: Call) -> Response:
        """One entry; a deleted one is not active, or 404 if the settings say so."""
        entry = found(self._account, THING, call)
        if not entry["active"] and not self._account.settings.deleted_entries_answer:
            raise missing()
        return _answer(entry)

    def create(self, call: Call) -> Response:
        """A new entry: 200, not 201."""
        business_id = business_of(self._account, call)
        return _answer(self._writer.create(content(call, THING), business_id, call.token["user_id"]))

    def update(self, call: Call) -> Response:
        """An entry after it was replaced."""
        entry = found(self._account, THING, call)
        return _answer(self._writer.update(entry, content(call, THING), call.token["user_id"]))

    def delete(self, call: Call) -> Response:
        """204."""
        self._writer.delete(found(self._account, THING, call))
        return Response(status_code=204)

    def _until(self, wanted: Record) -> list[Test]:
        """Return what an entry must pass so as not to have begun too late."""
        if "started_to" not in wanted:
            return []
        last, included = wanted["started_to"], self._account.settings.started_to_included
        return [lambda entry: bool(entry["started_at"] < last or (included and entry["started_at"] == last))]


def view(entry: Record) -> Record:
    """Return an entry as it is answered: when it changed is only known to the filter."""
    return {key: value for key, value in entry.items() if key not in (*HIDDEN, "business_id", "updated_at")}


def _tests(wanted: Record, caller: int) -> list[Test]:
    """Return what an entry must pass to be listed."""
    tests = [_is(key, wanted[key]) for key in (*FLAGS, *IDS) if key in wanted]
    if not wanted.get("team"):
        tests.append(_is("identity_id", caller))
    if not wanted.get("include_deleted"):
        tests.append(_is("active", value=True))
    if not wanted.get("include_unlogged"):
        tests.append(_is("is_logged", value=True))
    for key, field in (("started_from", "started_at"), ("updated_since", "updated_at")):
        if key in wanted:
            tests.append(_from(field, wanted[key]))
    return tests


def _is(field: str, value: Any) -> Test:
    return lambda entry: bool(entry[field] == value)


def _from(field: str, least: str) -> Test:
    return lambda entry: bool(entry[field] >= least)


def _sums(entries: list[Record]) -> Record:
    """Return the seconds of all entries that were found, not of the page alone, and those that can still be billed."""
    unbilled = [each for each in entries if each["billable"] and not each["billed"]]
    return {"total_logged": _seconds(entries), "total_unbilled": _seconds(unbilled)}


def _seconds(entries: list[Record]) -> int:
    return sum(each["duration"] or 0 for each in entries)


def _answer(entry: Record) -> Response:
    return answer({THING: view(entry)})
