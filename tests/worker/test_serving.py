"""Connections come and go while worker and receiver run: real processes, a real server, the stand-ins."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.load import load_settings
from runtime.watching import SettingsWatch
from starters.demo.sides import until
from tests.faults.rig import CONNECTION, Rig, running

CLIENTS = {"direction": "both", "default_currency": "EUR", "phone_region": "GB", "sweep_every": "5s"}
WORKER, NEW = "worker-a", "birch"
PATIENCE = 60.0


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, connection={"clients": CLIENTS}) as rig:
        await rig.start_worker(WORKER)
        await rig.sign_in()
        yield rig


async def _new_client(rig: Rig, name: str) -> None:
    emails = [{"type": "Work", "address": f"{name.lower()}@quist.example"}]
    await rig.sides.create_party(type="person", firstName=name, lastName="Quist", emailAddresses=emails)
    await until(f"the client {name}", lambda: rig.sides.clients_with(fname=name), PATIENCE)


@pytest.mark.timeout(240)
async def test_a_connection_is_added_and_another_taken_away_without_a_restart(rig: Rig) -> None:
    """S63, Z119: and a file that cannot be read changes nothing."""
    file = rig.folder / "ledgerline.yaml"
    settings, processes = file.read_text(), [rig.supervisor.pid(name) for name in (WORKER, "receiver")]
    await _new_client(rig, "Nora")
    file.write_text("connections: [this is no settings file\n")
    await _new_client(rig, "Otto")

    file.write_text(settings.replace(f"{CONNECTION}:", f"{NEW}:"))
    await until("the new connection's sweep", lambda: rig.store.cursors.read(NEW, "capsule.parties"), PATIENCE)
    await _new_client(rig, "Ida")

    newest = (await rig.store.audit.latest(1))[0]
    assert (newest.connection, newest.action) == (NEW, "create")
    assert [rig.supervisor.pid(name) for name in (WORKER, "receiver")] == processes


def _written(folder: Path, connections: str, more: str = "") -> None:
    (folder / "ledgerline.yaml").write_text(f"{more}connections: {connections}\n")


def test_only_connections_are_taken_over_while_a_process_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake is told with its line, and only once; other settings are named and wait."""
    monkeypatch.setenv("LEDGERLINE_CONFIG", str(tmp_path / "ledgerline.yaml"))
    monkeypatch.setenv("LEDGERLINE_DATA", str(tmp_path))
    acme = "{acme: {capsule: {token: a}, freshbooks: {token: b, account_id: xyz}}}"
    _written(tmp_path, acme)
    watch = SettingsWatch(load_settings())
    assert watch.look() is None
    _written(tmp_path, acme.replace("token: a", "tokn: a"))
    assert (watch.look(), watch.look()) == (None, None)
    _written(tmp_path, acme, "log_level: debug\n")
    assert watch.look() is None
    _written(tmp_path, acme.replace("acme", "birch"), "log_level: debug\n")
    now = watch.look()
    assert now is not None
    assert (list(now.connections), now.log_level) == (["birch"], "info")
