"""Parties and opportunities as Capsule answers them.

Source: https://developer.capsulecrm.com/v2/models/party, /v2/models/opportunity
"""

from sandbox.calls import Call
from sandbox.capsule.account import Account, definition_short, party_short
from sandbox.capsule.entities import OPPORTUNITY, PARTY, Entity
from sandbox.capsule.milestones import milestone_of, milestone_view, named
from sandbox.ledger import Record

LEADING = ("id", "owner", "team", "type", "about")
PERSON = ("title", "firstName", "lastName", "jobTitle")
TRAILING = ("lastContactedAt", "pictureURL", "phoneNumbers", "addresses", "emailAddresses", "websites")
OPPORTUNITY_KEYS = (
    "id", "party", "name", "description", "owner", "team", "milestone", "value", "expectedCloseOn", "probability",
    "durationBasis", "duration", "closedOn", "lostReason", "createdAt", "updatedAt", "lastContactedAt",
    "lastStageChangedAt", "lastOpenMilestone",
)  # fmt: skip


def embeds_of(text: str | None) -> set[str]:
    """Return the embeds that were asked for; unknown ones are ignored."""
    return {each.strip() for each in (text or "").split(",")}


def embeds_in(call: Call) -> set[str]:
    """Return the embeds that the query of a call asks for."""
    return embeds_of(call.query.get("embed"))


def party_view(account: Account, party: Record, embeds: set[str]) -> Record:
    """Return a party with the embeds asked for; what is not asked for is absent, not empty."""
    person = party["type"] == "person"
    view = {key: party[key] for key in (*LEADING, *(PERSON if person else ("name",)), "createdAt", "updatedAt")}
    if person:
        view["organisation"] = _organisation(account, party, full="organisation" in embeds)
    view.update({key: party[key] for key in TRAILING})
    return {**view, **_extras(account, PARTY, party, embeds)}


def opportunity_view(account: Account, opportunity: Record, embeds: set[str]) -> Record:
    """Return an opportunity with the embeds asked for; party and milestone stand in their short forms otherwise."""
    milestone = milestone_of(account, opportunity)
    party = account.records.get("party", opportunity["party"]["id"]) or opportunity["party"]
    view = {key: opportunity[key] for key in OPPORTUNITY_KEYS}
    view["party"] = party_view(account, party, set()) if "party" in embeds else party_short(party)
    view["milestone"] = milestone_view(account, milestone) if "milestone" in embeds else named(milestone)
    return {**view, **_extras(account, OPPORTUNITY, opportunity, embeds)}


def _extras(account: Account, entity: Entity, record: Record, embeds: set[str]) -> Record:
    """Return what is absent, not empty, where it is not asked for."""
    extras: Record = {}
    if "tags" in embeds:
        extras["tags"] = record["tags"]
    if "fields" in embeds:
        extras["fields"] = [_field_view(account, entity, row) for row in record["fields"]]
    if "missingImportantFields" in embeds:
        extras["missingImportantFields"] = _missing_important(account, entity, record)
    return extras


def full_view(account: Account, kind: str, record: Record) -> Record:
    """Return a record as checks want to see it: with tags and fields, of an opportunity with the ids of its additional
    parties, and of a restricted one also since when it is.
    """
    more = {"restrictedAt": record["restrictedAt"]} if record.get("restrictedAt") else {}
    if kind == PARTY.kind:
        return {**party_view(account, record, {"tags", "fields"}), **more}
    if kind == OPPORTUNITY.kind:
        return {**opportunity_view(account, record, {"tags", "fields"}), "parties": record["parties"], **more}
    return record


def _field_view(account: Account, entity: Entity, row: Record) -> Record:
    """Return a custom field's value under the name that its definition has now."""
    definition = account.records.get(entity.definition, row["definition"]["id"]) or row["definition"]
    return {**row, "definition": definition_short(definition)}


def _organisation(account: Account, party: Record, *, full: bool) -> Record | None:
    if party["organisation"] is None:
        return None
    organisation = account.records.get("party", party["organisation"]["id"])
    if organisation is None:
        return None
    return party_view(account, organisation, set()) if full else party_short(organisation)


def _missing_important(account: Account, entity: Entity, record: Record) -> bool:
    important = {each["id"] for each in account.records.all(entity.definition) if each["important"]}
    return not important <= {row["definition"]["id"] for row in record["fields"]}
