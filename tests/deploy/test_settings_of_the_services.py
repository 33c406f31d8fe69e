"""The settings that our services end up with, from docker-compose.yml and the example of a settings file."""

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from runtime.keys import KeyProblem, load_keys
from runtime.load import WrongSettings, load_settings
from runtime.settings import Settings
from runtime.temporal import target
from tests.deploy.files import DEPLOY, OURS, SERVICES

DATABASE = "postgresql://ledgerline:example@postgres:5432/ledgerline"


def _is_setting(path: list[str], model: type[BaseModel] = Settings) -> bool:
    """Whether the model has a field of that path."""
    field = model.model_fields.get(path[0])
    if field is None or len(path) == 1:
        return field is not None
    kinds = [field.annotation, *get_args(field.annotation)]
    return any(_is_setting(path[1:], kind) for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))


def _variables() -> list[str]:
    names = {name for service in SERVICES.values() for name in service.get("environment", {})}
    return sorted(name for name in names if name.startswith("LEDGERLINE_"))


@pytest.mark.parametrize("variable", _variables())
def test_every_variable_that_we_set_is_a_setting(variable: str) -> None:
    path = variable.removeprefix("LEDGERLINE_").lower().split("__")
    assert variable == "LEDGERLINE_CONFIG" or _is_setting(path)


def test_a_variable_that_is_no_setting_would_be_noticed() -> None:
    assert not _is_setting(["receiver", "prot"])
    assert _is_setting(["receiver", "port"])


@pytest.fixture
def firm(tmp_path: Path) -> Path:
    """A folder with what the containers would find under /run and /etc."""
    (tmp_path / "run/secrets").mkdir(parents=True)
    (tmp_path / "run/tokens").mkdir()
    (tmp_path / "etc/ledgerline").mkdir(parents=True)
    (tmp_path / "run/secrets/ledgerline_database_url").write_text(f"{DATABASE}\n")
    (tmp_path / "run/secrets/console_passphrase").write_text("long enough for a console\n")
    for system in ("capsule", "freshbooks"):
        (tmp_path / f"run/tokens/acme-{system}").write_text(f"token of {system}\n")
    example = (DEPLOY / "ledgerline.example.yaml").read_text()
    (tmp_path / "etc/ledgerline/ledgerline.yaml").write_text(example.replace("/run/", f"{tmp_path}/run/"))
    return tmp_path


def _enter(service: str, firm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process the environment of a service, its folders moved."""
    monkeypatch.chdir(firm)
    environment: dict[str, Any] = OURS[service]["environment"]
    for name, value in environment.items():
        moved = str(value).replace("/run/", f"{firm}/run/").replace("/etc/", f"{firm}/etc/")
        monkeypatch.setenv(name, moved)


@pytest.mark.parametrize("service", ["worker", "receiver", "schedules"])
def test_a_service_knows_database_temporal_and_accounts(
    service: str, firm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2, Z137"""
    _enter(service, firm, monkeypatch)
    settings = load_settings()
    assert settings.store_url == DATABASE
    assert target(settings) == ("temporal:7233", True)
    assert settings.connections["acme"].crm_account.token.get_secret_value() == "token of capsule"
    assert settings.connections["acme"].freshbooks.token.get_secret_value() == "token of freshbooks"
    assert settings.metrics.host == "0.0.0.0"


def test_the_receiver_listens_to_its_container_and_keeps_its_public_address(
    firm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _enter("receiver", firm, monkeypatch)
    receiver = load_settings().receiver
    assert (receiver.host, receiver.port, receiver.public_url) == ("0.0.0.0", 8080, "https://hooks.example.com")


def test_the_codec_server_needs_no_account_and_no_database(firm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _enter("codec", firm, monkeypatch)
    settings = load_settings()
    assert settings.connections == {}
    assert settings.database_url is None
    assert settings.codec.ui_origins == ("http://localhost:8233", "http://127.0.0.1:8233")


def test_a_missing_token_stops_the_service_and_says_which_file(firm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Z20"""
    (firm / "run/tokens/acme-freshbooks").unlink()
    _enter("worker", firm, monkeypatch)
    with pytest.raises(WrongSettings, match=r"freshbooks.token: the file .*/run/tokens/acme-freshbooks cannot be read"):
        load_settings()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This is why the entrypoint copies the mounted key instead of pointing at it."""
    monkeypatch.delenv("LEDGERLINE_KEY", raising=False)
    key = tmp_path / "ledgerline.key"
    key.write_text("k1 " + "A" * 43 + "=\n")
    key.chmod(0o444)
    with pytest.raises(KeyProblem, match="can be read by other users"):
        load_keys(tmp_path)
