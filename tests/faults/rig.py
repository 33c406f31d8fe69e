"""The whole system as processes, in a folder of its own, with settings and workers as a fault test wants them.

`ledgerline up` starts one healthy worker; here a test says which workers run, and ends them when it likes.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from pydantic import SecretStr
from ruamel.yaml import YAML
from temporalio.client import Client

from runtime.load import load_settings
from runtime.ports import free_ports
from runtime.processes import Child, Supervisor
from runtime.server import answers, server_command, temporal_cli
from runtime.settings import Settings
from runtime.temporal import connect, target
from starters.demo.run import stand_alone
from starters.demo.sides import Sides, until
from starters.sandbox import FRESHBOOKS_PER_MINUTE, addresses, sandbox_child
from starters.schedules import ensure_schedules
from starters.wanted_schedules import wanted_schedules
from store.store import Store, open_store
from store.tokens import Grant
from tests.faults.crms import CAPSULE, FaultedCrm, StandIn
from workflows.search_attributes import ALL

CONNECTION = "acme"
HEALTHY = ("worker", "work")
START_SECONDS = 60.0  # the machine may be busy with other tests


@dataclass
class Rig:
    """A running system. Everything but the workers is healthy. `crm` and `books` are the stand-ins of both sides."""

    folder: Path
    supervisor: Supervisor
    sides: Sides
    kind: FaultedCrm
    crm: StandIn
    books: StandIn
    settings: Settings
    store: Store
    temporal: Client
    metrics_ports: dict[str, int] = field(default_factory=dict)
    """Where each worker serves its metrics."""

    @property
    def ledger(self) -> Path:
        """Every write that one of the two systems has accepted: the judge of what happened."""
        return self.folder / "sandbox-ledger.jsonl"

    async def start_worker(self, name: str, module: Sequence[str] = HEALTHY, **environment: str) -> None:
        """Start a worker process and return once it serves. It is started again whenever it dies."""
        port = self.metrics_ports[name] = free_ports(1)[0]
        child = Child(
            name,
            [sys.executable, "-m", *module],
            {"LEDGERLINE_METRICS__WORKER_PORT": str(port), **environment},
            lambda: _serves(f"http://127.0.0.1:{port}/metrics"),
            START_SECONDS,
        )
        await self.supervisor.start(child)

    def kill(self, name: str) -> bool:
        """End a process as a power cut would. Returns False if it does not run just now."""
        pid = self.supervisor.pid(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        return pid is not None

    async def all_serve(self, workers: Sequence[str]) -> bool:
        """Return whether all these workers run and have come up."""
        urls = [f"http://127.0.0.1:{self.metrics_ports[name]}/metrics" for name in workers]
        alive = all(self.supervisor.pid(name) for name in workers)
        return alive and all([await _serves(url) for url in urls])

    async def sign_in(self) -> None:
        """Take the sandbox's tokens and wait until the webhooks are registered: from then on changes are noticed."""
        await self.sides.sign_in()
        await until("the webhooks", self._hooks_ready, START_SECONDS)

    async def _hooks_ready(self) -> bool:
        kind, count = self.kind.hooks
        callbacks = await self.books.all("callback")
        return len(await self.crm.all(kind)) == count and any(each["verified"] for each in callbacks)

    async def pause_schedules(self) -> None:
        """Let nothing run by the clock any more."""
        for schedule in [each async for each in await self.temporal.list_schedules()]:
            await self.temporal.get_schedule_handle(schedule.id).pause(note="a fault test counts what is left")


