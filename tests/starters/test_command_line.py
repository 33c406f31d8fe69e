"""The command line: whoever makes a mistake reads what it is and what to do, and never a traceback."""

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.ports import free_ports
from runtime.settings import Settings
from starters.cli import app
from starters.system import AlreadyRunning, PortTaken, System

COMMANDS = ["up", "demo", "worker", "web", "sandbox", "codec", "schedules", "status", "doctor"]


def ledgerline(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with nothing of ours in the environment but what is given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LEDGERLINE_", "TEMPORAL_"))}
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "starters", *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": root, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def mistake(folder: Path, *arguments: str, **environment: str) -> str:
    """Run a command that cannot go on, and return what it says."""
    done = ledgerline(folder, *arguments, **environment)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_help_names_every_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S6: without any settings, and without leaving anything behind."""
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert all(f" {command} " in shown.output for command in COMMANDS)
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_does_not_exist_is_a_mistake() -> None:
    shown = CliRunner().invoke(app, ["synchronise"])
    assert shown.exit_code == 2
    assert "No such command 'synchronise'" in shown.output


def test_a_misspelt_setting_is_named_with_its_line_and_what_is_allowed(tmp_path: Path) -> None:
    """Z144."""
    (tmp_path / "ledgerline.yaml").write_text("log_format: json\nreceiver:\n  prot: 8080\n")
    said = mistake(tmp_path, "status")
    assert "ledgerline.yaml:3: receiver.prot: there is no such setting; did you mean `port`?" in said


def test_a_worker_whose_connection_is_incomplete_says_what_is_missing(tmp_path: Path) -> None:
    """Z144: before any work is begun."""
    (tmp_path / "ledgerline.yaml").write_text("connections:\n  acme:\n    capsule: {token: x}\n")
    said = mistake(tmp_path, "worker")
    assert "connections.acme.freshbooks: is missing; it must be set" in said


def test_status_of_an_empty_installation_is_no_mistake(tmp_path: Path) -> None:
    done = ledgerline(tmp_path, "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "latest writes" in done.stdout


def settings(folder: Path) -> Settings:
    """Return settings whose ports are all free."""
    sandbox = ("capsule_port", "freshbooks_port", "zoho_crm_port", "zoho_freshbooks_port")
    ports = iter(free_ports(7 + len(sandbox)))
    return Settings.model_validate(
        {
            "data": folder,
            "receiver": {"port": next(ports)},
            "codec": {"port": next(ports)},
            "console": {"port": next(ports)},
            "temporal": {"port": next(ports), "ui_port": next(ports)},
            "metrics": {"worker_port": next(ports), "receiver_port": next(ports)},
            "sandbox": {name: next(ports) for name in sandbox},
        }
    )


async def test_a_taken_port_is_named_with_the_setting_that_moves_us(tmp_path: Path) -> None:
    wanted = settings(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", wanted.receiver.port))
        other.listen()
        with pytest.raises(PortTaken) as caught:
            await System(wanted, say=lambda _: None).start()
    text = str(caught.value)
    assert f"port {wanted.receiver.port} is taken by another program" in text
    assert "`receiver.port` in ledgerline.yaml, or LEDGERLINE_RECEIVER__PORT in the environment" in text
    assert text.count("is taken") == 1


@pytest.mark.parametrize("name", ["capsule_port", "zoho_freshbooks_port"])
async def test_a_taken_port_of_the_sandbox_is_found_before_anything_starts(tmp_path: Path, name: str) -> None:
    wanted = settings(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", getattr(wanted.sandbox, name)))
        other.listen()
        with pytest.raises(PortTaken, match=f"`sandbox.{name}` in ledgerline.yaml"):
            await System(wanted, say=lambda _: None).start()


async def test_two_systems_never_share_a_data_folder(tmp_path: Path) -> None:
    with (tmp_path / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(AlreadyRunning, match="another `ledgerline up` runs with the data folder"):
            await System(settings(tmp_path), say=lambda _: None).start()
