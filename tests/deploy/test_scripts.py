"""The scripts of the deployment, run where they can run without containers."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from runtime.keys import load_keys
from tests.deploy.files import DEPLOY, SCRIPTS
from workflows.search_attributes import ALL

NAMESPACE_SCRIPT = DEPLOY / "temporal/set-up-namespace.sh"


def _run(script: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(
        ["sh", str(script), *arguments], env=variables, text=True, capture_output=True, check=False, timeout=60
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_every_script_can_be_read_by_a_shell(script: Path, shell: str) -> None:
    assert subprocess.run([shell, "-n", str(script)], check=False, capture_output=True).stderr == b""


@pytest.fixture
def firm(tmp_path: Path) -> Path:
    """A checkout with nothing in it but the script that makes the secrets."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(DEPLOY / "make-secrets.sh", tmp_path / "deploy")
    return tmp_path


def test_new_secrets_are_there_and_only_their_owner_gets_to_them(firm: Path) -> None:
    """Z137"""
    assert _run(firm / "deploy/make-secrets.sh").returncode == 0
    folder = firm / "deploy/secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    password = (folder / "ledgerline_database_password").read_text().strip()
    assert len(password) == 48
    address = (folder / "ledgerline_database_url").read_text()
    assert address == f"postgresql://ledgerline:{password}@postgres:5432/ledgerline\n"
    assert (firm / ".env").read_text() == "DEPLOY_SECRETS=./deploy/secrets\n"


def test_making_secrets_again_changes_none(firm: Path) -> None:
    """A new key in place of the old one would make everything that is stored unreadable."""
    _run(firm / "deploy/make-secrets.sh")
    before = {path.name: path.read_text() for path in (firm / "deploy/secrets").iterdir() if path.is_file()}
    again = _run(firm / "deploy/make-secrets.sh")
    assert again.returncode == 0
    assert "made" not in again.stdout
    assert before == {path.name: path.read_text() for path in (firm / "deploy/secrets").iterdir() if path.is_file()}
    assert (firm / ".env").read_text().count("DEPLOY_SECRETS=") == 1


def test_no_secret_is_shown_while_it_is_made(firm: Path) -> None:
    """Z137"""
    shown = _run(firm / "deploy/make-secrets.sh")
    for path in (firm / "deploy/secrets").iterdir():
        if path.is_file():
            assert path.read_text().strip() not in shown.stdout + shown.stderr


def test_the_key_that_the_script_makes_opens_what_the_container_stores(
    firm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEDGERLINE_KEY", raising=False)
    _run(firm / "deploy/make-secrets.sh")
    memory = firm / "memory"
    memory.mkdir()
    secret = str(firm / "deploy/secrets/ledgerline_key")
    for _ in range(2):  # a container that is started again finds the copy of the last start
        started = _run(DEPLOY / "entrypoint.sh", "echo", "started", LEDGERLINE_DATA=str(memory), KEY_SECRET=secret)
        assert (started.returncode, started.stdout) == (0, "started\n")
    assert stat.S_IMODE((memory / "ledgerline.key").stat().st_mode) == 0o600
    keys = load_keys(memory)
    assert keys.open(keys.seal(b"12 invoices", "here"), "here") == b"12 invoices"


def test_a_container_without_the_key_does_not_start_with_a_new_one(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    started = _run(DEPLOY / "entrypoint.sh", "echo", "started", LEDGERLINE_DATA=str(tmp_path), KEY_SECRET=missing)
    assert (started.returncode, started.stdout) == (2, "")
    assert "restore the key from your backup" in started.stderr
    assert not (tmp_path / "ledgerline.key").exists()


def _server(folder: Path, answers: str) -> dict[str, str]:
    """Put a stand-in of the `temporal` command on the path; it notes what it is asked."""
    (folder / "sleep").write_text("#!/bin/sh\n")
    (folder / "temporal").write_text(f'#!/bin/sh\necho "$*" >>"{folder}/asked"\n{answers}\n')
    for name in ("sleep", "temporal"):
        (folder / name).chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return {"PATH": path, "TEMPORAL_ADDRESS": "temporal:7233", "TEMPORAL_NAMESPACE": "default"}


def _asked(folder: Path, begin: str) -> list[str]:
    return [line for line in (folder / "asked").read_text().splitlines() if line.startswith(begin)]


def test_a_new_cluster_gets_a_namespace_of_fourteen_days_and_our_search_attributes(tmp_path: Path) -> None:
    done = _run(NAMESPACE_SCRIPT, **_server(tmp_path, 'case "$*" in *describe*) exit 1 ;; esac'))
    assert done.returncode == 0, done.stderr
    assert _asked(tmp_path, "operator namespace create") == [
        "operator namespace create --namespace default --retention 14d"
    ]
    made = _asked(tmp_path, "operator search-attribute create")
    assert [line.split("--name ")[1] for line in made] == [f"{key.name} --type Keyword" for key in ALL]


def test_at_the_next_start_nothing_of_the_cluster_is_changed(tmp_path: Path) -> None:
    names = " ".join(key.name for key in ALL)
    done = _run(NAMESPACE_SCRIPT, **_server(tmp_path, f'case "$*" in *list*) echo "{names}" ;; esac'))
    assert done.returncode == 0
    assert _asked(tmp_path, "operator namespace create") == []
    assert _asked(tmp_path, "operator search-attribute create") == []


def test_a_server_that_never_answers_is_named_and_quoted(tmp_path: Path) -> None:
    done = _run(NAMESPACE_SCRIPT, **_server(tmp_path, 'echo "connection refused" >&2; exit 1'))
    assert done.returncode == 1
    assert "temporal:7233 does not answer" in done.stderr
    assert "connection refused" in done.stderr
