"""Edits on both sides of linked records, in random order.

`python -m tests.faults.both_sides [RECORDS] [SEED] [--crm zoho_crm]`

Real workers on a real Temporal server, both stand-ins in this process. What should come of each record is told by a
reference model that knows nothing of the product: a few lines, below. Prints one JSON line of findings.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.store import Store
from tests.databases import TEST_KEYS, sqlite_url
from tests.faults.edited_parties import PARTIES, EditedParties
from tests.sandboxes import Firm, open_firm
from tests.temporal_server import embedded_server
from tests.workflows.office import Office

ROUNDS = 2  # more would trip the breaker: a pair may be written five times to and fro in ten minutes
OWNERS = {"lname": "crm", "mob_phone": "books", "p_city": "crm", "vat_number": "ask"}
"""Who is right when both sides changed a field between two passes."""
MAPPING: dict[str, Any] = {"mob_phone": {"owner": "books"}}
PATIENCE = 30.0  # seconds
CHANCE_OF_EDIT, CHANCE_OF_BOTH = 0.4, 0.3


@dataclass
class Pair:
    """One record on both sides, and what the model says of it."""

    party_id: int
    client_id: int
    expected: dict[str, str]
    conflict: bool = False
    edits: list[tuple[str, str, str]] = field(default_factory=list)
    """Of this round: side, field, value."""


async def run(records: int, seed: int, crm: str = "capsule") -> dict[str, Any]:
    """Run all rounds and return what was found."""
    chance, began = random.Random(seed), time.monotonic()
    async with _office(crm) as office:
        parties = PARTIES[crm](office.firm)
        pairs = await _linked(office, parties, records)
        linked_after = time.monotonic() - began
        edits = [await _round(office, parties, pairs, chance) for _ in range(ROUNDS)]
        writes = _writes(office.firm)
        async with office.working():
            await _announce_all(office, pairs, chance, rank=1)
            await _idle(office, pairs)
            held = await _held(office, {str(pair.party_id) for pair in pairs if pair.conflict})
        return {
            "crm": crm,
            "records": records,
            "seed": seed,
            "edits": edits,
            "conflicts": sum(pair.conflict for pair in pairs),
            "holds": len(held),
            "wrong_holds": sorted(held ^ {str(pair.party_id) for pair in pairs if pair.conflict}),
            "differences": [found for pair in pairs for found in _differences(office.firm, parties, pair)][:20],
            "writes_of_a_second_full_pass": _writes(office.firm) - writes,
            "clients": len(office.firm.clients()),
            "parties": parties.count(),
            "seconds": {"linking": round(linked_after), "all": round(time.monotonic() - began)},
        }


@asynccontextmanager
async def _office(crm: str) -> AsyncIterator[Office]:
    with tempfile.TemporaryDirectory(prefix="ledgerline-both-sides-") as folder:
        store = Store(sqlite_url(Path(folder)), TEST_KEYS)
        await store.database.migrate()
        flow = {"direction": "both", "bulk_limit": 1_000_000, "mapping": MAPPING}
        async with embedded_server() as server, open_firm(store, Path(folder), "both-sides", crm=crm, **flow) as firm:
            yield Office(server.client, firm)
        await store.close()


async def _linked(office: Office, parties: EditedParties, records: int) -> list[Pair]:
    pairs: list[Pair] = []
    await parties.make_fields()
    async with office.working():
        entered = {await parties.enter(f"ada{each}@acme.test", _first(each)): _first(each) for each in range(records)}
        for party_id in entered:
            await office.announce(party_id)
        for party_id, values in entered.items():
            client_id = (await office.workflow(party_id).result()).client_id
            assert client_id is not None, f"party {party_id} got no client"
            pairs.append(Pair(party_id, client_id, dict(values)))
    return pairs


def _first(number: int) -> dict[str, str]:
    return {"lname": f"Byron {number}", "mob_phone": f"+44 7700 {900000 + number}", "p_city": "Kiel", "vat_number": "1"}


async def _round(office: Office, parties: EditedParties, pairs: list[Pair], chance: random.Random) -> int:
    """Edit while nobody works, so that all of it lies between two passes; then let the workers go."""
    for pair in pairs:
        pair.edits = [] if pair.conflict else _edits(pair, chance)
        _expect(pair)
    todo = [(pair, edit) for pair in pairs for edit in pair.edits]
    chance.shuffle(todo)
    for pair, edit in todo:
        await _make(office.firm, parties, pair, *edit)
    await _announce_all(office, [pair for pair in pairs if pair.edits], chance, rank=2)
    async with office.working():
        await _idle(office, pairs)
    return len(todo)


def _edits(pair: Pair, chance: random.Random) -> list[tuple[str, str, str]]:
    """Return what people do to a record in one round, on one side or on both."""
    edits = []
    for name in OWNERS:
        if chance.random() > CHANCE_OF_EDIT:
            continue
        sides = ["crm", "books"] if chance.random() < CHANCE_OF_BOTH else [chance.choice(["crm", "books"])]
        edits += [(side, name, f"{name[0].upper()} {chance.randrange(10**6)}") for side in sides]
    return edits


def _expect(pair: Pair) -> None:
    """The reference model: one side's edit stands; of two, the owner's does; `ask` waits for a person."""
    for name, owner in OWNERS.items():
        said = {side: value for side, field_name, value in pair.edits if field_name == name}
        if len(said) == 2 and owner == "ask" and said["crm"] != said["books"]:
            pair.conflict = True
        elif said:
            pair.expected[name] = said.get(owner) or next(iter(said.values()))


async def _make(firm: Firm, parties: EditedParties, pair: Pair, side: str, name: str, value: str) -> None:
    if side == "books":
        await firm.change_client(pair.client_id, **{name: value})
    else:
        await parties.edit(pair.party_id, name, value)


async def _announce_all(office: Office, pairs: list[Pair], chance: random.Random, rank: int) -> None:
    """Tell of every record from both sides, some of it twice, in random order."""
    news = [(pair, side) for pair in pairs for side in ("crm", "books", chance.choice(["crm", "books"]))]
    chance.shuffle(news)
    for pair, side in news:
        if side == "crm":
            await office.announce(pair.party_id, rank=rank)
        else:
            await office.announcer.client_changed(office.firm.name, str(pair.client_id), "news of the client", rank)


async def _idle(office: Office, pairs: list[Pair]) -> None:
    """Wait until every record's workflow has ended, or is held as the model says."""
    for pair in pairs:
        if pair.conflict:
            await office.hold(pair.party_id)
        elif pair.edits:
            await office.workflow(pair.party_id).result()


