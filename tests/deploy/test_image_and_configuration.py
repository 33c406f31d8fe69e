"""The image, and the configuration that stands beside docker-compose.yml."""

import re
import tomllib

from ruamel.yaml import YAML

from runtime.server import DYNAMIC_CONFIG
from starters.cli import app
from tests.deploy.files import DEPLOY, OURS, SERVICES, TOP

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
PROXY = (DEPLOY / "nginx/ledgerline.conf").read_text()


def test_the_image_holds_every_package_of_ours() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = re.findall(r"^COPY (\w+)/ (\w+)/$", DOCKERFILE, re.MULTILINE)
    assert sorted(copied) == sorted((name, name) for name in packages)


def test_everything_that_the_image_copies_gets_into_its_build() -> None:
    allowed = {
        line[1:].rstrip("/") for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line[0] == "!"
    }
    copies = re.findall(r"^COPY (?!--from)((?:--\S+ )*)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source.rstrip("/") for _, names in copies for source in names.split()}
    assert sources == allowed


def test_no_secret_and_no_history_gets_into_the_build() -> None:
    lines = [
        line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in ("", "#")
    ]
    assert lines[0] == "*"
    assert not [
        line for line in lines if line.startswith("!") and ("secret" in line or ".git" in line or ".env" in line)
    ]


def test_the_image_is_built_from_the_lock_file_without_tools_for_developers_or_the_embedded_server() -> None:
    installs = re.findall(r"^RUN uv sync (.+)$", DOCKERFILE, re.MULTILINE)
    assert installs
    assert all({"--locked", "--no-dev"} <= set(install.split()) for install in installs)
    assert "--extra" not in DOCKERFILE
    assert "--all-extras" not in DOCKERFILE


def test_the_image_starts_from_one_exact_python_and_not_as_root() -> None:
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases.pop())
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.findall(r"^USER (\S+)$", last_stage, re.MULTILINE) == [OURS["worker"]["user"]]


def test_production_runs_with_the_same_dynamic_configuration_as_a_laptop() -> None:
    """S61: with more partitions an account's quota would be divided; without fairness one firm could starve another."""
    read = YAML(typ="safe").load(DEPLOY / "temporal/dynamicconfig.yaml")
    flat = {f"{key}={str(entries[0]['value']).lower()}" for key, entries in read.items()}
    assert flat == set(DYNAMIC_CONFIG)
    assert all(len(entries) == 1 and "constraints" not in entries[0] for entries in read.values())


def test_the_proxy_speaks_no_tls_below_1_2_and_lets_only_webhooks_through() -> None:
    """Z131"""
    assert re.findall(r"ssl_protocols (.+);", PROXY) == ["TLSv1.2 TLSv1.3"]
    assert re.findall(r"listen (.+);", PROXY) == ["443 ssl", "[::]:443 ssl"]
    assert re.findall(r"location (\S+) \{", PROXY) == ["/hooks/", "/"]
    assert len(re.findall("proxy_pass", PROXY)) == 1


def test_the_proxy_never_writes_down_the_secret_in_a_webhooks_path() -> None:
    assert "access_log off;" in PROXY
    assert re.findall(r"error_log \S+ (\w+);", PROXY) == ["crit"]


def test_secrets_and_settings_of_a_firm_are_not_committed() -> None:
    """Z137"""
    assert (DEPLOY / "secrets/.gitignore").read_text().splitlines()[1:] == ["*", "!.gitignore"]
    assert "ledgerline.yaml" in (TOP / ".gitignore").read_text().splitlines()


def test_with_an_existing_cluster_the_address_comes_from_its_profile_alone() -> None:
    """A TEMPORAL_ADDRESS that is left over would win over the profile."""
    override = YAML(typ="rt").load(DEPLOY / "existing-cluster.yml")["services"]
    users = {name for name, service in OURS.items() if "TEMPORAL_ADDRESS" in service["environment"]}
    assert users == {"worker", "receiver", "schedules"}
    for name in users:
        environment = override[name]["environment"]
        assert environment["TEMPORAL_ADDRESS"].tag.value == environment["TEMPORAL_NAMESPACE"].tag.value == "!reset"
        assert environment["TEMPORAL_CONFIG_FILE"] == "/run/secrets/temporal_profile"
        waits_for = override[name].get("depends_on", OURS[name]["depends_on"])
        assert set(waits_for) == {"postgres"}


def test_every_file_and_command_that_the_guide_names_is_there() -> None:
    """Z23"""
    guide = (TOP / "docs/deployment.md").read_text()
    named = set(re.findall(r"\bdeploy/[\w./-]*\w", guide))
    written_by_the_firm = {"deploy/ledgerline.yaml"}
    missing = [path for path in named if not path.startswith("deploy/secrets/") and not (TOP / path).exists()]
    assert sorted(missing) == sorted(written_by_the_firm)
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    assert set(re.findall(r"exec worker ledgerline (\w+)", guide)) <= known


def test_every_service_that_the_guide_names_in_a_command_exists() -> None:
    guide = (TOP / "docs/deployment.md").read_text()
    named = re.findall(r"docker compose (?:exec|logs|restart|stop|start)(?: --?[\w-]+)* ([a-z-]+)", guide)
    assert named
    assert set(named) <= set(SERVICES)
