"""Entries: notes on parties and opportunities. Source: https://developer.capsulecrm.com/v2/operations/Entry"""

from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.capsule.account import Account, enveloped, id_in, party_short, reference
from sandbox.capsule.entities import OPPORTUNITY, PARTY, Entity
from sandbox.capsule.errors import invalid, missing
from sandbox.capsule.milestones import named
from sandbox.capsule.paging import page_of
from sandbox.capsule.render import embeds_in, opportunity_view, party_view
from sandbox.clock import from_zulu, zulu
from sandbox.ledger import Record

NOTE = {"id": -1, "name": "Note"}
"""The built-in activity type of a note: its id is negative."""
PARENTS = {"party": PARTY, "opportunity": OPPORTUNITY}


class Entries:
    """Notes, each on one party or one opportunity."""

    def __init__(self, account: Account) -> None:
        self._account, self._records = account, account.records

    def of_party(self, call: Call) -> Response:
        """The notes of a party, newest first; those of an organisation's people are not among them."""
        return self._of(call, PARTY)

    def of_opportunity(self, call: Call) -> Response:
        """The notes of an opportunity, newest first."""
        return self._of(call, OPPORTUNITY)

    def get(self, call: Call) -> Response:
        """One entry. Several at once cannot be had."""
        return self._answer(call, self._found(call))

    def create(self, call: Call) -> Response:
        """A new note of the token's user: 201."""
        entry = create(self._account, enveloped(call, "entry"), call.token["user_id"])
        return self._answer(call, entry, 201, {"Location": f"{call.base_url}/api/v2/entries/{entry['id']}"})

    def update(self, call: Call) -> Response:
        """A note with another text."""
        return self._answer(call, update(self._account, self._found(call), enveloped(call, "entry")))

    def delete(self, call: Call) -> Response:
        """204."""
        remove(self._account, self._found(call))
        return Response(status_code=204)

    def _of(self, call: Call, entity: Entity) -> Response:
        record_id = self._account.stored(entity, id_in(call))["id"]
        among = self._account.entries.find(entity.kind, record_id)
        listed = self._records.listed("entry", self._account.lag_of("list"), among)
        found = [each for each in listed if (each[entity.kind] or {}).get("id") == record_id]
        embeds = embeds_in(call)
        newest_first = sorted(found, key=lambda each: (each["entryAt"], each["id"]), reverse=True)
        return page_of(call, "entries", newest_first, lambda each: entry_view(self._account, each, embeds))

    def _answer(self, call: Call, entry: Record, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return answer({"entry": entry_view(self._account, entry, embeds_in(call))}, status, headers)

    def _found(self, call: Call) -> Record:
        return found_entry(self._account, id_in(call))


def found_entry(account: Account, entry_id: int) -> Record:
    """Return an entry as stored. Raises the 404."""
    found = account.records.get("entry", entry_id)
    if found is None:
        raise missing("entry")
    return found


def create(account: Account, draft: Record, user_id: int) -> Record:
    """Write a note on the one record that it names, which counts as contact with it. Raises the 422 or the 404."""
    if draft.get("type", "note") != "note":
        raise invalid("only notes can be created", "entry", "type")
    parents = [key for key in ("party", "opportunity", "kase") if draft.get(key) is not None]
    if len(parents) != 1 or isinstance(draft[parents[0]], list):
        raise invalid("entry must be linked to either a party, opportunity or kase", "entry", "party")
    entity = PARENTS.get(parents[0])
    if entity is None:
        raise missing("kase")  # the sandbox has no projects
    parent = account.stored(entity, reference(draft[entity.kind], entity.kind))
    at = account.stamp()
    entry: Record = {
        "id": 0,
        "type": "note",
        "createdAt": at,
        "updatedAt": at,
        "entryAt": at if draft.get("entryAt") is None else _instant(draft["entryAt"]),
        "content": _content(draft),
        "creator": account.user_short(user_id),
        "activityType": NOTE,
        "party": None,
        "opportunity": None,
        entity.kind: {"id": parent["id"]},
    }
    entry["id"] = account.records.next_id("entry")
    account.records.commit("create", "entry", entry["id"], entry)
    contacted = {**parent, "lastContactedAt": entry["entryAt"], "updatedAt": at}
    account.records.commit("update", entity.kind, parent["id"], contacted)
    return entry


def update(account: Account, entry: Record, changes: Record) -> Record:
    """Change the text of a note, and nothing else. Raises the 422."""
    if "content" not in changes:
        return entry
    changed = {**entry, "content": _content(changes), "updatedAt": account.stamp()}
    account.records.commit("update", "entry", entry["id"], changed)
    return changed


def remove(account: Account, entry: Record) -> Record:
    """Delete a note."""
    account.records.commit("delete", "entry", entry["id"], entry)
    return entry


def entry_view(account: Account, entry: Record, embeds: set[str]) -> Record:
    """Return an entry: of its party or opportunity the short form, unless it is asked for."""
    view = {key: entry[key] for key in ("id", "type", "createdAt", "updatedAt", "entryAt")}
    view |= {"subject": None, **{key: entry[key] for key in ("content", "creator", "activityType")}}
    view |= {key: _parent(account, key, entry[key], full=key in embeds) for key in PARENTS}
    view["kase"] = None
    return view | {key: [] for key in ("attachments", "participants") if key in embeds}


def _parent(account: Account, kind: str, parent: Record | None, *, full: bool) -> Record | None:
    record = account.records.get(kind, parent["id"]) if parent else None
    if record is None:
        return None
    if full:
        view = party_view if kind == "party" else opportunity_view
        return view(account, record, set())
    return party_short(record) if kind == "party" else named(record)


def _content(draft: Record) -> str:
    content = draft.get("content")
    if not isinstance(content, str) or not content.strip():
        raise invalid("content is required", "entry", "content")
    return content


def _instant(value: Any) -> str:
    try:
        return zulu(from_zulu(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid("invalid date and time", "entry", "entryAt") from error
