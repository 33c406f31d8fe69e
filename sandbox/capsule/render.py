"""Parties as Capsule answers them. Source: https://developer.capsulecrm.com/v2/models/party"""

from sandbox.calls import Call
from sandbox.capsule.account import Account, definition_short, party_short
from sandbox.ledger import Record

EMBEDS = ("tags", "fields", "organisation", "missingImportantFields")
LEADING = ("id", "owner", "team", "type", "about")
PERSON = ("title", "firstName", "lastName", "jobTitle")
TRAILING = ("lastContactedAt", "pictureURL", "phoneNumbers", "addresses", "emailAddresses", "websites")


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
    if "tags" in embeds:
        view["tags"] = party["tags"]
    if "fields" in embeds:
        view["fields"] = [_field_view(account, row) for row in party["fields"]]
    if "missingImportantFields" in embeds:
        view["missingImportantFields"] = _missing_important(account, party)
    return view


def full_view(account: Account, party: Record) -> Record:
    """Return a party with tags and fields, as checks want to see it; of a restricted one also since when it is."""
    more = {"restrictedAt": party["restrictedAt"]} if party.get("restrictedAt") else {}
    return {**party_view(account, party, {"tags", "fields"}), **more}


def _field_view(account: Account, row: Record) -> Record:
    """Return a custom field's value under the name that its definition has now."""
    definition = account.records.get("definition", row["definition"]["id"]) or row["definition"]
    return {**row, "definition": definition_short(definition)}


def _organisation(account: Account, party: Record, *, full: bool) -> Record | None:
    if party["organisation"] is None:
        return None
    organisation = account.records.get("party", party["organisation"]["id"])
    if organisation is None:
        return None
    return party_view(account, organisation, set()) if full else party_short(organisation)


def _missing_important(account: Account, party: Record) -> bool:
    important = {each["id"] for each in account.records.all("definition") if each["important"]}
    return not important <= {row["definition"]["id"] for row in party["fields"]}
