"""How parties end and come back: by the API's list of the deleted, and by what only people and support can do.

Source: https://developer.capsulecrm.com/v2/operations/Party. Merging and restoring are not in the API: decided here.
"""

from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.capsule.account import Account, party_short
from sandbox.capsule.errors import missing
from sandbox.capsule.paging import page_of
from sandbox.capsule.party_write import LISTS, texts_of
from sandbox.capsule.rows import KINDS
from sandbox.clock import from_zulu, later, zulu
from sandbox.ledger import Record, by_control


def deleted_since(account: Account, call: Call, since: str) -> Response:
    """Return what was deleted after an instant and is not back, and on the first page what was restricted since."""
    skew, there = account.settings.clock_skew, account.records.tables["party"]
    # Of a party that was deleted twice the last time counts.
    at = {party_id: later(from_zulu(at), skew) for party_id, at in account.records.deletions["party"]}
    gone = [
        {"id": party_id, "deletedAt": zulu(instant)}
        for party_id, instant in sorted(at.items(), key=lambda item: item[1])
        if party_id not in there and instant > from_zulu(since)
    ]
    hidden = (there[party_id] for party_id in sorted(account.index.restricted))
    lost = [{**party_short(each), "isRestricted": True} for each in hidden if each["restrictedAt"] > since]
    first = call.query.get("page", "1") == "1"
    return page_of(call, "parties", gone, lambda row: row, {"restrictedParties": lost} if lost and first else {})


def merge(account: Account, winner_id: int, body: Record) -> Record:
    """Merge the party in `loser` into another one of its type, and return that one. Raises the 404 or a 422.

    The winner gets what it does not have, the loser's people, and lives on; the loser is deleted.
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
    account.records.commit("delete", "party", loser["id"], loser)
    return merged


def restore(account: Account, party_id: int, _body: Record) -> Record:
    """Bring a deleted party back under its id, as support can, and return it. Its people do not come back to it."""
    grave = account.records.graves["party"].get(party_id)
    if grave is None:
        raise missing("deleted party")
    party = {**grave, "updatedAt": account.stamp()}
    defined = account.records.tables["definition"]
    party["fields"] = [row for row in party["fields"] if row["definition"]["id"] in defined]
    employer = party.get("organisation")
    if employer and account.records.get("party", employer["id"]) is None:
        party["organisation"] = None
    account.records.commit("restore", "party", party_id, party)
    return party


def restrict(account: Account, party_id: int, _body: Record) -> Record:
    """Hide a party from every caller of the API, as a team's visibility does. Nobody hears of it."""
    return _restrict(account, account.party(party_id), account.stamp())


def unrestrict(account: Account, party_id: int, _body: Record) -> Record:
    """Show a restricted party again. Nobody hears of it."""
    party = account.records.get("party", party_id)
    if party is None:
        raise missing("party")
    return _restrict(account, party, None)


def _restrict(account: Account, party: Record, at: str | None) -> Record:
    changed = {**party, "restrictedAt": at}
    with by_control(hooks=False):
        account.records.commit("update", "party", party["id"], changed)
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
