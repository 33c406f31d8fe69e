"""The calls that write records: up to a hundred at a time, each with a result of its own in the order of what was sent.

Source: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, /update-records.html, /upsert-records.html,
/delete-records.html
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.clock import from_zulu
from sandbox.ledger import Record
from sandbox.zoho_crm import writing
from sandbox.zoho_crm.account import Account
from sandbox.zoho_crm.bodies import many_of, one_of, read
from sandbox.zoho_crm.errors import bad_parameter, invalid, refused, said, success, unknown_id
from sandbox.zoho_crm.fields import Field
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.notices import Notices

Write = Callable[[Record, str], Record]
"""Writes one of the records that were sent, whose path is the second argument, and returns its result."""


class Writes:
    """Inserts, updates, upserts and deletions. What one call writes is told in one notification."""

    def __init__(self, account: Account, notices: Notices) -> None:
        self._account, self._notices = account, notices

    def insert(self, call: Call) -> Response:
        """New records: 201."""
        module, user_id = self._account.module_in(call), call.token["user_id"]

        def write(draft: Record, place: str) -> Record:
            return self._done("record added", writing.create(self._account, module, draft, user_id, place))

        return self._each(many_of(read(self._account, call)), write, 201)

    def update_many(self, call: Call) -> Response:
        """Records, each with its id, after what was sent of them: 200."""
        module, since = self._account.module_in(call), _unmodified_since(call)

        def write(changes: Record, place: str) -> Record:
            return self._update(call, module, changes.get("id"), changes, place, since=since)

        return self._each(many_of(read(self._account, call)), write, 200)

    def update(self, call: Call) -> Response:
        """One record: 200, or 412 if it changed since the instant in `If-Unmodified-Since`."""
        module, since = self._account.module_in(call), _unmodified_since(call)

        def write(changes: Record, place: str) -> Record:
            return self._update(call, module, call.params["id"], changes, place, since=since)

        return self._each(one_of(read(self._account, call)), write, 200)

    def upsert(self, call: Call) -> Response:
        """New records, or changes of the oldest with the same value in the first check field that finds one: 200."""
        module, body = self._account.module_in(call), read(self._account, call)
        fields, written = self._check_fields(module, body), set[str]()

        def write(draft: Record, place: str) -> Record:
            known, field = self._known(module, draft, fields)
            if known is None or field is None:
                record = writing.create(self._account, module, draft, call.token["user_id"], place)
                written.add(record["id"])
                return self._done("record added", record) | {"action": "insert", "duplicate_field": None}
            if known["id"] in written and self._account.settings.second_row == "refused":
                raise Refusal(400, writing.duplicate(self._account, module, field, known, place))
            record = writing.update(self._account, module, known, draft, call.token["user_id"], place=place)
            return self._done("record updated", record) | {"action": "update", "duplicate_field": field.api_name}

        return self._each(many_of(body), write, 200)

    def delete(self, call: Call) -> Response:
        """One record gone: 200."""
        return self._delete(call, self._account.module_in(call), [call.params["id"]])

    def delete_many(self, call: Call) -> Response:
        """The records in `ids` gone: 200."""
        module, ids = self._account.module_in(call), [each for each in call.query.get("ids", "").split(",") if each]
        if not ids:
            raise refused("REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", param_name="ids")
        if len(ids) > 100:
            raise refused("LIMIT_EXCEEDED", "the limit is exceeded", param_name="ids", limit=100)
        return self._delete(call, module, ids)

    def _delete(self, call: Call, module: str, ids: list[str]) -> Response:
        def write(wanted: Record, _place: str) -> Record:
            record = self._account.get(module, wanted["id"])
            if record is None:
                raise refused("INVALID_DATA", "record not deleted", id=wanted["id"])
            writing.delete(self._account, module, record, call.token["user_id"])
            return success("record deleted", id=record["id"])

        return self._each([{"id": each} for each in ids], write, 200)

    def _update(
        self, call: Call, module: str, record_id: Any, changes: Record, place: str, *, since: datetime | None
    ) -> Record:
        record = self._account.get(module, record_id)
        if record is None:
            raise unknown_id(place)
        if since and from_zulu(record["Modified_Time"]) > since:
            raise refused(self._account.settings.modified_code, "the record has been modified already", 412)
        changed = writing.update(self._account, module, record, changes, call.token["user_id"], place=place)
        return self._done("record updated", changed)

    def _each(self, drafts: list[Any], write: Write, good: int) -> Response:
        results: list[Record] = []
        statuses = set[int]()
        with self._notices.together():
            for number, draft in enumerate(drafts):
                place = f"$.data[{number}]"
                try:
                    if not isinstance(draft, dict):
                        raise invalid("data", place, expected_data_type="jsonobject")
                    results.append(write(draft, place))
                    statuses.add(good)
                except Refusal as refusal:
                    results.append(refusal.body)
                    statuses.add(refusal.status)
        return said({"data": results}, self._status(statuses, good))

    def _status(self, statuses: set[int], good: int) -> int:
        if statuses in ({good}, {412}):
            return statuses.pop()
        return 207 if good in statuses else self._account.settings.all_failed

    def _done(self, message: str, record: Record) -> Record:
        account = self._account
        times = {name: account.shown(record[name]) for name in ("Created_Time", "Modified_Time")}
        users = {name: account.user_short(record[name]) for name in ("Created_By", "Modified_By")}
        return success(message, id=record["id"], **times, **users, **{"$approval_state": "approved"})

    def _check_fields(self, module: str, body: Record) -> list[Field]:
        """Return the fields by which an upsert looks for a record, in their order."""
        schema, named = self._account.schema, body.get("duplicate_check_fields")
        if named is None:
            unique = [name for name, field in schema.custom(module).items() if field.unique]
            named = [*MODULES[module].duplicates, *unique]
        fields = [schema.get(module, str(name)) for name in named] if isinstance(named, list) else [None]
        known = [field for field in fields if field and (field.unique or field.api_name in MODULES[module].duplicates)]
        if len(known) != len(fields):
            raise refused("INVALID_DATA", "invalid data", api_name="duplicate_check_fields", json_path="$")
        return known

    def _known(self, module: str, draft: Record, fields: list[Field]) -> tuple[Record | None, Field | None]:
        for field in fields:
            value = draft.get(field.api_name)
            if isinstance(value, str | int) and value != "":
                found = writing.owner_of_value(self._account, module, field, value)
                if found:
                    return found, field
        return None, None


def _unmodified_since(call: Call) -> datetime | None:
    text = call.headers.get("if-unmodified-since")
    if text is None:
        return None
    try:
        return from_zulu(text)
    except ValueError as error:
        raise bad_parameter("If-Unmodified-Since", expected_data_type="datetime") from error
