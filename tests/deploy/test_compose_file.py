"""What a firm may rely on when it starts docker-compose.yml, as far as the file itself can show it."""

import re
import tomllib
from typing import Any

import pytest

from starters.cli import app
from tests.deploy.files import COMPOSE, COMPOSE_FILE, DEPLOY, ONE_SHOT, OURS, SERVICES, TOP

LONG_RUNNING = sorted(set(SERVICES) - ONE_SHOT)
EXACT_TAG = re.compile(r"^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$")
PASSWORD_IN_ADDRESS = re.compile(r"://[^/\s:@]+:[^/\s@]+@")
WORD = re.compile(r"[A-Za-z0-9+=]{20,}")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_tomorrow_the_same_images_are_started_as_today(name: str) -> None:
    assert EXACT_TAG.match(SERVICES[name]["image"]), SERVICES[name]["image"]


def test_schema_tools_and_temporal_server_have_the_same_version() -> None:
    tools, server = SERVICES["temporal-schema"]["image"], SERVICES["temporal"]["image"]
    assert tools.split(":")[1] == server.split(":")[1] == SERVICES["temporal-namespace"]["image"].split(":")[1]


def test_our_image_is_named_after_our_version() -> None:
    version = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["version"]
    assert {service["image"] for service in OURS.values()} == {f"ledgerline:{version}"}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_for_ever_is_watched_and_started_again(name: str) -> None:
    """Z23"""
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_a_job_that_fails_is_tried_again_and_then_given_up(name: str) -> None:
    assert SERVICES[name]["restart"].startswith("on-failure:")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_is_root_or_can_become_it_or_take_the_whole_machine(name: str) -> None:
    """Z130"""
    service = SERVICES[name]
    assert int(service["user"].split(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["read_only"] is True
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}


def test_the_file_holds_no_secret() -> None:
    """Z137"""
    text = COMPOSE_FILE.read_text()
    assert not PASSWORD_IN_ADDRESS.search(text)
    suspects = [word for word in WORD.findall(text) if re.search(r"\d", word) and re.search(r"[A-Za-z]", word)]
    assert suspects == []


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_secret_is_given_as_a_variable(name: str) -> None:
    """Z137: what stands in the environment of a container stands in `docker inspect`."""
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|PWD|SECRET|TOKEN|KEY|DATABASE_URL", variable):
            assert str(value).removeprefix("file:").startswith("/run/secrets/"), variable


def test_without_secrets_nothing_starts_and_the_message_says_what_to_do() -> None:
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("${DEPLOY_SECRETS:?run deploy/make-secrets.sh first}/")


def test_every_secret_is_one_that_the_script_makes() -> None:
    script = (DEPLOY / "make-secrets.sh").read_text()
    assert set(COMPOSE["secrets"]) == set(re.findall(r"\| make (\w+)", script))


def test_only_services_that_store_or_decrypt_see_our_key() -> None:
    assert {name for name, service in SERVICES.items() if "ledgerline_key" in service.get("secrets", [])} == set(OURS)


def _published() -> list[tuple[str, str]]:
    return [(name, port) for name, service in SERVICES.items() for port in service.get("ports", [])]


def test_only_receiver_and_operators_pages_can_be_reached_from_the_host() -> None:
    assert [name for name, _ in _published()] == ["temporal-ui", "codec", "receiver", "receiver"]


def test_operators_pages_can_be_reached_from_this_machine_alone() -> None:
    """Whoever reaches the codec server reads customers' data."""
    assert all(port.startswith("127.0.0.1:") for _, port in _published() if "RECEIVER_BIND" not in port)


def test_the_console_asks_for_a_passphrase() -> None:
    """It shows personal data, and its buttons decide what is written."""
    environment = OURS["receiver"]["environment"]
    assert environment["LEDGERLINE_CONSOLE__PASSPHRASE"] == "file:/run/secrets/console_passphrase"
    assert f"127.0.0.1:8082:{environment['LEDGERLINE_CONSOLE__PORT']}" in OURS["receiver"]["ports"]
    seen_by = {name for name, service in SERVICES.items() if "console_passphrase" in service.get("secrets", [])}
    assert seen_by == {"receiver"}


def test_even_the_receiver_waits_for_its_proxy_unless_told_otherwise() -> None:
    """Z131"""
    assert OURS["receiver"]["ports"][0].startswith("${RECEIVER_BIND:-127.0.0.1}:")


def test_the_database_can_be_reached_neither_from_the_host_nor_from_the_ui() -> None:
    assert COMPOSE["networks"]["database"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert "database" not in SERVICES["temporal-ui"]["networks"] + SERVICES["codec"]["networks"]


def test_workers_can_be_multiplied() -> None:
    """S60"""
    assert not {"ports", "container_name"} & set(SERVICES["worker"])


def test_the_receiver_starts_while_temporal_is_away() -> None:
    """S49: what arrives meanwhile goes to the inbox."""
    assert set(SERVICES["receiver"]["depends_on"]) == {"postgres"}


def test_workers_start_when_temporal_knows_our_namespace_and_search_attributes() -> None:
    for name in ("worker", "schedules"):
        assert SERVICES[name]["depends_on"]["temporal-namespace"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_run_commands_that_exist(name: str) -> None:
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    program, command = OURS[name]["command"]
    assert program == "ledgerline"
    assert command in known


def _asked_port(service: Any) -> int:
    return int(re.findall(r":(\d+)/", service["healthcheck"]["test"][-1])[0])


def test_health_checks_ask_where_our_services_listen() -> None:
    assert _asked_port(OURS["receiver"]) == int(OURS["receiver"]["environment"]["LEDGERLINE_RECEIVER__PORT"])
    assert _asked_port(OURS["codec"]) == int(OURS["codec"]["environment"]["LEDGERLINE_CODEC__PORT"])
    assert OURS["receiver"]["ports"][0].endswith(f":{_asked_port(OURS['receiver'])}")
    assert OURS["codec"]["ports"][0].endswith(f":{_asked_port(OURS['codec'])}")


def test_the_codec_server_answers_the_page_that_the_ui_is() -> None:
    page = "http://localhost:" + SERVICES["temporal-ui"]["ports"][0].split(":")[1]
    codec = "http://localhost:" + SERVICES["codec"]["ports"][0].split(":")[1]
    assert f'"{page}"' in SERVICES["codec"]["environment"]["LEDGERLINE_CODEC__UI_ORIGINS"]
    assert SERVICES["temporal-ui"]["environment"]["TEMPORAL_CORS_ORIGINS"] == page
    assert SERVICES["temporal-ui"]["environment"]["TEMPORAL_CODEC_ENDPOINT"] == codec
