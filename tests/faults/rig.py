"""The whole system as processes, in a folder of its own, with settings and workers as a fault test wants them.

`ledgerline up` starts one healthy worker; here a test says which workers run, and ends them when it likes.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
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
from starters.sandbox import CAPSULE_PER_HOUR, FRESHBOOKS_PER_MINUTE, addresses, sandbox_child
from starters.schedules import ensure_schedules, wanted_schedules
from store.store import Store, open_store
from store.tokens import Grant
from workflows.search_attributes import ALL

CONNECTION = "acme"
HEALTHY = ("worker", "work")
START_SECONDS = 60.0  # the machine may be busy with other tests


@dataclass
class Rig:
    """A running system. Everything but the workers is healthy."""

    folder: Path
    settings: Settings
    supervisor: Supervisor
    sides: Sides
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
        await until("the webhooks", self.sides.hooks_ready, START_SECONDS)

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
    registered: bool = False,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """Run sandbox, Temporal, receiver and schedules; no worker yet. Nothing is left of it afterwards.

    `connection` and `settings` are written into the settings file, over what leads to the sandbox; `seed` is the
    sandbox's. With `registered` FreshBooks is connected as by `ledgerline connect`: with tokens that are refreshed.
    Raises CannotStart.
    """
    with patch.dict(os.environ):
        stand_alone(folder)
        os.environ["LEDGERLINE_SANDBOX__SEED"] = str(seed)
        if database_url:
            os.environ["LEDGERLINE_DATABASE_URL"] = database_url
        supervisor = Supervisor(folder / "logs")
        try:
            await supervisor.start(sandbox_child(load_settings()))
            async with httpx.AsyncClient(timeout=30) as http:
                sides = Sides(http, *addresses(load_settings()))
                books = await _info(sides, sides.freshbooks_url)
                accounts = await _accounts(sides, books, connection, registered=registered)
                _write_settings(folder, {**connection, **accounts}, settings)
                rig = await _started(folder, supervisor, sides)
                if registered:
                    await _consent(rig.store, books)
                try:
                    yield rig
                finally:
                    await rig.store.close()
        finally:
            await supervisor.stop_all()


async def _started(folder: Path, supervisor: Supervisor, sides: Sides) -> Rig:
    settings = load_settings()
    store = await open_store(settings)
    address, _ = target(settings)
    command = server_command(await temporal_cli(settings), settings, ALL)
    await supervisor.start(Child("temporal", command, ready=lambda: answers(address), ready_within=START_SECONDS))
    ready = f"http://{settings.receiver.host}:{settings.receiver.port}/ready"
    receiver = [sys.executable, "-m", "worker", "web"]
    await supervisor.start(Child("receiver", receiver, ready=lambda: _serves(ready), ready_within=START_SECONDS))
    temporal = await connect(settings)
    await ensure_schedules(temporal, wanted_schedules(settings), run_now=True)
    return Rig(folder, settings, supervisor, sides, store, temporal)


async def _accounts(
    sides: Sides, books: Mapping[str, Any], connection: Mapping[str, Any], *, registered: bool
) -> dict[str, Any]:
    """Return the settings of both accounts: what leads to the sandbox, and over it what the connection says."""
    crm = await _info(sides, sides.capsule_url)
    fixed = {"token": books["tokens"]["access"]}
    capsule = {"token": crm["tokens"]["access"], "base_url": sides.capsule_url, "requests_per_hour": CAPSULE_PER_HOUR}
    freshbooks = {
        **(books["oauth"] if registered else fixed),
        "base_url": sides.freshbooks_url,
        "account_id": books["account_id"],
        "requests_per_minute": FRESHBOOKS_PER_MINUTE,
    }
    return {
        "capsule": {**capsule, **connection.get("capsule", {})},
        "freshbooks": {**freshbooks, **connection.get("freshbooks", {})},
    }


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


async def _info(sides: Sides, url: str) -> dict[str, Any]:
    return dict((await sides.http.get(f"{url}/_sandbox/info")).raise_for_status().json())


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
