"""Definitions of custom fields and of tags, for parties and for opportunities.

Source: https://developer.capsulecrm.com/v2/operations/Custom_Field, /v2/operations/Tag
"""

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.capsule.account import Account, enveloped, id_in
from sandbox.capsule.entities import PARTY, Entity
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
    """The custom fields that the records of an entity can have."""

    def __init__(self, account: Account, entity: Entity) -> None:
        self._account, self._records, self._entity = account, account.records, entity
        self._kind = entity.definition
        self._optional = ("description", "important", *(("captureRule",) if entity is PARTY else ()))

    def index(self, _call: Call) -> Response:
        """All definitions."""
        return answer({"definitions": self._records.all(self._kind)})

    def get(self, call: Call) -> Response:
        """One definition."""
        return answer({"definition": self._found(call)})

    def create(self, call: Call) -> Response:
        """A new definition: 201."""
        draft = enveloped(call, "definition")
        options = draft.get("options") if draft.get("type") in WITH_OPTIONS else None
        more = {key: draft[key] for key in self._optional if draft.get(key) is not None}
        _check(draft)
        number = self._records.next_id(self._kind)
        record = definition(number, draft["name"], draft["type"], options=options, **more)
        self._records.commit("create", self._kind, number, record)
        location = f"{call.base_url}/api/v2/{self._entity.many}/fields/definitions/{number}"
        return answer({"definition": record}, 201, {"Location": location})

    def update(self, call: Call) -> Response:
        """A definition after a change of anything but its type."""
        before, changes = self._found(call), enveloped(call, "definition")
        keys = ("name", *self._optional, "displayOrder", "options")
        changed = {**before, **{key: changes[key] for key in keys if key in changes}}
        _check(changed)
        self._records.commit("update", self._kind, before["id"], changed)
        return answer({"definition": changed})

    def delete(self, call: Call) -> Response:
        """204; the values go with the definition."""
        gone = self._found(call)
        self._records.commit("delete", self._kind, gone["id"], gone)
        for record in self._records.all(self._entity.kind):
            left = [row for row in record["fields"] if row["definition"]["id"] != gone["id"]]
            if len(left) < len(record["fields"]):
                changed = {**record, "fields": left, "updatedAt": self._account.stamp()}
                self._records.commit("update", self._entity.kind, record["id"], changed)
        return Response(status_code=204)

    def _found(self, call: Call) -> Record:
        found = self._records.get(self._kind, id_in(call))
        if found is None:
            raise missing("definition")
        return found


class Tags:
    """The tags that the records of an entity can have."""

    def __init__(self, account: Account, entity: Entity) -> None:
        self._account, self._records, self._entity = account, account.records, entity
        self._kind = entity.tag

    def index(self, _call: Call) -> Response:
        """All tags."""
        return answer({"tags": [_tag_view(each) for each in self._records.all(self._kind)]})

    def get(self, call: Call) -> Response:
        """One tag."""
        return answer({"tag": _tag_view(self._found(call))})

    def create(self, call: Call) -> Response:
        """A new tag: 201."""
        draft = enveloped(call, "tag")
        if not draft.get("name"):
            raise invalid("name is required", "tag", "name")
        tag = new_tag(self._account, self._entity, str(draft["name"]), draft.get("description"))
        location = f"{call.base_url}/api/v2/{self._entity.many}/tags/{tag['id']}"
        return answer({"tag": _tag_view(tag)}, 201, {"Location": location})

    def update(self, call: Call) -> Response:
        """A tag after a change of its name or description."""
        before, changes = self._found(call), enveloped(call, "tag")
        changed: Record = before | {key: changes[key] for key in ("name", "description") if key in changes}
        self._records.commit("update", self._kind, before["id"], changed)
        return answer({"tag": _tag_view(changed)})

    def delete(self, call: Call) -> Response:
        """204; the tag is taken off every record."""
        gone = self._found(call)
        self._records.commit("delete", self._kind, gone["id"], gone)
        for record in self._records.all(self._entity.kind):
            left = [tag for tag in record["tags"] if tag["id"] != gone["id"]]
            if len(left) < len(record["tags"]):
                changed = {**record, "tags": left, "updatedAt": self._account.stamp()}
                self._records.commit("update", self._entity.kind, record["id"], changed)
        return Response(status_code=204)

    def _found(self, call: Call) -> Record:
        found = self._records.get(self._kind, id_in(call))
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
