"""Finds clients by what is searched for most, in accounts of many thousand clients too."""

from collections import Counter
from collections.abc import Iterator

from sandbox.calls import id_of
from sandbox.freshbooks.client_filters import DAYS, IDS, LIKES, day_of, like_text
from sandbox.ledger import Record
from sandbox.lookup import Lookup
from sandbox.records import Records


class ClientIndex:
    """Knows the clients as they are now. All texts are compared without regard to case."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lookup = Lookup(records, "client", _keys)
        self._texts: dict[str, dict[int, str]] = {}
        self.accounts: Counter[str] = Counter()
        """How many clients each account has."""
        records.watch("client", self._move)

    def candidates(self, searches: dict[str, list[str]]) -> set[int] | None:
        """Return the ids of the clients to look at where the index knows one of the search keys, else None. Values must
        be of the kind that their keys take.
        """
        if "email" in searches:
            return self._lookup.find("email", searches["email"][-1])
        if named := {id_of(value) for key in IDS for value in searches.get(key, ())}:
            return named
        if key := next((each for each in searches if each in LIKES), None):
            wanted = searches[key][-1].casefold()
            return {client_id for client_id, text in self._like_texts(key).items() if wanted in text}
        if "vis_state" in searches and (state := id_of(searches["vis_state"][-1])) != 0:
            return self._lookup.find("state", state)
        return self._changed(searches) if searches.keys() & set(DAYS) else None

    def _changed(self, searches: dict[str, list[str]]) -> set[int]:
        """Return the clients that were last changed on the days that are asked for."""
        first, last = (day_of(key, searches[key][-1]) if key in searches else "" for key in DAYS)
        days = [day for day in self._lookup.values("day") if first <= day <= (last or day)]
        return set().union(*(self._lookup.find("day", day) for day in days))

    def _like_texts(self, key: str) -> dict[int, str]:
        if key not in self._texts:  # many a key is never searched
            self._texts[key] = {each["id"]: like_text(key, each) for each in self._records.all("client")}
        return self._texts[key]

    def _move(self, before: Record | None, after: Record | None) -> None:
        if before:
            self.accounts[before["accounting_systemid"]] -= 1
        if after:
            self.accounts[after["accounting_systemid"]] += 1
        for search_key, texts in self._texts.items():
            if after:
                texts[after["id"]] = like_text(search_key, after)
            elif before:
                texts.pop(before["id"], None)


def _keys(client: Record) -> Iterator[tuple[str, str]]:
    yield "email", str(client["email"])
    yield "day", str(client["updated"])[:10]
    yield "state", str(client["vis_state"])
