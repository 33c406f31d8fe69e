"""Definitions of custom fields and of tags for parties.

Source: https://developer.capsulecrm.com/v2/operations/Custom_Field, /v2/operations/Tag
"""

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.capsule.account import Account, enveloped, id_in
from sandbox.capsule.errors import invalid, missing
from sandbox.capsule.fields import new_tag
from sandbox.ledger import Record

TYPES = ("text", "largetext", "date", "list", "multiselectlist", "boolean", "number", "link")
WITH_OPTIONS = ("list", "multiselectlist")
RULES = ("person", "organisation")


def definition(number: int, name: str, kind: str, *, options: list[str] | None = None, **more: object) -> Record:
    """Return the definition of a custom field. Optional keys that say nothing are absent."""
    record: Record = {"id": number, "name": name, "type": kind, "displayOrder": number, "important": False, **more}
    return {**record, "options": options} if options is not None else record


class Definitions:
    """The custom fields that parties can have."""

    def __init__(self, account: Account) -> None:
        self._account, self._records = account, account.records

    def index(self, _call: Call) -> Response:
        """All definitions."""
        return answer({"definitions": self._records.all("definition")})

    def get(self, call: Call) -> Response:
        """One definition."""
        return answer({"definition": self._found(call)})

    def create(self, call: Call) -> Response:
        """A new definition: 201."""
        draft = enveloped(call, "definition")
        options = draft.get("options") if draft.get("type") in WITH_OPTIONS else None
        more = {key: draft[key] for key in ("description", "important", "captureRule") if draft.get(key) is not None}
        _check(draft)
        number = self._records.next_id("definition")
        record = definition(number, draft["name"], draft["type"], options=options, **more)
        self._records.commit("create", "definition", number, record)
        location = f"{call.base_url}/api/v2/parties/fields/definitions/{number}"
        return answer({"definition": record}, 201, {"Location": location})

    def update(self, call: Call) -> Response:
        """A definition after a change of anything but its type."""
        before, changes = self._found(call), enveloped(call, "definition")
        keys = ("name", "description", "important", "captureRule", "displayOrder", "options")
        changed = {**before, **{key: changes[key] for key in keys if key in changes}}
        _check(changed)
        self._records.commit("update", "definition", before["id"], changed)
        return answer({"definition": changed})

    def delete(self, call: Call) -> Response:
        """204; the values go with the definition."""
        gone = self._found(call)
        self._records.commit("delete", "definition", gone["id"], gone)
        for party in self._records.all("party"):
            left = [row for row in party["fields"] if row["definition"]["id"] != gone["id"]]
            if len(left) < len(party["fields"]):
                changed = {**party, "fields": left, "updatedAt": self._account.stamp()}
                self._records.commit("update", "party", party["id"], changed)
        return Response(status_code=204)

    def _found(self, call: Call) -> Record:
        found = self._records.get("definition", id_in(call))
        if found is None:
            raise missing("definition")
        return found


class Tags:
    """The tags that parties can have."""

    def __init__(self, account: Account) -> None:
        self._account, self._records = account, account.records

    def index(self, _call: Call) -> Response:
        """All tags."""
        return answer({"tags": [_tag_view(each) for each in self._records.all("tag")]})

    def get(self, call: Call) -> Response:
        """One tag."""
        return answer({"tag": _tag_view(self._found(call))})

    def create(self, call: Call) -> Response:
        """A new tag: 201."""
        draft = enveloped(call, "tag")
        if not draft.get("name"):
            raise invalid("name is required", "tag", "name")
        tag = new_tag(self._account, str(draft["name"]), draft.get("description"))
        return answer({"tag": _tag_view(tag)}, 201, {"Location": f"{call.base_url}/api/v2/parties/tags/{tag['id']}"})

    def update(self, call: Call) -> Response:
        """A tag after a change of its name or description."""
        before, changes = self._found(call), enveloped(call, "tag")
        changed: Record = before | {key: changes[key] for key in ("name", "description") if key in changes}
        self._records.commit("update", "tag", before["id"], changed)
        return answer({"tag": _tag_view(changed)})

    def delete(self, call: Call) -> Response:
        """204; the tag is taken off every party."""
        gone = self._found(call)
        self._records.commit("delete", "tag", gone["id"], gone)
        for party in self._records.all("party"):
            left = [tag for tag in party["tags"] if tag["id"] != gone["id"]]
            if len(left) < len(party["tags"]):
                changed = {**party, "tags": left, "updatedAt": self._account.stamp()}
                self._records.commit("update", "party", party["id"], changed)
        return Response(status_code=204)

    def _found(self, call: Call) -> Record:
        found = self._records.get("tag", id_in(call))
        if found is None:
            raise missing("tag")
        return found


def _tag_view(tag: Record) -> Record:
    return {key: tag[key] for key in ("id", "name", "description", "dataTag") if tag[key] is not None}


def _check(draft: Record) -> None:
    if not isinstance(draft.get("name"), str) or not draft["name"]:
        raise invalid("name is required", "definition", "name")
    if draft.get("type") not in TYPES:
        raise invalid("unknown type", "definition", "type")
    options = draft.get("options")
    listed = isinstance(options, list) and options and all(isinstance(each, str) for each in options)
    if draft["type"] in WITH_OPTIONS and not listed:
        raise invalid("options are required", "definition", "options")
    if draft.get("captureRule") not in (None, *RULES):
        raise invalid("unknown capture rule", "definition", "captureRule")
