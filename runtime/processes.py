"""Child processes that live as long as we do: started in order, restarted when they die, stopped in reverse."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from runtime.errors import Stop

log = structlog.get_logger()

PR_SET_PDEATHSIG = 1
STOP_GRACE = 12.0  # a worker may finish the requests it has begun
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 10.0
HEALTHY_AFTER = 20.0  # a process that lived this long starts again without a longer pause
LOG_BYTES = 20_000_000

Ready = Callable[[], Awaitable[bool]]


class CannotStart(Stop):
    """A process did not come up. The text names it, says where its log is, and shows the log's last lines."""


async def always_ready() -> bool:
    """Return True: for processes whose start nobody waits for."""
    return True


@dataclass
class Child:
    """One process to run. `ready` says whether it serves; it is asked until it does."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Ready = always_ready
    ready_within: float = 90.0


class Supervisor:
    """Runs children; their output goes to `{folder}/{name}.log`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._log_began: dict[str, int] = {}
        self.restarts: dict[str, int] = {}

    async def start(self, child: Child) -> None:
        """Start a child and return once it is ready. Raises CannotStart."""
        try:
            process = await self._spawn(child)
        except OSError as error:
            raise CannotStart(f"{child.name} cannot be started: {error}") from error
        deadline = time.monotonic() + child.ready_within
        while not await child.ready():
            if process.returncode is not None:
                raise CannotStart(self._obituary(child, f"ended at once with exit code {process.returncode}"))
            if time.monotonic() > deadline:
                raise CannotStart(self._obituary(child, f"is not ready after {child.ready_within:.0f} s"))
            await asyncio.sleep(0.05)
        self._watchers[child.name] = asyncio.create_task(self._watch(child, process))

    async def stop(self, name: str) -> None:
        """Stop one child: a polite request, and after a while no longer a request."""
        watcher = self._watchers.pop(name, None)
        if watcher is not None:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        process = self._running.pop(name, None)
        if process is not None:
            await _end(process)

    async def stop_all(self) -> None:
        """Stop every child, the last one started first."""
        for name in reversed(list(self._running)):
            await self.stop(name)

    def pid(self, name: str) -> int | None:
        """Return the process id of a child that runs now."""
        process = self._running.get(name)
        return process.pid if process and process.returncode is None else None

    def log_file(self, name: str) -> Path:
        """Return where a child's output goes."""
        return self._folder / f"{name}.log"

    async def _watch(self, child: Child, process: asyncio.subprocess.Process) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = await process.wait()
            path = str(self.log_file(child.name))
            log.warning("a process ended and is started again", child=child.name, exit_code=code, its_log=path)
            self.restarts[child.name] = self.restarts.get(child.name, 0) + 1
            pause = FIRST_PAUSE if time.monotonic() - began > HEALTHY_AFTER else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)
            try:
                process = await self._spawn(child)
            except OSError as error:  # its program is being replaced, or the disk is full: it may not last
                log.error("a process cannot be started again yet", child=child.name, reason=error.strerror)  # noqa: TRY400

    async def _spawn(self, child: Child) -> asyncio.subprocess.Process:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self.log_file(child.name)
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as output:
            self._log_began[child.name] = output.tell()  # what earlier runs said is not this one's last words
            process = await asyncio.create_subprocess_exec(
                *child.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **child.environment},
                process_group=0,  # Ctrl-C is for us; we tell the children, in order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self._running[child.name] = process
        return process

    def _obituary(self, child: Child, text: str) -> str:
        path = self.log_file(child.name)
        said = path.read_bytes()[self._log_began.get(child.name, 0) :] if path.exists() else b""
        tail = said.decode(errors="replace").splitlines()[-5:]
        return "\n".join([f"{child.name} {text}; its log is {path}", *(f"  {line}" for line in tail)])


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_GRACE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however it dies: nothing is left running."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
