"""Parties as Capsule answers them. Source: https://developer.capsulecrm.com/v2/models/party"""

from sandbox.calls import Call
from sandbox.capsule.account import Account, party_short
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
    view.update({key: party[key] for key in ("tags", "fields") if key in embeds})
    if "missingImportantFields" in embeds:
        view["missingImportantFields"] = _missing_important(account, party)
    return view


def full_view(account: Account, party: Record) -> Record:
    """Return a party with tags and fields, as checks want to see it."""
    return party_view(account, party, {"tags", "fields"})


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
