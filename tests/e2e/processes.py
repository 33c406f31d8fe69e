"""`ledgerline up` as a process of its own, on free ports and in a folder of its own, as a user would run it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.ports import free_ports
from starters.demo.run import PORTS

START_SECONDS, STOP_SECONDS = 90, 60


@dataclass(frozen=True)
class Up:
    """A running `ledgerline up`."""

    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    folder: Path

    def port(self, name: str) -> int:
        """Return one of its ports, named as in the settings: `sandbox.capsule_port`."""
        return int(self.environment["LEDGERLINE_" + name.replace(".", "__").upper()])

    def output(self) -> str:
        """Return what it has printed so far."""
        return (self.folder / "output").read_text()

    def children(self) -> list[int]:
        """Return the process ids of its children (Linux)."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another `ledgerline` command with the same settings."""
        return ledgerline(self.environment, *arguments)

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment that leads to `folder`, to free ports, and to nobody's accounts or Temporal server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LEDGERLINE_", "TEMPORAL_"))}
    ports = {f"LEDGERLINE_{name}": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    for name in ("ledgerline.yaml", "temporal.toml"):
        (folder / name).touch()
    places = {
        "LEDGERLINE_CONFIG": str(folder / "ledgerline.yaml"),
        "LEDGERLINE_DATA": str(folder / "data"),
        "TEMPORAL_CONFIG_FILE": str(folder / "temporal.toml"),
    }
    return {**kept, **ports, **places, **more}


def ledgerline(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends."""
    command = [sys.executable, "-m", "starters", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def running(folder: Path, environment: Mapping[str, str]) -> Iterator[Up]:
    """Run `ledgerline up` until it is ready; whatever happens, nothing of it is left afterwards."""
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "starters", "up"], env=environment, stderr=output, stdout=output
        )
    up = Up(process, environment, folder)
    try:
        _wait_until_ready(up)
        yield up
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)


def gone(pids: list[int], within: float) -> bool:
    """Return whether all these processes end in time."""
    deadline = time.monotonic() + within
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _wait_until_ready(up: Up) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "ready" not in up.output():
        if up.process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"ledgerline up did not become ready:\n{up.output()}")
        time.sleep(0.1)
