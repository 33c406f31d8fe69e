"""Every test here starts in an empty folder, with an environment that says nothing of Ledgerline or Temporal."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def clean_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("LEDGERLINE_", "TEMPORAL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "no-profiles.toml"))
    monkeypatch.chdir(tmp_path)
