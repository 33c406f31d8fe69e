"""The whole system on one machine: Temporal, codec server, sandbox where no account is configured, worker, receiver."""

import asyncio
import fcntl
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from runtime.errors import Stop
from runtime.load import SANDBOX_FILE, load_settings
from runtime.ports import is_free
from runtime.processes import Child, Supervisor
from runtime.server import answers, server_command, temporal_cli
from runtime.settings import Settings
from runtime.temporal import connect, target
from starters.sandbox import CONNECTIONS, connect_sandbox, sandbox_children
from starters.schedules import set_schedules
from store.store import open_store
from workflows.search_attributes import ALL

Say = Callable[[str], None]


class PortTaken(Stop):
    """Another program listens where we must. The text says which setting moves us elsewhere."""


class AlreadyRunning(Stop):
    """Another `ledgerline up` uses the same data folder."""


@dataclass
class System:
    """Everything that `ledgerline up` runs, started in order and watched until `stop`."""

    settings: Settings
    say: Say
    supervisor: Supervisor = field(init=False)
    sandboxed: bool = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.settings.data / "logs")
        self.sandboxed = not self.settings.connections or _made_by_us(self.settings)

    async def start(self) -> None:
        """Start everything; what is missing in the database is made.

        Raises AlreadyRunning, PortTaken, CannotStart, KeyProblem, StoreUnreachable or WrongSettings; then nothing runs.
        """
        self._lock()
        self._check_ports()
        try:
            await self._start_all()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything, the last started first."""
        await self.supervisor.stop_all()

    async def is_linked(self, connection: str, client_id: str) -> bool:
        """Return whether the store knows to which party a client belongs."""
        store = await open_store(self.settings)
        try:
            return await store.links.crm_id_of(connection, "clients", client_id) is not None
        finally:
            await store.close()

    async def is_held(self, workflow_id: str) -> bool:
        """Return whether a person is waited for there."""
        store = await open_store(self.settings)
        try:
            return any(each.workflow_id == workflow_id for each in await store.holds.listed())
        finally:
            await store.close()

    async def _start_all(self) -> None:
        store = await open_store(self.settings)
        await store.close()
        codec = self._python("codec", ["-m", "starters", "codec"], self._serves(self._codec_url()))
        await asyncio.gather(self._start_temporal(), self.supervisor.start(codec), self._start_sandbox())
        self.say("starting the worker and the receiver")
        receiver = self._python("receiver", ["-m", "worker", "web"], self._serves(self._ready_url()))
        worker = self._python("worker", ["-m", "worker", "work"], self._serves(self._worker_url()))
        await asyncio.gather(self.supervisor.start(receiver), self.supervisor.start(worker))
        temporal = await connect(self.settings)
        for line in await set_schedules(temporal, self.settings, run_now=True):
            self.say(f"schedule {line}")

    async def _start_sandbox(self) -> None:
        if not self.sandboxed:
            return
        self.say("no account is configured: starting the sandbox")
        await asyncio.gather(*(self.supervisor.start(each) for each in sandbox_children(self.settings)))
        await connect_sandbox(self.settings)
        self.settings = load_settings()

    async def _start_temporal(self) -> None:
        address, configured = target(self.settings)
        if configured:
            self.say(f"using the Temporal server at {address}")
            return
        self.say("starting Temporal")
        command = server_command(await temporal_cli(self.settings), self.settings, ALL)
        await self.supervisor.start(Child("temporal", command, ready=lambda: answers(address)))

    def _lock(self) -> None:
        """Hold the data folder until this process ends, however it ends."""
        self.settings.data.mkdir(parents=True, exist_ok=True)
        path = self.settings.data / "up.lock"
        self._lock_file = path.open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"another `ledgerline up` runs with the data folder {self.settings.data}; stop it first, "
                "or give this one a folder of its own with LEDGERLINE_DATA"
            ) from error

    def _check_ports(self) -> None:
        taken = [
            f"port {port} is taken by another program; stop that program, or choose another port: "
            f"`{name}` in ledgerline.yaml, or {_variable(name)} in the environment"
            for name, port in self._ports().items()
            if not is_free("127.0.0.1", port)
        ]
        if taken:
            raise PortTaken("\n".join(taken))

    def _ports(self) -> dict[str, int]:
        settings = self.settings
        ports = {
            "codec.port": settings.codec.port,
            "receiver.port": settings.receiver.port,
            "console.port": settings.console.port,
            "metrics.worker_port": settings.metrics.worker_port,
            "metrics.receiver_port": settings.metrics.receiver_port,
        }
        if not target(settings)[1]:
            ports |= {"temporal.port": settings.temporal.port, "temporal.ui_port": settings.temporal.ui_port}
        if self.sandboxed:
            ports |= {
                "sandbox.capsule_port": settings.sandbox.capsule_port,
                "sandbox.freshbooks_port": settings.sandbox.freshbooks_port,
                "sandbox.zoho_crm_port": settings.sandbox.zoho_crm_port,
                "sandbox.zoho_freshbooks_port": settings.sandbox.zoho_freshbooks_port,
            }
        return ports

    def _python(self, name: str, arguments: list[str], ready: Callable[[], Awaitable[bool]]) -> Child:
        address, _ = target(self.settings)
        return Child(name, [sys.executable, *arguments], {"TEMPORAL_ADDRESS": address}, ready)

    def _serves(self, url: str) -> Callable[[], Awaitable[bool]]:
        async def serves() -> bool:
            try:
                async with httpx.AsyncClient(timeout=2) as http:
                    return (await http.get(url)).is_success
            except httpx.HTTPError:
                return False

        return serves

    def _codec_url(self) -> str:
        return f"http://{self.settings.codec.host}:{self.settings.codec.port}/health"

    def _ready_url(self) -> str:
        return f"http://{self.settings.receiver.host}:{self.settings.receiver.port}/ready"

    def _worker_url(self) -> str:
        return f"http://{self.settings.metrics.host}:{self.settings.metrics.worker_port}/metrics"


def _made_by_us(settings: Settings) -> bool:
    """Return whether the connections are those that an earlier start made to the sandbox: once there was only one."""
    return settings.connections.keys() <= {*CONNECTIONS} and (Path(settings.data) / SANDBOX_FILE).exists()


def _variable(name: str) -> str:
    return "LEDGERLINE_" + name.replace(".", "__").upper()
