"""Creates whose answers are lost, under everything else that goes wrong: the small cut of the fault campaign."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.faults]


def campaign(folder: Path, *options: str) -> dict[str, Any]:
    """Run the small cut in a process of its own, and return its report."""
    report = folder / "faults.json"
    command = [sys.executable, "-m", "tests.faults.campaign", "--small", "--report", str(report), *options]
    ran = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True, timeout=280, check=False
    )
    assert report.exists(), ran.stderr
    return dict(json.loads(report.read_text()))


def counted(report: dict[str, Any], what: str) -> int:
    """Return how many the judge found of something that must never be."""
    return next(int(each["count"]) for each in report["findings"] if each["what"] == what)


@pytest.mark.timeout(300)
def test_every_party_has_one_client_whatever_happened_to_the_answers(database_url: str, tmp_path: Path) -> None:
    """S26, S27, S47, S49, Z26; F1, F2, F3, F6, F14, F40, F41. On SQLite, and fewer on PostgreSQL."""
    parties = 60 if database_url.startswith("sqlite") else 30
    report = campaign(tmp_path, "--database", database_url, "--parties", str(parties))
    assert report["verdict"] == "green", json.dumps(report, indent=2)
    assert report["creates"] == parties


@pytest.mark.timeout(300)
@pytest.mark.parametrize("safeguard", ["no-look", "no-settle"])
def test_without_one_of_its_safeguards_the_system_writes_twice_and_the_campaign_says_so(
    safeguard: str, tmp_path: Path
) -> None:
    """The positive control: a campaign that could not turn red would prove nothing."""
    report = campaign(tmp_path, "--break", safeguard)
    assert report["verdict"] == "red", json.dumps(report, indent=2)
    assert counted(report, "parties with two clients") > 0
    assert counted(report, "references on two clients") > 0
    assert counted(report, "parties without a client") == 0
