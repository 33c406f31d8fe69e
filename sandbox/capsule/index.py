"""Finds parties by what is looked up most, in accounts of a hundred thousand parties too."""

from collections.abc import Iterator

from sandbox.ledger import Record
from sandbox.lookup import Lookup
from sandbox.records import Records


class PartyIndex:
    """Knows the parties as they are now. All texts are compared without regard to case."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lookup = Lookup(records, "party", _keys)
        self._texts: dict[int, str] | None = None
        self.restricted: set[int] = set()
        """The parties that no caller of the API may see."""
        records.watch("party", self._move)

    def find(self, field: str, value: object) -> set[int]:
        """Return the ids of the parties with this value in `email`, `name`, `organisation` or `custom:{id}`."""
        return self._lookup.find(field, value)

    def containing(self, text: str) -> list[int]:
        """Return the ids of the parties that `searchable` finds."""
        if self._texts is None:  # many an account is never searched
            self._texts = {each["id"]: searchable(each) for each in self._records.all("party")}
        wanted = text.casefold()
        return [party_id for party_id, found in self._texts.items() if wanted in found]

    def _move(self, before: Record | None, after: Record | None) -> None:
        if before:
            self._forget(before)
        if after:
            self._note(after)

    def _forget(self, party: Record) -> None:
        self.restricted.discard(party["id"])
        if self._texts is not None:
            self._texts.pop(party["id"], None)

    def _note(self, party: Record) -> None:
        if party.get("restrictedAt"):
            self.restricted.add(party["id"])
        if self._texts is not None:
            self._texts[party["id"]] = searchable(party)


def full_name(party: Record) -> str:
    """Return the name by which filters and search know a party."""
    if party["type"] == "organisation":
        return str(party["name"])
    return " ".join(each for each in (party["firstName"], party["lastName"]) if each)


def searchable(party: Record) -> str:
    """Return the texts in which a search looks, in lower case."""
    zips = (row["zip"] or "" for row in party["addresses"])
    phones = (row["number"] for row in party["phoneNumbers"])
    emails = (row["address"] for row in party["emailAddresses"])
    return "\n".join((full_name(party), *zips, *phones, *emails)).casefold()


def _keys(party: Record) -> Iterator[tuple[str, str]]:
    yield "name", full_name(party)
    for row in party["emailAddresses"]:
        yield "email", row["address"]
    for row in party["fields"]:
        yield f"custom:{row['definition']['id']}", str(row["value"])
    if party.get("organisation"):
        yield "organisation", str(party["organisation"]["id"])
