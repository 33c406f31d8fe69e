"""The Capsule account: its records, and the short forms in which they name each other."""

from collections.abc import Iterable
from datetime import datetime

from sandbox.calls import Call, id_of
from sandbox.capsule.entities import OPPORTUNITY, PARTY, Entity
from sandbox.capsule.errors import malformed, missing
from sandbox.capsule.index import Index, entry_keys, opportunity_keys, opportunity_texts, party_keys, party_texts
from sandbox.clock import told, zulu
from sandbox.ledger import Record
from sandbox.lookup import Lookup
from sandbox.past import Lag
from sandbox.records import Records
from sandbox.settings import CapsuleSettings, bounds
from sandbox.tokens import Tokens

SUBDOMAIN = "sandbox"
ADMIN_ID = 6001
USER_PARTY = "user_party"
"""The kind of the parties that users have for themselves. No list, search or filter shows them."""
ROW_KEYS = {"addresses": "id", "phoneNumbers": "id", "emailAddresses": "id", "websites": "id", "fields": "id"}
PICTURES = "https://capsulecrm.example/theme/default/images"


class Account:
    """What all operations on the account share."""

    def __init__(self, records: Records, tokens: Tokens, settings: CapsuleSettings) -> None:
        self.records, self.tokens, self.settings = records, tokens, settings
        self.index = Index(records, PARTY.kind, party_keys, party_texts)
        self.opportunities = Index(records, OPPORTUNITY.kind, opportunity_keys, opportunity_texts)
        self.entries = Lookup(records, "entry", entry_keys)

    def index_of(self, entity: Entity) -> Index:
        """Return the index of the parties, or of the opportunities."""
        return self.index if entity is PARTY else self.opportunities

    def stored(self, entity: Entity, record_id: int, what: str = "") -> Record:
        """Return a record as stored. Raises the 404, also if it is restricted."""
        record = self.records.get(entity.kind, record_id)
        if record is None or record_id in self.index_of(entity).restricted:
            raise missing(what or entity.kind)
        return record

    def party(self, party_id: int, what: str = "party") -> Record:
        """Return a party as stored. Raises the 404, also if it is restricted."""
        return self.stored(PARTY, party_id, what)

    def readable(self, entity: Entity, record_id: int) -> Record:
        """Return a record that can be read by its id: a user's own party too, which no list shows. Raises the 404."""
        own = self.records.get(USER_PARTY, record_id) if entity is PARTY else None
        return own or self.stored(entity, record_id)

    def opportunity(self, opportunity_id: int) -> Record:
        """Return an opportunity as stored. Raises the 404, also if it is restricted."""
        return self.stored(OPPORTUNITY, opportunity_id)

    def listed(self, entity: Entity, way: str, among: Iterable[int] | None = None) -> list[Record]:
        """Return the records that a look by `list`, `search`, `filter` or `people` shows. With `among` those, and some
        that may not belong to it any more: each must be looked at again.
        """
        hidden = self.index_of(entity).restricted
        found = self.records.listed(entity.kind, self.lag_of(way), among)
        return [each for each in found if each["id"] not in hidden] if hidden else found

    def lag_of(self, way: str) -> Lag:
        """Return by how much a look lags behind."""
        return Lag(self.settings.lag_of({way}), bounds(self.settings.update_lag))

    def organisation(self, party_id: int) -> Record:
        """Return an organisation as stored. Raises the 404, also if the id is a person's."""
        party = self.party(party_id, "organisation")
        if party["type"] != "organisation":
            raise missing("organisation")
        return party

    def people_of(self, organisation_id: int) -> list[Record]:
        """Return the people whose organisation this is, by id, restricted ones too."""
        ids = sorted(self.index.find("organisation", organisation_id))
        return [party for party in (self.records.get("party", each) for each in ids) if party]

    def now(self) -> datetime:
        """Return the present instant by the account's clock."""
        return told(self.settings.clock_skew)

    def stamp(self) -> str:
        """Return the present instant as Capsule writes it."""
        return zulu(self.now())

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


def definition_short(definition: Record) -> Record:
    """Return the form in which the definition of a custom field stands inside a party."""
    return {key: definition[key] for key in ("id", "name")}


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
