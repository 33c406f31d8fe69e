"""Creating, changing and deleting parties. A PUT is a merge; lists are never replaced.

Source: https://developer.capsulecrm.com/v2/operations/Party, /v2/overview/writing-to-the-api
"""

from typing import Any

from sandbox.capsule import opportunity_write
from sandbox.capsule.account import ADMIN_ID, PICTURES, Account, party_short, reference
from sandbox.capsule.entities import PARTY
from sandbox.capsule.errors import invalid
from sandbox.capsule.fields import changed_fields, changed_tags
from sandbox.capsule.index import full_name
from sandbox.capsule.ownership import merge_owner
from sandbox.capsule.rows import KINDS, changed_rows
from sandbox.ledger import Record

TITLES = ("Mr", "Master", "Mrs", "Miss", "Ms", "Mx", "Dr", "Prof", "Herr", "Frau", "M.", "Mme")
PERSON_TEXTS = ("about", "title", "firstName", "lastName", "jobTitle")
ORGANISATION_TEXTS = ("about", "name")
AVATARS = {"person": f"{PICTURES}/person_avatar_70.png", "organisation": f"{PICTURES}/org_avatar_70.png"}
LISTS = (*KINDS, "fields", "tags")


def blank(party_id: int, party_type: str, at: str) -> Record:
    """Return a party with nothing in it, as stored."""
    person = party_type == "person"
    names = dict.fromkeys(("title", "firstName", "lastName", "jobTitle", "organisation") if person else ("name",))
    return {
        "id": party_id,
        "type": party_type,
        "about": None,
        "owner": None,
        "team": None,
        **names,
        "createdAt": at,
        "updatedAt": at,
        "lastContactedAt": None,
        "pictureURL": AVATARS[party_type],
        **{key: [] for key in LISTS},
    }


def create(account: Account, draft: Record, user_id: int) -> Record:
    """Create a party and return it as stored. Raises the 422 or the 404."""
    party_type = draft.get("type")
    if party_type not in ("person", "organisation"):  # a tuple: what is sent may not be hashable
        raise invalid("type is required" if party_type is None else "unknown type", "party", "type")
    party = blank(0, party_type, account.stamp())
    if draft.get("owner") is None and draft.get("team") is None:
        party["owner"] = account.user_short(user_id)
    _merge(account, party, draft)
    party["id"] = account.records.next_id("party")
    account.records.commit("create", "party", party["id"], party)
    return party


def update(account: Account, party: Record, changes: Record) -> Record:
    """Merge changes into a party and return it as stored. Changes that say nothing (`[]`, read-only or unknown keys)
    leave `updatedAt` as it is; equal values move it. Raises the 422 or the 404.
    """
    if not _says_something(party, changes):
        return party
    changed = {**party, "updatedAt": account.stamp()}
    _merge(account, changed, changes)
    account.records.commit("update", "party", party["id"], changed)
    return changed


def delete(account: Account, party: Record) -> None:
    """Delete a party with its notes and its opportunities; where it was an additional party it is not any more. An
    organisation leaves its people behind, without an organisation.
    """
    people = account.people_of(party["id"]) if party["type"] == "organisation" else []
    _forget_opportunities(account, party["id"])
    opportunity_write.forget_entries(account, "party", party["id"])
    account.records.commit("delete", "party", party["id"], party)
    for person in people:
        left = {**person, "organisation": None, "updatedAt": account.stamp()}
        account.records.commit("update", "party", person["id"], left)


def _forget_opportunities(account: Account, party_id: int) -> None:
    opportunities = account.records.tables["opportunity"]
    for number in sorted(account.opportunities.find("party", party_id)):
        opportunity_write.delete(account, opportunities[number])
    for number in sorted(account.opportunities.find("contact", party_id)):
        before = opportunities[number]
        left = [each for each in before["parties"] if each != party_id]
        changed = {**before, "parties": left, "updatedAt": account.stamp()}
        account.records.commit("update", "opportunity", number, changed)


def texts_of(party: Record) -> tuple[str, ...]:
    """Return the names of a party's texts."""
    return PERSON_TEXTS if party["type"] == "person" else ORGANISATION_TEXTS


def _says_something(party: Record, changes: Record) -> bool:
    scalars = {*texts_of(party), "owner", "team"} | ({"organisation"} if party["type"] == "person" else set())
    return any(key in scalars or (key in LISTS and value != []) for key, value in changes.items())


def _merge(account: Account, party: Record, changes: Record) -> None:
    """Change a party that is not stored yet. References are looked up last: they may create records of their own."""
    _merge_texts(party, changes)
    for key in KINDS:
        if key in changes:
            party[key] = changed_rows(key, party[key], changes[key], lambda: account.records.next_id("row"))
    if "fields" in changes:
        party["fields"] = changed_fields(account, PARTY, party["fields"], changes["fields"])
    merge_owner(account, party, changes, "party")
    if "tags" in changes:
        party["tags"] = changed_tags(account, PARTY, party["tags"], changes["tags"])
    if party["type"] == "person" and "organisation" in changes:
        party["organisation"] = _organisation(account, changes["organisation"])


def _merge_texts(party: Record, changes: Record) -> None:
    for key in texts_of(party):
        if key in changes:
            if changes[key] is not None and not isinstance(changes[key], str):
                raise invalid("invalid type for field", "party", key)
            party[key] = changes[key] or None
    if party["type"] == "organisation" and not party["name"]:
        raise invalid("name is required", "party", "name")
    if party["type"] == "person" and not (party["firstName"] or party["lastName"]):
        raise invalid("first name or last name is required", "party", "firstName")
    if party.get("title") and party["title"] not in TITLES:
        raise invalid("unknown title", "party", "title")


def _organisation(account: Account, value: Any) -> Record | None:
    """Return the short form of the organisation that a person's write names by id, or by a name that is then found
    (without regard to case, the oldest first) or created.
    """
    if value is None:
        return None
    name = value.get("name") if isinstance(value, dict) and value.get("id") is None else None
    if name is None:
        return party_short(account.organisation(reference(value, "organisation")))
    if not isinstance(name, str) or not name.strip():
        raise invalid("name is required", "party", "organisation")
    for party_id in sorted(account.index.find("name", name.strip()) - account.index.restricted):
        party = account.party(party_id)
        if party["type"] == "organisation" and full_name(party).casefold() == name.strip().casefold():
            return party_short(party)
    return party_short(create(account, {"type": "organisation", "name": name.strip()}, ADMIN_ID))