async def _held(office: Office, wanted: set[str]) -> set[str]:
    """Return which records are held in the end: one that a person asks about is let go and held anew meanwhile."""
    give_up = time.monotonic() + PATIENCE
    while True:
        held = {hold.record_id for hold in await office.firm.store.holds.listed()}
        if held == wanted or time.monotonic() > give_up:
            return held
        await asyncio.sleep(0.2)


def _differences(firm: Firm, parties: EditedParties, pair: Pair) -> list[str]:
    """Return where a side differs from the model. A record whose conflict waits is as people left it."""
    if pair.conflict:
        return []
    crm, client = parties.values(pair.party_id), firm.client(pair.client_id)
    found = [f"party {pair.party_id}: {name}" for name, value in pair.expected.items() if crm[name] != value]
    found += [f"client {pair.client_id}: {name}" for name, value in pair.expected.items() if client[name] != value]
    rows = parties.rows(pair.party_id)
    return found + [f"party {pair.party_id}: {count} {key}" for key, count in rows.items() if count != 1]


def _writes(firm: Firm) -> int:
    """Return how many requests to write there were. A query of Zoho's is a POST, and writes nothing."""
    return firm.calls("POST") + firm.calls("PUT") - firm.calls("POST", "/coql")


def main() -> None:
    """Run what the command line asks for, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.both_sides", description="Edits on both sides.")
    parser.add_argument("records", type=int, nargs="?", default=2000)
    parser.add_argument("seed", type=int, nargs="?", default=20261122)
    parser.add_argument("--crm", choices=sorted(PARTIES), default="capsule", help="the CRM beside FreshBooks")
    asked = parser.parse_args()
    sys.stdout.write(json.dumps(asyncio.run(run(asked.records, asked.seed, asked.crm))) + "\n")


if __name__ == "__main__":
    main()
