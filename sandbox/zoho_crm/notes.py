"""Notes on records: written and read under the record that they belong to.

Source: https://www.zoho.com/crm/developer/docs/api/v8/create-notes.html, /get-notes.html
"""

from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.hands import Hands
from sandbox.ledger import Record
from sandbox.zoho_crm.account import PERSON, Account, number_of
from sandbox.zoho_crm.bodies import many_of, read
from sandbox.zoho_crm.errors import error, invalid, nothing, refused, said, success, unknown_id
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.pages import Order, Pager
from sandbox.zoho_crm.reads import fields_in
from sandbox.zoho_crm.render import user_view
from sandbox.zoho_crm.writing import FIRST

KIND, FIRST_NOTE = "Notes", 4_876_876_000_500_000_001
LONGEST = {"Note_Title": 120, "Note_Content": 32_000}


class Notes:
    """The notes of one record after the other."""

    def __init__(self, account: Account) -> None:
        self._account, self._pager = account, Pager(account)

    def index(self, call: Call) -> Response:
        """A page of a record's notes with the fields that were asked for, latest first; 204 if there are none."""
        module, parent = self._parent(call)
        names = fields_in(call)
        found = [each for each in self._account.records.all(KIND) if _is_of(each, module, parent["id"])]
        page = self._pager.page(call, found, Order.read(call))
        if not page.rows:
            return nothing()
        return said({"data": [note_view(self._account, each, names) for each in page.rows], "info": page.info})

    def create(self, call: Call) -> Response:
        """New notes: 201, with a result for each in their order."""
        module, parent = self._parent(call)
        results: list[Record] = []
        for number, draft in enumerate(many_of(read(self._account, call))):
            try:
                made = write_note(
                    self._account, module, parent, draft, call.token["user_id"], place=f"$.data[{number}]"
                )
                results.append(self._done(made))
            except Refusal as refusal:
                results.append(refusal.body)
        failed = sum(each["status"] == "error" for each in results)
        refused_all = self._account.settings.all_failed
        return said({"data": results}, 201 if not failed else refused_all if failed == len(results) else 207)

    def _parent(self, call: Call) -> tuple[str, Record]:
        module = self._account.module_in(call)
        record = self._account.get(module, call.params["id"])
        if record is None:
            raise refused("INVALID_DATA", "the related id given seems to be invalid", resource_path_index=1)
        return module, record

    def _done(self, note: Record) -> Record:
        account = self._account
        times = {name: account.shown(note[name]) for name in ("Created_Time", "Modified_Time")}
        users = {name: account.user_short(note[name]) for name in ("Created_By", "Modified_By")}
        return success("record added", id=note["id"], **times, **users)


def write_note(
    account: Account, module: str, parent: Record, draft: Any, user_id: int, *, place: str = FIRST
) -> Record:
    """Make a note on a record and return it as stored. Raises what Zoho says of it."""
    texts = _texts(draft, place)
    if not (texts["Note_Content"] or "").strip():
        where = {"api_name": "Note_Content", "json_path": f"{place}.Note_Content"}
        raise Refusal(400, error("MANDATORY_NOT_FOUND", "required field not found", **where))
    number, user, at = account.records.next_id(KIND), str(user_id), account.stamp()
    people = {"Owner": user, "Created_By": user, "Modified_By": user}
    stamps = {"Created_Time": at, "Modified_Time": at}
    note = {"id": str(number), **texts, "parent": parent["id"], "module": module, **people, **stamps}
    account.records.commit("create", KIND, number, note)
    return note


def _texts(draft: Any, place: str) -> Record:
    if not isinstance(draft, dict):
        raise invalid("data", place, expected_data_type="jsonobject")
    for name, longest in LONGEST.items():
        value = draft.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid(name, place, expected_data_type="text")
        if value and len(value) > longest:
            raise invalid(name, place, maximum_length=longest)
    return {name: draft.get(name) for name in LONGEST}


def _is_of(note: Record, module: str, parent_id: str) -> bool:
    return bool(note["module"] == module and note["parent"] == parent_id)


def note_view(account: Account, note: Record, names: list[str] | None = None) -> Record:
    """Return a note as the API shows it: all of it, or its id and the fields that were asked for."""
    module = {"api_name": note["module"], "id": str(MODULES[note["module"]].number)}
    parent = account.record_short(note["module"], note["parent"]) or {"id": note["parent"], "name": None}
    whole = {
        **{name: note[name] for name in LONGEST},
        "Parent_Id": {**parent, "module": module},
        "Owner": user_view(account, note["Owner"], with_email=True),
        **{name: account.user_short(note[name]) for name in ("Created_By", "Modified_By")},
        **{name: account.shown(note[name]) for name in ("Created_Time", "Modified_Time")},
        "$editable": True,
        "$voice_note": False,
        "$attachments": None,
    }
    return {"id": note["id"], **{name: value for name, value in whole.items() if names is None or name in names}}


def note_hands(account: Account) -> Hands:
    """Return what a colleague does with notes. A new one names its `module` and the id of its record as `parent`."""

    def known(number: int) -> Record:
        note = account.records.get(KIND, number)
        if note is None:
            raise Refusal(404, {"error": f"there is no note {number}"})
        return note

    def make(draft: Record) -> Record:
        module, parent = draft.get("module"), None
        if isinstance(module, str) and module in MODULES:
            parent = account.get(module, number_of(draft.get("parent")))
        if not isinstance(module, str) or parent is None:
            raise unknown_id(f"{FIRST}.Parent_Id")
        return write_note(account, module, parent, draft, PERSON)

    def edit(number: int, changes: Record) -> Record:
        note = known(number)
        texts = {name: value for name, value in _texts({**note, **changes}, FIRST).items() if name in changes}
        changed = {**note, **texts, "Modified_By": str(PERSON), "Modified_Time": account.stamp()}
        account.records.commit("update", KIND, number, changed)
        return changed

    def remove(number: int) -> Record:
        note = known(number)
        account.records.commit("delete", KIND, number, note)
        return note

    return Hands(create=make, edit=edit, remove=remove)
