"""One installation with both CRMs, each beside a FreshBooks of its own, as processes: for the pipeline campaign."""

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

from runtime.load import load_settings
from runtime.processes import Supervisor
from starters.demo.run import stand_alone
from starters.demo.sides import Sides, until
from starters.sandbox import FRESHBOOKS_PER_MINUTE, addresses, sandbox_children, zoho_crm_addresses
from tests.faults.crms import CAPSULE, StandIn
from tests.faults.pipeline_judge import House
from tests.faults.pipeline_sales import CapsuleSales, Sales, ZohoSales
from tests.faults.rig import START_SECONDS, Rig, started

CALLBACKS = 3  # clients, estimates, invoices


@dataclass(frozen=True)
class Firm:
    """A connection: those who sell, the stand-ins of both its systems, and what its ledger says."""

    sales: Sales
    crm: StandIn
    books: StandIn
    house: House

    async def hooks_ready(self) -> bool:
        """Return whether both systems will tell us of everything."""
        kind, count = self.sales.hooks
        callbacks = [each for each in await self.books.all("callback") if each["verified"]]
        return len(await self.crm.all(kind)) == count and len(callbacks) == CALLBACKS

    async def rules(self) -> list[dict[str, Any]]:
        """Return the rules by which calls to either system go wrong, and how often each has fired."""
        return [*await self.crm.rules(), *await self.books.rules()]


@asynccontextmanager
async def both_firms(
    folder: Path, connection: Mapping[str, Any], *, seed: int = 1, database_url: str = ""
) -> AsyncIterator[tuple[Rig, Sequence[Firm]]]:
    """Run both sandboxes, Temporal, receiver and schedules; no worker yet. Nothing is left of it afterwards.

    `connection` is what the settings of both connections have in common. Raises CannotStart.
    """
    with patch.dict(os.environ):
        stand_alone(folder)
        os.environ["LEDGERLINE_SANDBOX__SEED"] = str(seed)
        if database_url:
            os.environ["LEDGERLINE_DATABASE_URL"] = database_url
        supervisor = Supervisor(folder / "logs")
        try:
            await asyncio.gather(*(supervisor.start(child) for child in sandbox_children(load_settings())))
            async with httpx.AsyncClient(timeout=30) as http:
                firms = _firms(http, folder)
                await _set_up(folder, firms, connection)
                sides = Sides(http, *addresses(load_settings()))
                settings, store, temporal = await started(supervisor)
                try:
                    rig = Rig(
                        folder, supervisor, sides, CAPSULE, firms[0].crm, firms[0].books, settings, store, temporal
                    )
                    yield rig, firms
                finally:
                    await store.close()
        finally:
            await supervisor.stop_all()


async def ready(firms: Sequence[Firm]) -> None:
    """Return once all webhooks are registered, which takes a worker."""
    for firm in firms:
        await until("the webhooks", firm.hooks_ready, START_SECONDS)


def _firms(http: httpx.AsyncClient, folder: Path) -> list[Firm]:
    settings = load_settings()
    places: list[tuple[Sales, tuple[str, str]]] = [
        (CapsuleSales(), addresses(settings)),
        (ZohoSales(), zoho_crm_addresses(settings)),
    ]
    return [
        Firm(sales, StandIn(http, crm), StandIn(http, books), House(sales, folder / sales.ledger))
        for sales, (crm, books) in places
    ]


async def _set_up(folder: Path, firms: Sequence[Firm], connection: Mapping[str, Any]) -> None:
    """Let the stand-ins be as their firms have them, and write the settings that lead to them."""
    connections = {}
    for firm in firms:
        await firm.crm.set(**firm.sales.kind.knobs)
        await firm.books.set(**firm.sales.terms.knobs)
        await firm.sales.make_fields(firm.crm)
        connections[firm.sales.connection] = await _connection(firm, connection)
    receiver = load_settings().receiver
    public = {"receiver": {"public_url": f"http://{receiver.host}:{receiver.port}"}}
    with (folder / "ledgerline.yaml").open("w") as file:
        YAML().dump({**public, "connections": connections}, file)


async def _connection(firm: Firm, common: Mapping[str, Any]) -> dict[str, Any]:
    sales, books = firm.sales, await firm.books.about()
    flow = {**common["opportunities"], **sales.flow, **sales.terms.flow}
    account = {
        "token": books["tokens"]["access"],
        "base_url": firm.books.url,
        "account_id": books["account_id"],
        "requests_per_minute": FRESHBOOKS_PER_MINUTE,
    }
    crm = sales.kind.account(firm.crm.url, await firm.crm.about())
    return {**common, "opportunities": flow, sales.kind.system: crm, "freshbooks": account}