@asynccontextmanager
async def running(
    folder: Path,
    *,
    connection: Mapping[str, Any],
    database_url: str = "",
    seed: int = 1,
    kind: FaultedCrm = CAPSULE,
    registered: bool = False,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """Run sandbox, Temporal, receiver and schedules; no worker yet. Nothing is left of it afterwards.

    `connection` and `settings` are written into the settings file, over what leads to the sandbox; `seed` is the
    sandbox's, `kind` the CRM. With `registered` FreshBooks is connected as by `ledgerline connect`: with tokens that
    are refreshed. Raises CannotStart.
    """
    with patch.dict(os.environ):
        stand_alone(folder)
        os.environ["LEDGERLINE_SANDBOX__SEED"] = str(seed)
        if database_url:
            os.environ["LEDGERLINE_DATABASE_URL"] = database_url
        port, supervisor = free_ports(1)[0], Supervisor(folder / "logs")
        try:
            child = sandbox_child(load_settings())
            await supervisor.start(replace(child, command=[*child.command, *kind.options(port)]))
            async with httpx.AsyncClient(timeout=30) as http:
                sides = Sides(http, *addresses(load_settings()))
                crm, books = StandIn(http, kind.url(sides.capsule_url, port)), StandIn(http, sides.freshbooks_url)
                await crm.set(**kind.knobs)
                crm_account = kind.account(crm.url, await crm.about())
                accounts = {kind.system: crm_account, "freshbooks": await _books_account(books, registered=registered)}
                _write_settings(folder, _over(accounts, connection), settings)
                processes = await started(supervisor)
                rig = Rig(folder, supervisor, sides, kind, crm, books, *processes)
                if registered:
                    await _consent(rig.store, await books.about())
                try:
                    yield rig
                finally:
                    await rig.store.close()
        finally:
            await supervisor.stop_all()


async def started(supervisor: Supervisor) -> tuple[Settings, Store, Client]:
    """Start Temporal, the receiver and the schedules, and return what leads to them. Raises CannotStart."""
    settings = load_settings()
    store = await open_store(settings)
    await supervisor.start(await temporal_child(settings))
    ready = f"http://{settings.receiver.host}:{settings.receiver.port}/ready"
    receiver = [sys.executable, "-m", "worker", "web"]
    await supervisor.start(Child("receiver", receiver, ready=lambda: _serves(ready), ready_within=START_SECONDS))
    temporal = await connect(settings)
    await ensure_schedules(temporal, wanted_schedules(settings), run_now=True)
    return settings, store, temporal


async def temporal_child(settings: Settings) -> Child:
    """Return the Temporal server as a process; its file brings everything back at the next start."""
    address, _ = target(settings)
    command = server_command(await temporal_cli(settings), settings, ALL)
    return Child("temporal", command, ready=lambda: answers(address), ready_within=START_SECONDS)


async def _books_account(books: StandIn, *, registered: bool) -> dict[str, Any]:
    """Return what leads to the sandbox's FreshBooks."""
    about = await books.about()
    return {
        **(about["oauth"] if registered else {"token": about["tokens"]["access"]}),
        "base_url": books.url,
        "account_id": about["account_id"],
        "requests_per_minute": FRESHBOOKS_PER_MINUTE,
    }


def _over(accounts: Mapping[str, Mapping[str, Any]], connection: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a connection: what it says of an account goes over what leads to the sandbox."""
    merged = {system: {**account, **connection.get(system, {})} for system, account in accounts.items()}
    return {**connection, **merged}


def _write_settings(folder: Path, connection: Mapping[str, Any], more: Mapping[str, Any]) -> None:
    receiver = load_settings().receiver
    public = {"receiver": {"public_url": f"http://{receiver.host}:{receiver.port}"}}
    with (folder / "ledgerline.yaml").open("w") as file:
        YAML().dump({**public, "connections": {CONNECTION: dict(connection)}, **more}, file)


async def _consent(store: Store, books: Mapping[str, Any]) -> None:
    """Let somebody have consented to our use of FreshBooks a moment ago."""
    now, tokens = datetime.now(UTC), books["tokens"]
    grant = Grant(SecretStr(tokens["access"]), SecretStr(tokens["refresh"]), "", now, now + timedelta(hours=12))
    await store.tokens.consented(CONNECTION, "freshbooks", grant, books["account_id"])


async def _serves(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2) as http:
            return (await http.get(url)).is_success
    except httpx.HTTPError:
        return False


async def gone(rig: Rig, name: str, within: float = START_SECONDS) -> None:
    """Return once a process has died by itself. Raises AssertionError if it does not."""
    deadline = asyncio.get_running_loop().time() + within
    while rig.supervisor.pid(name) is not None:
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"{name} still runs")
        await asyncio.sleep(0.05)
