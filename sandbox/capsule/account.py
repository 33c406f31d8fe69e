"""The Capsule account: its records, and the short forms in which they name each other."""

from collections import defaultdict
from collections.abc import Iterator

from sandbox.calls import Call, id_of
from sandbox.capsule.errors import malformed, missing
from sandbox.clock import now, zulu
from sandbox.ledger import Record
from sandbox.records import Records
from sandbox.settings import CapsuleSettings
from sandbox.tokens import Tokens

SUBDOMAIN = "sandbox"
ADMIN_ID = 6001
ROW_KEYS = {"addresses": "id", "phoneNumbers": "id", "emailAddresses": "id", "websites": "id", "fields": "id"}
PICTURES = "https://capsulecrm.example/theme/default/images"


class PartyIndex:
    """Finds parties by what is looked up most. All texts are compared without regard to case."""

    def __init__(self, records: Records) -> None:
        self._found: dict[tuple[str, str], set[int]] = defaultdict(set)
        records.watch("party", self._move)

    def find(self, field: str, value: object) -> set[int]:
        """Return the ids of the parties with this value in `email`, `name`, `organisation` or `custom:{id}`."""
        return self._found.get((field, str(value).casefold()), set())

    def _move(self, before: Record | None, after: Record | None) -> None:
        for key in _keys(before):
            self._found[key].discard(before["id"] if before else 0)
        for key in _keys(after):
            self._found[key].add(after["id"] if after else 0)


def _keys(party: Record | None) -> Iterator[tuple[str, str]]:
    if party is None:
        return
    yield "name", full_name(party).casefold()
    for row in party["emailAddresses"]:
        yield "email", row["address"].casefold()
    for row in party["fields"]:
        yield f"custom:{row['definition']['id']}", str(row["value"]).casefold()
    if party.get("organisation"):
        yield "organisation", str(party["organisation"]["id"])


class Account:
    """What all operations on the account share."""

    def __init__(self, records: Records, tokens: Tokens, settings: CapsuleSettings) -> None:
        self.records, self.tokens, self.settings = records, tokens, settings
        self.index = PartyIndex(records)

    def party(self, party_id: int, what: str = "party") -> Record:
        """Return a party as stored. Raises the 404."""
        party = self.records.get("party", party_id)
        if party is None:
            raise missing(what)
        return party

    def organisation(self, party_id: int) -> Record:
        """Return an organisation as stored. Raises the 404, also if the id is a person's."""
        party = self.party(party_id, "organisation")
        if party["type"] != "organisation":
            raise missing("organisation")
        return party

    def people_of(self, organisation_id: int) -> list[Record]:
        """Return the people whose organisation this is, by id."""
        ids = sorted(self.index.find("organisation", organisation_id))
        return [self.party(each) for each in ids]

    def user_short(self, user_id: int) -> Record:
        """Return the short form of a user. Raises the 404."""
        user = self.records.get("user", user_id)
        if user is None:
            raise missing("user")
        return {key: user[key] for key in ("id", "username", "name", "pictureURL", "deleted")}

    def team_short(self, team_id: int) -> Record:
        """Return the short form of a team. Raises the 404."""
        team = self.records.get("team", team_id)
        if team is None:
            raise missing("team")
        return {"id": team["id"], "name": team["name"]}


def party_short(party: Record) -> Record:
    """Return the form in which a party stands inside another record."""
    names = ("firstName", "lastName") if party["type"] == "person" else ("name",)
    return {key: party[key] for key in ("id", "type", *names, "pictureURL")}


def full_name(party: Record) -> str:
    """Return the name by which filters and search know a party."""
    if party["type"] == "organisation":
        return str(party["name"])
    return " ".join(each for each in (party["firstName"], party["lastName"]) if each)


def stamp() -> str:
    """Return the present instant as Capsule writes it."""
    return zulu(now())


def id_in(call: Call, name: str = "id") -> int:
    """Return the id in the path. Raises the 404 of an unknown address if it is no number."""
    number = id_of(call.params[name])
    if number == 0:
        raise missing("record")
    return number


def enveloped(call: Call, key: str) -> Record:
    """Return the object under the one key that a body must have. Raises the 400."""
    try:
        body = call.json()
    except ValueError as error:
        raise malformed("The request body is not valid JSON") from error
    if not isinstance(body, dict) or list(body) != [key] or not isinstance(body[key], dict):
        raise malformed(f"The request body must be an object with the single key '{key}'")
    content: Record = body[key]
    return content


def reference(value: object, what: str) -> int:
    """Return the id in a reference such as `{"id": 7}`. Raises the 404."""
    number = value.get("id") if isinstance(value, dict) else value
    if not isinstance(number, int) or isinstance(number, bool):
        raise missing(what)
    return number
