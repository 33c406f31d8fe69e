"""What parties can be filtered by. Source: https://developer.capsulecrm.com/v2/reference/filters"""

from collections.abc import Iterable

from sandbox.capsule.account import Account
from sandbox.capsule.entities import PARTY
from sandbox.capsule.filters import Fields, Values, has, references, scalar, tags
from sandbox.capsule.index import full_name
from sandbox.capsule.reference import country_code
from sandbox.ledger import Record


def _rows(key: str, name: str) -> Values:
    return lambda _account, party: (row[name] for row in party[key])


def _countries(_account: Account, party: Record) -> Iterable[str]:
    return (country_code(row["country"]) for row in party["addresses"] if row["country"])


def _has_people(account: Account, party: Record) -> Iterable[bool]:
    return (bool(account.people_of(party["id"])),)


def _of_organisation(values: Values) -> Values:
    def found(account: Account, party: Record) -> Iterable[object]:
        organisation = account.records.get("party", (party.get("organisation") or {}).get("id", 0))
        return values(account, organisation) if organisation else []

    return found


PARTY_FIELDS = Fields(
    entity=PARTY,
    texts={
        "name": lambda _account, party: (full_name(party),),
        "jobTitle": scalar("jobTitle"),
        "title": scalar("title"),
        "email": _rows("emailAddresses", "address"),
        "phone": _rows("phoneNumbers", "number"),
        "website": _rows("websites", "address"),
        "city": _rows("addresses", "city"),
        "zip": _rows("addresses", "zip"),
        "state": _rows("addresses", "state"),
        "org.name": _of_organisation(scalar("name")),
    },
    choices={
        "id": scalar("id"),
        "type": scalar("type"),
        "country": _countries,
        "tag": tags,
        "org.tag": _of_organisation(tags),
        "owner": references("owner"),
        "team": references("team"),
        "hasEmailAddress": has("emailAddresses"),
        "hasPhoneNumber": has("phoneNumbers"),
        "hasAddress": has("addresses"),
        "hasTags": has("tags"),
        "hasPeople": _has_people,
    },
    dates={"addedOn": "createdAt", "updatedOn": "updatedAt", "lastContactedOn": "lastContactedAt"},
    indexed=frozenset({"email", "name"}),
    custom={"": lambda values: values, "org.": _of_organisation},
)
