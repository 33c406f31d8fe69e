"""Where Temporal is looked for, what is said if it is not there, and how the embedded one is started."""

import socket
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.common import SearchAttributeKey

from runtime import server
from runtime.codec_server import codec_app
from runtime.ports import free_ports, is_free
from runtime.server import NoTemporalCli, answers, server_command, temporal_cli, ui_origins
from runtime.settings import Codec, Settings, Temporal
from runtime.temporal import TemporalUnreachable, connect, connect_lazily, target
from tests.databases import TEST_KEYS

PROFILES = """\
[profile.default]
address = "temporal.acme.test:7233"
[profile.cloud]
address = "acme.tmprl.cloud:7233"
namespace = "acme"
"""


def profiles(content: str) -> None:
    """Write the file of standard profiles that the environment names."""
    Path("no-profiles.toml").write_text(content)


def test_a_port_is_free_until_somebody_listens_there() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not is_free("127.0.0.1", port)
    assert is_free("127.0.0.1", port)


def test_free_ports_are_all_different_and_free() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert all(is_free("127.0.0.1", port) for port in ports)


def test_without_a_profile_the_embedded_server_is_meant() -> None:
    assert target(Settings(temporal=Temporal(port=7244))) == ("127.0.0.1:7244", False)


def test_the_standard_settings_name_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    profiles(PROFILES)
    assert target(Settings()) == ("temporal.acme.test:7233", True)
    monkeypatch.setenv("TEMPORAL_PROFILE", "cloud")
    assert target(Settings()) == ("acme.tmprl.cloud:7233", True)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "elsewhere.test:7233")
    assert target(Settings()) == ("elsewhere.test:7233", True)


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_PROFILE", "staging")
    with pytest.raises(TemporalUnreachable, match=r"profile settings cannot be used: Profile 'staging' not found$"):
        target(Settings())


async def test_a_damaged_profile_file_is_said_in_one_line() -> None:
    profiles("[[[ broken")
    for attempt in (connect(Settings()), connect_lazily(Settings())):
        with pytest.raises(TemporalUnreachable, match="profile settings cannot be used") as said:
            await attempt
        assert "\n" not in str(said.value)


async def test_a_server_that_does_not_answer_is_named_with_the_cure() -> None:
    port = free_ports(1)[0]
    settings = Settings(temporal=Temporal(port=port))
    with pytest.raises(TemporalUnreachable) as said:
        await connect(settings, patience=timedelta(seconds=0.2))
    assert str(said.value) == (
        f"no Temporal server answers at 127.0.0.1:{port}; start one with `ledgerline up`, "
        "or name yours with TEMPORAL_ADDRESS or TEMPORAL_PROFILE"
    )
    assert not await answers(f"127.0.0.1:{port}")


async def test_who_must_start_without_temporal_can() -> None:
    """F6: the receiver keeps deliveries in the inbox meanwhile."""
    client = await connect_lazily(Settings(temporal=Temporal(port=free_ports(1)[0])))
    assert client.namespace == "default"


def test_the_embedded_server_listens_on_loopback_and_keeps_its_data() -> None:
    settings = Settings(data=Path("kept"), temporal=Temporal(port=7244, ui_port=8244), codec=Codec(port=8091))
    command = server_command("/opt/temporal", settings, [SearchAttributeKey.for_keyword("Connection")])
    assert command[:3] == ["/opt/temporal", "server", "start-dev"]
    expected = {
        "--ip": "127.0.0.1",
        "--port": "7244",
        "--ui-port": "8244",
        "--db-filename": "kept/temporal.db",
        "--ui-codec-endpoint": "http://127.0.0.1:8091",
        "--search-attribute": "Connection=Keyword",
    }
    for option, value in expected.items():
        assert command[command.index(option) + 1] == value


def test_the_embedded_server_shares_a_queue_fairly_and_keeps_its_rate() -> None:
    command = server_command("temporal", Settings(), [])
    values = [command[at + 1] for at, option in enumerate(command) if option == "--dynamic-config-value"]
    assert "matching.enableFairness=true" in values
    assert "matching.numTaskqueueReadPartitions=1" in values
    assert "matching.numTaskqueueWritePartitions=1" in values


def test_the_ui_may_be_opened_under_both_names_of_this_machine_or_where_the_settings_say() -> None:
    assert ui_origins(Settings()) == ("http://localhost:8233", "http://127.0.0.1:8233")
    proxied = Settings(codec=Codec(ui_origins=("https://temporal.acme.test",)))
    assert ui_origins(proxied) == ("https://temporal.acme.test",)
    assert codec_app(TEST_KEYS, ui_origins(proxied))


async def test_the_temporal_program_is_the_named_one_then_that_on_the_path_then_the_pinned_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("named", "path", "environment"):
        program = tmp_path / folder / "temporal"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "environment" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("TEMPORAL_CLI", str(tmp_path / "named" / "temporal"))
    assert await temporal_cli(Settings()) == str(tmp_path / "named" / "temporal")
    monkeypatch.delenv("TEMPORAL_CLI")
    assert await temporal_cli(Settings()) == str(tmp_path / "path" / "temporal")
    monkeypatch.setenv("PATH", "")
    assert await temporal_cli(Settings()) == str(tmp_path / "environment" / "temporal")


async def test_where_no_program_is_installed_it_is_fetched_into_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def fetched(folder: Path) -> str:
        return str(folder / "temporal-sdk")

    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(server, "_downloaded_cli", fetched)
    assert await temporal_cli(Settings(data=Path("kept"))) == "kept/temporal-cli/temporal-sdk"


async def test_a_temporal_cli_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEMPORAL_CLI", str(tmp_path / "nowhere"))
    with pytest.raises(NoTemporalCli, match="no such file; correct it, or unset it"):
        await temporal_cli(Settings(data=tmp_path))
