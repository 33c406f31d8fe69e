"""Hours billed under lost answers, late searches and workers that die: the small cut."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(300)]


def test_every_hour_is_billed_once_and_nothing_else_is(tmp_path: Path) -> None:
    """Z16; F1, F2, F31. Five currencies, to the minor unit."""
    report = tmp_path / "hours.json"
    command = [sys.executable, "-m", "tests.faults.hours_campaign", "--small", "--report", str(report)]
    ran = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=280, check=False
    )
    assert report.exists(), ran.stderr
    said = json.loads(report.read_text())
    assert said["verdict"] == "green", json.dumps(said, indent=2)
    assert (said["entries"], said["billed"], said["invoices"]) == (60, 36, 8)
    assert all(due == billed > 0 for due, billed in said["sums"].values())
