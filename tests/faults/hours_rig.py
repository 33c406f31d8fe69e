"""One firm whose hours are billed, as processes: forty people, clients in five currencies, weeks of work."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from ruamel.yaml import YAML
from sqlalchemy import select

from runtime.load import load_settings
from runtime.processes import Supervisor
from sandbox.freshbooks.account import IDENTITY_ID
from sandbox.freshbooks.hours_generator import HoursPlan, write_hours
from starters.demo.run import stand_alone
from starters.demo.sides import Sides
from starters.sandbox import FRESHBOOKS_PER_MINUTE, addresses, sandbox_child
from store.bill_tables import BilledEntryRow, BillRow
from store.store import Store
from tests.faults.crms import CAPSULE, StandIn
from tests.faults.hours_judge import BillSaid, Books
from tests.faults.hours_reckoning import CLIENT_RATES, KNOBS, PLACES, flow
from tests.faults.rig import CONNECTION, Rig, started

PEOPLE = 40
COLLEAGUES = [
    {"first_name": f"Person{number}", "last_name": "Hours", "email": f"p{number}@hours.example", "active": True}
    for number in range(2, PEOPLE + 1)
]


@dataclass(frozen=True)
class Size:
    """How many entries are logged, for how many clients."""

    entries: int
    clients: int


@asynccontextmanager
async def hours_firm(
    folder: Path, size: Size, common: Mapping[str, Any], *, seed: int = 1, database_url: str = ""
) -> AsyncIterator[tuple[Rig, Books]]:
    """Run the sandbox with all its hours, Temporal, receiver and schedules; no worker yet. Raises CannotStart."""
    with patch.dict(os.environ):
        stand_alone(folder)
        os.environ["LEDGERLINE_SANDBOX__SEED"] = str(seed)
        if database_url:
            os.environ["LEDGERLINE_DATABASE_URL"] = database_url
        supervisor = Supervisor(folder / "logs")
        try:
            await supervisor.start(sandbox_child(load_settings()))
            async with httpx.AsyncClient(timeout=60) as http:
                sides = Sides(http, *addresses(load_settings()))
                crm, books = StandIn(http, sides.capsule_url), StandIn(http, sides.freshbooks_url)
                await books.set(**KNOBS, staff=COLLEAGUES)
                rates = await _logged(books, size, seed)
                await _write_settings(folder, crm, books, {**common, "billing": flow(rates)})
                settings, store, temporal = await started(supervisor)
                try:
                    rig = Rig(folder, supervisor, sides, CAPSULE, crm, books, settings, store, temporal)
                    yield rig, Books(rig.ledger, rates)
                finally:
                    await store.close()
        finally:
            await supervisor.stop_all()


async def bills(store: Store) -> list[BillSaid]:
    """Return what the store says of every bill that was not dropped. Only reads."""
    async with store.database.reading() as session:
        rows = list(await session.scalars(select(BillRow).where(BillRow.state != "dropped")))
        held: dict[int, list[int]] = {row.id: [] for row in rows}
        for entry in await session.scalars(select(BilledEntryRow)):
            held.setdefault(entry.bill_id, []).append(int(entry.entry_id))
    return [
        BillSaid(
            row.id,
            int(row.client_id),
            row.state,
            int(row.invoice_id) if row.invoice_id else None,
            tuple(sorted(held[row.id])),
        )
        for row in rows
    ]


async def _logged(books: StandIn, size: Size, seed: int) -> dict[int, str]:
    """Let everybody log their hours; return the rates that the settings give to clients of other currencies."""
    client_ids = await books.enter("client", [_client(place) for place in range(size.clients)], hooks=False)
    people = tuple(range(IDENTITY_ID, IDENTITY_ID + PEOPLE))
    plan = HoursPlan(entries=size.entries, people=people, client_ids=tuple(client_ids))
    await asyncio.to_thread(_write, books.url, seed, plan)
    currencies = [_client(place)["currency_code"] for place in range(size.clients)]
    named = zip(client_ids, currencies, strict=True)
    return {each: CLIENT_RATES[code] for each, code in named if each % 2 and code in CLIENT_RATES}


def _write(url: str, seed: int, plan: HoursPlan) -> None:
    """Write the hours by the control API, from a thread of its own."""
    with httpx.Client(timeout=60) as http:

        def write(kind: str, draft: dict[str, Any]) -> dict[str, Any]:
            answer = http.post(f"{url}/_sandbox/records/{kind}?hooks=false", json=draft)
            return dict(answer.raise_for_status().json())

        write_hours(write, seed, plan)


def _client(place: int) -> dict[str, str]:
    currencies: Sequence[str] = tuple(PLACES)
    code = currencies[place % len(currencies)]
    return {"organization": f"Hours {place + 1}", "email": f"c{place + 1}@hours.example", "currency_code": code}


async def _write_settings(folder: Path, crm: StandIn, books: StandIn, connection: Mapping[str, Any]) -> None:
    about = await books.about()
    account = {
        "token": about["tokens"]["access"],
        "base_url": books.url,
        "account_id": about["account_id"],
        "requests_per_minute": FRESHBOOKS_PER_MINUTE,
    }
    receiver = load_settings().receiver
    public = {"receiver": {"public_url": f"http://{receiver.host}:{receiver.port}"}}
    accounts = {"capsule": CAPSULE.account(crm.url, await crm.about()), "freshbooks": account}
    with (folder / "ledgerline.yaml").open("w") as file:
        YAML().dump({**public, "connections": {CONNECTION: {**connection, **accounts}}}, file)
