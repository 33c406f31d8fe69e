"""Finds records by what is looked up most, in accounts of a hundred thousand parties too."""

from collections.abc import Callable, Iterable, Iterator

from sandbox.ledger import Record
from sandbox.lookup import Lookup
from sandbox.records import Records


class Index:
    """Knows the records of one kind as they are now: by the values in `keys`, and by the text in which a search looks.
    All texts are compared without regard to case.
    """

    def __init__(
        self,
        records: Records,
        kind: str,
        keys: Callable[[Record], Iterable[tuple[str, str]]],
        searchable: Callable[[Record], str],
    ) -> None:
        self._records, self._kind = records, kind
        self._lookup = Lookup(records, kind, keys)
        self._texts: dict[int, str] | None = None
        self.searchable = searchable
        self.restricted: set[int] = set()
        """The records that no caller of the API may see."""
        records.watch(kind, self._move)

    def find(self, field: str, value: object) -> set[int]:
        """Return the ids of the records with this value under one of the names in `keys`."""
        return self._lookup.find(field, value)

    def containing(self, text: str) -> list[int]:
        """Return the ids of the records that `searchable` finds."""
        if self._texts is None:  # many an account is never searched
            self._texts = {each["id"]: self.searchable(each) for each in self._records.all(self._kind)}
        wanted = text.casefold()
        return [record_id for record_id, found in self._texts.items() if wanted in found]

    def _move(self, before: Record | None, after: Record | None) -> None:
        if before:
            self._forget(before)
        if after:
            self._note(after)

    def _forget(self, record: Record) -> None:
        self.restricted.discard(record["id"])
        if self._texts is not None:
            self._texts.pop(record["id"], None)

    def _note(self, record: Record) -> None:
        if record.get("restrictedAt"):
            self.restricted.add(record["id"])
        if self._texts is not None:
            self._texts[record["id"]] = self.searchable(record)


def full_name(party: Record) -> str:
    """Return the name by which filters and search know a party."""
    if party["type"] == "organisation":
        return str(party["name"])
    return " ".join(each for each in (party["firstName"], party["lastName"]) if each)


def party_texts(party: Record) -> str:
    """Return the texts of a party in which a search looks, in lower case."""
    zips = (row["zip"] or "" for row in party["addresses"])
    phones = (row["number"] for row in party["phoneNumbers"])
    emails = (row["address"] for row in party["emailAddresses"])
    return "\n".join((full_name(party), *zips, *phones, *emails)).casefold()


def party_keys(party: Record) -> Iterator[tuple[str, str]]:
    """Give `name`, `email`, `custom:{id}` and `organisation` of a party."""
    yield "name", full_name(party)
    for row in party["emailAddresses"]:
        yield "email", row["address"]
    yield from _custom(party)
    if party.get("organisation"):
        yield "organisation", str(party["organisation"]["id"])


def opportunity_texts(opportunity: Record) -> str:
    """Return the texts of an opportunity in which a search looks, in lower case."""
    return f"{opportunity['name']}\n{opportunity['description'] or ''}".casefold()


def opportunity_keys(opportunity: Record) -> Iterator[tuple[str, str]]:
    """Give `name`, `custom:{id}`, `party` and each `contact` (an additional party) of an opportunity."""
    yield "name", opportunity["name"]
    yield from _custom(opportunity)
    yield "party", str(opportunity["party"]["id"])
    for party_id in opportunity["parties"]:
        yield "contact", str(party_id)


def entry_keys(entry: Record) -> Iterator[tuple[str, str]]:
    """Give the record that an entry belongs to, by its kind."""
    for kind in ("party", "opportunity"):
        if entry[kind]:
            yield kind, str(entry[kind]["id"])


def _custom(record: Record) -> Iterator[tuple[str, str]]:
    for row in record["fields"]:
        yield f"custom:{row['definition']['id']}", str(row["value"])
