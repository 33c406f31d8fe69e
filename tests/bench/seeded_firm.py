"""The large firm with differences of every class that a comparison of clients knows, each known beforehand."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from connectors.answers import Page
from connectors.capsule.models import Party
from connectors.freshbooks.models import DELETED, Client
from store.reconciliation_models import Drift, Mismatch
from tests.bench.firms import PER_PAGE, LargeFirm

MOVED = "+49 30 1234567"
TWIN = 2_000_000
"""What is added to the id of a record for that of its duplicate."""

Found = tuple[str, tuple[str, ...], tuple[str, ...], tuple[Drift, ...]]


@dataclass(frozen=True)
class Row:
    """One record of a list: the number of its customer, and whether it is the duplicate of another."""

    number: int
    is_twin: bool = False


@dataclass(frozen=True)
class SeededFirm(LargeFirm):
    """`shared` pairs that were in step, and `each` differences of every class since.

    Half of the orphaned links have lost their party, half their client; half of the duplicates are parties.
    """

    each: int = 0
    made: list[float] = field(default_factory=list)
    """Seconds of one core that making up each page took: what belongs to the systems, not to us."""

    @staticmethod
    def of(pairs: int, each: int) -> "SeededFirm":
        """Return a firm of so many pairs, with parties and clients of which only one side knows behind them."""
        return SeededFirm(pairs + each, pairs + each, pairs, each)

    def client(self, number: int) -> Client:
        """Return one client in full; the one of a pair says what its party says."""
        client = super().client(number)
        if number >= self.shared:
            return client
        party = self.party(number)
        vat_number = party.document()["fields"][0]["value"]
        said = {"email": party.email_addresses[0].address, "vat_number": vat_number, "note": party.about}
        return client.model_copy(update=said)

    def seeded(self, place: int) -> list[int]:
        """Return the numbers of the pairs to which one thing has happened; `place` tells the things apart."""
        apart = self.shared // self.each
        return [turn * apart + place for turn in range(self.each)]

    @property
    def drifted(self) -> list[int]:
        """Pairs whose party has moved."""
        return self.seeded(1)

    @property
    def without_party(self) -> list[int]:
        """Pairs whose party is gone."""
        return self.seeded(3)[: self.each // 2]

    @property
    def without_client(self) -> list[int]:
        """Pairs whose client was deleted."""
        return self.seeded(3)[self.each // 2 :]

    @property
    def twin_parties(self) -> list[int]:
        """Pairs of whose party there is a second one."""
        return self.seeded(5)[: self.each // 2]

    @property
    def twin_clients(self) -> list[int]:
        """Pairs of whose client there is a second one."""
        return self.seeded(5)[self.each // 2 :]

    @cached_property
    def party_rows(self) -> list[Row]:
        """The list of parties."""
        gone = set(self.without_party)
        return [Row(each) for each in range(self.parties) if each not in gone] + self._twins(self.twin_parties)

    @cached_property
    def client_rows(self) -> list[Row]:
        """The list of clients that were not deleted."""
        gone = set(self.without_client)
        return [Row(each) for each in range(self.clients) if each not in gone] + self._twins(self.twin_clients)

    async def list_parties(self, *, since: None, page: int) -> Page[Party]:
        """Return one page of parties, as `CapsuleApi` does."""
        del since
        began = time.process_time()
        moved = set(self.drifted)
        items = [self._party(row, moved) for row in _of_page(self.party_rows, page)]
        self.made.append(time.process_time() - began)
        return Page(items, page * PER_PAGE < len(self.party_rows))

    async def list_clients(self, *, page: int, vis_state: int | None = None) -> Page[Client]:
        """Return one page of clients, as `FreshBooksApi` does."""
        began = time.process_time()
        rows = self.client_rows if vis_state is None else [Row(each) for each in self.without_client]
        clients = [self.client(row.number).model_copy(update=_changes(row, vis_state)) for row in _of_page(rows, page)]
        self.made.append(time.process_time() - began)
        return Page(clients, page * PER_PAGE < len(rows))

    @property
    def pages(self) -> int:
        """How many pages there are."""
        lists = (self.party_rows, self.client_rows, self.without_client)
        return sum(max(-(-len(each) // PER_PAGE), 1) for each in lists)

    def expected(self) -> set[Found]:
        """Return what has to be found, and nothing else."""
        return set(self._expected())

    def _expected(self) -> Iterator[Found]:
        for number in self.drifted:
            party, client = self.party(number), self.client(number)
            drift = Drift("bus_phone", MOVED, client.bus_phone)
            yield ("field-drift", (str(party.id),), (str(client.id),), (drift,))
        for number in range(self.shared, self.parties):
            yield ("missing-right", (str(self.party(number).id),), (), ())
            yield ("missing-left", (), (str(self.client(number).id),), ())
        for number in (*self.without_party, *self.without_client):
            yield ("orphaned-link", (str(self.party(number).id),), (str(self.client(number).id),), ())
        for number in self.twin_parties:
            party_id = self.party(number).id
            yield ("duplicate", (str(party_id), str(party_id + TWIN)), (), ())
        for number in self.twin_clients:
            client_id = self.client(number).id
            yield ("duplicate", (), (str(client_id), str(client_id + TWIN)), ())

    def _party(self, row: Row, moved: set[int]) -> Party:
        party = self.party(row.number)
        if row.is_twin:
            return party.model_copy(update={"id": party.id + TWIN})
        if row.number not in moved:
            return party
        phone = party.phone_numbers[0].model_copy(update={"number": MOVED})
        return party.model_copy(update={"phone_numbers": (phone,)})

    def _twins(self, numbers: list[int]) -> list[Row]:
        return [Row(each, is_twin=True) for each in numbers]


def found_in(mismatch: Mismatch) -> Found:
    """Return a mismatch as `expected` names it."""
    drifts = mismatch.drifts if mismatch.kind == "field-drift" else ()
    return (mismatch.kind, mismatch.crm_ids, mismatch.books_ids, drifts)


def _changes(row: Row, vis_state: int | None) -> dict[str, int]:
    identity = {"id": 500_000 + row.number + TWIN} if row.is_twin else {}
    return {**identity, **({"vis_state": DELETED} if vis_state == DELETED else {})}


def _of_page(rows: list[Row], page: int) -> list[Row]:
    return rows[(page - 1) * PER_PAGE : page * PER_PAGE]
