"""How parties and opportunities end and come back: by the API's list of the deleted, and by what only people and
support can do.

Source: https://developer.capsulecrm.com/v2/operations/Party. Merging and restoring are not in the API: decided here.
"""

from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.capsule.account import Account, party_short
from sandbox.capsule.entities import OPPORTUNITY, PARTY, Entity
from sandbox.capsule.errors import missing
from sandbox.capsule.milestones import named
from sandbox.capsule.paging import page_of
from sandbox.capsule.party_write import LISTS, texts_of
from sandbox.capsule.rows import KINDS
from sandbox.clock import from_zulu, later, zulu
from sandbox.ledger import Record, by_control


def deleted_since(account: Account, entity: Entity, call: Call, since: str) -> Response:
    """Return what was deleted after an instant and is not back, and on the first page what was restricted since."""
    skew, there = account.settings.clock_skew, account.records.tables[entity.kind]
    # Of a record that was deleted twice the last time counts.
    at = {number: later(from_zulu(at), skew) for number, at in account.records.deletions[entity.kind]}
    gone = [
        {"id": number, "deletedAt": zulu(instant)}
        for number, instant in sorted(at.items(), key=lambda item: item[1])
        if number not in there and instant > from_zulu(since)
    ]
    hidden = (there[number] for number in sorted(account.index_of(entity).restricted))
    short = party_short if entity is PARTY else named
    lost = [{**short(each), "isRestricted": True} for each in hidden if each["restrictedAt"] > since]
    first = call.query.get("page", "1") == "1"
    beside = {f"restricted{entity.many.capitalize()}": lost} if lost and first else {}
    return page_of(call, entity.many, gone, lambda row: row, beside)


def merge(account: Account, winner_id: int, body: Record) -> Record:
    """Merge the party in `loser` into another one of its type, and return that one. Raises the 404 or a 422.

    The winner gets what it does not have, the loser's people, opportunities and notes, and lives on; the loser is
    deleted.
    """
    winner, loser = account.party(winner_id), account.party(_id(body.get("loser")))
    if winner["id"] == loser["id"] or winner["type"] != loser["type"]:
        raise Refusal(422, {"error": "two different parties of the same type can be merged"})
    at = account.stamp()
    merged = {**winner, **_filled(account, winner, loser), "updatedAt": at}
    for person in account.people_of(loser["id"]):
        moved = {**person, "organisation": party_short(merged), "updatedAt": at}
        account.records.commit("update", "party", person["id"], moved)
    account.records.commit("update", "party", winner["id"], merged)
    _hand_over(account, loser["id"], merged)
    account.records.commit("delete", "party", loser["id"], loser)
    return merged


def _hand_over(account: Account, loser_id: int, winner: Record) -> None:
    """Give a party's opportunities and notes to another one, which is named in each opportunity once."""
    index, at = account.opportunities, account.stamp()
    for number in sorted(index.find("party", loser_id) | index.find("contact", loser_id)):
        before = account.records.tables["opportunity"][number]
        party = party_short(winner) if before["party"]["id"] == loser_id else before["party"]
        others = dict.fromkeys(winner["id"] if each == loser_id else each for each in before["parties"])
        changed = {**before, "party": party, "parties": [each for each in others if each != party["id"]]}
        account.records.commit("update", "opportunity", number, {**changed, "updatedAt": at})
    for number in sorted(account.entries.find("party", loser_id)):
        note = account.records.tables["entry"][number]
        account.records.commit("update", "entry", number, {**note, "party": {"id": winner["id"]}})


def restore(account: Account, party_id: int, _body: Record) -> Record:
    """Bring a deleted party back under its id, as support can, and return it. Its people, opportunities and notes do
    not come back to it.
    """
    party = _unearthed(account, PARTY, party_id)
    employer = party.get("organisation")
    if employer and account.records.get("party", employer["id"]) is None:
        party["organisation"] = None
    account.records.commit("restore", "party", party_id, party)
    return party


def restore_opportunity(account: Account, opportunity_id: int, _body: Record) -> Record:
    """Bring a deleted opportunity back under its id, without its notes, and return it. Raises the 404, also if its
    party is gone.
    """
    opportunity = _unearthed(account, OPPORTUNITY, opportunity_id)
    account.party(opportunity["party"]["id"])
    account.records.commit("restore", "opportunity", opportunity_id, opportunity)
    return opportunity


def _unearthed(account: Account, entity: Entity, record_id: int) -> Record:
    """Return a deleted record as it comes back: its custom fields, as far as they are still defined, with it."""
    grave = account.records.graves[entity.kind].get(record_id)
    if grave is None:
        raise missing(f"deleted {entity.kind}")
    defined = account.records.tables[entity.definition]
    left = [row for row in grave["fields"] if row["definition"]["id"] in defined]
    return {**grave, "fields": left, "updatedAt": account.stamp()}


def restrict(account: Account, entity: Entity, record_id: int, _body: Record) -> Record:
    """Hide a record from every caller of the API, as a team's visibility does. Nobody hears of it."""
    return _restrict(account, entity, account.stored(entity, record_id), account.stamp())


def unrestrict(account: Account, entity: Entity, record_id: int, _body: Record) -> Record:
    """Show a restricted record again. Nobody hears of it."""
    record = account.records.get(entity.kind, record_id)
    if record is None:
        raise missing(entity.kind)
    return _restrict(account, entity, record, None)


def _restrict(account: Account, entity: Entity, record: Record, at: str | None) -> Record:
    changed = {**record, "restrictedAt": at}
    with by_control(hooks=False):
        account.records.commit("update", entity.kind, record["id"], changed)
    return changed


def _id(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _filled(account: Account, winner: Record, loser: Record) -> Record:
    """Return the winner's values after the loser filled the gaps: single values, tags, rows and custom fields, which
    get ids of their own: the loser, if it is restored, has its rows still.
    """
    names = (*texts_of(winner), "lastContactedAt", *(("organisation",) if winner["type"] == "person" else ()))
    found: Record = {name: winner[name] or loser[name] for name in names}
    for key in LISTS:
        had = {_content(key, row) for row in winner[key]}
        new = [row for row in loser[key] if _content(key, row) not in had]
        if key != "tags":
            new = [{**row, "id": account.records.next_id("row")} for row in new]
        found[key] = [*winner[key], *new]
    return found


def _content(key: str, row: Record) -> object:
    """Return what makes two rows the same. A custom field is there once, whatever its value."""
    if key == "fields":
        return row["definition"]["id"]
    if key == "tags":
        return row["id"]
    return tuple(str(row[name] or "").casefold() for name in KINDS[key].texts)
